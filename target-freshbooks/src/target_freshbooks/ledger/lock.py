"""One run per FreshBooks account, however many machines share the ledger.

The lock is the database's (`connector_credentials.locks`): a killed holder's is free at once, and a
frozen one keeps it and is named to those who wait. A holder that lost its session without knowing
is kept from writing by its fencing token, on which each intent's insert is conditional. A request
that does not leave soon after that has the token checked anew.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from connector_credentials import CredentialError, LockTimeout, locks
from connector_credentials.database import explained
from connector_credentials.locks import FencingToken
from sqlalchemy import Connection

from target_freshbooks.ledger.errors import LedgerError, LockHeld, LockLost
from target_freshbooks.ledger.section import Section
from target_freshbooks.ledger.storage.database import PURPOSE, Database
from target_freshbooks.ledger.storage.tables import locks as lock_table

FRESH_SECONDS = 5.0
"""How long after its intent's commit a request may leave without another look at the token."""

_log = logging.getLogger(__name__)


class AccountLock:
    """The right to write to one FreshBooks account.

    Args:
        database: The ledger's.
        account: The FreshBooks account id.
        holder: The name it was taken under.
        fence: The token.
    """

    def __init__(self, database: Database, account: str, holder: str, fence: FencingToken) -> None:
        self.account = account
        self.holder = holder
        self._database = database
        self._fence = fence
        self._proved = threading.local()

    def check(self) -> None:
        """Make sure that the account is still ours; call it directly before a write is sent.

        No I/O if this thread has just committed an intent.

        Raises:
            LockLost: Another run took it.
        """
        if _uptime() - getattr(self._proved, "at", -math.inf) > FRESH_SECONDS:
            with self._database.read() as connection:
                self.prove(connection)

    def prove(self, connection: Connection) -> None:
        """Make the rest of a transaction conditional on our token.

        Raises:
            LockLost: Another run took the account.
        """
        asked = _uptime()
        if not self._fence.stands(connection):
            raise LockLost(
                f"This run ({self.holder}) no longer holds FreshBooks account {self.account}, for"
                " its connection to the ledger had ended:"
                f" {self._fence.holder(connection)} works on it. This run stops writing so that"
                " nothing is written twice; run again."
            )
        self._proved.at = asked


class AccountLocks(Section):
    """The locks of accounts, over all shops that feed them."""

    @contextmanager
    def hold(
        self,
        account: str,
        holder: str,
        *,
        wait_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Iterator[AccountLock]:
        """Hold a FreshBooks account for the length of a `with` block.

        Args:
            account: The FreshBooks account id.
            holder: Who holds it, for the message to others: the run's name.
            wait_seconds: How long to wait for another run to end.
            sleep: Waits between looks.

        Raises:
            LockHeld: On entering, if another run still holds it.
            LedgerError: If the ledger is where no lock keeps others out.
        """
        database, fence = self._database, FencingToken(lock_table, account)

        def other() -> str:
            with database.read() as connection:
                return fence.holder(connection)

        with ExitStack() as stack:
            lock = locks.hold(
                database.engine,
                _name(account),
                wait_seconds,
                what=f"FreshBooks account {account}",
                sleep=sleep,
                on_wait=lambda: _log.warning("Waiting for %s to end.", other()),
            )
            try:
                with explained(database.engine, PURPOSE):
                    stack.enter_context(lock)
            except LockTimeout:
                raise LockHeld(account, other(), waited=wait_seconds) from None
            except CredentialError as error:
                raise LedgerError(f"The ledger cannot be locked: {error}.") from None
            with database.write() as connection:
                fence.take(connection, holder, self._clock())
            lock_held = AccountLock(database, account, holder, fence)
            former, database.prove = database.prove, lock_held.prove
            try:
                yield lock_held
            finally:
                database.prove = former

    def is_held(self, account: str) -> bool:
        """Whether a run works on the account; waits for nobody."""
        with explained(self._database.engine, PURPOSE):
            return locks.is_held(self._database.engine, _name(account))


def _name(account: str) -> str:
    return f"FreshBooks account {account}"


def _uptime() -> float:
    """Seconds on a clock that is never set, and that goes on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
