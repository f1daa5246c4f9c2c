"""Tables of JSON documents; fields that are searched by are columns computed from them.

What a document was before each of its writes is kept, so that a stale search can be shown what it
would have seen.
"""

# ruff: noqa: S608 - the names in the statements are constants of the kinds of records

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from connector_sandbox.store import Store

Document = dict[str, Any]


class Documents:
    """The table of one kind of object.

    Args:
        store: the sandbox's database.
        table: its name.
        fields: of the documents that are indexed columns too, compared without case.
        first_id: id of the first record.
        now: seconds since the epoch by the sandbox's clock.
    """

    def __init__(
        self,
        store: Store,
        table: str,
        fields: Sequence[str],
        first_id: int,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self.table = table
        self._first_id = first_id
        self._now = now
        self._columns = ", ".join(("id", "written", "document", *fields))
        computed = "".join(
            f"{field} COLLATE NOCASE AS (json_extract(document, '$.{field}')) STORED, "
            for field in fields
        )
        store.create(
            f"CREATE TABLE IF NOT EXISTS {table}(id INTEGER PRIMARY KEY AUTOINCREMENT, "
            f"written REAL NOT NULL, {computed}document TEXT NOT NULL);"
            f"CREATE TABLE IF NOT EXISTS {table}_before(seq INTEGER PRIMARY KEY, id INTEGER "
            f"NOT NULL, written REAL NOT NULL, {computed}document TEXT NOT NULL);"
            + "".join(
                f"CREATE INDEX IF NOT EXISTS {table}_{field} ON {table}({field});"
                for field in fields
            )
        )

    def next_id(self) -> int:
        """The id the next record gets; ids of deleted records are not given again."""
        last = self._run("SELECT max(seq) FROM sqlite_sequence WHERE name = ?", self.table)
        return max(self._first_id, (last.fetchone()[0] or 0) + 1)

    def insert(self, record_id: int, document: Document) -> None:
        """Add a record under an id from ``next_id``."""
        self._run(
            f"INSERT INTO {self.table}(id, written, document) VALUES(?, ?, ?)",
            record_id,
            self._now(),
            json.dumps(document, default=str),
        )

    def update(self, record_id: int, document: Document) -> None:
        """Replace a record's document, keeping the one before."""
        self._run(
            f"INSERT INTO {self.table}_before(id, written, document) "
            f"SELECT id, written, document FROM {self.table} WHERE id = ?",
            record_id,
        )
        self._run(
            f"UPDATE {self.table} SET written = ?, document = ? WHERE id = ?",
            self._now(),
            json.dumps(document, default=str),
            record_id,
        )

    def remove(self, record_id: int) -> None:
        """Delete a record for good."""
        for table in (self.table, f"{self.table}_before"):
            self._run(f"DELETE FROM {table} WHERE id = ?", record_id)

    def clear(self) -> None:
        """Empty the table and begin with the first id again."""
        for table in (self.table, f"{self.table}_before"):
            self._run(f"DELETE FROM {table}")
        self._run("DELETE FROM sqlite_sequence WHERE name = ?", self.table)

    def get(self, record_id: int) -> Document | None:
        """Read one record by id, whatever its state."""
        return next(iter(self.documents(id=record_id)), None)

    def documents(self, **wanted: object) -> list[Document]:
        """Read the documents whose columns equal what is wanted, by id."""
        where = " AND ".join(f"{column} = ?" for column in wanted)
        return self.select(where or "1", list(wanted.values()), "ORDER BY id")

    def latest(self) -> Document | None:
        """Read the record with the highest id."""
        return next(iter(self.select(tail="ORDER BY id DESC LIMIT 1")), None)

    def select(
        self,
        where: str = "1",
        values: Sequence[object] = (),
        tail: str = "",
        moment: float | None = None,
    ) -> list[Document]:
        """Read the documents that fit a condition, as they are or as they were at a moment."""
        rows = self._run(
            f"SELECT document FROM {self._as_of(moment)} WHERE {where} {tail}", *values
        )
        return [json.loads(row["document"]) for row in rows]

    def count(
        self, where: str = "1", values: Sequence[object] = (), moment: float | None = None
    ) -> int:
        """Count the records that fit a condition."""
        row = self._run(f"SELECT count(*) FROM {self._as_of(moment)} WHERE {where}", *values)
        return int(row.fetchone()[0])

    def _as_of(self, moment: float | None) -> str:
        if moment is None:
            return self.table
        return (
            "(SELECT * FROM (SELECT *, row_number() OVER "
            "(PARTITION BY id ORDER BY written DESC, seq DESC) AS place FROM ("
            f"SELECT {self._columns}, 1e18 AS seq FROM {self.table} UNION ALL "
            f"SELECT {self._columns}, seq FROM {self.table}_before) "
            f"WHERE written <= {float(moment)!r}) WHERE place = 1)"
        )

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._store.connect().execute(statement, values)
