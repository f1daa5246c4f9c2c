"""Mutual exclusion between processes and machines; the system frees a lock when its holder dies.

SQLite: `flock` on a file beside the database. The kernel frees it however the process ends; no
child inherits it (close-on-exec); and the file stays, since removing it would let two hold "the"
lock. PostgreSQL: an advisory lock of a session of its own, which the server ends half a minute
after the holder's machine has fallen silent.

Neither can stop a holder that has lost its session and does not know it yet. So whoever takes the
lock also writes a fencing token in a row, and makes its writes conditional on it (`FencingToken`).
"""

import fcntl
import hashlib
import os
import platform
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from .errors import CredentialError, LockTimeout, LockUnsafe

_Lockable = tuple[sa.Connection, Callable[[], object]]

FIRST_POLL_SECONDS = 0.02
POLL_SECONDS = 0.5
"""Neither lock waits with a limit on its own; the pauses between looks grow up to this."""

SESSION = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
    "tcp_user_timeout": "30000",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
"""The server's settings for a session that holds a lock: a silent machine is given up after half a
minute (10 + 4 * 5 s if it had nothing to hear, 30,000 ms if it did not confirm what it was
told), and a live one never, however long it has nothing to say."""

SHARED_FILE_SYSTEMS = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "virtiofs", "vboxsf", "fuse", "fuseblk"),
    *("ceph", "lustre", "gpfs", "beegfs", "ocfs2", "gfs2", "orangefs"),
}
_MOUNTS = Path("/proc/self/mountinfo")


@contextmanager
def hold(
    engine: sa.Engine,
    name: str,
    timeout: float,
    *,
    what: str,
    sleep: Callable[[float], None] = time.sleep,
    on_wait: Callable[[], None] = lambda: None,
) -> Iterator[sa.Connection]:
    """Hold the lock of a name, alone among all who use the database; not re-entrant.

    Args:
        engine: The database's.
        name: The lock's.
        timeout: Seconds to wait for another holder.
        what: What is locked, for messages.
        sleep: Waits between looks; what it raises ends the waiting.
        on_wait: Called once, before the first of them.

    Yields:
        A connection; on PostgreSQL it is the session that holds the lock, so that one who has lost
        it cannot write there.

    Raises:
        LockTimeout: Another held it for longer.
        LockUnsafe: A lock would exclude nobody here.
    """
    place = _file if engine.dialect.name == "sqlite" else _session
    with place(engine, name) as (connection, take):
        waited, pause = 0.0, FIRST_POLL_SECONDS
        while not take():
            if waited >= timeout:
                raise LockTimeout(f"{what} is held by another process for more than {timeout:g} s")
            if not waited:
                on_wait()
            pause = min(2 * pause, POLL_SECONDS, timeout - waited)
            sleep(pause)
            waited += pause
        yield connection


def is_held(engine: sa.Engine, name: str) -> bool:
    """Tell whether anybody holds the lock."""
    try:
        with hold(engine, name, 0, what=name):
            return False
    except LockTimeout:
        return True


def fence_table(name: str, metadata: sa.MetaData) -> sa.Table:
    """The table of fencing tokens, a row for each lock: the token, and whose it is since when."""
    return sa.Table(
        name,
        metadata,
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
    )


class FencingToken:
    """Fencing token of a lock: a later holder's token makes an earlier holder's writes impossible.

    Args:
        table: Made by `fence_table`.
        name: The lock's.
    """

    def __init__(self, table: sa.Table, name: str) -> None:
        self._table = table
        self._row = table.c.name == name
        self._read = sa.select(table.c.token).where(self._row).with_for_update(read=True)
        self._name = name
        self._token = uuid.uuid4().hex

    def take(self, connection: sa.Connection, holder: str, now: datetime) -> None:
        """Put our token in the row, and who we are. The lock must be held."""
        row = {
            "name": self._name,
            "token": self._token,
            "holder": f"{holder} (process {os.getpid()} on {platform.node() or 'unknown'})",
            "since": f"{now:%Y-%m-%d %H:%M:%S} UTC",
        }
        connection.execute(sa.delete(self._table).where(self._row))
        connection.execute(sa.insert(self._table), row)

    def stands(self, connection: sa.Connection) -> bool:
        """Tell whether the token is ours still, as it then is until the transaction's end."""
        return connection.scalar(self._read) == self._token

    def holder(self, connection: sa.Connection) -> str:
        """Tell who took the lock last, and when."""
        columns = sa.select(self._table.c.holder, self._table.c.since).where(self._row)
        row = connection.execute(columns).one_or_none()
        return "a process that has only just begun" if row is None else f"{row[0]}, since {row[1]}"


def lock_number(name: str) -> int:
    """A name as the signed 64-bit number that PostgreSQL's advisory locks are."""
    digest = hashlib.sha256(f"connector_credentials:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


@contextmanager
def _file(engine: sa.Engine, name: str) -> Iterator[_Lockable]:
    """A connection, and what tries to lock the name's file beside the database."""
    database = Path(str(engine.url.database)).resolve()
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    path = database.with_name(f"{database.name}.{digest}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # close-on-exec, as all of Python
    except OSError as exc:
        raise CredentialError(f"cannot open the lock file {path} ({exc.strerror})") from None
    try:
        _refuse_shared(path, os.fstat(descriptor).st_dev)
        with engine.connect() as connection:
            yield connection, partial(_flock, descriptor)
    finally:
        os.close(descriptor)


def _refuse_shared(path: Path, device: int) -> None:
    """Refuse a file system of several machines, where `flock` may hold on one of them only."""
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = _MOUNTS.read_text(errors="replace") if _MOUNTS.exists() else ""
    for mount in mounts.splitlines():
        place, _, how = mount.partition(" - ")
        kind = how.partition(" ")[0]
        if place.split(" ")[2] == number and kind.partition(".")[0] in SHARED_FILE_SYSTEMS:
            raise LockUnsafe(
                f"{path.parent} is on a file system of type {kind}, where a lock need not hold for "
                "other machines. Keep the database on a local disk, or in PostgreSQL "
                "(postgresql://host/database), which several machines can share"
            )


def _flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _session(engine: sa.Engine, name: str) -> Iterator[_Lockable]:
    """A session of its own, and what asks in it for the name's lock."""
    number = lock_number(name)
    with engine.connect() as connection:
        connection.detach()  # no pool keeps the session, or the lock, beyond this block
        _refuse_pooler(engine, connection)
        _configure(connection)
        try:
            yield connection, partial(_ask, connection, sa.func.pg_try_advisory_lock(number))
        finally:
            # The session's end frees the lock, but only a moment later; and it may have ended.
            with suppress(DBAPIError):
                connection.rollback()
                _ask(connection, sa.func.pg_advisory_unlock(number))


def _configure(connection: sa.Connection) -> None:
    """Put the settings in force for the session."""
    with connection.begin():
        connection.exec_driver_sql("; ".join(f"SET {name} = {SESSION[name]}" for name in SESSION))


def _refuse_pooler(engine: sa.Engine, connection: sa.Connection) -> None:
    """Refuse a session that is not its own: a transaction pooler lends another each time."""
    session = _ask(connection, sa.func.pg_backend_pid())
    with engine.begin() as other:
        other.execute(sa.select(1))  # a pooler's session that was just given back is busy with this
        if _ask(connection, sa.func.pg_backend_pid()) != session:
            raise LockUnsafe(
                "the address is a pooler's, which gives each transaction another session, so a "
                "lock would exclude nobody: use the direct address of the PostgreSQL server"
            )


def _ask(connection: sa.Connection, question: sa.ColumnElement[int]) -> object:
    with connection.begin():
        return connection.scalar(sa.select(question))
