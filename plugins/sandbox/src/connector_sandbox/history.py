"""What the two APIs were asked: every accepted write for ever, and counts of all requests.

The history is the truth tests compare with: a row is added in the same transaction as the write
it tells of, and no row is ever changed.
"""

import json
import re
import sqlite3
import threading
from collections import Counter, deque
from typing import Any

from connector_sandbox import acting
from connector_sandbox.clock import Clock
from connector_sandbox.store import Store

_TABLE = """
CREATE TABLE IF NOT EXISTS history(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  side TEXT NOT NULL,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  body TEXT NOT NULL,
  status INTEGER NOT NULL,
  actor TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS history_is_append_only BEFORE UPDATE ON history
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
"""

_NUMBER = re.compile(r"/\d+(?=/|$)")
_STORE = re.compile(r"^/stores/[^/]+")
_ACCOUNT = re.compile(r"/account/[^/]+")


class History:
    """The append-only table of accepted writes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        store.create(_TABLE)

    def append(
        self,
        connection: sqlite3.Connection,
        *,
        side: str,
        method: str,
        path: str,
        kind: str,
        object_id: object,
        body: Any,  # noqa: ANN401 - whatever JSON was sent
    ) -> None:
        """Add a row inside the caller's transaction, with who made the request in hand.

        Args:
            connection: the one whose transaction holds the write itself.
            side: ``bigcommerce`` or ``freshbooks``.
            method: HTTP method.
            path: request path without the query.
            kind: what was written, as ``invoice.create`` or ``payment.delete``.
            object_id: id of the object written.
            body: the JSON that was sent.
        """
        sent = json.dumps(body, ensure_ascii=False, default=str)
        connection.execute(
            "INSERT INTO history(at, side, method, path, kind, object_id, body, status, actor) "
            "VALUES(?, ?, ?, ?, ?, ?, ?, 200, ?)",
            (
                *(self._clock.now().isoformat(), side, method, path, kind, str(object_id), sent),
                acting.actor(),
            ),
        )

    def rows(
        self, *, since: int = 0, side: str | None = None, order: str | None = None
    ) -> list[dict[str, Any]]:
        """Read rows after ``since``.

        ``order`` keeps those whose path, object id or body holds that number as a whole number.
        """
        query = "SELECT * FROM history WHERE seq > ?"
        values: list[object] = [since]
        if side:
            query += " AND side = ?"
            values.append(side)
        if order:
            query += " AND (path LIKE ? OR object_id = ? OR body LIKE ?)"
            values += [f"%{order}%", order, f"%{order}%"]
        rows = self._store.connect().execute(query + " ORDER BY seq", values)
        whole = re.compile(rf"(?<!\d){re.escape(order)}(?!\d)") if order else None
        return [
            {**dict(row), "body": json.loads(row["body"])}
            for row in rows
            if whole is None or whole.search(f"{row['path']} {row['object_id']} {row['body']}")
        ]

    def clear(self) -> None:
        """Begin a new history, as part of a reset of the whole sandbox."""
        with self._store.writing() as connection:
            connection.execute("DELETE FROM history")


class RequestCounts:
    """How many requests each endpoint got, for requests-per-order figures.

    Kept in memory; faulted requests count too, with the status their client saw (0 for none).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str, int]] = Counter()
        self._latest: deque[dict[str, Any]] = deque(maxlen=2000)

    def count(self, side: str, method: str, path: str, query: str, status: int) -> None:
        """Count one request."""
        with self._lock:
            self._counts[side, method, template(path), status] += 1
            self._latest.append(
                {"side": side, "method": method, "path": path, "query": query, "status": status}
            )

    def clear(self) -> None:
        """Begin to count anew."""
        with self._lock:
            self._counts.clear()
            self._latest.clear()

    def latest(self) -> list[dict[str, Any]]:
        """Give the last requests (at most 2000), oldest first."""
        with self._lock:
            return list(self._latest)

    def summary(self) -> dict[str, Any]:
        """Give counts per endpoint and per side.

        Returns:
            ``requests``: rows of side, method, path, count, statuses; ``totals``: per side the
            number of requests of each method and of all.
        """
        with self._lock:
            counts = dict(self._counts)
        rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        totals: dict[str, Counter[str]] = {}
        for (side, method, path, status), count in sorted(counts.items()):
            row = rows.setdefault(
                (side, method, path),
                {"side": side, "method": method, "path": path, "count": 0, "statuses": {}},
            )
            row["count"] += count
            row["statuses"][str(status)] = count
            of_side = totals.setdefault(side, Counter())
            of_side[method] += count
            of_side["all"] += count
        return {
            "requests": list(rows.values()),
            "totals": {side: dict(counter) for side, counter in totals.items()},
        }


def template(path: str) -> str:
    """Replace the ids in a path: ``/stores/{store}/v2/orders/{id}``."""
    path = _STORE.sub("/stores/{store}", path)
    path = _ACCOUNT.sub("/account/{account}", path)
    return _NUMBER.sub("/{id}", path)
