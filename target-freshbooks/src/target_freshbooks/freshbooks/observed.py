"""What FreshBooks holds, as frozen values: the only shapes its answers leave this package in.

Money and percents are Decimals taken from text. Ids are ints whatever the wire had. Text that
FreshBooks returns as null is "". `vis_state` is 0 active, 1 deleted, 2 archived.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

ACTIVE, DELETED, ARCHIVED = 0, 1, 2

DRAFT = 1
"""The `status` of an invoice that is no receivable yet."""


@dataclass(frozen=True, slots=True)
class ObservedRecord:
    """A record, which stays when it is deleted or archived (`vis_state`)."""

    id: int
    vis_state: int = field(default=ACTIVE, kw_only=True)


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
class ObservedInvoice(ObservedRecord):
    """An invoice. `lines` is None if FreshBooks was not asked for them.

    `updated` is when it was changed last; None if FreshBooks does not say.
    """

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
    lines: tuple[ObservedLine, ...] | None
    updated: datetime | None
    billing: BillingAddress = BillingAddress()


@dataclass(frozen=True, slots=True)
class ObservedPayment(ObservedRecord):
    """A payment. `overpayment_id` is set when FreshBooks turned a part of it into a credit."""

    invoice_id: int
    amount: Decimal
    currency: str
    date: date
    type: str
    note: str
    overpayment_id: int | None


@dataclass(frozen=True, slots=True)
class ObservedClient(ObservedRecord):
    """A client, its fields under FreshBooks' names. Several may share one e-mail.

    `signup_date` is when it was made; None if FreshBooks does not say.
    """

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
class ObservedItem(ObservedRecord):
    """An item of the catalogue; the price is None if FreshBooks holds none.

    `updated` is when it was changed last; None if FreshBooks does not say.
    """

    name: str
    sku: str
    description: str
    unit_cost: Decimal | None
    currency: str | None
    updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class ObservedTax(ObservedRecord):
    """A tax that the account keeps; `compound` if it is charged on the taxes before it too."""

    name: str
    percent: Decimal
    compound: bool = False


@dataclass(frozen=True, slots=True)
class ObservedExpense(ObservedRecord):
    """An expense."""

    amount: Decimal
    currency: str
    date: date
    notes: str


@dataclass(frozen=True, slots=True)
class ObservedCategory(ObservedRecord):
    """A category of expenses."""

    name: str


@dataclass(frozen=True, slots=True)
class ObservedCreditNote(ObservedRecord):
    """A credit note of a client.

    Attributes:
        credit_id: Its other id on the wire (`creditid`); mostly the same number.
        credit_type: `goodwill` or `prepayment`; `overpayment` if FreshBooks made it.
        day: Its date; None if FreshBooks does not say.
    """

    client_id: int
    number: str
    amount: Decimal
    currency: str
    notes: str
    credit_id: int | None = None
    credit_type: str = ""
    day: date | None = None
