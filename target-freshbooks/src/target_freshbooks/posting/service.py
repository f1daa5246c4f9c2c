"""Service: takes the shop's records in, has orders posted, and says when state is true.

An order's record means that all of the order has been said. It is stored with its parts in one
transaction and handed to the workers. `checkpoint` returns only when every order taken in is
posted, waiting, or parked with its reason.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from target_freshbooks.books.policy import Policy
from target_freshbooks.ledger import Ledger, Record
from target_freshbooks.posting.digests import reasons_of_settings
from target_freshbooks.posting.facts import check_zone
from target_freshbooks.posting.order_work import OrderWork
from target_freshbooks.posting.outcomes import Outcomes
from target_freshbooks.posting.plan.steps import Asked

logger = logging.getLogger(__name__)

CHILD_STREAMS = ("transactions", "refunds", "order_taxes", "order_coupons")
REPLACED_STREAMS = frozenset({"order_taxes", "order_coupons"})
"""An edited order has new rows of these; captured money and refunds are only ever added."""

SHARED_STREAMS = frozenset({"customers", "store"})
"""Their records belong to no order, and orders are booked by them all the same."""

BATCH = 500

ORDER_BATCH = 100
"""Orders that are looked for in one list."""


class Service:
    """The records of one run.

    Args:
        ledger: If they are stored.
        work: Works orders off.
        outcomes: How the orders came out.
        policy: The bookkeeper's settings.
        dry_run: What earlier runs did not reach is left, and no customer or product is followed.
        order_batch: How many orders are taken up at a time; those before a STATE are in any case.
    """

    def __init__(
        self,
        ledger: Ledger,
        work: OrderWork,
        outcomes: Outcomes,
        policy: Policy,
        *,
        dry_run: bool,
        order_batch: int,
    ) -> None:
        self._ledger = ledger
        self._work = work
        self._outcomes = outcomes
        self._policy = policy
        self._dry_run = dry_run
        self._order_batch = order_batch
        self._batch: dict[int, None] = {}
        self._children: dict[int, list[Record]] = {}
        self._others: list[Record] = []
        self._streams_seen: set[str] = set()
        self._said: dict[int, set[str]] = {}
        self._store_hash: str | None = None

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
            self._ledger.ownership.bind_store(store_hash)
            self._store_hash = store_hash

    @property
    def heard(self) -> bool:
        """Whether the shop has said anything."""
        return self._store_hash is not None

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
        self._work.workers.raise_failure()
        self._flush_others()
        records = self._children.pop(order_id, [])
        asked_for = self._streams_seen | {record.stream for record in records}
        # Rows that stayed away for an order that has them no more are gone; if the stream was
        # not asked for, what is known of it stands.
        complete = REPLACED_STREAMS & asked_for - self._said.pop(order_id, set())
        order = Record("orders", (order_id,), order_id, dict(body))
        self._ledger.inbox.receive([*records, order], complete=complete)
        self._outcomes.tally.received += 1
        self._batch[order_id] = None
        if len(self._batch) >= self._order_batch:
            self._take_up()

    def checkpoint(self) -> None:
        """Return when all that was taken in is settled, so that a STATE may leave.

        Raises:
            FreshBooksError, LedgerError: The run cannot go on; nothing taken in is lost.
            Interrupted: The run was asked to stop.
        """
        self._flush_others()
        self._take_up()
        self._flush_orphans()
        self._work.settle()

    def finish(self) -> None:
        """Settle everything, and what runs before this one took in and left.

        Those are the orders that they did not reach, and those that waited for a setting which is
        another now. A dry run shows the latter.
        """
        if self._children:
            # No STATE follows, so the tap was cut off in the middle of these: it will say them all.
            logger.warning("The input ends within %d orders: run again.", len(self._children))
            self._children.clear()
        self.checkpoint()
        waited_for = reasons_of_settings(self._policy)
        for order_id in self._ledger.inbox.left_waiting(self._outcomes.policy_hash, waited_for):
            self._work.submit(order_id)
        self.checkpoint()
        if not self._dry_run:
            for row in list(self._ledger.orders.all(state="new")):
                # This run may have parked it, before something came that it is tried again for.
                self._outcomes.forget_parked(row.order_id)
                self._work.submit(row.order_id)
            self.checkpoint()
            self._work.hear_locks()
            self.checkpoint()

    def post_again(self, order_ids: Iterable[int], asked: Asked) -> None:
        """Plan and apply orders anew, whatever their standing (replay)."""
        for order_id in order_ids:
            self._work.submit(order_id, asked)
        self.checkpoint()

    # -- working off

    def _take_up(self) -> None:
        """Have the orders taken in looked at."""
        batch, self._batch = list(self._batch), {}
        if len(batch) > 1:
            self._work.submit_all(batch)
            return
        for order_id in batch:
            self._work.submit(order_id)

    # -- storing

    def _flush_others(self) -> None:
        if self._others:
            if any(record.stream in SHARED_STREAMS for record in self._others):
                # An order in work may have read the former customer. It has to be parked for that
                # before it can be found among the parked ones that are to be tried again.
                self._work.workers.wait_for_orders()
            records, self._others = self._others, []
            taken = self._ledger.inbox.receive(records)
            check_zone(self._ledger, self._policy)
            if not self._dry_run:
                self._work.follow(taken)

    def _flush_orphans(self) -> None:
        """Parts whose order's record did not come: new information on an order known already."""
        orphans, self._children = self._children, {}
        for order_id, records in orphans.items():
            self._said.setdefault(order_id, set()).update(record.stream for record in records)
            self._ledger.inbox.receive(records)
            if self._ledger.orders.get(order_id) is not None:
                self._work.submit(order_id)
