"""A month's orders, each beside its invoice: pure values, and what they say together.

An order belongs to the month of its invoice date, which is its day in the store's time zone. The
order's own side is what the shop says (total, refunds); the other side is what FreshBooks holds.
"""

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Self

from target_freshbooks.freshbooks.observed import DRAFT, ObservedInvoice
from target_freshbooks.ledger import OrderRow
from target_freshbooks.money import ZERO, total


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month."""

    first: date
    last: date

    @classmethod
    def parse(cls, text: str) -> Self:
        """From "YYYY-MM".

        Raises:
            ValueError: It is no month.
        """
        try:
            first = date.fromisoformat(f"{text}-01")
        except ValueError:
            raise ValueError(f"{text!r} is no month: write it as YYYY-MM.") from None
        return cls(first, first.replace(day=monthrange(first.year, first.month)[1]))

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


class Standing(StrEnum):
    """What a bookkeeper has to know of an order."""

    AGREES = "agrees"
    PERSON = "needs a person"
    ABSENT = "not in the books"
    PENDING = "waits for the next run"
    SETTLED = "settled by hand"


_UNTROUBLED = {
    "posted": Standing.AGREES,
    "new": Standing.PENDING,
    "settled": Standing.SETTLED,
}
"""An order's standing by its state, where its invoice equals it and nothing is found."""

HEADED = Standing.AGREES, Standing.PERSON, Standing.ABSENT
"""What a headline always tells."""


@dataclass(frozen=True, slots=True)
class Row:
    """One order and its invoice; amounts in `currency`, None if that side has nothing.

    The order's own is None as long as it could not be read.

    Attributes:
        client_id: FreshBooks' id of the client; 0 if there is no invoice.
        client: Whom the invoice is made out to.
        worked_out: Taxes whose percents were worked out.
        findings: What `verify` finds.
    """

    order_id: int
    day: date
    currency: str
    state: str
    reason: str
    detail: str
    next_step: str
    order_total: Decimal | None
    redeemed: Decimal
    refunded: Decimal
    invoice_number: str
    invoice_total: Decimal | None
    paid: Decimal | None
    outstanding: Decimal | None
    draft: bool
    worked_out: str = ""
    invoice_id: int | None = None
    client_id: int = 0
    client: str = field(default="", repr=False)
    method: str = ""
    findings: tuple[str, ...] = ()

    @property
    def difference(self) -> Decimal | None:
        """Invoice minus (order less stored value redeemed and money refunded).

        None if there is no sent invoice, or the order could not be read.
        """
        if self.invoice_total is None or self.order_total is None or self.draft:
            return None
        return self.invoice_total - (self.order_total - self.redeemed - self.refunded)

    @property
    def standing(self) -> Standing:
        """What a bookkeeper has to know of it."""
        is_equal = self.difference == ZERO or self.state == "settled"
        untroubled = is_equal and not self.findings
        return _UNTROUBLED.get(self.state, Standing.PERSON) if untroubled else Standing.PERSON


@dataclass(frozen=True, slots=True)
class Absent:
    """An order of the month that is not in the books; its figures are None if nobody looked."""

    order_id: int
    day: date
    currency: str
    order_total: Decimal | None
    why: str


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of one currency over the orders that are in the books."""

    currency: str
    orders: int
    order_total: Decimal
    redeemed: Decimal
    refunded: Decimal
    invoice_total: Decimal
    paid: Decimal
    outstanding: Decimal
    difference: Decimal


@dataclass(frozen=True, slots=True)
class Debt:
    """What one client owes in one currency on the month's invoices.

    Attributes:
        client_id: FreshBooks' id of the client.
        client: Whom the invoices are made out to.
        currency: ISO code.
        orders: Those whose invoices are open.
        oldest: The day of the first of them.
        outstanding: What is open.
    """

    client_id: int
    client: str = field(repr=False)
    currency: str
    orders: tuple[int, ...]
    oldest: date
    outstanding: Decimal


@dataclass(frozen=True, slots=True)
class Headline:
    """How many orders of the month stand how, and what that comes to in words."""

    counts: Mapping[Standing, int]
    open: int

    def __str__(self) -> str:
        count = {standing: self.counts.get(standing, 0) for standing in Standing}
        orders = sum(count.values())
        if not orders:
            return "No order of this month is known."
        agree, person, absent = (count[one] for one in HEADED)
        parts = [
            f"{agree} {_form(agree, 'order agrees', 'orders agree')}",
            f"{person} {_form(person, 'needs', 'need')} a person",
            f"{absent} {_form(absent, 'is', 'are')} not in the books",
        ]
        more = (Standing.SETTLED, "settled by hand"), (Standing.PENDING, str(Standing.PENDING))
        parts += [f"{count[standing]} {words}" for standing, words in more if count[standing]]
        return "; ".join(parts) + "."


def _form(number: int, one: str, many: str) -> str:
    return one if number == 1 else many


def headline(
    rows: Sequence[Row], absent: Sequence[Absent], others: Collection[int] = ()
) -> Headline:
    """Count the month's orders, and the others of which something of the month is found."""
    counts = Counter(row.standing for row in rows)
    counts[Standing.PERSON] += len(others)
    counts[Standing.ABSENT] += len(absent)
    return Headline(counts, len(receivables(rows)))


def receivables(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows whose sent invoices are open: no difference, but money that is still to come."""
    return tuple(row for row in rows if row.outstanding and not row.draft)


def make_row(
    order: OrderRow, invoice: ObservedInvoice | None, findings: tuple[str, ...] = ()
) -> Row | None:
    """An order's row; None if no day of it is known."""
    if order.order_date is None:
        return None
    return Row(
        order_id=order.order_id,
        day=order.order_date,
        currency=order.currency or "",
        state=order.state,
        reason=order.reason or "",
        detail=order.detail or "",
        next_step=order.next_step or "",
        order_total=order.order_total,
        redeemed=order.redeemed or ZERO,
        refunded=order.refunded or ZERO,
        invoice_number=order.invoice_number or "",
        invoice_total=invoice.amount if invoice else None,
        paid=invoice.paid if invoice else None,
        outstanding=invoice.outstanding if invoice else None,
        draft=invoice is not None and invoice.status == DRAFT,
        worked_out=order.worked_out or "",
        invoice_id=invoice.id if invoice else None,
        client_id=invoice.customer_id if invoice else 0,
        client=_made_out_to(invoice) if invoice else "",
        method=order.payment_method or "",
        findings=findings,
    )


def _made_out_to(invoice: ObservedInvoice) -> str:
    to = invoice.billing
    return to.organization or f"{to.fname} {to.lname}".strip() or f"client {invoice.customer_id}"


def total_up(rows: Iterable[Row]) -> tuple[Totals, ...]:
    """Sum the rows that have a sent invoice, by currency."""
    by_currency: Mapping[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.difference is not None:
            by_currency[row.currency].append(row)
    return tuple(
        Totals(
            currency=currency,
            orders=len(ones),
            order_total=total(row.order_total or ZERO for row in ones),
            redeemed=total(row.redeemed for row in ones),
            refunded=total(row.refunded for row in ones),
            invoice_total=total(row.invoice_total or ZERO for row in ones),
            paid=total(row.paid or ZERO for row in ones),
            outstanding=total(row.outstanding or ZERO for row in ones),
            difference=total(row.difference or ZERO for row in ones),
        )
        for currency, ones in sorted(by_currency.items())
    )


def debts(rows: Iterable[Row]) -> tuple[Debt, ...]:
    """What is open by client and currency, the largest first within a currency.

    Clients are told apart by FreshBooks' id and by name: one client may stand for all shoppers.
    """
    groups: dict[tuple[str, int, str], list[Row]] = defaultdict(list)
    for row in receivables(rows):
        groups[row.currency, row.client_id, row.client].append(row)
    owing = [
        Debt(
            client_id,
            client,
            currency,
            tuple(row.order_id for row in ones),
            min(row.day for row in ones),
            total(row.outstanding or ZERO for row in ones),
        )
        for (currency, client_id, client), ones in groups.items()
    ]
    return tuple(sorted(owing, key=lambda one: (one.currency, -one.outstanding, one.client)))
