"""Whether a run is at work on an account, for those who only look and take no lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from target_freshbooks.ledger import process
from target_freshbooks.ledger.storage.tables import leases

if TYPE_CHECKING:
    from sqlalchemy import Connection

SILENT_SECONDS = 9.0
"""A run on another machine counts as killed when its last heartbeat is older than that."""


def is_at_work(connection: Connection, account: str, now_ms: int) -> bool:
    """Tell whether somebody holds the account and lives, as far as that can be seen from here.

    A process of this machine is looked for; of any other the heartbeat tells.

    Args:
        connection: Reads the leases.
        account: The FreshBooks account id.
        now_ms: The database's clock.
    """
    row = connection.execute(select(leases).where(leases.c.account == account)).one_or_none()
    if row is None:
        return False
    holder = process.Process(row.host, row.machine, row.pid, row.process_start)
    if process.is_ours_to_see(holder):
        return not process.is_gone(holder)
    return bool(now_ms - row.heartbeat_ms <= SILENT_SECONDS * 1000)
