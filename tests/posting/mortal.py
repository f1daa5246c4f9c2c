"""Runs that are killed at a write: from then on no request leaves and no transaction begins."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.freshbooks.wire import Wire
from target_freshbooks.ledger.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator


class Killed(BaseException):
    """The process is gone: nothing that follows is carried out."""


@dataclass
class Death:
    """At which write of a run it is killed, and whether FreshBooks got that write."""

    countdown: int
    is_sent: bool
    is_dead: bool = False


@contextlib.contextmanager
def mortal(death: Death | None) -> Iterator[None]:
    """Let a run die at a write; None lets it live."""
    if death is None:
        yield
        return
    send, write = Wire.send, Database.write

    def send_or_die(wire: Wire, method: str, path: str, *more: Any, **named: Any) -> Any:
        if death.is_dead:
            raise Killed
        if method == "GET" or not path.startswith("/accounting/"):
            return send(wire, method, path, *more, **named)
        death.countdown -= 1
        if death.countdown:
            return send(wire, method, path, *more, **named)
        death.is_dead = True
        if death.is_sent:
            send(wire, method, path, *more, **named)
        raise Killed

    def write_or_die(database: Database) -> Any:
        if death.is_dead:
            raise Killed
        return write(database)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Wire, "send", send_or_die)
        patched.setattr(Database, "write", write_or_die)
        yield
