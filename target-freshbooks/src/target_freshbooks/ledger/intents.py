"""Intents: what is about to be written to FreshBooks, committed before it is written.

FreshBooks knows no idempotency key. A run that was killed leaves its intent open; the next one
finds it, looks in FreshBooks whether the write happened, and only then closes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import EllipsisType
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, func, literal, null, select, update

from target_freshbooks.ledger import orders
from target_freshbooks.ledger.audit import redaction
from target_freshbooks.ledger.errors import IntentNotOpen
from target_freshbooks.ledger.link import Link
from target_freshbooks.ledger.links import Links, kept_key
from target_freshbooks.ledger.lock import AccountLock
from target_freshbooks.ledger.section import Scope, Section, columns_of
from target_freshbooks.ledger.storage.tables import intents

Outcome = Literal["done", "refused", "not_sent", "found", "not_found"]
"""Answered (done, refused), never left (not_sent), seen by looking (found, not_found)."""
NEVER_MADE = ("refused", "not_sent")
"""Certainly so: what a look did not find may have come late."""

# Made once: each outside write needs all three, and building a statement costs more than running.
_OPEN = intents.insert().returning(intents.c.id)
_READ_LOCKED = (
    select(intents)
    .where(intents.c.id == bindparam("intent_id"), intents.c.source == bindparam("of_source"))
    .with_for_update()
)
_CLOSE = (
    update(intents)
    .where(intents.c.id == bindparam("intent_id"))
    .values(outcome=bindparam("how"), closed_at=bindparam("now"), payload=null())
)


@dataclass(frozen=True, slots=True)
class Intent:
    """One write that is, or may be, under way.

    Attributes:
        id: Number of the intent.
        order_id: The order it is for, if any.
        kind: What is written, for instance `create_invoice`.
        key: Our key inside the object: number, note, e-mail, SKU.
        request_hash: Hash of the request's body.
        payload: The request's body; gone once the intent is closed.
        opened_at: When it was committed.
        run_id: The run that did.
    """

    id: int
    order_id: int | None
    kind: str
    key: str = field(repr=False)
    request_hash: str
    payload: dict[str, Any] = field(repr=False)
    opened_at: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class EarlierMonth:
    """What was changed of an order in a month that was over.

    Attributes:
        month: Such as `2026-10`.
        order_id: The order.
        writes: How many writes did.
        last: When the last of them was made.
    """

    month: str
    order_id: int
    writes: int
    last: datetime


class Intents(Section):
    """The intents of one shop."""

    def __init__(self, scope: Scope, links: Links) -> None:
        super().__init__(scope)
        self._links = links

    def open(
        self,
        *,
        lock: AccountLock,
        order_id: int | None,
        kind: str,
        key: str,
        request_hash: str,
        payload: Mapping[str, Any],
        run_id: str,
        month: str | None = None,
    ) -> Intent:
        """Commit that a write is about to be made, with its audit row; do it before the write.

        The order counts as `new` from then on: should the run die, the next one takes it up again,
        whatever the verdict was before.

        Args:
            lock: The account's; nothing is committed once another run has taken it.
            order_id: The order it is for; None for a client or item on its own.
            kind: `create_invoice`, `mark_sent`, `create_payment`, ...
            key: Our key inside the object, by which the write can be found again.
            request_hash: Hash of the request's body.
            payload: The request's body. The intent keeps it until it is closed; the audit journal
                gets what of it names nobody.
            run_id: The run.
            month: The earlier month that the write changes, such as `2026-10`; None: none.

        Raises:
            LockLost: Another run took the account.
        """
        body, kept, now = dict(payload), kept_key(key), self._clock()
        row = {
            "source": self._source,
            "order_id": order_id,
            "kind": kind,
            "key": kept,
            "request_hash": request_hash,
            "run_id": run_id,
            "opened_at": now,
            "payload": body,
            "month": month,
        }
        with self._database.write() as connection:
            lock.prove(connection)
            number = int(connection.execute(_OPEN, row).scalar_one())
            if order_id is not None:
                orders.reopen(connection, self._source, order_id)
            data = _shown(number, kind, kept, request_hash) | {"payload": redaction.of_write(body)}
            self._note(connection, "intended", order_id, run_id, data)
        return Intent(number, order_id, kind, key, request_hash, body, now, run_id)

    def close(
        self,
        intent: Intent,
        outcome: Outcome,
        *,
        answer: Mapping[str, Any] | None = None,
        links: Iterable[Link] = (),
        run_id: str | None = None,
        at_once: bool = True,
    ) -> None:
        """Close an intent: its outcome, the links it made and the audit row in one transaction.

        Args:
            intent: The intent.
            outcome: What became of the write.
            answer: FreshBooks' answer or refusal; the journal gets what of it names nobody.
            links: What now stands for what.
            run_id: The run that closes it; default the one that opened it.
            at_once: Else with the thread's next transaction. Until then it counts as open: should
                the run die, the next one looks what came of it.

        Raises:
            IntentNotOpen: If it is closed already or unknown; nothing is stored then.
        """
        closing = partial(self._close, intent, outcome, answer, list(links), run_id)
        if not at_once:
            self._database.put_off(closing)
            return
        with self._database.write() as connection:
            closing(connection)

    def _close(
        self,
        intent: Intent,
        outcome: Outcome,
        answer: Mapping[str, Any] | None,
        made: list[Link],
        run_id: str | None,
        connection: Connection,
    ) -> None:
        wanted = {"intent_id": intent.id, "of_source": self._source}
        row = connection.execute(_READ_LOCKED, wanted).one_or_none()
        if row is None or row.outcome is not None:
            what = "does not exist" if row is None else f"was closed already as {row.outcome}"
            raise IntentNotOpen(
                f"Intent {intent.id} {what}, so it cannot be closed as {outcome}. Another run"
                " may be at work on the same order; run again when it has ended."
            )
        closing = {"intent_id": intent.id, "how": outcome, "now": self._clock()}
        connection.execute(_CLOSE, closing)
        self._links.put_all(connection, made)
        data = _shown(intent.id, row.kind, row.key, row.request_hash)
        if made:
            data["links"] = [
                {
                    "kind": link.kind,
                    "key": redaction.of_key(link.kind, link.key),
                    "remote_id": link.remote_id,
                }
                for link in made
            ]
        if answer is not None:
            data["answer"] = redaction.of_write(dict(answer))
        self._note(connection, outcome, row.order_id, run_id or row.run_id, data)

    def still_open(self, order_id: int | EllipsisType | None = ...) -> list[Intent]:
        """Read the intents never closed, oldest first: of all orders, of one, or of none (None)."""
        statement = select(*columns_of(intents, Intent)).where(
            intents.c.source == self._source, intents.c.outcome.is_(None)
        )
        if not isinstance(order_id, EllipsisType):
            statement = statement.where(intents.c.order_id.is_not_distinct_from(order_id))
        return [Intent(*row) for row in self._rows(statement.order_by(intents.c.id))]

    def of_earlier_months(
        self,
        *,
        run_id: str | None = None,
        month: str | None = None,
        opened: tuple[datetime, datetime] | None = None,
    ) -> list[EarlierMonth]:
        """Read what was changed in months that were over, by month and order.

        Args:
            run_id: Only what this run changed.
            month: Only changes of this month, such as `2026-10`.
            opened: Only what was changed from the first of these times on, before the second.
        """
        keys = (intents.c.month, intents.c.order_id)
        statement = (
            select(*keys, func.count().label("writes"), func.max(intents.c.opened_at).label("last"))
            .where(
                intents.c.source == self._source,
                intents.c.month.is_not(None),
                intents.c.outcome.in_(("done", "found")),
            )
            .group_by(*keys)
            .order_by(*keys)
        )
        if run_id is not None:
            statement = statement.where(intents.c.run_id == run_id)
        if month is not None:
            statement = statement.where(intents.c.month == month)
        if opened is not None:
            at = intents.c.opened_at
            statement = statement.where(at >= opened[0], at < opened[1])
        return [EarlierMonth(*row) for row in self._rows(statement)]

    def last_of_others(self, kind: str) -> datetime | None:
        """When another source's last write of that kind was closed; None: it never made one.

        One that is open still counts as of now: how long it waited before it left is not known.
        """
        of_others = (intents.c.source != self._source, intents.c.kind == kind)
        now = literal(self._clock(), intents.c.closed_at.type)
        closed = func.max(func.coalesce(intents.c.closed_at, now)).label("at")
        row = self._row(select(closed).where(*of_others))
        return None if row is None else row.at

    def may_have_made(self, kind: str, order_id: int) -> bool:
        """Whether a write of that kind was made for the order, or may have been."""
        statement = select(intents.c.id).where(
            intents.c.source == self._source,
            intents.c.order_id == order_id,
            intents.c.kind == kind,
            intents.c.outcome.is_(None) | intents.c.outcome.not_in(NEVER_MADE),
        )
        return bool(self._rows(statement.limit(1)))

    def any_ever(self) -> bool:
        """Whether any write was ever intended."""
        of_source = intents.c.source == self._source
        return bool(self._rows(select(intents.c.id).where(of_source).limit(1)))


def _shown(number: int, kind: str, key: str, request_hash: str) -> dict[str, Any]:
    """What the audit journal says of an intent in each of its rows."""
    shown_key = redaction.of_key(kind, key)
    return {"intent": number, "kind": kind, "key": shown_key, "request_hash": request_hash}
