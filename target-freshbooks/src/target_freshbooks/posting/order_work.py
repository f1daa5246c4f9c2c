"""Order work: works orders off, each until it is posted, waiting, or parked with its reason.

What a failure of one leaves undecided is told by the circuit breaker, once the others have had
their turn.
"""

import logging
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial

from connector_credentials.output import places

from target_freshbooks.books.calendar import UnknownZone
from target_freshbooks.books.desired import Reason
from target_freshbooks.freshbooks.errors import Failing, Refused
from target_freshbooks.ledger import Ledger, OrderRow, Record, StoredFacts
from target_freshbooks.marks import Mark
from target_freshbooks.posting.apply.circuit_breaker import READ, CircuitBreaker, Failure
from target_freshbooks.posting.apply.clients_and_items import ClientsAndItems
from target_freshbooks.posting.apply.lock_hearing import LockHearing
from target_freshbooks.posting.apply.outcome_lookup import OutcomeLookup, Recovery, RetriesExhausted
from target_freshbooks.posting.dryrun.simulator import Planner
from target_freshbooks.posting.facts import gather
from target_freshbooks.posting.observe.in_bulk import BulkObserver
from target_freshbooks.posting.outcomes import Outcomes
from target_freshbooks.posting.plan.render import Plan
from target_freshbooks.posting.plan.steps import Asked
from target_freshbooks.posting.reconciler import Reconciler
from target_freshbooks.posting.results import (
    DEFECTS,
    Interrupted,
    OrderResult,
    defect,
    failing,
    partly_dropped,
    refused_result,
    unreadable,
)
from target_freshbooks.posting.settled import telling_what_is_left
from target_freshbooks.posting.workers import Workers
from target_freshbooks.shop.facts import OrderFacts
from target_freshbooks.shop.records import ReadError

logger = logging.getLogger(__name__)


class OrderWork:
    """The orders of one run, and the customers and products beside them."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        reconciler: Reconciler,
        parties: ClientsAndItems,
        breaker: CircuitBreaker,
        lookup: OutcomeLookup,
        outcomes: Outcomes,
        hearing: LockHearing,
        stop: threading.Event,
        max_parallel_orders: int,
        observer: BulkObserver,
        invoice_number_prefix: str,
        planner: Planner | None = None,
    ) -> None:
        self._ledger = ledger
        self._reconciler = reconciler
        self._parties = parties
        self._breaker = breaker
        self._recovery = Recovery(ledger, lookup)
        self._outcomes = outcomes
        self._hearing = hearing
        self._stop = stop
        self._observer = observer
        self._invoice_number_prefix = invoice_number_prefix
        self._planner = planner
        self.workers = Workers(max_parallel_orders, stop)

    def start(self) -> None:
        """Look what came of the writes that a killed run left without an answer."""
        with telling_what_is_left(self._ledger):
            self._recovery.settle_all()

    def submit(
        self, order_id: int, asked: Asked | None = None, *, locked_out: bool = False
    ) -> None:
        """Have an order looked at; waits if too many are in hand.

        Args:
            order_id: The order.
            asked: What a person asked for.
            locked_out: It is looked at only to hear whether FreshBooks' lock still keeps it out.
        """
        task = partial(self._work, order_id, asked, locked_out=locked_out)
        self.workers.submit(order_id, task)

    def submit_all(self, order_ids: Collection[int]) -> None:
        """Have many orders looked at; for the invoices of new ones lists are read first."""
        days = self._ledger.orders.days_without_invoice(order_ids)
        store = self._ledger.ownership.store_hash() or ""
        marked = {Mark(order_id, store): day for order_id, day in days.items()}
        self._observer.prepare(marked, self._invoice_number_prefix)
        for order_id in order_ids:
            self.submit(order_id)

    def hear_locks(self) -> None:
        """Try again what FreshBooks' lock kept out, one order first for each day, the latest first.

        As soon as one is refused again, its day and all before it are left for this run.
        """
        tried = None
        for row in self._ledger.orders.locked_out():
            day = row.locked_day
            assert day is not None  # noqa: S101 - by the query
            same_settings = row.policy_hash == self._outcomes.policy_hash
            if same_settings and self._hearing.is_locked(day):
                continue
            self.submit(row.order_id, locked_out=True)
            if day != tried:
                self.workers.wait_for_orders()
                tried = day

    def follow(self, records: Iterable[Record]) -> None:
        """Have customers and products followed; waits until a worker is free.

        No batch waits: it may hold a great many records.
        """
        self.workers.submit_at_once(partial(self._follow, records))

    def settle(self) -> None:
        """Return when all that was submitted is settled.

        Raises:
            FreshBooksError, LedgerError: The run cannot go on; nothing taken in is lost.
            Interrupted: The run was asked to stop.
        """
        all_done = partial(self.workers.wait_until, 0)
        all_done()
        for failure in self._breaker.evaluate(all_done):
            self._blame(failure)

    # -- in the workers' threads

    def _work(self, order_id: int, asked: Asked | None, *, locked_out: bool = False) -> None:
        if self._stop.is_set():
            raise Interrupted
        try:
            self._work_off(order_id, asked, locked_out=locked_out)
        finally:
            self._ledger.flush()

    def _work_off(self, order_id: int, asked: Asked | None, *, locked_out: bool) -> None:
        stored = self._ledger.inbox.facts_of(order_id)
        row = self._ledger.orders.get(order_id)
        if row is not None and row.state == "settled":
            self._outcomes.leave_settled(row, stored)
            return
        if stored is None:
            self._incomplete(order_id)
            return
        if row is not None and asked is None and not locked_out and self._is_settled(row, stored):
            self._outcomes.leave(row, stored)
            return
        try:
            facts = gather(self._ledger, stored)
            if self._planner is not None:
                plan = self._planned(facts, stored, row, asked)
                if plan is not None:
                    self._outcomes.show(facts, plan)
                return
            heard = row if locked_out else None
            result = self._posted(facts, stored, row, asked, heard)
            if result is not None:
                self._outcomes.record(facts, stored, result, row)
        except ReadError as error:
            self._outcomes.park(order_id, unreadable(error), stored)
        except UnknownZone:  # no order has a day, so none can be gone on with
            raise
        except DEFECTS as error:
            # Without the error's words, which may quote a record; the run goes on with the others.
            name = type(error).__name__
            logger.error("Order %s: %s at %s", order_id, name, places(error))  # noqa: TRY400
            self._outcomes.park(order_id, defect(error), stored)

    def _planned(
        self, facts: OrderFacts, stored: StoredFacts, row: OrderRow | None, asked: Asked | None
    ) -> Plan | None:
        """What would come of the order; None if it was given up, to be judged later."""
        assert self._planner is not None  # noqa: S101 - only dry runs plan
        began = time.monotonic()
        try:
            plan = self._planner.of_facts(facts, asked)
        except Failing as failure:
            self._given_up(failure, facts.order.id, stored, row, asked)
            return None
        if plan.result.desired is not None:
            self._breaker.record_success(READ, began)
        return plan

    def _posted(
        self,
        facts: OrderFacts,
        stored: StoredFacts,
        row: OrderRow | None,
        asked: Asked | None,
        heard: OrderRow | None,
    ) -> OrderResult | None:
        """Bring the order about; None if it was given up, to be judged later, or nothing is new."""
        order_id = facts.order.id
        began = time.monotonic()
        try:
            self._recovery.settle(order_id)
            if heard is not None:
                self._hearing.knock(heard)
            result = self._reconciler.reconcile(facts, standing=row, asked=asked)
            if result.met_lock and result.parked is not None:
                # What can be done beside a closed day is done, and what cannot is told by its plan.
                words, writes = result.words, result.writes
                result = self._reconciler.reconcile(facts, standing=row, asked=asked)
                result = replace(result, words=result.words or words, writes=result.writes + writes)
            if heard is not None and self._is_as_before(heard, stored, result):
                self._outcomes.leave_parked(heard)
                return None
        except (RetriesExhausted, Failing) as failure:
            self._recovery.defer(order_id)
            self._given_up(failure, order_id, stored, row, asked)
            return None
        except Refused as refused:
            return refused_result(refused, "posting", 0)
        if result.desired is not None and not result.unchanged:
            self._breaker.record_success(READ, began)
        return result

    def _given_up(
        self,
        failure: RetriesExhausted | Failing,
        order_id: int,
        stored: StoredFacts,
        row: OrderRow | None,
        asked: Asked | None,
    ) -> None:
        self._breaker.record_failure(
            Failure(
                f"order {order_id}",
                failure.kind,
                failure.since,
                partial(self.submit, order_id, asked),
                order_id,
                stored,
                blamed_before=row is not None and row.reason == Reason.FRESHBOOKS_ERROR,
            )
        )

    def _incomplete(self, order_id: int) -> None:
        """The ledger does not hold all of the order (any more): nothing may be concluded from it.

        Bodies of settled orders are dropped after a while and come again with the order's record.
        If the record is here and a part stayed away, a stream is no longer selected in the tap.
        """
        if self._ledger.inbox.body("orders", (order_id,)) is None:
            logger.warning(
                "Order %s: its record is no longer in the ledger; it is looked at when the tap"
                " sends it again",
                order_id,
            )
            return
        self._outcomes.park(order_id, partly_dropped())

    def _is_settled(self, row: OrderRow, stored: StoredFacts) -> bool:
        if row.state == "new" or row.facts_hash != stored.hash:
            return False
        # What is posted keeps the settings it was posted under; what waits may wait for others.
        return row.state == "posted" or row.policy_hash == self._outcomes.policy_hash

    def _is_as_before(self, row: OrderRow, stored: StoredFacts, result: OrderResult) -> bool:
        """Whether FreshBooks' lock still keeps the order out, which has been told."""
        if result.parked is None or not self._is_settled(row, stored):
            return False
        return (result.parked.reason, result.parked.locked) == (row.reason, row.locked_day)

    def _follow(self, records: Iterable[Record]) -> None:
        for record, failure in self._parties.update(records):
            name = f"{record.stream} {record.key[0]}"
            retry = partial(self.follow, [record])
            self._breaker.record_failure(Failure(name, failure.kind, failure.since, retry))

    def _blame(self, failure: Failure) -> None:
        if failure.order_id is not None:
            parked = failing(failure.kind)
            facts = None if failure.stored is None else gather(self._ledger, failure.stored)
            self._outcomes.park(failure.order_id, parked, failure.stored, facts)
            return
        logger.warning(
            "FreshBooks answered the change of %s with a server error each time; it is tried again"
            " when the shop changes it again",
            failure.record,
        )
