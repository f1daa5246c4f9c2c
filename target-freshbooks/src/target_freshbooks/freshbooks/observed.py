"""What FreshBooks holds, as frozen values: the only shapes its answers leave this package in.

Money and percents are Decimals taken from text. Ids are ints whatever the wire had. Text that
FreshBooks returns as null is "". `vis_state` is 0 active, 1 deleted, 2 archived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal

ACTIVE, DELETED, ARCHIVED = 0, 1, 2

DRAFT = 1
"""The `status` of an invoice that is no receivable yet."""


@dataclass(frozen=True, slots=True)
class ObservedLine:
    """One invoice line. A percent belongs to a tax name; untaxed is None and 0."""

    name: str
    description: str
    qty: Decimal
    unit_cost: Decimal
    amount: Decimal
    tax_name1: str | None
    tax_percent1: Decimal
    tax_name2: str | None
    tax_percent2: Decimal


@dataclass(frozen=True, slots=True)
class BillingAddress:
    """Whom an invoice is made out to: its own copy of name and address, under FreshBooks' names."""

    fname: str = ""
    lname: str = ""
    organization: str = ""
    street: str = ""
    street2: str = ""
    city: str = ""
    province: str = ""
    code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class ObservedInvoice:
    """An invoice. `lines` is None if FreshBooks was not asked for them; `updated` as sent."""

    id: int
    number: str
    customer_id: int
    status: int
    payment_status: str
    amount: Decimal
    paid: Decimal
    outstanding: Decimal
    currency: str
    create_date: date
    notes: str
    po_number: str
    vis_state: int
    lines: tuple[ObservedLine, ...] | None
    updated: str
    billing: BillingAddress = BillingAddress()


@dataclass(frozen=True, slots=True)
class ObservedPayment:
    """A payment. `overpayment_id` is set when FreshBooks turned a part of it into a credit."""

    id: int
    invoice_id: int
    amount: Decimal
    currency: str
    date: date
    type: str
    note: str
    vis_state: int
    overpayment_id: int | None


@dataclass(frozen=True, slots=True)
class ObservedClient:
    """A client, its fields under FreshBooks' names. Several may share one e-mail.

    `signup_date` is when it was made; None if FreshBooks does not say.
    """

    id: int
    vis_state: int = ACTIVE
    email: str = ""
    fname: str = ""
    lname: str = ""
    organization: str = ""
    p_street: str = ""
    p_street2: str = ""
    p_city: str = ""
    p_province: str = ""
    p_code: str = ""
    p_country: str = ""
    currency_code: str = ""
    vat_name: str = ""
    vat_number: str = ""
    signup_date: datetime | None = None


@dataclass(frozen=True, slots=True)
class ObservedItem:
    """An item of the catalogue; the price is None if FreshBooks holds none.

    `updated` is when it was changed last; None if FreshBooks does not say.
    """

    id: int
    name: str
    sku: str
    description: str
    unit_cost: Decimal | None
    currency: str | None
    vis_state: int
    updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class ObservedTax:
    """A tax that the account keeps; `compound` if it is charged on the taxes before it too."""

    id: int
    name: str
    percent: Decimal
    compound: bool = False
    vis_state: int = ACTIVE


@dataclass(frozen=True, slots=True)
class ObservedExpense:
    """An expense."""

    id: int
    amount: Decimal
    currency: str
    date: date
    notes: str
    vis_state: int


@dataclass(frozen=True, slots=True)
class ObservedCategory:
    """A category of expenses."""

    id: int
    name: str
    vis_state: int


@dataclass(frozen=True, slots=True)
class ObservedCreditNote:
    """A credit note of a client.

    Attributes:
        credit_id: Its other id on the wire (`creditid`); mostly the same number.
        credit_type: `goodwill` or `prepayment`; `overpayment` where FreshBooks made it.
        day: Its date; None where FreshBooks does not say.
    """

    id: int
    client_id: int
    number: str
    amount: Decimal
    currency: str
    notes: str
    vis_state: int
    credit_id: int | None = None
    credit_type: str = ""
    day: date | None = None
