"""Where the shop's records lie: SQLite tables `bc_*`, orders as JSON of the seed's model.

Columns beside the JSON are what lists filter and sort by.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from connector_sandbox.bigcommerce.dates import epoch
from connector_sandbox.decoding import decode, encode
from connector_sandbox.exact_json import dumps, loads
from connector_sandbox.seed.model import Order
from connector_sandbox.seed.month import FIRST_IDS
from connector_sandbox.seed.totals import compute
from connector_sandbox.store import Store

TABLES = """
CREATE TABLE IF NOT EXISTS bc_orders(
  id INTEGER PRIMARY KEY, created INTEGER NOT NULL,
  modified INTEGER NOT NULL, status_id INTEGER NOT NULL, customer_id INTEGER NOT NULL,
  email TEXT NOT NULL, total INTEGER NOT NULL, payment_method TEXT NOT NULL,
  channel_id INTEGER NOT NULL, external_id TEXT, external_order_id TEXT NOT NULL,
  is_deleted INTEGER NOT NULL, shuffle INTEGER NOT NULL, entered TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS bc_orders_modified ON bc_orders(modified, id);
CREATE INDEX IF NOT EXISTS bc_orders_created ON bc_orders(created, id);
CREATE TABLE IF NOT EXISTS bc_refunds(
  id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, created INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS bc_refunds_order ON bc_refunds(order_id);
CREATE TABLE IF NOT EXISTS bc_hooks(
  id INTEGER PRIMARY KEY, client_id TEXT NOT NULL, scope TEXT NOT NULL, destination TEXT NOT NULL,
  headers TEXT NOT NULL, is_active INTEGER NOT NULL, created INTEGER NOT NULL,
  updated INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS bc_deliveries(
  id INTEGER PRIMARY KEY AUTOINCREMENT, hook_id INTEGER NOT NULL, webhook_id TEXT NOT NULL,
  scope TEXT NOT NULL, body TEXT NOT NULL, attempts INTEGER NOT NULL, due REAL NOT NULL,
  state TEXT NOT NULL, last_status INTEGER, forged INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS bc_deliveries_due ON bc_deliveries(state, due);
CREATE TABLE IF NOT EXISTS bc_tokens(
  token TEXT PRIMARY KEY, client_id TEXT NOT NULL, client_secret TEXT NOT NULL,
  scopes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS bc_counters(kind TEXT PRIMARY KEY, upcoming INTEGER NOT NULL);
"""

_ALL = ("orders", "refunds", "customers", "products", "hooks", "deliveries", "tokens", "counters")


def _of_document(field: str) -> str:
    return f"json_extract(document, '$.{field}')"


def _moment(field: str) -> str:
    return f"CAST(strftime('%s', {_of_document(field)}) AS INTEGER)"


_RECORDS = {
    "customers": {
        **{name: _of_document(name) for name in ("email", "first_name", "last_name")},
        **{name: _of_document(name) for name in ("company", "phone", "customer_group_id")},
        "created": _moment("date_created"),
        "modified": _moment("date_modified"),
    },
    "products": {
        **{name: _of_document(name) for name in ("name", "sku", "price", "is_visible")},
        "kind": _of_document("type"),
        "modified": _moment("date_modified"),
    },
}
"""Tables of whole documents, and the columns computed from them; prices there are for sorting."""


def create(store: Store) -> None:
    """Make the tables."""
    store.create(TABLES)
    for name, columns in _RECORDS.items():
        computed = ", ".join(
            f"{column} AS ({of}) STORED NOT NULL" for column, of in columns.items()
        )
        store.create(
            f"CREATE TABLE IF NOT EXISTS bc_{name}"
            f"(id INTEGER PRIMARY KEY, {computed}, document TEXT NOT NULL)"
        )


def clear(connection: sqlite3.Connection) -> None:
    """Empty every table of this side."""
    for name in _ALL:
        connection.execute(f"DELETE FROM bc_{name}")  # noqa: S608  names from the tuple above


class Numbered:
    """Ids from the database, inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def next(self, kind: str) -> int:
        """The next id of a kind."""
        row = self._connection.execute(
            "INSERT INTO bc_counters VALUES(?, ? + 1) "
            "ON CONFLICT(kind) DO UPDATE SET upcoming = upcoming + 1 RETURNING upcoming - 1",
            (kind, FIRST_IDS[kind]),
        ).fetchone()
        return int(row[0])


def record_of(connection: sqlite3.Connection, kind: str, number: int) -> dict[str, Any] | None:
    """The document of a customer or product."""
    row = connection.execute(
        f"SELECT document FROM bc_{kind}s WHERE id = ?",  # noqa: S608  kinds of the callers
        (number,),
    ).fetchone()
    return None if row is None else loads(row["document"])


def put_record(connection: sqlite3.Connection, kind: str, document: dict[str, Any]) -> None:
    """Write a customer or product.

    Raises:
        ValueError: It has no name, or a date that is none.
    """
    try:
        connection.execute(
            f"INSERT OR REPLACE INTO bc_{kind}s(id, document) VALUES(?,?)",
            (document["id"], dumps(document)),
        )
    except sqlite3.IntegrityError as error:
        raise ValueError(f"A {kind} cannot be so: {error}.") from error


def put_orders(connection: sqlite3.Connection, orders: Iterable[Order]) -> None:
    """Write orders and the index of their refunds."""
    connection.executemany(
        "INSERT INTO bc_orders VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET "
        "created=excluded.created, modified=excluded.modified, "
        "status_id=excluded.status_id, customer_id=excluded.customer_id, email=excluded.email, "
        "total=excluded.total, payment_method=excluded.payment_method, "
        "channel_id=excluded.channel_id, external_id=excluded.external_id, "
        "external_order_id=excluded.external_order_id, is_deleted=excluded.is_deleted, "
        "entered=excluded.entered",
        map(_row, (remembered := list(orders))),
    )
    connection.executemany(
        "INSERT OR REPLACE INTO bc_refunds VALUES(?,?,?)",
        [(r.id, order.id, epoch(r.created)) for order in remembered for r in order.refunds],
    )


def _row(order: Order) -> tuple[object, ...]:
    return (
        order.id,
        epoch(order.created),
        epoch(order.modified),
        order.status_id,
        order.customer_id,
        order.billing.email,
        int(compute(order).total_inc * 10_000),
        order.payment_method,
        order.channel_id,
        order.external_id,
        order.external_order_id,
        order.is_deleted,
        # A fixed order that has nothing to do with the ids.
        order.id * 2_654_435_761 % 4_294_967_296,
        json.dumps(encode(order), separators=(",", ":")),
    )


@lru_cache(maxsize=4096)
def _decoded(entered: str) -> Order:
    return decode(Order, json.loads(entered))


def order_of(connection: sqlite3.Connection, order_id: int) -> Order | None:
    """The order of that id."""
    return next(iter(orders_where(connection, "id = ?", [order_id])), None)


def orders_where(
    connection: sqlite3.Connection, where: str = "1", values: Sequence[object] = (), tail: str = ""
) -> list[Order]:
    """Orders that fit a condition made of constants of the caller."""
    rows = connection.execute(
        f"SELECT entered FROM bc_orders WHERE {where} {tail}",  # noqa: S608  no outside text
        values,
    )
    return [_decoded(row["entered"]) for row in rows]
