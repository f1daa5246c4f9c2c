"""Scratch ledger: reads through to the real one, and keeps every change to itself.

The links of a plan are in memory and go with it. What the shop says in a dry run is stored under a
name of its own until the next dry run, or until a real one is told of the same thing, so that
`plan` can show it; of that and of what the real inbox has, the one that came last counts. No real
run looks at any of it.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import timedelta
from types import EllipsisType
from typing import NoReturn, Self

from sqlalchemy import Insert, bindparam, delete, select
from typing_extensions import override

from target_freshbooks.ledger.inbox.inbox import Inbox, apart_from, store
from target_freshbooks.ledger.inbox.records import ORDERS, Record, key_text
from target_freshbooks.ledger.intents import Intent, Intents
from target_freshbooks.ledger.ledger import Ledger
from target_freshbooks.ledger.link import Link, LinkKind
from target_freshbooks.ledger.links import Links, kept_key
from target_freshbooks.ledger.order_row import OrderRow
from target_freshbooks.ledger.orders import Orders
from target_freshbooks.ledger.ownership import Ownership
from target_freshbooks.ledger.section import Scope
from target_freshbooks.ledger.storage.database import Database
from target_freshbooks.ledger.storage.tables import inbox, orders
from target_freshbooks.ledger.terms import OrderTerms, Terms


class ScratchLedger(Ledger):
    """A ledger for planning: whoever changes anything in it, the real one stays as it is.

    Args:
        ledger: The real one, or a scratch one whose records are read but whose links are not.
    """

    inbox: "ScratchInbox"

    def __init__(self, ledger: Ledger) -> None:
        database = ledger.scope.database
        super().__init__(replace(ledger.scope, database=_ReadOnly(database)))
        self.ownership = _ScratchOwnership(self.scope)
        self.orders = _ScratchOrders(self.scope)
        self.terms = _ScratchTerms(self.scope)
        self.links = _ScratchLinks(self.scope)
        self.intents = _ScratchIntents(self.scope, self.links)
        known = ledger.inbox if isinstance(ledger, ScratchLedger) else None
        self.inbox = known or ScratchInbox(ledger.scope)

    @classmethod
    def of_last_dry_run(cls, ledger: Ledger) -> Self:
        """With the records that came in the last dry run."""
        scratch = cls(ledger)
        scratch.inbox = ScratchInbox(ledger.scope, of_dry_run=True)
        return scratch

    @classmethod
    def begin(cls, ledger: Ledger) -> Self:
        """Begin a dry run: without anything that came in an earlier one."""
        scratch = cls.of_last_dry_run(ledger)
        scratch.inbox.prune(None)
        return scratch


class ScratchInbox(Inbox):
    """Reads the real inbox, and what came in the last dry run if it is `of_dry_run`."""

    def __init__(self, scope: Scope, *, of_dry_run: bool = False) -> None:
        self._apart = apart_from(scope.source)
        super().__init__(scope, *([self._apart] if of_dry_run else ()))

    @override
    def receive(self, records: Iterable[Record], *, complete: Collection[str] = ()) -> list[Record]:
        """Store records apart, beside a copy of what is known of their orders."""
        received, now = list(records), self._clock()
        common = {"apart": self._apart, "of_source": self._source, "now": now}
        order_ids = {record.order_id for record in received} - {None}
        others = [record for record in received if record.order_id is None]
        with self._database.write() as connection:
            for statement, things in (
                (_COPY_ORDER, [{"of_order": order_id} for order_id in order_ids]),
                (_COPY_OTHER, [{"of": r.stream, "at": key_text(r.key)} for r in others]),
            ):
                if things:
                    connection.execute(statement, [common | thing for thing in things])
            taken, _ = store(connection, self._apart, received, complete, now)
        self._forget_shop(received)
        return [record for record, _ in taken]

    def unknown_orders(self) -> list[int]:
        """The orders, by id, that came in the last dry run and never in a real one."""
        known = select(orders.c.order_id).where(orders.c.source == self._source)
        unknown = select(inbox.c.order_id).where(
            inbox.c.source == self._apart,
            inbox.c.stream == ORDERS,
            inbox.c.order_id.not_in(known),
        )
        return [row.order_id for row in self._rows(unknown.order_by(inbox.c.order_id))]

    def prune(self, older_than: timedelta | None) -> None:
        """Drop what came in dry runs: all, or what came so long ago, since it names shoppers."""
        theirs = inbox.c.source == self._apart
        if older_than is not None:
            theirs &= inbox.c.received_at < self._clock() - older_than
        self._change(delete(inbox).where(theirs))


class _ScratchLinks(Links):
    """The links as a plan has changed them, in memory."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._changed: dict[tuple[str, str], Link | None] = {}

    @override
    def get(self, kind: LinkKind, key: str) -> Link | None:
        place = (kind, kept_key(key))
        return self._changed[place] if place in self._changed else super().get(kind, key)

    @override
    def of_order(self, order_id: int) -> list[Link]:
        stored = super().of_order(order_id)
        kept = [link for link in stored if (link.kind, link.key) not in self._changed]
        changed = [link for link in self._changed.values() if link and link.order_id == order_id]
        return [*kept, *changed]

    @override
    def put(self, link: Link) -> None:
        self._changed[link.kind, kept_key(link.key)] = link

    @override
    def put_soon(self, link: Link) -> None:
        self.put(link)

    @override
    def adopt(self, new_links: Iterable[Link], **_: object) -> None:
        for link in new_links:
            self.put(link)

    @override
    def drop(self, kind: LinkKind, key: str) -> None:
        self._changed[kind, kept_key(key)] = None

    @override
    def drop_remote(self, kind: LinkKind, remote_id: int) -> None:
        for link in self.of_kind(kind):
            if link.remote_id == remote_id:
                self.drop(kind, link.key)

    @override
    def drop_kind(self, kind: LinkKind) -> None:
        for link in self.of_kind(kind):
            self.drop(kind, link.key)


# What a run writes down, and a plan does not.


class _ScratchOwnership(Ownership):
    @override
    def bind_store(self, store_hash: str) -> None:
        self.check_store(store_hash)


class _ScratchIntents(Intents):
    @override
    def still_open(self, order_id: int | EllipsisType | None = ...) -> list[Intent]:
        """None: a plan leaves it to a run to see to them."""
        return []


class _ScratchTerms(OrderTerms):
    @override
    def keep(self, order_id: int, new: Terms) -> None:
        """Nothing is posted."""


class _ScratchOrders(Orders):
    @override
    def record(self, result: OrderRow, **_: object) -> None:
        """No order is posted or parked by looking at it."""

    @override
    def _set(self, *_: object, **__: object) -> None:
        """Nor looked at, nor settled: retention goes by what real runs look at."""


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
    copied = inbox.alias()
    kept = [column for column in inbox.c if column.name not in {"source", "received_at"}]
    apart = bindparam("apart", type_=inbox.c.source.type)
    known = select(apart, bindparam("now", type_=inbox.c.received_at.type), *kept).where(
        inbox.c.source == bindparam("of_source"),
        *(inbox.c[column] == bindparam(name) for column, name in same.items()),
        ~select(copied.c.key)
        .where(copied.c.source == apart, *(copied.c[column] == inbox.c[column] for column in same))
        .exists(),
    )
    names = ["source", "received_at", *(column.name for column in kept)]
    return inbox.insert().from_select(names, known)


_COPY_ORDER = _copy(order_id="of_order")
_COPY_OTHER = _copy(stream="of", key="at")
