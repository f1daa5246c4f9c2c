"""Scratch ledger: reads through to the real one, and keeps every change to itself.

The links of a plan are in memory and go with it. What the shop says in a dry run is stored under a
name of its own until the next dry run, so that `plan` can show it; of that and of what the real
inbox has of the same thing, the one that came last counts. No real run looks at any of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Self

from sqlalchemy import bindparam, delete, select
from typing_extensions import override

from target_freshbooks.ledger import ownership
from target_freshbooks.ledger.inbox import records as inbox
from target_freshbooks.ledger.ledger import Ledger
from target_freshbooks.ledger.links import kept_key
from target_freshbooks.ledger.storage.database import Database
from target_freshbooks.ledger.storage.tables import inbox as rows
from target_freshbooks.ledger.storage.tables import orders

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import timedelta
    from types import EllipsisType

    from sqlalchemy import Insert

    from target_freshbooks.ledger.inbox.records import Record, StoredFacts
    from target_freshbooks.ledger.intents import Intent
    from target_freshbooks.ledger.link import Link, LinkKind
    from target_freshbooks.ledger.terms import Terms


class ScratchLedger(Ledger):
    """A ledger for planning: whoever changes anything in it, the real one stays as it is.

    Args:
        ledger: The real one, or a scratch one whose records are read but whose links are not.
    """

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(
            _ReadOnly(ledger._database),  # noqa: SLF001 - of the same class
            source=ledger.source,
            clock=ledger._clock,  # noqa: SLF001 - of the same class
            who=ledger.who,
        )
        self._inboxes = ledger._inboxes  # noqa: SLF001 - of the same class
        self._links: dict[tuple[str, str], Link | None] = {}

    @classmethod
    def of_last_dry_run(cls, ledger: Ledger) -> Self:
        """With the records that came in the last dry run."""
        scratch = cls(ledger)
        scratch._inboxes = (f"{ledger.source} (dry run)", ledger.source)
        return scratch

    @classmethod
    def begin(cls, ledger: Ledger) -> Self:
        """Begin a dry run: without anything that came in an earlier one."""
        scratch = cls.of_last_dry_run(ledger)
        scratch.prune(None)
        return scratch

    # -- what the shop says

    @override
    def bind_store(self, store_hash: str) -> None:
        with self._database.read() as connection:
            ownership.check_store(connection, self.source, store_hash)

    @override
    def receive(self, records: Iterable[Record], *, complete: Collection[str] = ()) -> list[Record]:
        """Store records apart, beside a copy of what is known of their orders."""
        received, now, apart = list(records), self._clock(), self._inboxes[0]
        common = {"apart": apart, "of_source": self.source, "now": now}
        order_ids = {record.order_id for record in received} - {None}
        others = [record for record in received if record.order_id is None]
        with Database.write(self._database) as connection:
            for statement, things in (
                (_COPY_ORDER, [{"of_order": order_id} for order_id in order_ids]),
                (_COPY_OTHER, [{"of": r.stream, "at": inbox.key_text(r.key)} for r in others]),
            ):
                if things:
                    connection.execute(statement, [common | thing for thing in things])
            stored = inbox.store(connection, apart, received, complete, now)
        return [record for record, _ in stored.taken]

    @override
    def facts_of(self, order_id: int) -> StoredFacts | None:
        with self._database.read() as connection:
            found = [inbox.facts_of(connection, name, order_id) for name in self._inboxes]
        whole = [facts for facts in found if facts is not None]
        return max(whole, key=lambda facts: facts.received_at, default=None)

    def unknown_orders(self) -> list[int]:
        """The orders, by id, that came in the last dry run and never in a real one."""
        known = select(orders.c.order_id).where(orders.c.source == self.source)
        with self._database.read() as connection:
            found = connection.execute(
                select(rows.c.order_id)
                .where(
                    rows.c.source == self._inboxes[0],
                    rows.c.stream == inbox.ORDERS,
                    rows.c.order_id.not_in(known),
                )
                .order_by(rows.c.order_id)
            )
            return list(found.scalars())

    @override
    def prune(self, older_than: timedelta | None) -> int:
        """Drop what came in dry runs: all, or what came so long ago, since it names shoppers."""
        theirs = rows.c.source == f"{self.source} (dry run)"
        if older_than is not None:
            theirs &= rows.c.received_at < self._clock() - older_than
        with Database.write(self._database) as connection:
            return connection.execute(delete(rows).where(theirs)).rowcount

    # -- links, in memory

    @override
    def link(self, kind: LinkKind, key: str) -> Link | None:
        where = (kind, kept_key(key))
        return self._links[where] if where in self._links else super().link(kind, key)

    @override
    def links_of(self, order_id: int) -> list[Link]:
        stored = [
            link for link in super().links_of(order_id) if (link.kind, link.key) not in self._links
        ]
        changed = [link for link in self._links.values() if link and link.order_id == order_id]
        return [*stored, *changed]

    @override
    def put_link(self, link: Link) -> None:
        self._links[link.kind, kept_key(link.key)] = link

    @override
    def adopt(self, found: Iterable[Link], **_: object) -> None:
        for link in found:
            self.put_link(link)

    @override
    def drop_link(self, kind: LinkKind, key: str) -> None:
        self._links[kind, kept_key(key)] = None

    @override
    def drop_links_to(self, kind: LinkKind, remote_id: int) -> None:
        for link in self.links(kind):
            if link.remote_id == remote_id:
                self.drop_link(kind, link.key)

    # -- what a run writes down, and a plan does not

    @override
    def open_intents(self, order_id: int | EllipsisType | None = ...) -> list[Intent]:
        """None: a plan leaves it to a run to see to them."""
        return []

    @override
    def keep_terms(self, order_id: int, new: Terms) -> None:
        """Nothing is posted."""

    @override
    def settle(self, order_id: int, **_: Any) -> None:
        """No order is posted or parked by looking at it."""

    @override
    def looked_at(self, order_id: int) -> None:
        """Retention goes by what real runs look at."""

    @override
    def note_change_after_settling(self, order_id: int, facts_hash: str, run_id: str) -> None:
        """A real run will note it."""


class _ReadOnly(Database):
    """The same database, where nothing is written to the real ledger."""

    def __init__(self, database: Database) -> None:
        vars(self).update(vars(database))

    @override
    def write(self) -> NoReturn:
        raise AssertionError("a plan changes nothing in the ledger")


def _copy(**same: str) -> Insert:
    """Copies the records of one thing that has no copy yet: a dry run goes on with what it has.

    Args:
        **same: The columns that tell the thing, and the names of the parameters for them.
    """
    copied = rows.alias()
    kept = [column for column in rows.c if column.name not in {"source", "received_at"}]
    apart = bindparam("apart", type_=rows.c.source.type)
    known = select(apart, bindparam("now", type_=rows.c.received_at.type), *kept).where(
        rows.c.source == bindparam("of_source"),
        *(rows.c[column] == bindparam(name) for column, name in same.items()),
        ~select(copied.c.key)
        .where(copied.c.source == apart, *(copied.c[column] == rows.c[column] for column in same))
        .exists(),
    )
    names = ["source", "received_at", *(column.name for column in kept)]
    return rows.insert().from_select(names, known)


_COPY_ORDER = _copy(order_id="of_order")
_COPY_OTHER = _copy(stream="of", key="at")
