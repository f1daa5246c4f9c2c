"""Lock hearing: whether FreshBooks still holds a day locked for which orders are parked.

Nothing in FreshBooks' API tells the Financial Lock; a write that it refuses does. Where an order
has its invoice, that write changes nothing: it says once more the day that the invoice has. So a
payment is not lowered and raised again in each run, only to hear that nothing has changed.
"""

from datetime import date

from target_freshbooks.freshbooks.errors import Refused
from target_freshbooks.freshbooks.observed import ACTIVE, DRAFT
from target_freshbooks.freshbooks.refusals import RefusalKind, classify
from target_freshbooks.ledger import OrderRow
from target_freshbooks.posting.apply.parts import Parts
from target_freshbooks.posting.apply.writer import OutcomeUnknown
from target_freshbooks.posting.identity import invoice_key
from target_freshbooks.posting.plan.steps import StepKind


class LockHearing:
    """Hears of the lock in one run. Thread-safe."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def is_locked(self, day: date) -> bool:
        """Whether this run knows the day to be locked: FreshBooks locks all before a day."""
        return any(day <= locked for locked in self._parts.writer.fence.closed().locked)

    def knock(self, row: OrderRow) -> None:
        """Write the day of a parked order's invoice as it is, if that is the day it waits for."""
        link = self._parts.ledger.links.get("invoice", invoice_key(row.order_id))
        if link is None:
            return
        invoice = self._parts.books.invoices.standing(link.remote_id)
        if invoice is None or invoice.create_date != row.locked_day:
            return
        if invoice.status == DRAFT or invoice.vis_state != ACTIVE:
            return  # no lock keeps a Draft, and an archived one might leave the archive
        try:
            self._parts.writer.write(
                kind=StepKind.UPDATE_INVOICE,
                key=invoice.number,
                body={"create_date": invoice.create_date.isoformat()},
                order_id=row.order_id,
                remote_id=invoice.id,
                why="hear whether its day is locked still",
                standing=invoice,
                waits=True,
            )
        except OutcomeUnknown as unknown:
            self._parts.settle_unknown(unknown)
        except Refused as refused:
            # Whatever else it is refused for, the order's own steps will meet.
            if classify(refused).kind is RefusalKind.CLOSED_PERIOD:
                self._parts.writer.fence.lock(invoice.create_date)
