"""Observer port: reads what FreshBooks holds for an order, wherever it reads that from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from target_freshbooks.posting.state.observed import Observed

if TYPE_CHECKING:
    from target_freshbooks.freshbooks.observed import ObservedInvoice
    from target_freshbooks.posting.context import OrderContext
    from target_freshbooks.posting.state.recorded import Recorded


class Observer(Protocol):
    """Reads the records of orders; it must not write."""

    def invoice(self, recorded: Recorded, number: str) -> ObservedInvoice | None:
        """The order's invoice: by its id where the ledger knows it, else by its number.

        An archived one counts; a deleted one may be returned where the ledger knows it.
        """

    def around(self, context: OrderContext, invoice: ObservedInvoice) -> Observed:
        """The invoice with its payments and credit notes; somebody else's comes alone."""

    def observe(self, context: OrderContext) -> Observed:
        """All that FreshBooks holds for the order."""
        invoice = self.invoice(context.recorded, context.desired.invoice.number)
        return Observed() if invoice is None else self.around(context, invoice)
