"""Outcomes: how each order came out, written to the ledger with its audit row, logged, counted."""

import logging
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from target_freshbooks.books import desire
from target_freshbooks.books.calendar import bookkeeping_day
from target_freshbooks.books.desired import Desired, LineTax, Parked, Reason
from target_freshbooks.books.eligibility import Notice, notice_after_posting
from target_freshbooks.books.money_witnesses import captures
from target_freshbooks.books.payments import is_left_open
from target_freshbooks.books.policy import Policy
from target_freshbooks.ledger import Ledger, OrderRow, StoredFacts
from target_freshbooks.ledger.orders import CHANGED
from target_freshbooks.posting.digests import policy_digest
from target_freshbooks.posting.dryrun.outlook import Outlook
from target_freshbooks.posting.facts import policy_of, refunded_on_invoice, terms_of, worth_of
from target_freshbooks.posting.plan.render import Plan
from target_freshbooks.posting.results import OrderResult
from target_freshbooks.posting.tally import Tally
from target_freshbooks.shop.facts import OrderFacts

logger = logging.getLogger(__name__)


class Outcomes:
    """The outcomes of one run. Thread-safe.

    Attributes:
        tally: Their numbers.
        outlook: What a dry run would bring into the books; None if this is none.
        unsettled: The orders whose money may clear up yet: no STATE may pass them.
        policy_hash: Of the settings that the accounting depends on.
    """

    def __init__(
        self, ledger: Ledger, policy: Policy, run_id: str, outlook: Outlook | None = None
    ) -> None:
        """Begin with nothing.

        Args:
            ledger: Keeps how the orders came out; a dry run only tells and counts.
            policy: The bookkeeper's settings.
            run_id: The run.
            outlook: Takes the plans of a dry run.
        """
        self.tally = Tally()
        self.outlook = outlook
        self.unsettled = set[int]()
        self.policy_hash = policy_digest(policy)
        self._ledger = ledger
        self._policy = policy
        self._run_id = run_id
        self._guard = threading.Lock()

    def record(
        self, facts: OrderFacts, stored: StoredFacts, result: OrderResult, before: OrderRow | None
    ) -> None:
        """Record how an order came out.

        Args:
            facts: The order.
            stored: What of it is in the ledger.
            result: How it came out.
            before: If it stood until now.
        """
        order = facts.order
        notice = self._noticed(facts, result, before)
        if result.parked is not None:
            self.park(order.id, result.parked, stored, facts, result=result, notice=notice)
            return
        if result.why == Reason.MONEY_UNCLEAR:
            self._keep_new(facts, stored, result, notice)
            return
        event = "unchanged" if result.unchanged else result.state
        data = {
            "writes": result.writes,
            "total": str(order.total_inc_tax),
            "currency": order.currency,
        }
        noticed = {} if notice is None else {"notice": notice.value}
        if result.state == "posted" and (before is None or before.posted_at is None):
            self._note_lag(facts)
        self._write(order.id, result, stored, facts, notice, event, data | noticed)
        self.count(event)

    def _note_lag(self, facts: OrderFacts) -> None:
        """Note how long it took from the order's last capture, else from the order, until now."""
        paid = max((row.created for row in captures(facts)), default=facts.order.created)
        lag = (self._ledger.scope.clock() - paid).total_seconds()
        with self._guard:
            self.tally.lags.append(max(lag, 0))

    def _keep_new(
        self, facts: OrderFacts, stored: StoredFacts, result: OrderResult, notice: Notice | None
    ) -> None:
        """The order counts as new: this run and those to come look at it until its money is clear.

        What was posted of it stands.
        """
        order_id = facts.order.id
        if order_id in self.unsettled:
            return
        kept, data = replace(result, state="new"), {"reason": result.why}
        self._write(order_id, kept, stored, facts, notice, "waiting", data)
        logger.warning(
            "Order %s waits: %s. It changed within the last hour, and what the shop says of its"
            " money may still change; it is read again by the next run.",
            order_id,
            result.why,
        )
        self.count("waiting")
        with self._guard:
            self.unsettled.add(order_id)

    def _noticed(
        self, facts: OrderFacts, result: OrderResult, before: OrderRow | None
    ) -> Notice | None:
        """What is to be known of an order that has its invoice; told when it is seen first."""
        posted = before is not None and before.terms is not None
        if not posted and result.state != "posted":
            return None
        known = None if before is None else before.notice
        notice = notice_after_posting(facts, self._policy)
        if notice is Notice.DISPUTED and (not posted or known == Notice.BILLED_DISPUTED):
            notice = Notice.BILLED_DISPUTED
        if notice is not None and known != notice:
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
            self._ledger.orders.note_change_after_settling(row.order_id, stored.hash, self._run_id)
        self.leave(row, stored)

    def leave(self, row: OrderRow, stored: StoredFacts | None) -> None:
        """Nothing is to be done for the order; that it came again is noted, for retention."""
        came_again = (
            stored is not None
            and row.updated_at is not None
            and stored.received_at > row.updated_at
        )
        if came_again:
            self._ledger.orders.note_look(row.order_id)
        self.count("unchanged")
        if self.outlook is not None:
            with self._guard:
                self.outlook.summary.left += 1

    def leave_parked(self, row: OrderRow) -> None:
        """An order is parked for what it was parked for before, which has been told.

        Trying it again made its row void.
        """
        self._ledger.orders.record(row)
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
            facts: The same, understood; None if it cannot be.
            result: What the reconciler said of it, if it came so far.
            notice: What became of it in the shop after it was posted.
        """
        result = replace(result or OrderResult("parked"), parked=parked)
        if self.outlook is not None:
            self.show(facts, Plan(order_id, result))
            return
        data = {"reason": parked.reason.value}
        self._write(order_id, result, stored, facts, notice, "parked", data)
        logger.warning("Order %s parked: %s. %s", order_id, parked.reason.value, parked.detail)
        self._count_parked(order_id, parked)

    def _write(
        self,
        order_id: int,
        result: OrderResult,
        stored: StoredFacts | None,
        facts: OrderFacts | None,
        notice: Notice | None,
        event: str,
        data: dict[str, Any],
    ) -> None:
        """Write to the ledger how the order came out, with its audit row."""
        with self._guard:
            self.unsettled.discard(order_id)
        parked, desired = result.parked, result.desired
        row = OrderRow(
            order_id,
            result.state,
            reason=parked.reason.value if parked else result.why,
            detail=parked.detail if parked else None,
            words=result.words,
            next_step=parked.next_step if parked else None,
            locked_day=parked.locked if parked else None,
            facts_hash=None if stored is None else stored.hash,
            policy_hash=self.policy_hash,
            desired_hash=result.desired_hash,
            invoice_number=desired.invoice.number if desired else None,
            run_id=self._run_id,
            notice=notice,
        )
        if facts is not None:
            booked, worth = self._booked(facts, result), worth_of(facts, self._policy, self._ledger)
            row = replace(
                row,
                order_total=worth,
                currency=facts.order.currency,
                order_date=self._day(facts, desired),
                payment_method=facts.order.payment_method,
                left_open=desired is not None and is_left_open(facts, desired),
                worked_out=None if desired is None else _said(desired.worked_out),
            )
            if booked is not None:
                back = worth if booked.void else refunded_on_invoice(booked, self._ledger)
                row = replace(row, refunded=back, redeemed=booked.redeemed)
            if row.worked_out and not result.unchanged:
                with self._guard:
                    self.tally.worked_out[order_id] = row.worked_out
        self._ledger.orders.record(row, booked=result.booked, event=event, data=data)

    def _booked(self, facts: OrderFacts, result: OrderResult) -> Desired | None:
        """What the books should hold, of a parked order too, however far the reconciler came.

        What was redeemed and what went back is kept, since retention drops the records themselves.
        """
        desired: object = result.desired
        if desired is None and result.parked is not None:
            terms = terms_of(self._ledger, facts.order.id)
            desired = desire(facts, policy_of(self._policy, facts, terms, current=False))
        return desired if isinstance(desired, Desired) else None

    def _day(self, facts: OrderFacts, desired: Desired | None) -> date:
        """The day the order counts for: its invoice's, if there is one."""
        if desired is not None:
            return desired.invoice.day
        terms = terms_of(self._ledger, facts.order.id)
        if terms is not None:
            return terms.invoice_day
        return bookkeeping_day(facts.order.created, facts, self._policy)

    def show(self, facts: OrderFacts | None, plan: Plan) -> None:
        """Tell an order's plan in a dry run; where the plans go to a file, that tells them."""
        result, outlook = plan.result, self.outlook
        assert outlook is not None  # noqa: S101 - only dry runs plan
        with self._guard:  # the lines of one plan stay together
            lines = [] if outlook.keeps_plans else ["Dry run, nothing is written:", *plan.lines()]
            for line in lines:
                logger.info("%s", line)
        if result.parked is not None:
            self._count_parked(plan.order_id, result.parked)
        else:
            self.count(result.state)
        with self._guard:
            outlook.add(facts, plan)

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


def _said(taxes: Iterable[LineTax]) -> str:
    """The taxes by name and percent."""
    return ", ".join(f"{tax.name} {tax.percent.normalize():f} %" for tax in taxes)
