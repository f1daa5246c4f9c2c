"""How each order came out: written to the ledger with its audit row, told, and counted."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_freshbooks.books import desire
from target_freshbooks.books.calendar import bookkeeping_day
from target_freshbooks.books.desired import Desired
from target_freshbooks.books.eligibility import notice_after_posting
from target_freshbooks.books.money import ZERO
from target_freshbooks.ledger.settled import CHANGED
from target_freshbooks.posting.digests import policy_digest
from target_freshbooks.posting.dryrun.outlook import Outlook

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from target_freshbooks.books.desired import Parked
    from target_freshbooks.books.eligibility import Notice
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.ledger import Ledger, OrderRow, StoredFacts
    from target_freshbooks.posting.plan.render import Plan
    from target_freshbooks.posting.results import OrderResult

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What this run did, in numbers; `parked` has the orders this run parked."""

    received: int = 0
    posted: int = 0
    unchanged: int = 0
    waiting: int = 0
    planned: int = 0
    parked: dict[int, str] = field(default_factory=dict)


class Outcomes:
    """The outcomes of one run. Thread-safe.

    Attributes:
        tally: Their numbers.
        outlook: What a dry run would bring into the books.
        policy_hash: Of the settings that the accounting depends on.
    """

    def __init__(self, ledger: Ledger, policy: Policy, run_id: str) -> None:
        """Begin with nothing.

        Args:
            ledger: Where verdicts are written; nowhere in a dry run, which tells and counts only.
            policy: The bookkeeper's settings.
            run_id: The run.
        """
        self.tally = Tally()
        self.outlook = Outlook()
        self.policy_hash = policy_digest(policy)
        self._ledger = ledger
        self._policy = policy
        self._run_id = run_id
        self._guard = threading.Lock()

    def record(
        self, facts: OrderFacts, stored: StoredFacts, result: OrderResult, before: OrderRow | None
    ) -> None:
        """Settle an order as its verdict says.

        Args:
            facts: The order.
            stored: What of it is in the ledger.
            result: How it came out.
            before: Where it stood until now.
        """
        order = facts.order
        notice = self._noticed(facts, before)
        if result.parked is not None:
            self.park(order.id, result.parked, stored, facts, result=result, notice=notice)
            return
        data = {
            "writes": result.writes,
            "total": str(order.total_inc_tax),
            "currency": order.currency,
        }
        self._ledger.settle(
            order.id,
            state="posted" if result.state == "posted" else "waiting",
            reason=result.why,
            facts_hash=stored.hash,
            policy_hash=self.policy_hash,
            desired_hash=result.desired_hash,
            invoice_number=result.desired.invoice.number if result.desired else None,
            order_total=order.total_inc_tax,
            currency=order.currency,
            order_date=_day(facts, result, self._policy),
            refunded=_refunded(result.desired),
            run_id=self._run_id,
            notice=notice,
            event="unchanged" if result.unchanged else result.state,
            data=data if notice is None else {**data, "notice": notice.value},
        )
        self.count("unchanged" if result.unchanged else result.state)

    def _noticed(self, facts: OrderFacts, before: OrderRow | None) -> Notice | None:
        """What became of an order in the shop that has its invoice; told when it is seen first."""
        if before is None or before.terms is None:
            return None
        notice = notice_after_posting(facts.order, self._policy)
        if notice is not None and before.notice != notice:
            logger.warning("Order %s: %s. %s", facts.order.id, notice.value, notice.sentence)
        return notice

    def leave_settled(self, row: OrderRow, stored: StoredFacts | None) -> None:
        """An order that a person settled is left alone; that it changed in the shop is told."""
        if stored is not None and stored.hash != row.facts_hash:
            logger.warning(
                "Order %s: %s. It changed in the shop after a person had settled it, and is left"
                " as it is. Compare it; to have it booked again, reopen it.",
                row.order_id,
                CHANGED,
            )
            self._ledger.note_change_after_settling(row.order_id, stored.hash, self._run_id)
        self.leave(row, stored)

    def leave(self, row: OrderRow, stored: StoredFacts | None) -> None:
        """Nothing is to be done for the order; that it came again is noted, for retention."""
        came_again = (
            stored is not None
            and row.updated_at is not None
            and stored.received_at > row.updated_at
        )
        if came_again:
            self._ledger.looked_at(row.order_id)
        self.count("unchanged")

    def park(
        self,
        order_id: int,
        parked: Parked,
        stored: StoredFacts | None = None,
        facts: OrderFacts | None = None,
        *,
        result: OrderResult | None = None,
        notice: Notice | None = None,
    ) -> None:
        """Park an order with its reason, which is told in one line.

        Args:
            order_id: The order.
            parked: Why, and what can be done.
            stored: What of it is in the ledger; it is looked at again when that changes.
            facts: The same, understood; None where it cannot be.
            result: What the reconciler said of it, if it came so far.
            notice: What became of it in the shop after it was posted.
        """
        known: dict[str, Any] = {}
        if facts is not None:
            known = {
                "order_total": facts.order.total_inc_tax,
                "currency": facts.order.currency,
                "order_date": _day(facts, result, self._policy),
                "refunded": _refunded(self._desired(facts, result)),
            }
        if result is not None and result.desired is not None:
            known |= {
                "desired_hash": result.desired_hash,
                "invoice_number": result.desired.invoice.number,
            }
        self._ledger.settle(
            order_id,
            state="parked",
            reason=parked.reason.value,
            detail=parked.detail,
            words=result.words if result else None,
            next_step=parked.next_step,
            facts_hash=None if stored is None else stored.hash,
            policy_hash=self.policy_hash,
            run_id=self._run_id,
            notice=notice,
            event="parked",
            data={"reason": parked.reason.value},
            **known,
        )
        logger.warning("Order %s parked: %s. %s", order_id, parked.reason.value, parked.detail)
        self._count_parked(order_id, parked)

    def _desired(self, facts: OrderFacts, result: OrderResult | None) -> Desired | None:
        """What the books should hold of a parked order, however far the reconciler came."""
        if result is not None and result.desired is not None:
            return result.desired
        desired = desire(facts, self._policy)
        return desired if isinstance(desired, Desired) else None

    def show(self, facts: OrderFacts, plan: Plan) -> None:
        """Tell an order's plan in a dry run."""
        result = plan.result
        logger.info("Plan, nothing is written:\n%s", plan.text())
        if result.parked is not None:
            self._count_parked(plan.order_id, result.parked)
        else:
            self.count(result.state)
        with self._guard:
            self.tally.planned += len(plan.steps)
            self.outlook.add(facts, plan)

    def count(self, name: str) -> None:
        """Count an order that came out so."""
        with self._guard:
            setattr(self.tally, name, getattr(self.tally, name) + 1)

    def forget_parked(self, order_id: int) -> None:
        """The order is tried again: what this run parked it for does not count."""
        with self._guard:
            self.tally.parked.pop(order_id, None)

    def _count_parked(self, order_id: int, parked: Parked) -> None:
        with self._guard:
            self.tally.parked[order_id] = parked.reason.value


def _refunded(desired: Desired | None) -> Decimal | None:
    """What of the order went back as money; kept, since retention drops the refunds themselves."""
    if desired is None:
        return None
    return sum((entry.money for entry in desired.refunds), start=ZERO)


def _day(facts: OrderFacts, result: OrderResult | None, policy: Policy) -> date:
    """The day the order counts for: its invoice's, where there is one."""
    if result is not None and result.desired is not None:
        return result.desired.invoice.day
    return bookkeeping_day(facts.order.created, facts, policy)
