"""The ledger's database: how it is opened, read from and written to.

SQLite runs in WAL mode with `synchronous=FULL`, so that a commit is on the disk when it returns.
Every write begins with BEGIN IMMEDIATE: a transaction that reads first and writes later could
otherwise be refused half-way (SQLITE_BUSY_SNAPSHOT). Writers of one process queue at a lock of
their own, because SQLite's own waiting is by sleeping and unfair; the busy timeout is for others.
"""

from __future__ import annotations

import sqlite3
import stat
import threading
import time
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, bindparam, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from target_freshbooks.ledger.errors import LedgerError, LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Insert, Table, TextClause

BUSY_SECONDS = 60
"""How long a writer waits for another process's transaction before it gives up."""

CONNECT_SECONDS = 15
"""How long to wait for a PostgreSQL server to answer at all."""

POOL_SIZE = 24
"""Sixteen workers, the heartbeat and some readers at once."""

_file_locks: dict[Path, threading.Lock] = {}
_file_locks_guard = threading.Lock()

_SQLITE_NOW = text("SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)")
_POSTGRESQL_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)")


class Database:
    """One ledger database, shared by the threads of a process.

    Args:
        url: SQLAlchemy URL: `sqlite:///path` or `postgresql+psycopg://...` (`postgres://` and
            `postgresql://` mean the latter).

    Raises:
        LedgerError: If the URL is of another kind or the driver is not installed.
        LedgerUnavailable: If the file or server cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        self.name = _shown(self.url)
        if self.url.get_backend_name() == "sqlite":
            path = _prepare_file(self.url)
            self.url = self.url.set(database=str(path))  # whatever the working folder becomes
            with _file_locks_guard:
                self._writers: AbstractContextManager[object] = _file_locks.setdefault(
                    path, threading.Lock()
                )
            self.engine = _sqlite_engine(self.url)
            self._now = _SQLITE_NOW
        else:
            self._writers = nullcontext()
            self.engine = _postgresql_engine(self.url)
            self._now = _POSTGRESQL_NOW
        self._write_engine = self.engine.execution_options(ledger_writes=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads; on SQLite it sees one moment throughout."""
        with self._explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read_snapshot(self) -> Iterator[Connection]:
        """Open a transaction that sees one moment throughout, on PostgreSQL too."""
        engine: Engine = self.engine
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with self._explained(), engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes: committed and durable when the block ends."""
        with self._writers, self._explained():  # noqa: SIM117 - the lock comes first
            with self._write_engine.begin() as connection:
                yield connection

    def now_ms(self, connection: Connection) -> int:
        """Tell the database's own clock, in milliseconds since 1970 UTC."""
        return int(connection.execute(self._now).scalar_one())

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeout) as error:
            # Only the first line: PostgreSQL names the row's values in the following ones, and
            # they may be personal data. For the same reason the original is not shown beneath.
            original = getattr(error, "orig", None) or error
            words = str(original).strip().partition("\n")[0]
            raise LedgerUnavailable(
                f"The ledger {self.name} could not be used: {type(original).__name__}: {words}."
                " Nothing is lost: mend it (space, rights, locks, connection) and run again."
            ) from None


def _shown(url: URL) -> str:
    """The URL for messages: a password can stand before the host and in the query."""
    return url.set(query={}).render_as_string(hide_password=True)


def insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Give an INSERT that knows ON CONFLICT, in the words of a database."""
    if dialect == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def prepared(dialect: str, statement: Insert, table: Table, *columns: str) -> TextClause:
    """Turn an INSERT into text with typed parameters.

    SQLAlchemy caches no statement with ON CONFLICT: it would be compiled at each execution, which
    takes longer than the execution itself.

    Args:
        dialect: `sqlite` or `postgresql`.
        statement: Made by `insert`, without values.
        table: Its table.
        columns: The columns the parameters give, by their names; default all.
    """
    names = columns or tuple(column.name for column in table.c)
    spoken = (postgresql if dialect == "postgresql" else sqlite).dialect(paramstyle="named")
    sql = str(statement.compile(dialect=spoken, column_keys=names))
    return text(sql).bindparams(*(bindparam(name, type_=table.c[name].type) for name in names))


def _parse(text_url: str) -> URL:
    try:
        url = make_url(text_url)
    except ArgumentError:
        raise LedgerError(
            "ledger_url is not a database URL; give sqlite:///path or postgresql://host/database."
        ) from None
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise LedgerError(
            f"ledger_url is for {url.drivername}; the ledger is kept in SQLite or PostgreSQL."
        )
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise LedgerError(
            "ledger_url names no file; a ledger in memory would forget what was written to"
            " FreshBooks. Give sqlite:///path."
        )
    return url


def _prepare_file(url: URL) -> Path:
    """Make the file with mode 600 and put it in WAL mode, however many processes start at once."""
    path = Path(url.database or "")
    try:
        path = path.expanduser().resolve()  # one file has one name, whatever links lead to it
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        # -wal and -shm get the mode of the file when SQLite makes them; older ones are mended too.
        for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            # SQLite takes -wal and -shm away when the last connection is closed, perhaps just now.
            with suppress(FileNotFoundError):
                if stat.S_IMODE(file.stat().st_mode) & 0o077:
                    file.chmod(0o600)
    except (OSError, RuntimeError) as error:  # RuntimeError: no such home, or links in a circle
        why = error.strerror if isinstance(error, OSError) else error
        raise LedgerUnavailable(
            f"The ledger {path} cannot be made or kept private ({why}); check the"
            " folder's owner and rights, or give another ledger_url."
        ) from error
    _switch_to_wal(path)
    return path


def _switch_to_wal(path: Path) -> None:
    # Changing the journal mode is refused at once, without the busy timeout, while another process
    # does the same; so it is tried until that one is through.
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
        try:
            mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise LedgerUnavailable(f"The ledger {path} cannot be opened: {error}.") from error
            time.sleep(0.02)
            continue
        except sqlite3.DatabaseError as error:
            raise LedgerUnavailable(
                f"{path} is no SQLite database ({error}); give another ledger_url."
            ) from error
        finally:
            connection.close()
        if mode != "wal":
            raise LedgerUnavailable(
                f"The ledger {path} cannot use SQLite's write-ahead log (journal mode {mode}); put"
                " it on a local disk, or use PostgreSQL when several machines share it."
            )
        return


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=POOL_SIZE,
        pool_timeout=BUSY_SECONDS,
        connect_args={"timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin below, not behind our back
        for pragma in (
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_SECONDS * 1000}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("ledger_writes") else "BEGIN")

    return engine


def _postgresql_engine(url: URL) -> Engine:
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_size=5,
            max_overflow=POOL_SIZE - 5,
            pool_timeout=BUSY_SECONDS,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "application_name": "target-freshbooks",
            },
        )
    except (ImportError, NoSuchModuleError, InterfaceError) as error:
        raise LedgerError(
            "A ledger in PostgreSQL needs the driver psycopg: pip install"
            " 'target-freshbooks[postgres]'."
        ) from error

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - psycopg is optional
        # A process that hangs inside a transaction must not stop all others for ever.
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{BUSY_SECONDS}s'")
        connection.commit()

    return engine
