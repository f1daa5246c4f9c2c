"""Which parked orders deserve another look because what they share with others has changed.

An order's facts are its own records, its customer's and the store's (`posting.facts`). Whether its
own have changed is told by their hash when the order comes again. A customer's record belongs to no
order and may come alone; so when its content changes, the parked orders of that customer count as
new. The same goes for all parked orders when the store's time zone changes, which is all that an
order's facts have of the store. A record that comes again unchanged reopens nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from target_freshbooks.ledger.inbox.precedence import Given, Place, Version, portions
from target_freshbooks.ledger.storage.canonical import from_text, to_text
from target_freshbooks.ledger.storage.tables import inbox, orders


def reopen(
    connection: Connection,
    source: str,
    taken: Iterable[Given],
    before: Mapping[Place, Version],
    now: datetime,
) -> None:
    """Make the parked orders `new` whose facts have changed with the records just taken."""
    customers: set[str] = set()
    zone_changed = False
    for record, row in taken:
        known = before.get((record.stream, row["key"]))
        if known is not None and known.hash == row["hash"]:
            continue
        if record.stream == "customers":
            customers.add(row["key"])
        elif record.stream == "store":
            former = {} if known is None else known.body()
            zone_changed |= record.body.get("timezone") != former.get("timezone")
    if not customers and not zone_changed:
        return
    reopened = [
        order_id
        for order_id, order in _parked(connection, source)
        if zone_changed or to_text([order.get("customer_id")]) in customers
    ]
    if reopened:
        connection.execute(
            update(orders)
            .where(orders.c.source == source, orders.c.order_id == bindparam("reopened"))
            .values(
                state="new", reason=None, detail=None, words=None, next_step=None, updated_at=now
            ),
            [{"reopened": order_id} for order_id in reopened],
        )


def _parked(connection: Connection, source: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The parked orders with their records: they are few, unlike orders in all."""
    # Two questions: of one with a join a database may make a walk over the whole inbox.
    ids = connection.execute(
        select(orders.c.order_id).where(orders.c.source == source, orders.c.state == "parked")
    ).scalars()
    of_key = {to_text([order_id]): order_id for order_id in ids}
    for keys in portions(of_key):
        rows = connection.execute(
            select(inbox.c.key, inbox.c.body).where(
                inbox.c.source == source,
                inbox.c.stream == "orders",
                inbox.c.key.in_(keys),
                inbox.c.body.is_not(None),
            )
        )
        for row in rows:
            yield of_key[row.key], from_text(row.body)
