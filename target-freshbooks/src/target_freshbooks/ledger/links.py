"""Links: which thing in FreshBooks stands for which of ours, kept by kind and key."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from connector_credentials.database import insert
from sqlalchemy import ColumnElement, Connection, Executable, Row, and_, delete, select

from target_freshbooks.ledger.link import Link, LinkKind
from target_freshbooks.ledger.section import Scope, Section, paged
from target_freshbooks.ledger.storage.canonical import from_text, hash_text, to_text
from target_freshbooks.ledger.storage.database import prepared
from target_freshbooks.ledger.storage.tables import links

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_freshbooks.ledger.audit.journal import AuditJournal

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


class Links(Section):
    """The links of one shop."""

    def __init__(self, scope: Scope, audit: AuditJournal) -> None:
        super().__init__(scope)
        self._audit = audit

    def get(self, kind: LinkKind, key: str) -> Link | None:
        """Read a link; None if there is none."""
        row = self._row(select(links).where(self._is(kind, links.c.key == kept_key(key))))
        return None if row is None else _link(row)

    def of_order(self, order_id: int) -> list[Link]:
        """Read an order's links, by kind and key."""
        of_order = and_(links.c.source == self._source, links.c.order_id == order_id)
        statement = select(links).where(of_order).order_by(links.c.kind, links.c.key)
        return [_link(row) for row in self._rows(statement)]

    def of_kind(self, kind: LinkKind) -> Iterator[Link]:
        """Read all links of a kind, by key, page by page."""
        return map(_link, paged(self._rows, select(links).where(self._is(kind)), links.c.key))

    def has_remote(self, kind: LinkKind, remote_id: int) -> bool:
        """Whether anything of ours stands for that record in FreshBooks."""
        to_it = self._is(kind, links.c.remote_id == remote_id)
        return bool(self._rows(select(links.c.key).where(to_it).limit(1)))

    def put(self, link: Link) -> None:
        """Store a link, in place of one of the same kind and key."""
        with self._database.write() as connection:
            self.put_all(connection, [link])

    def put_all(self, connection: Connection, new_links: Iterable[Link]) -> None:
        """Store links in a transaction, in place of those of the same kind and key."""
        now = self._clock()
        rows = [
            {
                "source": self._source,
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
        if rows:
            connection.execute(_upsert(connection.dialect.name), rows)

    def adopt(
        self, new_links: Iterable[Link], *, order_id: int, run_id: str, data: Mapping[str, Any]
    ) -> None:
        """Link what stands in FreshBooks already, with its audit row: all of an order's or none.

        Args:
            new_links: The invoice, and all payments and credit notes that belong to it.
            order_id: The order.
            run_id: The run that found them.
            data: What the audit trail tells of the invoice.
        """
        with self._database.write() as connection:
            self.put_all(connection, new_links)
            self._audit.append(connection, "adopted", order_id, run_id, data)

    def drop(self, kind: LinkKind, key: str) -> None:
        """Forget a link."""
        self._change(delete(links).where(self._is(kind, links.c.key == kept_key(key))))

    def drop_remote(self, kind: LinkKind, remote_id: int) -> None:
        """Forget all links of a kind to a record in FreshBooks."""
        self._change(delete(links).where(self._is(kind, links.c.remote_id == remote_id)))

    def _is(self, kind: LinkKind, *more: ColumnElement[bool]) -> ColumnElement[bool]:
        return and_(links.c.source == self._source, links.c.kind == kind, *more)


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
