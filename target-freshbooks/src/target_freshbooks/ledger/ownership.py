"""Whose the ledger is: one store for each source, and one FreshBooks account for all of them.

The ids a ledger remembers mean something in one FreshBooks account only, and order numbers in one
store only. So the first record of a source binds it to its store, and the first write pins
the account; afterwards another store or another account is refused before anything is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector_credentials.database import insert
from sqlalchemy import select, update

from target_freshbooks.ledger.errors import AnotherAccount, AnotherStore
from target_freshbooks.ledger.storage.tables import account, intents, stores

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_ONLY = 1
"""The id of the only row of the account's table."""


@dataclass(frozen=True, slots=True)
class PinnedAccount:
    """The FreshBooks account of a ledger.

    Attributes:
        account_id: Its id.
        business_name: The name of its business, for messages; empty where nobody told it.
    """

    account_id: str
    business_name: str

    def __str__(self) -> str:
        name = f" ({self.business_name})" if self.business_name else ""
        return f"{self.account_id}{name}"


def store_of(connection: Connection, source: str) -> str | None:
    """The hash of the store that the source is bound to; None before its first record."""
    return connection.execute(
        select(stores.c.store_hash).where(stores.c.source == source)
    ).scalar_one_or_none()


def all_stores(connection: Connection) -> set[str]:
    """The hashes of all stores that are bound."""
    return set(connection.execute(select(stores.c.store_hash)).scalars())


def check_store(connection: Connection, source: str, store_hash: str) -> bool:
    """Make sure that a record of the store may come in from the source.

    Returns:
        Whether the source is bound to the store already.

    Raises:
        AnotherStore: The source is bound to another store, or the store to another source.
    """
    bound = store_of(connection, source)
    if bound is not None and bound != store_hash:
        raise AnotherStore(
            f"This ledger's source {source!r} belongs to store {bound}, but a record of store"
            f" {store_hash} came in. Nothing was written: give the other store a source and an"
            " invoice_number_prefix of its own (settings source, invoice_number_prefix), or put"
            " the store_hash right."
        )
    holder = connection.execute(
        select(stores.c.source).where(stores.c.store_hash == store_hash)
    ).scalar_one_or_none()
    if holder is not None and holder != source:
        raise AnotherStore(
            f"Store {store_hash} is booked in this ledger as source {holder!r}, but its records"
            f" came in as source {source!r}, which would invoice its orders twice. Nothing was"
            f" written: set source to {holder!r} again."
        )
    return bound is not None


def bind_store(connection: Connection, source: str, store_hash: str, now: datetime) -> None:
    """Bind the source to the store of its first record; see `check_store`."""
    if check_store(connection, source, store_hash):
        return
    row = {"source": source, "store_hash": store_hash, "bound_at": now}
    connection.execute(insert(connection.dialect.name, stores).on_conflict_do_nothing(), row)
    check_store(connection, source, store_hash)  # another run may have been quicker


def pinned_account(connection: Connection) -> PinnedAccount | None:
    """The ledger's FreshBooks account; None before the first write or login."""
    row = connection.execute(select(account)).one_or_none()
    return None if row is None else PinnedAccount(row.account_id, row.business_name)


def check_account(connection: Connection, asked: PinnedAccount) -> bool:
    """Make sure that the ledger's ids are of this account.

    Returns:
        Whether it is pinned already.

    Raises:
        AnotherAccount: It is another.
    """
    pinned = pinned_account(connection)
    if pinned is not None and pinned.account_id != asked.account_id:
        raise AnotherAccount(
            f"This ledger belongs to FreshBooks account {pinned}, but this login is for account"
            f" {asked}. Nothing was written: log in to {pinned.account_id} again, or, to begin anew"
            f" in {asked.account_id}, set another ledger_url and an invoice_start_date from which"
            " on orders are booked there."
        )
    return pinned is not None


def pin_account(connection: Connection, asked: PinnedAccount, now: datetime) -> None:
    """Pin the account, unless it is pinned already; see `check_account`.

    Where it was pinned before anybody told its business's name, that is taken now.
    """
    if check_account(connection, asked):
        if asked.business_name:
            named = {"business_name": asked.business_name}
            connection.execute(update(account).where(account.c.business_name == "").values(named))
        return
    row = {
        "id": _ONLY,
        "account_id": asked.account_id,
        "business_name": asked.business_name,
        "pinned_at": now,
    }
    connection.execute(insert(connection.dialect.name, account).on_conflict_do_nothing(), row)
    check_account(connection, asked)


def move_pin(connection: Connection, asked: PinnedAccount, now: datetime) -> None:
    """Pin another account, as long as nothing was written to the former one.

    Raises:
        AnotherAccount: The ledger knows of writes to the former account.
    """
    if connection.execute(select(intents.c.id).limit(1)).first() is None:
        connection.execute(account.delete())
    pin_account(connection, asked, now)
