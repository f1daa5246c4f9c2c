"""Opening a database: SQLite files and PostgreSQL servers, private, durable, and told in sentences.

SQLite: one file of mode 600 (its `-wal` and `-shm` follow it), write-ahead log, every commit on
disk before it returns. Every transaction that writes begins with BEGIN IMMEDIATE: one that reads
first and writes later could otherwise be refused half-way (SQLITE_BUSY_SNAPSHOT). PostgreSQL:
commits are synchronous, and no wait for a lock is endless.
"""

import contextlib
import logging
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, InterfaceError, NoSuchModuleError, SQLAlchemyError

from .locks import lock_number
from .private_files import close_to_others, name_draft, write_draft

CONNECT_SECONDS = 15
"""How long to wait for a PostgreSQL server to answer at all."""

POLL_SECONDS = 0.02

CUT_SECONDS = 10
"""How long to wait for readers who still need SQLite's log."""

logger = logging.getLogger(__name__)

_POSTGRESQL_SESSION = """
SET synchronous_commit = on;
SET lock_timeout = '{0.busy_seconds}s';
SET idle_in_transaction_session_timeout = '{0.idle_seconds}s'
"""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a database is opened for.

    Attributes:
        name: What messages call it, such as `ledger`.
        setting: The setting that holds its URL.
        package: The distribution whose extra `postgres` brings the driver.
        error: What is raised with a sentence for the operator.
        busy_seconds: How long to wait for another's transaction.
        idle_seconds: PostgreSQL: how long a process may hang inside a transaction; 0 for ever.
    """

    name: str
    setting: str
    package: str
    error: type[Exception]
    busy_seconds: int
    idle_seconds: int = 0


def parse_url(url: str, purpose: Purpose) -> sa.URL:
    """The URL with the psycopg driver for PostgreSQL, or the path of SQLite's file without links.

    Locks and keys lie beside the file, by whatever name it was given.
    """
    try:
        parsed: sa.URL | None = sa.make_url(url)
    except (ArgumentError, ValueError):
        parsed = None  # the failure quotes the URL, which may hold a password
    if parsed is None:
        raise purpose.error(
            f"{purpose.setting} is not a database URL; give sqlite:///path or"
            " postgresql://host/database."
        )
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "postgresql":
        _require_one_login(url, purpose)
        return parsed
    if parsed.get_backend_name() != "sqlite":
        raise purpose.error(
            f"{purpose.setting} is for {parsed.drivername}; the {purpose.name} is kept in SQLite or"
            " PostgreSQL."
        )
    if not parsed.database or parsed.database.startswith((":memory:", "file:")):
        raise purpose.error(
            f"{purpose.setting} names no file, and the {purpose.name} must outlive the process."
            " Give sqlite:///path."
        )
    try:
        path = Path(parsed.database).expanduser().resolve()
    except (OSError, RuntimeError) as error:  # no such home; links in a circle
        raise purpose.error(_not_private(parsed.database, purpose, error)) from None
    return parsed.set(database=str(path))


def _require_one_login(url: str, purpose: Purpose) -> None:
    """Refuse a password with a bare `@`: what follows it would be taken, and shown, as the host."""
    _, _, rest = url.partition("://")
    _, _, after_user = rest.partition(":")
    _, _, place = after_user.partition("@")
    if "@" in place:
        raise purpose.error(
            f"{purpose.setting} has more than one @: write those of the password as %40 (and / as"
            " %2F, : as %3A, # as %23, % as %25)."
        )


def shown(url: sa.URL) -> str:
    """The URL for messages: a password can stand before the host and in the query."""
    return url.set(query={}).render_as_string(hide_password=True)


def sqlite_path(url: sa.URL) -> Path | None:
    """The database's file, None for PostgreSQL."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def open_engine(url: str, purpose: Purpose, **pool: Any) -> sa.Engine:  # noqa: ANN401 - SQLAlchemy's
    """An engine whose commits are durable; a SQLite file is made with mode 600.

    Args:
        url: `sqlite:///path` or `postgresql+psycopg://...` (`postgres://` and `postgresql://` mean
            the latter).
        purpose: For messages and limits.
        pool: Of `sqlalchemy.create_engine`.
    """
    parsed = parse_url(url, purpose)
    path = sqlite_path(parsed)
    if path is not None:
        make_private(path, purpose)
        _write_ahead(path, purpose)
        options: dict[str, Any] = {"connect_args": {"timeout": purpose.busy_seconds}}
    else:
        connect = {"connect_timeout": CONNECT_SECONDS, "application_name": purpose.package}
        options = {"connect_args": connect, "pool_pre_ping": True}
    try:
        engine = sa.create_engine(parsed, hide_parameters=True, **options, **pool)
    except (ImportError, NoSuchModuleError, InterfaceError) as error:
        raise purpose.error(
            f"The driver for PostgreSQL is missing: pip install '{purpose.package}[postgres]'."
        ) from error
    if path is not None:
        event.listen(engine, "connect", _on_connect_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        session = _POSTGRESQL_SESSION.format(purpose)
        event.listen(engine, "connect", lambda raw, _: _on_connect_postgresql(raw, session))
    return engine


@contextlib.contextmanager
def writing(connection: sa.Connection) -> Iterator[None]:
    """A transaction that writes: committed and on disk when the block ends."""
    connection.execution_options(writing=True)
    try:
        with connection.begin():
            yield
    finally:
        connection.execution_options(writing=False)


def wait_for_turn(connection: sa.Connection, name: str) -> None:
    """Be alone with a piece of work, such as making tables, until the transaction ends.

    On SQLite whoever writes is alone.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_number(name))))


def cut_log(connection: sa.Connection) -> None:
    """Leave nothing in SQLite's write-ahead log, where what was overwritten would stay for long.

    The connection must be outside a transaction. PostgreSQL keeps what it keeps.
    """
    if connection.dialect.name != "sqlite":
        return
    raw: Any = connection.connection.driver_connection
    raw.execute(f"PRAGMA busy_timeout = {int(1000 * CUT_SECONDS)}")
    (busy, *_) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        logger.warning(
            "What was replaced or removed stays, encrypted, in %s-wal until the programs that"
            " read this database have ended.",
            connection.engine.url.database,
        )


def insert(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Give an INSERT that knows ON CONFLICT, in the words of a database."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@contextlib.contextmanager
def explained(engine: sa.Engine, purpose: Purpose) -> Iterator[None]:
    """A database's failure as the purpose's error, without statement or values."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        # Only the first line: PostgreSQL names the row's values in the following ones, and they may
        # be personal data. For the same reason the original is not shown beneath.
        words = str(cause).strip().partition("\n")[0]
        raise purpose.error(
            f"The {purpose.name} {shown(engine.url)} could not be used: {type(cause).__name__}:"
            f" {words}. Nothing is lost: mend it (space, rights, locks, connection) and run again."
        ) from None


def make_private(path: Path, purpose: Purpose) -> None:
    """Make the file with mode 600 before SQLite would make it with the umask's.

    A file that exists is never opened here: closing it would drop all locks that this process
    holds on it through SQLite, and other processes would then overwrite each other's commits
    (sqlite.org, "How to corrupt", on POSIX advisory locks). So a new one is made under another
    name, closed, and only then given its name.
    """
    try:
        if not path.exists():
            name_draft(write_draft(path, ""), path)
    except OSError as error:
        raise purpose.error(_not_private(path, purpose, error)) from None
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        close_to_others(file)


def _not_private(path: object, purpose: Purpose, error: Exception) -> str:
    why = error.strerror if isinstance(error, OSError) else error
    return (
        f"The {purpose.name} {path} cannot be made or kept private ({why}); check the folder's"
        f" owner and rights, or give another {purpose.setting}."
    )


def _write_ahead(path: Path, purpose: Purpose) -> None:
    """Switch SQLite to its write-ahead log. That lasts, so it is mostly done already.

    The switch needs the file for itself and does not heed the busy time-out, hence the loop.
    """
    give_up = time.monotonic() + purpose.busy_seconds
    while True:
        connection = sqlite3.connect(path, timeout=purpose.busy_seconds)
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise purpose.error(
                    f"The {purpose.name} {path} cannot be opened: {error}."
                ) from error
        except sqlite3.DatabaseError as error:
            raise purpose.error(
                f"{path} is no SQLite database ({error}); give another {purpose.setting}."
            ) from error
        finally:
            connection.close()
        time.sleep(POLL_SECONDS)  # between two tries of a bounded wait
    if mode != "wal":
        raise purpose.error(
            f"The {purpose.name} {path} cannot use SQLite's write-ahead log (journal mode {mode});"
            " put it on a local disk, or use PostgreSQL when several machines share it."
        )


def _on_connect_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
    connection.isolation_level = None  # transactions begin below, not behind our back
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer takes the write lock at once: a read lock that turns into one can fail at once."""
    writes = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _on_connect_postgresql(connection: Any, session: str) -> None:  # noqa: ANN401 - the driver's
    with connection.cursor() as cursor:
        cursor.execute(session)
    connection.commit()
