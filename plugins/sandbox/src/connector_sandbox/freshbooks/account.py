"""The one FreshBooks account of the sandbox: its kinds of records, side by side."""

from decimal import Decimal
from typing import Any

from connector_sandbox.context import Context
from connector_sandbox.freshbooks import values
from connector_sandbox.freshbooks.clients import Clients
from connector_sandbox.freshbooks.credit_notes import CreditNotes
from connector_sandbox.freshbooks.expenses import Expenses
from connector_sandbox.freshbooks.invoices import Invoices
from connector_sandbox.freshbooks.items import Items, Taxes
from connector_sandbox.freshbooks.payments import Payments
from connector_sandbox.freshbooks.resource import Resource

_CENTS = 2


class Account:
    """All records of the account; each kind finds the others here."""

    resources: tuple[Resource, ...]

    def __init__(self, ctx: Context) -> None:
        self.switches = ctx.switches
        self.clients = Clients(ctx, self)
        self.items = Items(ctx, self)
        self.taxes = Taxes(ctx, self)
        self.invoices = Invoices(ctx, self)
        self.payments = Payments(ctx, self)
        self.credit_notes = CreditNotes(ctx, self)
        self.expenses = Expenses(ctx, self)
        self.resources = (
            *(self.clients, self.items, self.taxes, self.invoices),
            *(self.payments, self.credit_notes, self.expenses),
        )

    def unit_cost(self, cost: Decimal, code: str) -> dict[str, str]:
        """A unit cost as it is kept: at least two decimals, and no more than switched."""
        if self.switches["fb.unit_cost_decimals"] != "unlimited":
            cost = cost.quantize(values.CENT, values.rounding(self.switches))
        text = values.plain(cost)
        decimals = len(text.partition(".")[2])
        shown = f"{cost.quantize(values.CENT):f}" if decimals <= _CENTS else text
        return {"amount": shown, "code": code}

    def clear(self) -> None:
        """Remove every record."""
        for resource in self.resources:
            resource.records.clear()

    def counts(self) -> dict[str, int]:
        """How many records of each kind there are, deleted ones included."""
        return {one.kind.plural: one.records.count() for one in self.resources}

    def books(self) -> dict[str, Any]:
        """Everything the account holds, deleted records included, lines within invoices."""
        include = frozenset({"lines"})
        return {
            one.kind.plural: [one.shown(row, include) for row in one.records.documents()]
            for one in self.resources
        }
