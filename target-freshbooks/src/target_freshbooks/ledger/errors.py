"""What can go wrong with the ledger, in sentences an operator can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class LedgerError(Exception):
    """The ledger cannot be used as asked; the message says what to do next."""


class LedgerUnavailable(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """The ledger's database did not answer, is locked, full, or not to be opened."""


class LedgerTooNew(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """The ledger was written by a later version of target-freshbooks than this one."""


class IntentNotOpen(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """An intent was to be closed that is closed already, or never was."""


class AnotherStore(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """An order of another store than the one its source is bound to."""


class AnotherAccount(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """The FreshBooks account is not the one that the ledger's ids are of."""


class LeaseHeld(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """Another run holds the account.

    Attributes:
        account: The FreshBooks account id.
        holder: Who holds it: the run's name, as given at acquisition.
        since: When it was taken, by the database's clock, aware UTC.
        host: Name of the machine of the holder.
        pid: Process id of the holder on that machine.
    """

    def __init__(
        self, account: str, *, holder: str, since: datetime, host: str, pid: int, waited: float
    ) -> None:
        super().__init__(
            f"Another run works on FreshBooks account {account}: {holder} (process {pid} on"
            f" {host}), since {since:%Y-%m-%d %H:%M:%S} UTC. Waited {waited:.0f} s for it."
            " Nothing was written; run again when it has ended."
        )
        self.account = account
        self.holder = holder
        self.since = since
        self.host = host
        self.pid = pid


class LeaseLost(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """This run no longer holds the account, so it must not write to FreshBooks any more."""
