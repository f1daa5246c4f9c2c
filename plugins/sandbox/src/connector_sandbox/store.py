"""One SQLite database for both APIs; each side keeps its own tables in it.

Request handlers run on the server's event loop and do not await inside a transaction, so that
each is atomic. Durability over power loss is not wanted of a sandbox (``synchronous=OFF``); what
a killed *client* has written stays.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Store:
    """The sandbox's database: one connection per thread, one writer at a time.

    Args:
        data_dir: directory for ``sandbox.sqlite``; made when absent.
    """

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = data_dir / "sandbox.sqlite"
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._writer = threading.RLock()

    def connect(self) -> sqlite3.Connection:
        """Give this thread's connection (autocommit, rows by name)."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self.path,
                isolation_level=None,
                check_same_thread=False,  # closed by whichever thread ends the sandbox
                timeout=30,
                cached_statements=512,
            )
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.create_function("lowered", 1, _lowered, deterministic=True)
            self._local.connection = connection
            with self._guard:
                self._connections.append(connection)
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run one write transaction; it is rolled back when the block raises.

        Nested blocks join the outer transaction.
        """
        with self._writer:
            connection = self.connect()
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def create(self, statements: str) -> None:
        """Run ``CREATE TABLE IF NOT EXISTS`` and the like, several statements in one text."""
        with self._writer:
            self.connect().executescript(statements)

    def close(self) -> None:
        """Close every thread's connection."""
        with self._guard:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
        self._local = threading.local()


def _lowered(text: object) -> str:
    """Text in lower case for searches, of all alphabets; SQLite's own knows ASCII only."""
    return str(text or "").lower()
