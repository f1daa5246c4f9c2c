"""The ledger: what the shop said, what was written to FreshBooks, and why.

It is a cache and a journal, not the only truth: with an empty ledger everything is found again in
FreshBooks by the keys inside the objects. Up to sixteen threads may use one ledger at once.
"""

import getpass
import os
import platform
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from connector_credentials.read_only import open_to_read

from target_freshbooks.ledger.audit.journal import AuditJournal
from target_freshbooks.ledger.inbox.inbox import Inbox
from target_freshbooks.ledger.intents import Intents
from target_freshbooks.ledger.links import Links
from target_freshbooks.ledger.lock import AccountLocks
from target_freshbooks.ledger.orders import Orders
from target_freshbooks.ledger.ownership import Ownership
from target_freshbooks.ledger.probe_records import ProbeRecords
from target_freshbooks.ledger.profile import Profile
from target_freshbooks.ledger.retention import Retention
from target_freshbooks.ledger.runs import Runs
from target_freshbooks.ledger.section import Scope, utc_now
from target_freshbooks.ledger.storage.database import PURPOSE, Database
from target_freshbooks.ledger.storage.migrate import check_version, migrate
from target_freshbooks.ledger.terms import OrderTerms
from target_freshbooks.ledger.told import Told


class Ledger:
    """One shop's view of the ledger, in sections.

    Attributes:
        scope: What the sections share.
        ownership: The store and the FreshBooks account that the ledger is of.
        inbox: What the shop said.
        orders: Where each order stands.
        terms: The settings that each order was posted under.
        profile: What was learnt of the account's ways.
        probe: What the probe of the account made there.
        links: Which thing in FreshBooks stands for which of ours.
        intents: What is being written.
        audit: The journal.
        locks: One run for an account.
        runs: When each began and ended.
        told: How runs fail, and what was told to whom.
        retention: What is dropped after a while.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.audit = AuditJournal(scope)
        self.ownership = Ownership(scope)
        self.inbox = Inbox(scope)
        self.orders = Orders(scope)
        self.terms = OrderTerms(scope)
        self.profile = Profile(scope)
        self.probe = ProbeRecords(scope)
        self.links = Links(scope)
        self.intents = Intents(scope, self.links)
        self.locks = AccountLocks(scope)
        self.runs = Runs(scope)
        self.told = Told(scope)
        self.retention = Retention(scope)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        source: str,
        clock: Callable[[], datetime] = utc_now,
        who: str | None = None,
    ) -> Self:
        """Open the ledger, making or migrating its tables if need be.

        Args:
            url: `sqlite:///path` (the folder and file are made, mode 600) or `postgresql://...`.
            source: Names the shop.
            clock: Tells the time, aware.
            who: Whom the audit journal names; default the user and machine of this process.

        Raises:
            LedgerTooNew: If a later version of target-freshbooks wrote it.
            LedgerUnavailable: If it cannot be opened, or the URL is not one of a ledger.
        """
        database = Database(url)
        try:
            migrate(database)
        except BaseException:
            database.dispose()
            raise
        return cls(Scope(database, source, clock, who or _whoami()))

    @classmethod
    def open_to_read(
        cls, url: str, *, source: str, clock: Callable[[], datetime] = utc_now
    ) -> Self | None:
        """Open the ledger for looking only: nothing is made, migrated or locked.

        Args:
            url: As for `open`.
            source: Names the shop.
            clock: Tells the time, aware.

        Returns:
            None if there is none yet.

        Raises:
            LedgerTooNew: If a later version of target-freshbooks wrote it.
            LedgerUnavailable: If it cannot be read, or the URL is not one of a ledger.
        """
        engine = open_to_read(url, PURPOSE)
        if engine is None:
            return None
        database = Database(url, engine)
        is_there = check_version(database)
        return cls(Scope(database, source, clock, "nobody")) if is_there else None

    def flush(self) -> None:
        """Store what this thread has put off."""
        self.scope.database.flush()

    def dispose(self) -> None:
        """Close the connections. The ledger is not used after that."""
        self.scope.database.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.dispose()

    def has_posted(self) -> bool:
        """Whether anything of this source was ever written to FreshBooks, or found there."""
        return self.intents.any_ever() or self.orders.any_posted()

    def counts(self) -> dict[str, Any]:
        """Count what the ledger holds of this shop.

        Returns:
            `new`, `waiting`, ...: orders, see `Orders.counts`; `open_intents`; `inbox`: records by
            stream; `audit_rows`: rows of the journal, of all shops.
        """
        head = self.audit.head()
        return {
            **self.orders.counts(),
            "open_intents": len(self.intents.still_open()),
            "inbox": self.inbox.counts(),
            "audit_rows": None if head is None else head.seq,
        }


def _whoami() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = f"uid {os.getuid()}"
    return f"{user}@{platform.node() or 'unknown'}"
