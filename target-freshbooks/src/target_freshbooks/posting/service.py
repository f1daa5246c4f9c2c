"""One run's posting: takes the shop's records in, posts orders, says when state is true.

An order's record means that all of the order has been said. It is stored with its parts in one
transaction and handed to a worker; orders are worked on in parallel, an order never by two workers.
`checkpoint` returns only when every order taken in is posted, waiting, or parked with its reason.
"""

from __future__ import annotations

import logging
import time
import traceback
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any

from target_freshbooks.books.calendar import UnknownZone
from target_freshbooks.books.desired import Reason
from target_freshbooks.books.reading import ReadError
from target_freshbooks.freshbooks.errors import Failing, Refused
from target_freshbooks.ledger import Record
from target_freshbooks.posting import reasons
from target_freshbooks.posting.apply.circuit_breaker import READ, Failure
from target_freshbooks.posting.apply.recovery import Recovery
from target_freshbooks.posting.apply.retry import RetriesExhausted
from target_freshbooks.posting.defects import DEFECTS
from target_freshbooks.posting.dryrun.outlook import MOST_CLIENTS
from target_freshbooks.posting.facts import check_zone, gather
from target_freshbooks.posting.outcomes import Outcomes
from target_freshbooks.posting.results import Interrupted, refused_result

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping

    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.ledger import Ledger, OrderRow, StoredFacts
    from target_freshbooks.posting.apply.catalogue import Catalogue
    from target_freshbooks.posting.apply.circuit_breaker import CircuitBreaker
    from target_freshbooks.posting.apply.outcome_lookup import OutcomeLookup
    from target_freshbooks.posting.dryrun.planner import Planner
    from target_freshbooks.posting.outcomes import Tally
    from target_freshbooks.posting.plan.steps import Asked
    from target_freshbooks.posting.reconciler import Reconciler
    from target_freshbooks.posting.results import OrderResult

logger = logging.getLogger(__name__)

CHILD_STREAMS = ("transactions", "refunds", "order_taxes", "order_coupons")
REPLACED_STREAMS = frozenset({"order_taxes", "order_coupons"})
"""An edited order has new rows of these; captured money and refunds are only ever added."""

SHARED_STREAMS = frozenset({"customers", "store"})
"""Their records belong to no order, and orders are booked by them all the same."""

BATCH = 500
POLL_SECONDS = 0.5


class Service:
    """Posts the orders of one run."""

    def __init__(
        self,
        *,
        books: FreshBooks,
        ledger: Ledger,
        reconciler: Reconciler,
        catalogue: Catalogue,
        breaker: CircuitBreaker,
        lookup: OutcomeLookup,
        policy: Policy,
        run_id: str,
        stop: threading.Event,
        max_parallel_orders: int,
        planner: Planner | None = None,
    ) -> None:
        self._books = books
        self._ledger = ledger
        self._reconciler = reconciler
        self._catalogue = catalogue
        self._breaker = breaker
        self._stop = stop
        self._planner = planner
        self._policy = policy
        self._workers = ThreadPoolExecutor(max_parallel_orders, thread_name_prefix="order")
        self._parallel = max_parallel_orders
        self._most_waiting = max_parallel_orders * 4
        self._in_work: dict[Future[None], int | None] = {}
        self._children: dict[int, list[Record]] = {}
        self._others: list[Record] = []
        self._streams_seen: set[str] = set()
        self._said: dict[int, set[str]] = {}
        self._store_hash: str | None = None
        self._recovery = Recovery(ledger, lookup)
        self._failure: BaseException | None = None
        self._outcomes = Outcomes(ledger, policy, run_id)

    @property
    def tally(self) -> Tally:
        """What this run did, in numbers."""
        return self._outcomes.tally

    @property
    def writes(self) -> int:
        """Writes of all kinds that FreshBooks carried out in this run."""
        return self._breaker.writes

    def outlook(self) -> str:
        """What this dry run would bring into the books, in a few lines."""
        return self._outcomes.outlook.text(self._books.count_clients(at_most=MOST_CLIENTS + 1))

    # -- taking in

    def start(self) -> None:
        """Look what came of the writes that a killed run left without an answer."""
        self._recovery.settle_all()

    def announce(self, stream: str) -> None:
        """A stream's schema was seen: its records will come with their orders."""
        self._streams_seen.add(stream)

    def expect(self, store_hash: str) -> None:
        """Bind the run's source to the store of its next record, before it is taken in.

        Any record, not only orders': customers are written to FreshBooks before the first order.

        Raises:
            AnotherStore: The source is bound to another store, or the store to another source.
        """
        if store_hash != self._store_hash:
            self._ledger.bind_store(store_hash)
            self._store_hash = store_hash

    def take_child(self, record: Record) -> None:
        """Keep a part of an order until the order itself comes."""
        if record.order_id is None:
            raise ValueError(f"a record of {record.stream} names no order")
        self._children.setdefault(record.order_id, []).append(record)

    def take_other(self, record: Record) -> None:
        """Keep a record that belongs to no order (a customer, a product, the store)."""
        self._others.append(record)
        if len(self._others) >= BATCH:
            self._flush_others()

    def take_order(self, order_id: int, body: Mapping[str, Any]) -> None:
        """All of the order has been said: store it with its parts and have it posted."""
        self._raise_failure()
        self._flush_others()
        records = self._children.pop(order_id, [])
        said = {record.stream for record in records}
        # Rows that stayed away for an order that has them no more are gone; where the stream was
        # not asked for, what is known of it stands.
        complete = REPLACED_STREAMS & (self._streams_seen | said) - self._said.pop(order_id, set())
        order = Record("orders", (order_id,), order_id, dict(body))
        self._ledger.receive([*records, order], complete=complete)
        self.tally.received += 1
        self._submit(order_id)

    def checkpoint(self) -> None:
        """Return when all that was taken in is settled, so that a STATE may leave.

        Raises:
            FreshBooksError, LedgerError: The run cannot go on; nothing taken in is lost.
            Interrupted: The run was asked to stop.
        """
        self._flush_others()
        self._flush_orphans()
        self._wait_until(0)
        for failure in self._breaker.evaluate(partial(self._wait_until, 0)):
            self._blame(failure)

    def finish(self) -> None:
        """Settle everything, and orders that a run before this one took in but did not reach."""
        if self._children:
            # No STATE follows, so the tap was cut off in the middle of these: it will say them all.
            logger.warning("The input ends within %d orders: run again.", len(self._children))
            self._children.clear()
        self.checkpoint()
        if self._planner is None:
            for row in list(self._ledger.orders(state="new")):
                # This run may have parked it, before something came that it is tried again for.
                self._outcomes.forget_parked(row.order_id)
                self._submit(row.order_id)
            self.checkpoint()

    def close(self) -> None:
        """Wait for the steps in hand and end the workers."""
        self._workers.shutdown(wait=True, cancel_futures=True)

    def post_again(self, order_ids: Iterable[int], asked: Asked) -> None:
        """Plan and apply orders anew, whatever their standing (replay)."""
        for order_id in order_ids:
            self._submit(order_id, asked)
        self.checkpoint()

    # -- storing

    def _flush_others(self) -> None:
        if self._others:
            if any(record.stream in SHARED_STREAMS for record in self._others):
                # An order in work may have read the former customer. It has to be parked for that
                # before it can be found among the parked ones that are to be tried again.
                self._wait_for_orders()
            records, self._others = self._others, []
            taken = self._ledger.receive(records)
            check_zone(self._ledger, self._policy)
            if self._planner is None:
                self._submit_others(taken)

    def _submit_others(self, records: Iterable[Record]) -> None:
        self._wait_until(self._parallel - 1)  # no batch waits: it may hold a great many records
        self._in_work[self._workers.submit(self._follow, records)] = None

    def _follow(self, records: Iterable[Record]) -> None:
        for record, failure in self._catalogue.update(records):
            name = f"{record.stream} {record.key[0]}"
            retry = partial(self._submit_others, [record])
            self._breaker.record_failure(Failure(name, _kind(failure), failure.since, retry))

    def _flush_orphans(self) -> None:
        """Parts whose order's record did not come: new information on an order known already."""
        orphans, self._children = self._children, {}
        for order_id, records in orphans.items():
            self._said.setdefault(order_id, set()).update(record.stream for record in records)
            self._ledger.receive(records)
            if self._ledger.order(order_id) is not None:
                self._submit(order_id)

    # -- working

    def _submit(self, order_id: int, asked: Asked | None = None) -> None:
        while order_id in self._in_work.values():  # an order is never in two workers' hands
            self._collect()
        self._wait_until(self._most_waiting)
        work = self._workers.submit(self._work, order_id, asked)
        self._in_work[work] = order_id

    def _wait_until(self, left: int) -> None:
        while len(self._in_work) > left:
            self._collect()
        self._raise_failure()

    def _wait_for_orders(self) -> None:
        while any(order_id is not None for order_id in self._in_work.values()):
            self._collect()
        self._raise_failure()

    def _collect(self) -> None:
        """Wait for some order to be done, or for the wish to stop; keep the first failure."""
        done, _ = wait(self._in_work, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            del self._in_work[future]
            failure = None if future.cancelled() else future.exception()
            if failure is not None and (self._failure is None):
                self._failure = failure
                self._stop.set()
        if self._stop.is_set():
            self._workers.shutdown(wait=False, cancel_futures=True)
            # Nobody tells `wait` of a future that was cancelled in the queue: it would wait on.
            self._in_work = {
                future: order_id
                for future, order_id in self._in_work.items()
                if not future.cancelled()
            }

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._stop.is_set():
            raise Interrupted

    def _work(self, order_id: int, asked: Asked | None) -> None:
        if self._stop.is_set():
            raise Interrupted
        self._settle(order_id, asked)

    def _settle(self, order_id: int, asked: Asked | None) -> None:
        stored = self._ledger.facts_of(order_id)
        row = self._ledger.order(order_id)
        if row is not None and row.state == "settled":
            self._outcomes.leave_settled(row, stored)
            return
        if stored is None:
            self._incomplete(order_id)
            return
        if row is not None and asked is None and self._is_settled(row, stored):
            self._outcomes.leave(row, stored)
            return
        try:
            facts = gather(self._ledger, stored)
            if self._planner is not None:
                self._outcomes.show(facts, self._planner.of_facts(facts, asked))
                return
            result = self._posted(facts, stored, row, asked)
            if result is not None:
                self._outcomes.record(facts, stored, result, row)
        except ReadError as error:
            self._outcomes.park(order_id, reasons.unreadable(error), stored)
        except UnknownZone:  # no order has a day, so none can be gone on with
            raise
        except DEFECTS as error:
            # Without the error's words, which may quote a record; the run goes on with the others.
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("Order %s: %s\n%s", order_id, type(error).__name__, where)  # noqa: TRY400
            self._outcomes.park(order_id, reasons.defect(error), stored)

    def _posted(
        self,
        facts: OrderFacts,
        stored: StoredFacts,
        row: OrderRow | None,
        asked: Asked | None,
    ) -> OrderResult | None:
        """Bring the order about; None where it was given up, and is judged later."""
        order_id = facts.order.id
        began = time.monotonic()
        try:
            self._recovery.settle(order_id)
            result = self._reconciler.reconcile(facts, standing=row, asked=asked)
        except (RetriesExhausted, Failing) as failure:
            self._recovery.defer(order_id)
            self._breaker.record_failure(
                Failure(
                    f"order {order_id}",
                    _kind(failure),
                    failure.since,
                    partial(self._submit, order_id, asked),
                    order_id,
                    stored,
                    blamed_before=row is not None and row.reason == Reason.FRESHBOOKS_ERROR,
                )
            )
            return None
        except Refused as refused:
            return refused_result(refused, "posting", 0)
        if result.desired is not None and not result.unchanged:
            self._breaker.record_success(READ, began)
        return result

    def _incomplete(self, order_id: int) -> None:
        """The ledger does not hold all of the order (any more): nothing may be concluded from it.

        Bodies of settled orders are dropped after a while and come again with the order's record.
        Where the record is here and a part stayed away, a stream is no longer selected in the tap.
        """
        if self._ledger.body("orders", (order_id,)) is None:
            logger.warning(
                "Order %s: its record is no longer in the ledger; it is looked at when the tap"
                " sends it again",
                order_id,
            )
            return
        self._outcomes.park(order_id, reasons.partly_dropped())

    def _is_settled(self, row: OrderRow, stored: StoredFacts) -> bool:
        if row.state == "new" or row.facts_hash != stored.hash:
            return False
        # What is posted keeps the settings it was posted under; what waits may wait for others.
        return row.state == "posted" or row.policy_hash == self._outcomes.policy_hash

    # -- verdicts

    def _blame(self, failure: Failure) -> None:
        if failure.order_id is not None:
            parked = reasons.failing(failure.kind)
            facts = None if failure.stored is None else gather(self._ledger, failure.stored)
            self._outcomes.park(failure.order_id, parked, failure.stored, facts)
            return
        logger.warning(
            "FreshBooks answered the change of %s with a server error each time; it is tried again"
            " when the shop changes it again",
            failure.record,
        )


def _kind(failure: RetriesExhausted | Failing) -> str:
    """What failed: a kind of write, or a read."""
    return failure.kind if isinstance(failure, RetriesExhausted) else READ
