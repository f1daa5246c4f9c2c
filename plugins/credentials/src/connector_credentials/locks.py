"""A lock that one process at a time holds and that its death frees.

SQLite: `flock` on a file beside the database, held by the open file, so that the kernel frees it
however the process ends, and so that two threads exclude each other as well. PostgreSQL: an
advisory lock of a session, which is freed when the session ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from .errors import CredentialError, LockTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POLL_SECONDS = 0.02


@contextmanager
def file_lock(
    path: Path, timeout: float, what: str, sleep: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Hold the file's lock. The file stays: removing it would let two hold "the" lock."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise CredentialError(f"cannot open the lock file {path} ({exc.strerror})") from None
    try:
        _wait(lambda: _flock(descriptor), timeout, what, sleep)
        yield
    finally:
        os.close(descriptor)


def _flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def session_lock(
    connection: sa.Connection,
    name: str,
    timeout: float,
    what: str,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the advisory lock in the connection's session, outside any transaction of its."""
    number = lock_number(name)
    take = sa.select(sa.func.pg_try_advisory_lock(number))

    def try_once() -> bool:
        with connection.begin():
            return bool(connection.scalar(take))

    _wait(try_once, timeout, what, sleep)
    try:
        yield
    finally:
        # Ending the session frees the lock whatever state the connection is in.
        connection.invalidate()


def lock_number(name: str) -> int:
    """A name as the signed 64-bit number that PostgreSQL's advisory locks are."""
    digest = hashlib.sha256(f"connector_credentials:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _wait(
    take: Callable[[], bool], timeout: float, what: str, sleep: Callable[[float], None]
) -> None:
    """Try until it is taken. Polling, since neither lock waits with a limit on its own."""
    deadline = time.monotonic() + timeout
    while not take():
        left = deadline - time.monotonic()
        if left <= 0:
            raise LockTimeout(f"{what} is held by another process for more than {timeout:g} s")
        sleep(min(POLL_SECONDS, left))
