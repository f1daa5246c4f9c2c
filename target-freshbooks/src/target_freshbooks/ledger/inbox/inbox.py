"""The inbox: what the shop last said of each thing, stream by stream.

A record replaces the one of the same key, but an older version never replaces a later one, see
`precedence`.
"""

import operator
import threading
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, select

from target_freshbooks.ledger.inbox import precedence, requeue
from target_freshbooks.ledger.inbox.precedence import Given, Place, Version
from target_freshbooks.ledger.inbox.records import (
    COUPONS,
    ORDERS,
    SHOP,
    Key,
    Record,
    StoredFacts,
    day_of,
    key_text,
    row_of,
)
from target_freshbooks.ledger.section import Scope, Section
from target_freshbooks.ledger.storage.canonical import from_text, hash_of
from target_freshbooks.ledger.storage.database import insert_new, upsert
from target_freshbooks.ledger.storage.tables import inbox, orders

# Made once: building a statement costs more than running it, and each order needs it.
_OF_ORDER = select(
    inbox.c.stream, inbox.c.key, inbox.c.body, inbox.c.hash, inbox.c.received_at
).where(inbox.c.source == bindparam("of_source"), inbox.c.order_id == bindparam("of_order"))

_OF_REHEARSED = inbox.c.source == bindparam("apart")
_DROP_ORDER = delete(inbox).where(_OF_REHEARSED, inbox.c.order_id == bindparam("of_order"))
_DROP_OTHER = delete(inbox).where(
    _OF_REHEARSED, inbox.c.stream == bindparam("of"), inbox.c.key == bindparam("at")
)


def apart_from(source: str) -> str:
    """The name under which is kept what dry runs of a source are told."""
    return f"{source} (dry run)"


class Inbox(Section):
    """The inbox of one shop."""

    def __init__(self, scope: Scope, *also: str) -> None:
        """Open it; `also` are sources whose records are read beside its own."""
        super().__init__(scope)
        self._sources = (*also, self._source)
        self._shop: Mapping[str, Any] | None = None
        self._shop_guard = threading.Lock()

    def receive(self, records: Iterable[Record], *, complete: Collection[str] = ()) -> list[Record]:
        """Store records in one transaction.

        A record of unchanged content keeps the time it was first received. A record of the stream
        `orders` makes its order known as `new`. One that is older than what is known of the thing,
        by its `date_modified`, is left out with a line in the log (see `precedence`). A changed
        record of a customer or the store makes parked orders `new` again (see `requeue`). What a
        dry run was told of the same orders and other things is dropped: nothing reads it any more.

        Args:
            records: Any number; of two with the same key the later version stays, else the later.
            complete: Streams of which the batch holds all records of each order in it: what the
                inbox has besides of those orders is dropped.

        Returns:
            The records that were taken.
        """
        received, now = list(records), self._clock()
        fresh = [
            {
                "source": self._source,
                "order_id": record.order_id,
                "state": "new",
                "order_date": day_of(record.body),
                "updated_at": now,
            }
            for record in received
            if record.stream == ORDERS and record.order_id is not None
        ]
        with self._database.write() as connection:
            taken, before = store(connection, self._source, received, complete, now)
            if fresh:
                known = insert_new(connection.dialect.name, orders, *fresh[0])
                connection.execute(known, fresh)
            requeue.reopen(connection, self._source, taken, before, now)
            _drop_rehearsed(connection, self._source, received)
        self._forget_shop(received)
        return [record for record, _ in taken]

    def facts_of(self, order_id: int) -> StoredFacts | None:
        """Gather all the shop said of an order.

        Returns:
            None if that is not here in full: the order was never received, or retention has
            dropped it. It comes again with the tap's next record of the order.
        """
        with self._database.read() as connection:
            facts_by_source = [_facts_of(connection, source, order_id) for source in self._sources]
        complete = [facts for facts in facts_by_source if facts is not None]
        return max(complete, key=lambda facts: facts.received_at, default=None)

    def body(self, stream: str, key: Key | None = None) -> dict[str, Any] | None:
        """Read the body that came last, of one record or of a stream.

        Returns:
            None if none was ever received, or retention has dropped it.
        """
        statement = select(inbox.c.body).where(
            inbox.c.source.in_(self._sources), inbox.c.stream == stream, inbox.c.body.is_not(None)
        )
        if key is not None:
            statement = statement.where(inbox.c.key == key_text(key))
        row = self._row(statement.order_by(inbox.c.received_at.desc()).limit(1))
        return None if row is None else dict(from_text(row.body))

    def shop(self) -> Mapping[str, Any] | None:
        """The store's own record as it came last, read once; None while there is none."""
        with self._shop_guard:  # what is read here is never older than what was received before
            if self._shop is None:
                self._shop = self.body(SHOP)
            return self._shop

    def left_waiting(self, policy_hash: str, reasons: Collection[str]) -> list[int]:
        """The orders, by id, that were left waiting for one of the reasons under other settings.

        Only those whose record is here, and did not come in this dry run. They are looked for in
        the whole ledger, and are many at most once for each change of a setting.
        """
        record = and_(inbox.c.order_id == orders.c.order_id, inbox.c.stream == ORDERS)
        theirs = and_(inbox.c.source == orders.c.source, inbox.c.body.is_not(None), record)
        came = and_(inbox.c.source.in_({*self._sources} - {self._source}), record)
        waiting = select(orders.c.order_id).where(
            orders.c.source == self._source,
            orders.c.state == "waiting",
            orders.c.reason.in_(reasons),
            orders.c.policy_hash != policy_hash,
            select(inbox.c.key).where(theirs).exists(),
            ~select(inbox.c.key).where(came).exists(),
        )
        return [row.order_id for row in self._rows(waiting.order_by(orders.c.order_id))]

    def _forget_shop(self, received: Iterable[Record]) -> None:
        if any(record.stream == SHOP for record in received):
            with self._shop_guard:
                self._shop = None

    def counts(self) -> dict[str, int]:
        """Count the records by stream."""
        counted = select(inbox.c.stream, func.count()).where(inbox.c.source == self._source)
        rows = self._rows(counted.group_by(inbox.c.stream).order_by(inbox.c.stream))
        return {stream: number for stream, number in rows}  # noqa: C416 - a row is no pair to mypy


def store(
    connection: Connection,
    source: str,
    records: Iterable[Record],
    complete: Collection[str],
    now: datetime,
) -> tuple[list[Given], dict[Place, Version]]:
    """Store records and nothing else: no order's state changes.

    Returns:
        Those that were stored, for what was left out was older than what is known; and what had
        been known of them, in the streams that are compared.
    """
    received = [(record, row_of(source, record, now)) for record in records]
    before = precedence.read(connection, source, [row for _, row in received])
    taken, outdated = precedence.latest(received, before)
    if outdated:
        taken = precedence.additions(connection, source, taken, outdated, complete)
    # Always in the same order (later ones of one key last), so that two batches cannot wait for
    # each other's rows.
    rows = sorted((row for _, row in taken), key=operator.itemgetter("stream", "key"))
    if rows:
        compared = ("hash", "body", "order_id")  # what is unchanged keeps its first time
        connection.execute(upsert(connection.dialect.name, inbox, compared=compared), rows)
    # An order that comes again as it was, without its children, says nothing of them.
    again = {
        row["order_id"]
        for record, row in taken
        if record.stream == ORDERS and _is_known(row, before.get((ORDERS, row["key"])))
    }
    for stream in complete:
        _drop_unsaid(connection, source, stream, rows, again)
    return taken, before


def _drop_rehearsed(connection: Connection, source: str, received: Iterable[Record]) -> None:
    order_ids, others = set[int](), set[tuple[str, str]]()
    for record in received:
        if record.order_id is None:
            others.add((record.stream, key_text(record.key)))
        elif record.stream == ORDERS:  # the last of what is said of an order
            order_ids.add(record.order_id)
    apart = apart_from(source)
    for statement, things in (
        (_DROP_ORDER, [{"apart": apart, "of_order": one} for one in sorted(order_ids)]),
        (_DROP_OTHER, [{"apart": apart, "of": of, "at": at} for of, at in sorted(others)]),
    ):
        if things:
            connection.execute(statement, things)


def _is_known(row: dict[str, Any], version: Version | None) -> bool:
    return version is not None and version.hash == row["hash"]


def _drop_unsaid(
    connection: Connection,
    source: str,
    stream: str,
    rows: list[dict[str, Any]],
    again: Collection[int],
) -> None:
    """Drop what the inbox has of a stream of the orders among the rows, but for these rows."""
    keys_by_order: dict[int, list[str]] = {
        row["order_id"]: [] for row in rows if row["stream"] == ORDERS and row["order_id"]
    }
    for row in rows:
        if row["stream"] == stream and row["order_id"] in keys_by_order:
            keys_by_order[row["order_id"]].append(row["key"])
    for order_id, keys in keys_by_order.items():
        if keys or order_id not in again:
            of_order = and_(
                inbox.c.source == source, inbox.c.order_id == order_id, inbox.c.stream == stream
            )
            connection.execute(delete(inbox).where(of_order, inbox.c.key.not_in(keys)))


def _facts_of(connection: Connection, source: str, order_id: int) -> StoredFacts | None:
    rows = connection.execute(_OF_ORDER, {"of_source": source, "of_order": order_id}).all()
    read = [row for row in rows if row.stream != COUPONS]
    if any(row.body is None for row in read):
        return None
    children: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(read, key=lambda row: (row.stream, _sorting(from_text(row.key)))):
        children.setdefault(row.stream, []).append(from_text(row.body))
    if ORDERS not in children:
        return None
    *_, order = children.pop(ORDERS)
    contents = sorted((row.stream, row.key, row.hash) for row in rows)
    return StoredFacts(order, children, hash_of(contents), max(row.received_at for row in rows))


def _sorting(key: Key) -> list[tuple[str, Any]]:
    """Order keys by value if values compare, by type if they do not."""
    return [
        ("", value) if isinstance(value, (int, float)) else (type(value).__name__, str(value))
        for value in key
    ]
