"""What a dry run would bring into the books, in a few lines: sums, months, methods, reasons.

A plan of thousands of orders is not read order by order. These figures show at a glance what is
wrong with a first run: years of history that are in the books already, a method of payment that
nobody mapped, more clients than the FreshBooks plan allows.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from target_freshbooks.books.desired import Desired
from target_freshbooks.books.payments import is_left_open
from target_freshbooks.books.policy import Policy
from target_freshbooks.money import decimals_of
from target_freshbooks.posting.methods_met import methods_met
from target_freshbooks.posting.methods_met import text as methods_text
from target_freshbooks.posting.plan.render import Plan
from target_freshbooks.posting.plan.steps import StepKind
from target_freshbooks.posting.plan.summary import Summary
from target_freshbooks.shop.facts import OrderFacts

MOST_CLIENTS = 50
"""The most billable clients of a FreshBooks plan that has a limit (Lite 5, Plus 50)."""


@dataclass(slots=True)
class Outlook:
    """The figures of the orders that a dry run has looked at.

    Attributes:
        policy: Tells what a method of payment means.
        keeps_plans: Keep each order's plan, for a file.
        summary: The sums by currency, and which orders would not be posted.
        documents: The plans, as `Plan.document`, if they are kept.
        months: Invoices that would be made, by month and currency: number and total.
        methods: Orders, by the shop's method of payment and FreshBooks' payment type.
        left_open: Orders by method of payment, those left open for want of a word apart.
        clients: Our own names of the clients that would be made.
    """

    policy: Policy
    keeps_plans: bool = False
    summary: Summary = field(default_factory=Summary)
    documents: list[dict[str, Any]] = field(default_factory=list)
    months: defaultdict[tuple[str, str], tuple[int, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: (0, Decimal(0)))
    )
    methods: Counter[tuple[str, str]] = field(default_factory=Counter)
    left_open: Counter[tuple[str, bool]] = field(default_factory=Counter)
    clients: set[str] = field(default_factory=set)

    def add(self, facts: OrderFacts | None, plan: Plan) -> None:
        """Count an order in; without facts it cannot be understood."""
        desired = plan.result.desired
        self.summary.add(plan)
        if self.keeps_plans:
            self.documents.append(plan.document())
        made = [step for step in plan.steps if step.kind is StepKind.CREATE_CLIENT]
        self.clients.update(step.key for step in made)
        creates = any(step.kind is StepKind.CREATE_INVOICE for step in plan.steps)
        if facts is not None and desired is not None and creates:
            self._add_invoice(facts, desired)

    def _add_invoice(self, facts: OrderFacts, desired: Desired) -> None:
        invoice = desired.invoice
        month = (f"{invoice.day:%Y-%m}", invoice.currency)
        number, total = self.months[month]
        self.months[month] = (number + 1, total + invoice.total)
        types = dict.fromkeys(payment.type for payment in desired.payments)
        method = facts.order.payment_method or "no method"
        self.methods[method, ", ".join(types) or "left unpaid"] += 1
        self.left_open[facts.order.payment_method, is_left_open(facts, desired)] += 1

    def lines(self, clients_now: int | None) -> Iterator[str]:
        """The figures for a terminal.

        Args:
            clients_now: How many clients FreshBooks has, counted to `MOST_CLIENTS` + 1; None if
                that is not known.
        """
        yield from self.summary.lines()
        invoices = sum(number for number, _ in self.months.values())
        yield f"A real run would make {invoices} invoices and {len(self.clients)} clients."
        for (month, currency), (number, total) in sorted(self.months.items()):
            amount = f"{total:>14,.{decimals_of(currency)}f} {currency}"
            yield f"  {month}  {number:>6} invoices  {amount}"
        if self.summary.rewritten:
            yield (
                f"A real run would rewrite or delete {self.summary.rewritten} invoices of earlier"
                " runs; it would stop after max_rewritten_invoices of them."
            )
        if self.methods:
            yield "Orders by method of payment in the shop, and type of payment in FreshBooks:"
            for (method, kind), number in sorted(self.methods.items()):
                yield f"  {number:>6}  {method}: {kind}"
            unplaced = [one for one in methods_met(self.left_open, self.policy) if one.settings]
            if unplaced:
                yield "Methods that nobody placed, whose invoices would stay open:"
                yield from methods_text(unplaced)
        if clients_now is not None:
            many = clients_now > MOST_CLIENTS
            now = f"more than {MOST_CLIENTS}" if many else str(clients_now)
            yield (
                f"FreshBooks has {now} clients now; its plans allow 5 (Lite), {MOST_CLIENTS} (Plus)"
                " or any number of them."
            )
