"""Desired state of an order: the accounting rules make it, the reconciler brings it about.

Invoice amounts are `Decimal` with at most the currency's number of decimals, in the invoice's
currency.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from target_freshbooks.marks import Mark
from target_freshbooks.shop.facts import Address


class Reason(StrEnum):
    """Why an order is parked: a code an operator can search for."""

    TOTAL_MISMATCH = "total_mismatch"
    TAX_UNKNOWN = "tax_unknown"
    NUMBER_TAKEN = "number_taken"
    NUMBER_TOO_LONG = "number_too_long"
    UNSUPPORTED_CURRENCY = "unsupported_currency"
    REFUND_MISSING = "refund_missing"
    REFUND_REFUSED = "refund_refused"
    REFUND_MISMATCH = "refund_mismatch"
    REFUND_EXCEEDS_PAYMENTS = "refund_exceeds_payments"
    OVERPAID = "overpaid"
    NO_CLIENT = "no_client"
    CANCELLED_AFTER_POSTING = "cancelled_after_posting"
    CHANGED_AFTER_POSTING = "changed_after_posting"
    EDITED_IN_FRESHBOOKS = "edited_in_freshbooks"
    DELETED_IN_FRESHBOOKS = "deleted_in_freshbooks"
    PAYMENT_CURRENCY = "payment_currency"
    PAYMENT_UNEXPLAINED = "payment_unexplained"
    MONEY_UNCLEAR = "money_unclear"
    PAID_ELSEWHERE = "paid_elsewhere"
    OVERPAYMENT_CREDIT_LEFT = "overpayment_credit_left"
    NO_PROGRESS = "no_progress"
    CLOSED_PERIOD = "closed_period"
    MARKETPLACE_TAX = "marketplace_tax"
    UNREADABLE_RECORD = "unreadable_record"
    FACTS_INCOMPLETE = "facts_incomplete"
    CLIENT_LIMIT = "client_limit"
    REFUSED_BY_FRESHBOOKS = "refused_by_freshbooks"
    FRESHBOOKS_ERROR = "freshbooks_error"
    DEFECT = "defect"


@dataclass(frozen=True, slots=True)
class Parked:
    """The order cannot be booked (further) without a person."""

    reason: Reason
    detail: str
    """One plain sentence with the figures."""
    next_step: str
    """What the bookkeeper can do."""
    locked: date | None = None
    """The day that FreshBooks holds locked, if that is why: a later run hears when it opens."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not billable (yet): counted, not parked. `why` is a short code, e.g. `status_7`."""

    why: str


@dataclass(frozen=True, slots=True)
class Billable:
    """The order is to be in the books."""


@dataclass(frozen=True, slots=True)
class LineTax:
    """A tax on a line: FreshBooks takes a name and a percent and computes the amount."""

    name: str
    percent: Decimal
    """Of as many decimals as FreshBooks keeps, e.g. Decimal("8.875")."""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line as FreshBooks keeps it; `quantity * unit_cost` is its amount before tax."""

    name: str
    description: str
    quantity: Decimal
    unit_cost: Decimal
    taxes: tuple[LineTax, ...] = ()
    """None, one or two, in the order tax 1, tax 2."""
    item_key: str = ""
    """The `ItemDraft` whose FreshBooks name the line takes; empty for lines that are no item."""


Lines = tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class ExactLine:
    """A line whose amount is known exactly but not yet in whole cents."""

    name: str
    description: str
    net: Decimal
    taxes: tuple[LineTax, ...] = ()
    quantity: Decimal = Decimal(1)
    """More than one only if the line can be said as quantity times a whole unit cost."""
    item_key: str = ""

    def at(self, amount: Decimal) -> InvoiceLine:
        """The line over an amount of whole cents."""
        return InvoiceLine(
            self.name,
            self.description,
            self.quantity,
            amount / self.quantity,
            self.taxes,
            self.item_key,
        )


@dataclass(frozen=True, slots=True)
class ClientDraft:
    """Whom the invoice is for."""

    key: str
    """Ledger key: `customer:<id>`, `email:<normalised>` or `generic`."""
    email: str
    """As the shop spells it, trimmed; empty only for the generic client."""
    address: Address
    currency: str
    vat: tuple[str, str] | None = None
    """What the VAT number is called, and the number; None where there is none."""


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """A FreshBooks item for something sold, or for lines that are no product's."""

    key: str
    """Ledger key: `variant:<product>:<variant>`, `sku:<sku>`, `name:<name>` or `line:<name>`."""
    name: str
    sku: str
    description: str
    unit_cost: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received for the invoice."""

    key: str
    """In the order: `transaction:<id>`, `store_credit`, `gift_certificate` or `derived`."""
    amount: Decimal
    """What was captured, refunds not yet subtracted."""
    day: date
    type: str
    note: str
    """A mark on a line of its own: how the payment is found again."""
    transaction_id: int | None = None
    received: Decimal | None = None
    """What came in, where the invoice is over less than that; else None."""

    @property
    def most(self) -> Decimal:
        """The most that may be booked of it."""
        return self.amount if self.received is None else self.received


@dataclass(frozen=True, slots=True)
class CreditNote:
    """Value given back as credit rather than money."""

    refund_id: int
    notes: str
    """A mark on a line of its own: how it is found again."""
    day: date
    total: Decimal
    variants: tuple[Lines, ...]
    """Its lines under each way in which FreshBooks may round, the likeliest first."""


@dataclass(frozen=True, slots=True)
class RefundEntry:
    """One refund: what it takes off the invoice and the payments.

    Both are absolute, so that applying it twice is harmless.
    """

    refund_id: int
    money: Decimal
    """What the invoice's total falls by: sent back as money, less what of a surplus was given as
    stored value."""
    payments_after: tuple[tuple[str, Decimal], ...]
    """Payment key and the amount it has once this refund and all before it are booked."""
    taken: tuple[ExactLine, ...]
    """The negative lines, not yet in whole cents and fitted to the invoice (`fit_refund`)."""
    day: date
    credit: Decimal = Decimal(0)
    """Given as stored value, which is in the lines; 0 where that is a credit note."""
    credit_note: CreditNote | None = None

    @property
    def value(self) -> Decimal:
        """What was given back of what the invoice is over."""
        return self.money + self.credit

    @property
    def stored(self) -> Decimal:
        """What its lines add to the items of stored value."""
        return sum((line.net for line in self.taken if line.item_key), Decimal(0))


@dataclass(frozen=True, slots=True)
class Correction:
    """What takes a refund back on a day of its own.

    Attributes:
        refund_id: The refund.
        number: Of the invoice that corrects.
        day: The refund's, or the open day that a person chose.
        money: What went back.
        marker: Proves that an invoice or an expense is ours.
        notes: With which invoice it corrects, and the marker on a line of its own.
        expense: Whether the money is booked as an expense beside it.
        variants: Its lines for each total that FreshBooks may make of them, in an order in which
            none comes below zero, which FreshBooks refuses.
        entry: The refund, as the invoice would have it.
    """

    refund_id: int
    number: str
    day: date
    money: Decimal
    marker: Mark
    notes: str
    expense: bool
    variants: tuple[Lines, ...]
    entry: RefundEntry


@dataclass(frozen=True, slots=True)
class Invoice:
    """The invoice as first posted, before refunds."""

    number: str
    day: date
    currency: str
    total: Decimal
    """What FreshBooks must answer as `amount`, to the cent."""
    lines: Lines
    """As it is first written; a Rounding line may be added by FreshBooks' answer."""
    marker: Mark
    """Proves that an invoice found by its number is ours."""
    notes: str
    po_number: str
    billing: Address
    due_days: int = 0
    """After how many days it is due."""
    without_negatives: Lines = ()
    """If lines are negative: the invoice said without such, as far as it can be."""


@dataclass(frozen=True, slots=True)
class Desired:
    """What FreshBooks should hold for one order."""

    order_id: int
    client: ClientDraft
    items: tuple[ItemDraft, ...]
    invoice: Invoice
    payments: tuple[Payment, ...]
    refunds: tuple[RefundEntry, ...]
    """Those on the invoice."""
    unbooked_refunds: frozenset[int] = frozenset()
    """Refunds that are not to be booked: declined, or of money that never was. They may have been
    booked before."""
    flag: Parked | None = None
    """Posted as far as it goes, and still parked for a person (overpaid, refund_missing, ...)."""
    worked_out: tuple[LineTax, ...] = ()
    """Taxes on the invoice that the shop states without any rate; their percents are no law's."""
    found_rate: LineTax | None = None
    """The one of FreshBooks' own taxes that was taken for the order's, whose tax rows are missing:
    it is kept with the order."""
    redeemed: Decimal = Decimal(0)
    """Stored value that the order's total is less by on the invoice."""
    no_money: frozenset[str] = frozenset()
    """Parts of the order, such as `transaction 77`, that the shop shows as captured and that are no
    payments: they spent stored value."""
    hold: bool = False
    """With a flag: leave the invoice a Draft, without payments (a total that does not add up)."""
    corrections: tuple[Correction, ...] = ()
    """Refunds of a closed month, booked beside the invoice."""
    void: bool = False
    """The order is cancelled: its invoice is kept, at nothing."""


def round_trip(amount: Decimal) -> str:
    """The decimal as FreshBooks takes it: plain digits, no exponent."""
    return format(amount, "f")
