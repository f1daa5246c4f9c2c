"""Summary: what plans would bring into the books, in figures by currency, and which orders not.

All comes from the plans alone, so that a terminal, a page and a test read the same figures.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from target_freshbooks.books.desired import Desired
from target_freshbooks.money import ZERO, decimals_of, total
from target_freshbooks.posting.plan.render import Plan
from target_freshbooks.posting.plan.steps import StepKind

NAMED = 5
"""How many orders a line names."""


@dataclass(slots=True)
class Sums:
    """Numbers and amounts of one currency.

    Attributes:
        invoices: Invoices that would be sent, before refunds.
        total: What they would come to.
        taxes: Their taxes by name.
        drafts: Invoices that would be made and left Drafts.
        draft_total: What these would come to.
        payments: Payments that would be recorded.
        paid: What they would come to, before refunds.
        refunds: Refunds that would be booked.
        refunded: What would go back, stored value among it.
    """

    invoices: int = 0
    total: Decimal = ZERO
    taxes: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    drafts: int = 0
    draft_total: Decimal = ZERO
    payments: int = 0
    paid: Decimal = ZERO
    refunds: int = 0
    refunded: Decimal = ZERO


@dataclass(slots=True)
class Held:
    """Orders that would come out alike, and what can be done about the first of them."""

    next_step: str = ""
    orders: list[int] = field(default_factory=list)

    def named(self) -> str:
        """The first of the orders by their numbers."""
        more = f" and {len(self.orders) - NAMED} more" if len(self.orders) > NAMED else ""
        return ", ".join(map(str, sorted(self.orders)[:NAMED])) + more


def _by_reason() -> defaultdict[str, Held]:
    return defaultdict(Held)


@dataclass(slots=True)
class Summary:
    """The figures of plans.

    Attributes:
        currencies: The sums, by currency.
        posted: Orders that something would be written for, parked ones apart.
        parked: Orders that would be parked, by reason.
        waiting: Orders that would wait, by what for.
        left: Orders that would be left as they are.
        writes: Writes that would be made.
        rewritten: Invoices of earlier runs that would be rewritten or deleted.
    """

    currencies: defaultdict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    posted: int = 0
    parked: defaultdict[str, Held] = field(default_factory=_by_reason)
    waiting: defaultdict[str, Held] = field(default_factory=_by_reason)
    left: int = 0
    writes: int = 0
    rewritten: int = 0

    def add(self, plan: Plan) -> None:
        """Count an order in."""
        result = plan.result
        self.writes += len(plan.steps)
        self.rewritten += plan.rewrites
        if result.parked is not None:
            held = self.parked[result.parked.reason.value]
            held.next_step = held.next_step or result.parked.next_step
            held.orders.append(plan.order_id)
        elif result.state == "waiting":
            self.waiting[result.why or "unknown"].orders.append(plan.order_id)
        elif plan.steps:
            self.posted += 1
        else:
            self.left += 1
        self._add_money(plan)

    def _add_money(self, plan: Plan) -> None:
        desired, kinds = plan.result.desired, {step.kind for step in plan.steps}
        if desired is None or not kinds:
            return
        invoice, sums = desired.invoice, self.currencies[desired.invoice.currency]
        if StepKind.MARK_SENT in kinds:
            sums.invoices += 1
            sums.total += invoice.total
            for name, amount in plan.taxes.items():
                sums.taxes[name] += amount
        elif StepKind.CREATE_INVOICE in kinds:
            sums.drafts += 1
            sums.draft_total += invoice.total
        paid = {step.key for step in plan.steps if step.kind is StepKind.CREATE_PAYMENT}
        amounts = [payment.amount for payment in desired.payments if payment.key in paid]
        sums.payments += len(amounts)
        sums.paid += sum(amounts, ZERO)
        sums.refunds += len(plan.refunds)
        sums.refunded += _given_back(desired, plan.refunds)

    def document(self) -> dict[str, Any]:
        """The figures with amounts as text of their currency's decimals, as a page shows them."""
        return {
            "posted": self.posted,
            "left": self.left,
            "writes": self.writes,
            "rewritten": self.rewritten,
            "currencies": {
                currency: _figures(sums, decimals_of(currency))
                for currency, sums in sorted(self.currencies.items())
            },
            "parked": [
                {"reason": why, "orders": sorted(held.orders), "next_step": held.next_step}
                for why, held in sorted(self.parked.items())
            ],
            "waiting": [
                {"reason": why, "orders": sorted(held.orders)}
                for why, held in sorted(self.waiting.items())
            ],
        }

    def lines(self) -> Iterator[str]:
        """The figures for a terminal."""
        parked, waiting = _number(self.parked), _number(self.waiting)
        yield (
            f"Of {self.posted + self.left + parked + waiting} orders {self.posted} would be posted,"
            f" {self.left} would be left as they are, {waiting} would wait and {parked} would be"
            f" parked; {self.writes} writes would be made."
        )
        for currency, figures in self.document()["currencies"].items():
            yield f"In {currency} these would be booked, as sold and before refunds:"
            for label, number, amount in figures:
                yield f"  {label[:44]:44} {number!s:>6} {amount:>16}"
        if self.parked:
            yield "Would be parked for a person, by reason:"
            for why, held in sorted(self.parked.items()):
                yield f"  {len(held.orders):>6} {why} (orders {held.named()}). {held.next_step}"
        if self.waiting:
            yield "Would wait:"
            for why, held in sorted(self.waiting.items()):
                yield f"  {len(held.orders):>6} {why} (orders {held.named()})"


def _given_back(desired: Desired, refund_ids: Collection[int]) -> Decimal:
    """What some refunds give back: as money, in lines of stored value, as credit notes."""
    entries = [*desired.refunds, *(one.entry for one in desired.corrections)]
    by_refund = {entry.refund_id: entry for entry in entries}  # a correction's entry is the whole
    some = [by_refund[one] for one in refund_ids if one in by_refund]
    noted = (one.credit_note.total for one in some if one.credit_note is not None)
    return total(one.value for one in some) + total(noted)


def _number(held: dict[str, Held]) -> int:
    return sum(len(one.orders) for one in held.values())


def _figures(sums: Sums, places: int) -> list[tuple[str, int | str, str]]:
    """What is shown of a currency: a label, a number of records (or none), and an amount."""

    def money(amount: Decimal) -> str:
        return f"{amount:,.{places}f}"

    rows: list[tuple[str, int | str, str]] = [
        ("Invoices that would be sent", sums.invoices, money(sums.total)),
        *((f"  {name} in them", "", money(tax)) for name, tax in sorted(sums.taxes.items())),
        ("Payments that would be recorded", sums.payments, money(sums.paid)),
        ("Refunds that would be booked", sums.refunds, money(-sums.refunded)),
    ]
    if sums.drafts:
        rows.append(("Invoices that would be left Drafts", sums.drafts, money(sums.draft_total)))
    return rows
