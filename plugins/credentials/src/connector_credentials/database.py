"""The table, and the engines of the two databases it lives in.

SQLite: one file of mode 600 (its `-wal` and `-shm` follow it), write-ahead log, every commit on
disk before it returns. PostgreSQL: commits are synchronous. Either may be shared with other tables,
such as the target's ledger.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from .errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine.interfaces import DBAPIConnection

BUSY_SECONDS = 30

metadata = sa.MetaData()
credentials = sa.Table(
    "credentials",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
)


def parse_url(url: str) -> sa.URL:
    """The URL, with the psycopg driver where PostgreSQL's is left open."""
    try:
        parsed = sa.make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None:
        raise CredentialError("the credentials URL is no SQLAlchemy URL, such as sqlite:///path")
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise CredentialError(
            f"credentials are kept in SQLite or PostgreSQL, not in {parsed.get_backend_name()}"
        )
    path = sqlite_path(parsed)
    return parsed if path is None else parsed.set(database=str(_one_path(path)))


def _one_path(path: Path) -> Path:
    """The path without links: the locks and the key lie beside the file, by whatever name."""
    try:
        return path.expanduser().resolve()
    except (OSError, RuntimeError) as exc:  # no such home; links in a circle
        raise CredentialError(f"the path {path} leads nowhere ({exc})") from None


def shown(url: sa.URL) -> str:
    """The URL for messages: a password can stand before the host and in the query."""
    return url.set(query={}).render_as_string(hide_password=True)


def sqlite_path(url: sa.URL) -> Path | None:
    """The database's file, None for PostgreSQL."""
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise CredentialError("credentials need a SQLite file: sqlite:///path")
    return Path(url.database)


def connect(url: sa.URL) -> sa.Engine:
    """An engine whose commits are durable; the SQLite file is made with mode 600."""
    path = sqlite_path(url)
    if path is not None:
        make_private(path)
    try:
        # Parameters are ciphertext, yet have no business in an error message.
        # Used rarely, so no connection is kept that could go stale or be left open.
        engine = sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool)
    except (ModuleNotFoundError, NoSuchModuleError) as exc:
        raise CredentialError(
            f"the database driver is missing ({exc}): pip install 'connector-credentials[postgres]'"
        ) from None
    event.listen(engine, "connect", _on_connect_sqlite if path else _on_connect_postgresql)
    if path is not None:
        event.listen(engine, "begin", _begin_sqlite)
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


def make_private(path: Path) -> None:
    """Make the file with mode 600 before SQLite would make it with the umask's.

    A file that exists is never opened here: closing it would drop all locks that this process
    holds on it through SQLite, and other processes would then overwrite each other's commits
    (sqlite.org, "How to corrupt", on POSIX advisory locks). So a new one is made under another
    name, closed, and only then given its name.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with contextlib.suppress(FileExistsError):  # another first starter was faster
                os.link(draft, path)
            draft.unlink()
    except OSError as exc:
        raise CredentialError(
            f"cannot make the credentials database {path} ({exc.strerror}); check the folder's "
            "owner and rights, or give another URL"
        ) from None
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        # Missing: SQLite removes them. Not ours: then its owner decides about its mode.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def _on_connect_sqlite(connection: DBAPIConnection, _record: object) -> None:
    raw: Any = connection
    raw.isolation_level = None  # we say BEGIN ourselves, see below
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer takes the write lock at once: a read lock that turns into one can fail at once."""
    writes = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def write_ahead(engine: sa.Engine) -> None:
    """Switch SQLite to its write-ahead log. That lasts, so it is mostly done already.

    The switch needs the file for itself and does not heed the busy time-out, hence the loop.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        while True:
            try:
                cursor.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        cursor.close()
    finally:
        raw.close()


def _on_connect_postgresql(connection: DBAPIConnection, _record: object) -> None:
    raw: Any = connection
    raw.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SET synchronous_commit = on")
    # A machine that dies holding a lock is noticed, and its lock freed, in half a minute.
    for setting in ("tcp_keepalives_idle = 10", "tcp_keepalives_interval = 5"):
        cursor.execute(f"SET {setting}")
    cursor.execute("SET tcp_keepalives_count = 4")
    cursor.close()
    raw.autocommit = False
