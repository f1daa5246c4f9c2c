"""Rows of FreshBooks: JSON documents with the few columns that searches narrow by.

What a record was before each of its writes is kept, so that a stale search can be shown what it
would have seen.
"""

# ruff: noqa: S608 - the names in the statements are constants of the kinds of records
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connector_sandbox.store import Store

Document = dict[str, Any]


class Records:
    """The table of one kind of object.

    Args:
        store: the sandbox's database.
        kind: names the table.
        columns: document fields copied into indexed columns, compared without case.
        first_id: id of the first record.
        now: seconds since the epoch by the sandbox's clock.
    """

    def __init__(
        self,
        store: Store,
        kind: str,
        columns: Sequence[str],
        first_id: int,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self.table = f"fb_{kind}"
        self.columns = tuple(columns)
        self._first_id = first_id
        self._now = now
        extra = "".join(f", {column} TEXT COLLATE NOCASE" for column in self.columns)
        store.create(
            f"CREATE TABLE IF NOT EXISTS {self.table}(id INTEGER PRIMARY KEY AUTOINCREMENT, "
            f"vis_state INTEGER NOT NULL, written REAL NOT NULL, document TEXT NOT NULL{extra});"
            f"CREATE TABLE IF NOT EXISTS {self.table}_before(seq INTEGER PRIMARY KEY, "
            "id INTEGER NOT NULL, written REAL NOT NULL, document TEXT NOT NULL);"
            f"CREATE INDEX IF NOT EXISTS {self.table}_vis ON {self.table}(vis_state, id);"
            + "".join(
                f"CREATE INDEX IF NOT EXISTS {self.table}_{column} ON {self.table}({column});"
                for column in self.columns
            )
        )
        self._insert = (
            f"INSERT INTO {self.table}(id, vis_state, written, document"
            + "".join(f", {column}" for column in self.columns)
            + ") VALUES(?, ?, ?, ?"
            + ", ?" * len(self.columns)
            + ")"
        )
        self._update = (
            f"UPDATE {self.table} SET vis_state = ?, written = ?, document = ?"
            + "".join(f", {column} = ?" for column in self.columns)
            + " WHERE id = ?"
        )

    def next_id(self) -> int:
        """The id the next record gets; ids of deleted records are not given again."""
        found = self._store.connect().execute(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (self.table,)
        )
        row = found.fetchone()
        return max(self._first_id, (row["seq"] if row else 0) + 1)

    def insert(self, record_id: int, document: Document) -> None:
        """Add a record under an id from ``next_id``."""
        values = (record_id, *self._values_of(document))
        self._store.connect().execute(self._insert, values)

    def update(self, record_id: int, document: Document) -> None:
        """Replace a record's document, keeping the one before."""
        self._store.connect().execute(
            f"INSERT INTO {self.table}_before(id, written, document) "
            f"SELECT id, written, document FROM {self.table} WHERE id = ?",
            (record_id,),
        )
        self._store.connect().execute(self._update, (*self._values_of(document), record_id))

    def remove(self, record_id: int) -> None:
        """Delete a record for good."""
        for table in (self.table, f"{self.table}_before"):
            self._store.connect().execute(f"DELETE FROM {table} WHERE id = ?", (record_id,))

    def clear(self) -> None:
        """Empty the table and begin with the first id again."""
        for table in (self.table, f"{self.table}_before"):
            self._store.connect().execute(f"DELETE FROM {table}")
        self._store.connect().execute("DELETE FROM sqlite_sequence WHERE name = ?", (self.table,))

    def get(self, record_id: int) -> Document | None:
        """Read one record by id, whatever its state."""
        found = self._store.connect().execute(
            f"SELECT document FROM {self.table} WHERE id = ?",
            (record_id,),
        )
        row = found.fetchone()
        return None if row is None else json.loads(row["document"])

    def documents(self, **wanted: object) -> list[Document]:
        """Read the documents whose columns equal what is wanted (a list: one of it), by id."""
        where, values = _where(wanted)
        found = self._store.connect().execute(
            f"SELECT document FROM {self.table}{where} ORDER BY id", values
        )
        return [json.loads(row["document"]) for row in found]

    def documents_of(self, moment: float) -> list[Document]:
        """Read all documents as they were at a moment, by id."""
        found = self._store.connect().execute(
            "SELECT document FROM (SELECT id, document, row_number() OVER "
            "(PARTITION BY id ORDER BY written DESC, seq DESC) AS place FROM ("
            f"SELECT id, written, document, 1e18 AS seq FROM {self.table} UNION ALL "
            f"SELECT id, written, document, seq FROM {self.table}_before) WHERE written <= ?) "
            "WHERE place = 1 ORDER BY id",
            (moment,),
        )
        return [json.loads(row["document"]) for row in found]

    def page(self, *, size: int, offset: int, descending: bool) -> tuple[list[Document], int]:
        """Read one page of what is not deleted, and how many of that there are."""
        connection = self._store.connect()
        count = self.count_standing()
        order = "DESC" if descending else "ASC"
        found = connection.execute(
            f"SELECT document FROM {self.table} WHERE vis_state IN (0, 2) "
            f"ORDER BY id {order} LIMIT ? OFFSET ?",
            (size, offset),
        )
        return [json.loads(row["document"]) for row in found], count

    def latest(self) -> Document | None:
        """Read the record with the highest id."""
        row = (
            self._store.connect()
            .execute(f"SELECT document FROM {self.table} ORDER BY id DESC LIMIT 1")
            .fetchone()
        )
        return None if row is None else json.loads(row["document"])

    def count(self) -> int:
        """Count all records."""
        row = self._store.connect().execute(f"SELECT count(*) AS n FROM {self.table}").fetchone()
        return int(row["n"])

    def count_standing(self) -> int:
        """Count the records that are not deleted."""
        row = (
            self._store.connect()
            .execute(f"SELECT count(*) AS n FROM {self.table} WHERE vis_state IN (0, 2)")
            .fetchone()
        )
        return int(row["n"])

    def _values_of(self, document: Document) -> list[object]:
        columns = [document.get(column) for column in self.columns]
        return [
            document.get("vis_state", 0),
            self._now(),
            json.dumps(document, default=str),
            *(None if value is None else str(value) for value in columns),
        ]


def _where(wanted: Mapping[str, object]) -> tuple[str, list[object]]:
    parts: list[str] = []
    values: list[object] = []
    for column, value in wanted.items():
        if isinstance(value, (list, tuple, set, frozenset)):
            parts.append(f"{column} IN ({', '.join('?' * len(value))})")
            values += [one if column == "id" else str(one) for one in value]
        else:
            parts.append(f"{column} = ?")
            values.append(value if column in {"id", "vis_state"} else str(value))
    return (" WHERE " + " AND ".join(parts) if parts else ""), values
