"""The content of a month's report: what was read, and what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass

from target_freshbooks.freshbooks.observed import ObservedInvoice
from target_freshbooks.ledger import ChainVerdict, EarlierMonth
from target_freshbooks.posting.findings import Finding
from target_freshbooks.report.corrections import Corrected
from target_freshbooks.report.figures import (
    DayFigures,
    InvoiceFigures,
    Statement,
    days,
    statements,
)
from target_freshbooks.report.month import (
    Absent,
    Debt,
    Headline,
    Month,
    Row,
    Totals,
    debts,
    headline,
    receivables,
    total_up,
)
from target_freshbooks.report.payments import PaymentsOfMonth
from target_freshbooks.report.stored import Owed


@dataclass(frozen=True, slots=True)
class MonthReport:
    """The report's content.

    Attributes:
        month: The month.
        source: The ledger's name of the store.
        rows: Its orders that are in the books, or should be.
        absent: Its orders that are not.
        unseen: Orders that no run has looked at yet, so that their month is not known.
        undated: Parked orders whose day could not be read.
        figures: Each sent invoice of ours that is dated in the month, taken apart.
        payments: The month's payments.
        foreign: Invoices of the month in FreshBooks that no order accounts for: typed by hand,
            mostly.
        corrections: Refunds of the month whose invoices are of earlier, closed ones.
        owed: On gift certificates and as store credit, at the end of the month.
        other_stores: Whether the ledger is of other stores too.
        changed: What was changed in the month after it was over.
        earlier: What was changed of earlier months in this one.
        delays: Orders by the days from payment to booking.
        findings: What `verify` finds on orders that the ledger does not have, and on those of
            earlier months of which something is dated in this one.
        in_work: Orders that a run had in hand, so that nothing is found of them.
        chain: Whether the audit journal is whole.
    """

    month: Month
    source: str
    rows: tuple[Row, ...]
    absent: tuple[Absent, ...]
    unseen: int
    undated: tuple[int, ...]
    figures: tuple[InvoiceFigures, ...]
    payments: PaymentsOfMonth
    foreign: tuple[ObservedInvoice, ...]
    corrections: tuple[Corrected, ...]
    owed: tuple[Owed, ...]
    other_stores: bool
    changed: tuple[EarlierMonth, ...]
    earlier: tuple[EarlierMonth, ...]
    delays: Mapping[str, int]
    findings: tuple[Finding, ...]
    in_work: tuple[int, ...]
    chain: ChainVerdict

    @property
    def headline(self) -> Headline:
        """How many orders stand how."""
        return headline(self.rows, self.absent, {one.order_id for one in self.findings})

    @property
    def totals(self) -> tuple[Totals, ...]:
        """Both sides' sums, by currency."""
        return total_up(self.rows)

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What the invoices come to, by currency."""
        return statements(self.figures)

    @property
    def days(self) -> tuple[DayFigures, ...]:
        """What was sold and refunded, by day."""
        return days(self.figures)

    @property
    def parked(self) -> tuple[Row, ...]:
        """The parked rows."""
        return tuple(row for row in self.rows if row.state == "parked")

    @property
    def differing(self) -> tuple[Row, ...]:
        """The rows whose invoices do not equal their orders, but for those a person settled."""
        return tuple(row for row in self.rows if row.difference and row.state != "settled")

    @property
    def receivables(self) -> tuple[Row, ...]:
        """The rows whose sent invoices are open."""
        return receivables(self.rows)

    @property
    def debts(self) -> tuple[Debt, ...]:
        """What is open, by client."""
        return debts(self.rows)

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
        return not self.differing

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is of this month."""
        payments = self.payments.receipts or self.payments.others
        orders = self.rows or self.absent or self.findings
        return not (orders or self.figures or self.foreign or payments)
