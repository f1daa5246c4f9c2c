"""Links: how the ledger keeps which thing in FreshBooks stands for which of ours."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from connector_credentials.database import insert
from sqlalchemy import delete, literal, select, tuple_

from target_freshbooks.ledger.link import Link
from target_freshbooks.ledger.storage.canonical import from_text, hash_text, to_text
from target_freshbooks.ledger.storage.database import prepared
from target_freshbooks.ledger.storage.tables import links

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Executable, Row

PAGE = 500

BY_EMAIL = "email:"
"""What the key of a client begins with that is known by its e-mail."""


def kept_key(key: str) -> str:
    """The key as the ledger keeps it for good: a digest of an e-mail in the place of the e-mail.

    A plain SHA-256: whoever knows an e-mail can see whether its shopper is known, and nobody can
    read one. With a secret in it, one that is rotated or lost would make every guest unknown, and
    one kept beside the ledger would hide nothing from whoever has the ledger.
    """
    if not key.startswith(BY_EMAIL):
        return key
    return f"email_sha256:{hash_text(key.removeprefix(BY_EMAIL))}"


def read(connection: Connection, source: str, kind: str, key: str) -> Link | None:
    """Read one link."""
    row = connection.execute(
        select(links).where(
            links.c.source == source, links.c.kind == kind, links.c.key == kept_key(key)
        )
    ).one_or_none()
    return None if row is None else _link(row)


def of_order(connection: Connection, source: str, order_id: int) -> list[Link]:
    """Read an order's links, by kind and key."""
    rows = connection.execute(
        select(links)
        .where(links.c.source == source, links.c.order_id == order_id)
        .order_by(links.c.kind, links.c.key)
    )
    return [_link(row) for row in rows]


def page(
    connection: Connection, source: str, kind: str | None, after: tuple[str, str]
) -> list[Link]:
    """Read the next links behind a kind and key, in that order."""
    statement = select(links).where(
        links.c.source == source,
        tuple_(links.c.kind, links.c.key) > tuple_(literal(after[0]), literal(after[1])),
    )
    if kind is not None:
        statement = statement.where(links.c.kind == kind)
    rows = connection.execute(statement.order_by(links.c.kind, links.c.key).limit(PAGE))
    return [_link(row) for row in rows]


def has_remote(connection: Connection, source: str, kind: str, remote_id: int) -> bool:
    """Tell whether a link of that kind leads to an id in FreshBooks."""
    found = connection.execute(
        select(links.c.key)
        .where(links.c.source == source, links.c.kind == kind, links.c.remote_id == remote_id)
        .limit(1)
    )
    return found.first() is not None


def put(connection: Connection, source: str, new_links: Iterable[Link], now: datetime) -> None:
    """Store links in place of those of the same kind and key."""
    rows = [
        {
            "source": source,
            "kind": link.kind,
            "key": kept_key(link.key),
            "remote_id": link.remote_id,
            "fingerprint": link.fingerprint,
            "content_hash": link.content_hash,
            "amount": link.amount,
            "day": link.day,
            "order_id": link.order_id,
            "deleted": link.deleted,
            "extra": to_text(link.extra),
            "updated_at": now,
        }
        # By kind and key, so that two transactions cannot wait for each other's rows.
        for link in sorted(new_links, key=lambda link: (link.kind, kept_key(link.key)))
    ]
    if not rows:
        return
    connection.execute(_upsert(connection.dialect.name), rows)


@cache
def _upsert(dialect: str) -> Executable:
    statement = insert(dialect, links)
    identity = ["source", "kind", "key"]
    changed = {
        column.name: statement.excluded[column.name]
        for column in links.c
        if column.name not in identity
    }
    return prepared(
        dialect, statement.on_conflict_do_update(index_elements=identity, set_=changed), links
    )


def drop(connection: Connection, source: str, kind: str, key: str) -> None:
    """Forget a link."""
    connection.execute(
        delete(links).where(
            links.c.source == source, links.c.kind == kind, links.c.key == kept_key(key)
        )
    )


def drop_remote(connection: Connection, source: str, kind: str, remote_id: int) -> None:
    """Forget all links of a kind to a record."""
    connection.execute(
        delete(links).where(
            links.c.source == source, links.c.kind == kind, links.c.remote_id == remote_id
        )
    )


def _link(row: Row[Any]) -> Link:
    return Link(
        kind=row.kind,
        key=row.key,
        remote_id=row.remote_id,
        fingerprint=row.fingerprint,
        content_hash=row.content_hash,
        amount=row.amount,
        day=row.day,
        order_id=row.order_id,
        deleted=row.deleted,
        extra=from_text(row.extra),
    )
