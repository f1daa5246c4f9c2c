"""Whose the ledger is: one store for each source, and one FreshBooks account for all of them.

The ids a ledger remembers mean something in one FreshBooks account only, and order numbers in one
store only. So the first record of a source binds it to its store, and the first write pins
the account; afterwards another store or another account is refused before anything is written.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, select, update

from target_freshbooks.ledger.errors import AnotherAccount, AnotherStore
from target_freshbooks.ledger.section import Section
from target_freshbooks.ledger.storage.tables import account, intents, links, probe, profile, stores

_ONLY = 1
"""The id of the only row of the account's table."""


@dataclass(frozen=True, slots=True)
class PinnedAccount:
    """The FreshBooks account of a ledger.

    Attributes:
        account_id: Its id.
        business_name: The name of its business, for messages; empty if nobody told it.
    """

    account_id: str
    business_name: str

    def __str__(self) -> str:
        name = f" ({self.business_name})" if self.business_name else ""
        return f"{self.account_id}{name}"


class Ownership(Section):
    """Whose the ledger of one shop is."""

    def store_hash(self) -> str | None:
        """The hash of the store that the source is bound to; None before its first record."""
        row = self._row(select(stores.c.store_hash).where(stores.c.source == self._source))
        return None if row is None else str(row.store_hash)

    def store_hashes(self) -> set[str]:
        """The hashes of all stores that any source of this ledger is bound to."""
        return {row.store_hash for row in self._rows(select(stores.c.store_hash))}

    def bind_store(self, store_hash: str) -> None:
        """Bind the source to the store of its first record; see `check_store`."""
        if self.check_store(store_hash):
            return
        row = {"source": self._source, "store_hash": store_hash, "bound_at": self._clock()}
        with self._database.write() as connection:
            self._add(connection, stores, row)
        self.check_store(store_hash)  # another run may have been quicker

    def check_store(self, store_hash: str) -> bool:
        """Make sure that a record of the store may come in from the source.

        Returns:
            Whether the source is bound to the store already.

        Raises:
            AnotherStore: The source is bound to another store, or the store to another source.
        """
        bound = self.store_hash()
        if bound is not None and bound != store_hash:
            raise AnotherStore(
                f"This ledger's source {self._source!r} belongs to store {bound}, but a record of"
                f" store {store_hash} came in. Nothing was written: give the other store a source"
                " and an invoice_number_prefix of its own (settings source,"
                " invoice_number_prefix), or put the store_hash right."
            )
        holder = self._row(select(stores.c.source).where(stores.c.store_hash == store_hash))
        if holder is not None and holder.source != self._source:
            raise AnotherStore(
                f"Store {store_hash} is booked in this ledger as source {holder.source!r}, but its"
                f" records came in as source {self._source!r}, which would invoice its orders"
                f" twice. Nothing was written: set source to {holder.source!r} again."
            )
        return bound is not None

    def account(self) -> PinnedAccount | None:
        """The ledger's FreshBooks account; None before the first write or login."""
        row = self._row(select(account.c.account_id, account.c.business_name))
        return None if row is None else PinnedAccount(row.account_id, row.business_name)

    def check_account(self, asked: PinnedAccount) -> bool:
        """Make sure that the ledger's ids are of this account.

        Returns:
            Whether it is pinned already.

        Raises:
            AnotherAccount: It is another.
        """
        pinned = self.account()
        if pinned is not None and pinned.account_id != asked.account_id:
            raise AnotherAccount(
                f"This ledger belongs to FreshBooks account {pinned}, but this login is for account"
                f" {asked}. Nothing was written: log in to {pinned.account_id} again, or, to begin"
                f" anew in {asked.account_id}, set another ledger_url and an invoice_start_date"
                " from which on orders are booked there."
            )
        return pinned is not None

    def pin_account(self, asked: PinnedAccount, *, move: bool = False) -> None:
        """Make the ledger this account's.

        If it was pinned before anybody told its business's name, that is taken now.

        Args:
            asked: The account.
            move: Take it away from another one, if nothing is known of that one's records; what
                was learnt of its ways is forgotten then.

        Raises:
            AnotherAccount: It is another's.
        """
        row = {
            "id": _ONLY,
            "account_id": asked.account_id,
            "business_name": asked.business_name,
            "pinned_at": self._clock(),
        }
        with self._database.write() as connection:
            if move and not _knows_records(connection):
                another = account.c.account_id != asked.account_id
                if connection.execute(account.delete().where(another)).rowcount:
                    connection.execute(profile.delete())
            self._add(connection, account, row)
            nameless = and_(account.c.business_name == "", account.c.account_id == asked.account_id)
            named = {"business_name": asked.business_name}
            connection.execute(update(account).where(nameless).values(named))
        self.check_account(asked)


def _knows_records(connection: Connection) -> bool:
    """Whether anything was written for any shop, found in FreshBooks or made by a probe.

    Marks are no such records: with them it is kept of which account they are.
    """
    found = select(links.c.remote_id).where(links.c.kind != "marked")
    ids = (select(intents.c.id), found, select(probe.c.id))
    return any(connection.execute(one.limit(1)).first() for one in ids)
