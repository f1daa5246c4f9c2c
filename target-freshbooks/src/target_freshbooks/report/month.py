"""A month's figures: pure values, gathered from the ledger's orders and FreshBooks' invoices.

An order belongs to the month of its invoice date, which is its day in the store's time zone. The
order's own side is what the shop says (total, refunds); the other side is what FreshBooks holds.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Self

from target_freshbooks.freshbooks.observed import DRAFT, ObservedInvoice
from target_freshbooks.ledger import EarlierMonth, OrderRow
from target_freshbooks.report.corrections import Corrected

ZERO = Decimal(0)


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


@dataclass(frozen=True, slots=True)
class Row:
    """One order and its invoice; amounts in `currency`, None if that side has nothing."""

    order_id: int
    day: date
    currency: str
    state: str
    reason: str
    detail: str
    next_step: str
    order_total: Decimal
    redeemed: Decimal
    refunded: Decimal
    invoice_number: str
    invoice_total: Decimal | None
    paid: Decimal | None
    outstanding: Decimal | None
    draft: bool
    worked_out: str = ""
    """Taxes whose percents were worked out."""

    @property
    def difference(self) -> Decimal | None:
        """Invoice minus (order less stored value redeemed and money refunded).

        None if there is no sent invoice.
        """
        if self.invoice_total is None or self.draft:
            return None
        return self.invoice_total - (self.order_total - self.redeemed - self.refunded)


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
class Owed:
    """What is owed on gift certificates or as store credit: one item's balance in one currency.

    Attributes:
        item: Its name.
        currency: ISO code.
        balance: Sold and given less redeemed and taken back, to the end of a day.
    """

    item: str
    currency: str
    balance: Decimal


@dataclass(frozen=True, slots=True)
class MonthReport:
    """The report's content."""

    month: Month
    source: str
    rows: tuple[Row, ...]
    totals: tuple[Totals, ...]
    waiting: int
    foreign: tuple[ObservedInvoice, ...] = field(default=())
    """Invoices of the month in FreshBooks that no order accounts for: typed by hand, mostly."""
    changed: tuple[EarlierMonth, ...] = field(default=())
    """What was changed in the month after it was over."""
    corrections: tuple[Corrected, ...] = ()
    """Refunds of the month whose invoices are of earlier, closed ones."""
    owed: tuple[Owed, ...] = ()
    """On gift certificates and as store credit, at the end of the month."""

    @property
    def parked(self) -> tuple[Row, ...]:
        """The rows that need a person."""
        return tuple(row for row in self.rows if row.state == "parked")

    @property
    def receivables(self) -> tuple[Row, ...]:
        """The rows whose sent invoices are open: no difference, but money that is still to come."""
        return tuple(row for row in self.rows if row.outstanding and not row.draft)

    @property
    def worked_out(self) -> tuple[Row, ...]:
        """The rows with taxes whose percents were worked out."""
        return tuple(row for row in self.rows if row.worked_out)

    @property
    def settled(self) -> tuple[Row, ...]:
        """The rows that a person settled; what was done is in their detail."""
        return tuple(row for row in self.rows if row.state == "settled")

    @property
    def agrees(self) -> bool:
        """Whether every invoice in the books equals its order, but for those a person settled."""
        return all(row.difference in {None, ZERO} for row in self.rows if row.state != "settled")


def make_row(order: OrderRow, invoice: ObservedInvoice | None) -> Row | None:
    """An order's row; None if it has no day yet (never looked at)."""
    if order.order_date is None or order.order_total is None:
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
    )


def total_up(rows: Iterable[Row]) -> tuple[Totals, ...]:
    """Sum the rows that have a sent invoice, by currency."""
    by_currency: Mapping[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.difference is not None:
            by_currency[row.currency].append(row)
    return tuple(
        Totals(
            currency=currency,
            orders=len(rows_of_it),
            order_total=sum((row.order_total for row in rows_of_it), start=ZERO),
            redeemed=sum((row.redeemed for row in rows_of_it), start=ZERO),
            refunded=sum((row.refunded for row in rows_of_it), start=ZERO),
            invoice_total=sum((row.invoice_total or ZERO for row in rows_of_it), start=ZERO),
            paid=sum((row.paid or ZERO for row in rows_of_it), start=ZERO),
            outstanding=sum((row.outstanding or ZERO for row in rows_of_it), start=ZERO),
            difference=sum((row.difference or ZERO for row in rows_of_it), start=ZERO),
        )
        for currency, rows_of_it in sorted(by_currency.items())
    )
