"""Links: which thing in FreshBooks stands for which of ours, kept by kind and key."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date
from itertools import starmap
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, select

from target_freshbooks.ledger.link import Link, LinkKind
from target_freshbooks.ledger.section import Section, columns_of
from target_freshbooks.ledger.storage.canonical import hash_text
from target_freshbooks.ledger.storage.database import paged
from target_freshbooks.ledger.storage.tables import links

_LINK = select(*columns_of(links, Link))

# Made once: building a statement costs more than running it, and each order needs these.
_OF_SOURCE = _LINK.where(links.c.source == bindparam("of_source"))
_ONE = _OF_SOURCE.where(links.c.kind == bindparam("of_kind"), links.c.key == bindparam("of_key"))
_OF_ORDER = _OF_SOURCE.where(links.c.order_id == bindparam("of_order")).order_by(
    links.c.kind, links.c.key
)

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

    def get(self, kind: LinkKind, key: str) -> Link | None:
        """Read a link; None if there is none."""
        row = self._row(_ONE, of_source=self._source, of_kind=kind, of_key=kept_key(key))
        return None if row is None else Link(*row)

    def of_order(self, order_id: int) -> list[Link]:
        """Read an order's links, by kind and key."""
        rows = self._rows(_OF_ORDER, of_source=self._source, of_order=order_id)
        return list(starmap(Link, rows))

    def of_kind(self, kind: LinkKind) -> Iterator[Link]:
        """Read all links of a kind, by key, page by page."""
        return starmap(Link, paged(self._rows, _LINK.where(self._is(kind)), links.c.key))

    def has_remote(self, kind: LinkKind, remote_id: int) -> bool:
        """Whether anything of ours stands for that record in FreshBooks."""
        to_it = self._is(kind, links.c.remote_id == remote_id)
        return bool(self._rows(select(links.c.key).where(to_it).limit(1)))

    def of_remote(self, kind: LinkKind, remote_id: int) -> Link | None:
        """Read what of ours stands for a record in FreshBooks; None if nothing does."""
        row = self._row(_LINK.where(self._is(kind, links.c.remote_id == remote_id)).limit(1))
        return None if row is None else Link(*row)

    def starting(self, kind: LinkKind, key: str) -> list[Link]:
        """Read the links of a kind whose keys start so, by key."""
        starting = self._is(kind, links.c.key.startswith(key, autoescape=True))
        return list(starmap(Link, self._rows(_LINK.where(starting).order_by(links.c.key))))

    def deleted(self, kind: LinkKind, first: date, last: date) -> list[Link]:
        """Read the links of a kind to what we deleted and had dated these days, by key."""
        days = self._is(kind, links.c.deleted, links.c.day >= first, links.c.day <= last)
        return list(starmap(Link, self._rows(_LINK.where(days).order_by(links.c.key))))

    def put(self, link: Link) -> None:
        """Store a link, in place of one of the same kind and key."""
        with self._database.write_as_holder() as connection:
            self.put_all(connection, [link])

    def put_soon(self, link: Link) -> None:
        """Store a link with the thread's next transaction, in place of one of the same key."""
        self._database.put_off(lambda connection: self.put_all(connection, [link]))

    def put_all(self, connection: Connection, new_links: Iterable[Link]) -> None:
        """Store links in a transaction, in place of those of the same kind and key."""
        common = {"source": self._source, "updated_at": self._clock()}
        rows = [asdict(link) | common | {"key": kept_key(link.key)} for link in new_links]
        # By kind and key, so that two transactions cannot wait for each other's rows.
        self._put(connection, links, *sorted(rows, key=itemgetter("kind", "key")))

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
        with self._database.write_as_holder() as connection:
            self.put_all(connection, new_links)
            self._note(connection, "adopted", order_id, run_id, data)

    def drop(self, kind: LinkKind, key: str) -> None:
        """Forget a link."""
        self._drop(self._is(kind, links.c.key == kept_key(key)))

    def drop_remote(self, kind: LinkKind, remote_id: int) -> None:
        """Forget all links of a kind to a record in FreshBooks."""
        self._drop(self._is(kind, links.c.remote_id == remote_id))

    def drop_kind(self, kind: LinkKind) -> None:
        """Forget all links of a kind."""
        self._drop(self._is(kind))

    def _drop(self, which: ColumnElement[bool]) -> None:
        with self._database.write_as_holder() as connection:
            connection.execute(delete(links).where(which))

    def _is(self, kind: LinkKind, *more: ColumnElement[bool]) -> ColumnElement[bool]:
        return and_(links.c.source == self._source, links.c.kind == kind, *more)
