"""The ledger: what the shop said, what was written to FreshBooks, and why.

It is a cache and a journal, not the only truth: with an empty ledger everything is found again in
FreshBooks by the keys inside the objects. Each public method is one transaction, durable when it
returns; up to sixteen threads may use one ledger at once.
"""

from __future__ import annotations

import getpass
import os
import platform
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import func, select

from target_freshbooks.ledger import (
    intents,
    links,
    lock,
    orders,
    ownership,
    retention,
    runs,
    terms,
)
from target_freshbooks.ledger import settled as byhand
from target_freshbooks.ledger.audit import chain as journal
from target_freshbooks.ledger.audit import redaction
from target_freshbooks.ledger.inbox import records as inbox
from target_freshbooks.ledger.storage.database import Database
from target_freshbooks.ledger.storage.migrate import migrate
from target_freshbooks.ledger.storage.tables import audit_head
from target_freshbooks.ledger.storage.tables import inbox as inbox_table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import date, timedelta
    from decimal import Decimal
    from types import EllipsisType

    from sqlalchemy import Connection

    from target_freshbooks.ledger.audit.chain import AuditRow, ChainVerdict
    from target_freshbooks.ledger.inbox.records import Key, Record, StoredFacts
    from target_freshbooks.ledger.intents import Intent, Outcome
    from target_freshbooks.ledger.link import Link, LinkKind
    from target_freshbooks.ledger.lock import AccountLock
    from target_freshbooks.ledger.orders import OrderRow, OrderState
    from target_freshbooks.ledger.ownership import PinnedAccount
    from target_freshbooks.ledger.runs import RunRow
    from target_freshbooks.ledger.terms import Terms


def utc_now() -> datetime:
    """Tell the machine's time, aware UTC."""
    return datetime.now(UTC)


class Ledger:
    """One shop's view of the ledger.

    Attributes:
        source: The shop; everything but the audit chain and the lock is kept apart by it.
        who: User and machine, for the audit journal.
    """

    def __init__(
        self, database: Database, *, source: str, clock: Callable[[], datetime], who: str
    ) -> None:
        self.source = source
        self.who = who
        self._inboxes: tuple[str, ...] = (source,)
        self._database = database
        self._clock = clock
        self._run_id: str | None = None

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
        return cls(database, source=source, clock=clock, who=who or _whoami())

    def dispose(self) -> None:
        """Close the connections. The ledger is not used after that."""
        self._database.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.dispose()

    # -- ownership: whose books these are

    def store_hash(self) -> str | None:
        """The store that this source is bound to; None before its first order."""
        with self._database.read() as connection:
            return ownership.store_of(connection, self.source)

    def store_hashes(self) -> set[str]:
        """The stores that any source of this ledger is bound to."""
        with self._database.read() as connection:
            return ownership.all_stores(connection)

    def bind_store(self, store_hash: str) -> None:
        """Bind this source to the store that its orders come from.

        Raises:
            AnotherStore: It is bound to another one, or the store to another source.
        """
        with self._database.read() as connection:
            if ownership.check_store(connection, self.source, store_hash):
                return
        with self._database.write() as connection:
            ownership.bind_store(connection, self.source, store_hash, self._clock())

    def account(self) -> PinnedAccount | None:
        """The FreshBooks account that the ledger belongs to; None before the first write."""
        with self._database.read() as connection:
            return ownership.pinned_account(connection)

    def check_account(self, asked: PinnedAccount) -> None:
        """Make sure that the ledger is of this account, or of none yet.

        Raises:
            AnotherAccount: It is of another.
        """
        with self._database.read() as connection:
            ownership.check_account(connection, asked)

    def pin_account(self, asked: PinnedAccount, *, move: bool = False) -> None:
        """Make the ledger this account's.

        Args:
            asked: The account.
            move: Take it away from another one to which nothing was written yet.

        Raises:
            AnotherAccount: It is another's.
        """
        pin = ownership.move_pin if move else ownership.pin_account
        with self._database.write() as connection:
            pin(connection, asked, self._clock())

    def has_posted(self) -> bool:
        """Whether anything of this source was ever written to FreshBooks, or found there."""
        with self._database.read() as connection:
            return intents.any_of(connection, self.source) or orders.any_posted(
                connection, self.source
            )

    # -- terms: what each order was posted under

    def terms_of(self, order_id: int) -> Terms | None:
        """The settings and the day that an order was posted under; None before that."""
        with self._database.read() as connection:
            return terms.read(connection, self.source, order_id)

    def keep_terms(self, order_id: int, new: Terms) -> None:
        """Keep the settings and the day that an order is posted under from now on."""
        with self._database.write() as connection:
            terms.keep(connection, self.source, order_id, new, self._clock())

    # -- inbox: what the shop said

    def receive(self, records: Iterable[Record], *, complete: Collection[str] = ()) -> list[Record]:
        """Store records in one transaction.

        A record of unchanged content keeps the time it was first received. A record of the stream
        `orders` makes its order known as `new`. One that is older than what is known of the thing,
        by its `date_modified`, is left out with a line in the log (see `precedence`). A changed
        record of a customer or the store makes parked orders `new` again (see `requeue`).

        Args:
            records: Any number; of two with the same key the later version stays, else the later.
            complete: Streams of which the batch holds all records of each order in it: what the
                inbox has besides of those orders is dropped.

        Returns:
            The records that were taken.
        """
        with self._database.write() as connection:
            return inbox.receive(connection, self.source, records, complete, self._clock())

    def facts_of(self, order_id: int) -> StoredFacts | None:
        """Gather all the shop said of an order.

        Returns:
            None when that is not here in full: the order was never received, or retention has
            dropped it. It comes again with the tap's next record of the order.
        """
        with self._database.read() as connection:
            return inbox.facts_of(connection, self.source, order_id)

    def body(self, stream: str, key: Key) -> dict[str, Any] | None:
        """Read one record; None when it was never received or retention has dropped it."""
        with self._database.read() as connection:
            return inbox.latest_body(connection, self._inboxes, stream, key)

    def store(self) -> dict[str, Any] | None:
        """Read the record of the store itself; None before it comes."""
        with self._database.read() as connection:
            return inbox.latest_body(connection, self._inboxes, "store")

    # -- orders: where each stands

    def order(self, order_id: int) -> OrderRow | None:
        """Read an order's standing; None when the shop never spoke of it."""
        with self._database.read() as connection:
            return orders.read(connection, self.source, order_id)

    def orders(self, *, state: str | None = None, since: date | None = None) -> Iterator[OrderRow]:
        """Read orders by id, page by page.

        Args:
            state: Only those in this state.
            since: Only those of this day (the shop's) or later, and those whose day is unknown.
        """
        after = -(2**62)
        while True:
            with self._database.read() as connection:
                found = orders.page(connection, self.source, after, state, since)
            yield from found
            if len(found) < orders.PAGE:
                return
            after = found[-1].order_id

    def looked_at(self, order_id: int) -> None:
        """Note that nothing is to be done though the order came again, so that it may be dropped.

        Retention keeps what came in after an order was looked at.
        """
        with self._database.write() as connection:
            orders.looked_at(connection, self.source, order_id, self._clock())

    def noticed_orders(self) -> list[OrderRow]:
        """Read the orders of which something was noticed after they were posted or settled."""
        with self._database.read() as connection:
            return orders.noticed(connection, self.source)

    def settle(
        self,
        order_id: int,
        *,
        state: OrderState,
        facts_hash: str | None,
        policy_hash: str | None,
        run_id: str,
        reason: str | None = None,
        detail: str | None = None,
        words: str | None = None,
        next_step: str | None = None,
        desired_hash: str | None = None,
        invoice_number: str | None = None,
        order_total: Decimal | None = None,
        currency: str | None = None,
        order_date: date | None = None,
        refunded: Decimal | None = None,
        notice: str | None = None,
        event: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the verdict on an order.

        What is None of `desired_hash`, `invoice_number`, `order_total`, `currency`, `order_date`
        and `refunded` stays as it was; `reason`, `detail`, `words`, `next_step` and
        `notice` are replaced.

        Args:
            order_id: The order.
            state: See `OrderRow`.
            facts_hash: `StoredFacts.hash` the verdict rests on.
            policy_hash: Hash of the settings it rests on.
            run_id: The run.
            reason: Code of the reason.
            detail: The figures behind it.
            words: The other side's own words.
            next_step: What to do about it.
            desired_hash: Hash of the desired state.
            invoice_number: The invoice's number.
            order_total: The order's total.
            currency: ISO code.
            order_date: Day of the order in the shop's time zone.
            refunded: What of it went back as money.
            notice: Code of what became of the order in the shop after it was posted.
            event: If given, an audit row of this event is written in the same transaction.
            data: The data of that audit row.
        """
        now = self._clock()
        values = {
            "source": self.source,
            "order_id": order_id,
            "state": state,
            "reason": reason,
            "detail": detail,
            "words": words,
            "next_step": next_step,
            "facts_hash": facts_hash,
            "policy_hash": policy_hash,
            "desired_hash": desired_hash,
            "invoice_number": invoice_number,
            "order_total": order_total,
            "currency": currency,
            "order_date": order_date,
            "refunded": refunded,
            "posted_at": now if state == "posted" else None,
            "updated_at": now,
            "run_id": run_id,
            "notice": notice,
            "terms": None,
            "invoice_day": None,
        }
        with self._database.write() as connection:
            orders.settle(connection, values)
            if event is not None:
                self._append(
                    connection,
                    event,
                    order_id=order_id,
                    run_id=run_id,
                    data=redaction.of_data(dict(data or {})),
                )

    # -- orders that a person has settled

    def settle_by_hand(self, order_id: int, note: str, run_id: str) -> None:
        """Leave an order to a person, who tells in a note what was done; with its audit row."""
        now = self._clock()
        with self._database.write() as connection:
            stored = inbox.facts_of(connection, self.source, order_id)
            byhand.settle(
                connection,
                self.source,
                order_id,
                note=redaction.masked(note),
                facts_hash=stored.hash if stored else None,
                run_id=run_id,
                now=now,
            )
            data = redaction.of_data({"note": note})
            self._append(connection, "settled", order_id=order_id, run_id=run_id, data=data)

    def reopen(self, order_id: int, run_id: str) -> None:
        """Take a settled order up again: it counts as new; with its audit row."""
        with self._database.write() as connection:
            byhand.reopen(connection, self.source, order_id, run_id, self._clock())
            self._append(connection, "reopened", order_id=order_id, run_id=run_id, data={})

    def note_change_after_settling(self, order_id: int, facts_hash: str, run_id: str) -> None:
        """Note, with its audit row, that the shop changed a settled order."""
        now = self._clock()
        with self._database.write() as connection:
            byhand.note_change(connection, self.source, order_id, facts_hash, run_id, now)
            self._append(connection, byhand.CHANGED, order_id=order_id, run_id=run_id, data={})

    # -- links: our thing and its FreshBooks id

    def link(self, kind: LinkKind, key: str) -> Link | None:
        """Read a link; None when there is none."""
        with self._database.read() as connection:
            return links.read(connection, self.source, kind, key)

    def links_of(self, order_id: int) -> list[Link]:
        """Read an order's links, by kind and key."""
        with self._database.read() as connection:
            return links.of_order(connection, self.source, order_id)

    def links(self, kind: LinkKind | None = None) -> Iterator[Link]:
        """Read all links, or those of a kind, page by page."""
        after = ("", "")
        while True:
            with self._database.read() as connection:
                found = links.page(connection, self.source, kind, after)
            yield from found
            if len(found) < links.PAGE:
                return
            after = (found[-1].kind, found[-1].key)

    def is_linked(self, kind: LinkKind, remote_id: int) -> bool:
        """Tell whether anything of ours stands for that record in FreshBooks."""
        with self._database.read() as connection:
            return links.has_remote(connection, self.source, kind, remote_id)

    def put_link(self, link: Link) -> None:
        """Store a link, in place of one of the same kind and key."""
        with self._database.write() as connection:
            links.put(connection, self.source, [link], self._clock())

    def adopt(
        self, found: Iterable[Link], *, order_id: int, run_id: str, data: Mapping[str, Any]
    ) -> None:
        """Link what stands in FreshBooks already, with its audit row: all of an order's or none.

        Args:
            found: The invoice, and all payments and credit notes that belong to it.
            order_id: The order.
            run_id: The run that found them.
            data: What the audit trail tells of the invoice.
        """
        with self._database.write() as connection:
            links.put(connection, self.source, found, self._clock())
            self._append(connection, "adopted", order_id=order_id, run_id=run_id, data=dict(data))

    def drop_link(self, kind: LinkKind, key: str) -> None:
        """Forget a link."""
        with self._database.write() as connection:
            links.drop(connection, self.source, kind, key)

    def drop_links_to(self, kind: LinkKind, remote_id: int) -> None:
        """Forget all links of a kind to a record in FreshBooks."""
        with self._database.write() as connection:
            links.drop_remote(connection, self.source, kind, remote_id)

    # -- intents: what is being written

    def intend(
        self,
        *,
        lock: AccountLock,
        order_id: int | None,
        kind: str,
        key: str,
        request_hash: str,
        payload: Mapping[str, Any],
        run_id: str,
    ) -> int:
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

        Returns:
            The intent's number, for `close`.

        Raises:
            LockLost: Another run took the account.
        """
        now, key = self._clock(), links.kept_key(key)
        values = {
            "source": self.source,
            "order_id": order_id,
            "kind": kind,
            "key": key,
            "request_hash": request_hash,
            "run_id": run_id,
            "opened_at": now,
        }
        body = dict(payload)
        with self._database.write() as connection:
            lock.prove(connection)
            intent_id = intents.open_intent(connection, values, body)
            if order_id is not None:
                orders.reopen(connection, self.source, order_id)
            data = {
                "intent": intent_id,
                "kind": kind,
                "key": redaction.of_key(kind, key),
                "request_hash": request_hash,
                "payload": redaction.of_write(body),
            }
            self._append(connection, "intended", order_id=order_id, run_id=run_id, data=data)
        return intent_id

    def close(
        self,
        intent_id: int,
        outcome: Outcome,
        *,
        answer: Mapping[str, Any] | None = None,
        links: Iterable[Link] = (),
        run_id: str | None = None,
    ) -> None:
        """Close an intent: its outcome, the links it made and the audit row in one transaction.

        Args:
            intent_id: The number `intend` gave.
            outcome: What became of the write.
            answer: FreshBooks' answer or refusal; the journal gets what of it names nobody.
            links: What now stands for what.
            run_id: The run that closes it; default the one of `start_run`, else the one that
                opened it.

        Raises:
            IntentNotOpen: If it is closed already or unknown; nothing is stored then.
        """
        now = self._clock()
        made = list(links)
        with self._database.write() as connection:
            intent = intents.close_intent(connection, self.source, intent_id, outcome, now)
            _put_links(connection, self.source, made, now)
            data: dict[str, Any] = {
                "intent": intent_id,
                "kind": intent.kind,
                "key": redaction.of_key(intent.kind, intent.key),
                "request_hash": intent.request_hash,
            }
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
            run = run_id or self._run_id or intent.run_id
            self._append(connection, outcome, order_id=intent.order_id, run_id=run, data=data)

    def open_intents(self, order_id: int | EllipsisType | None = ...) -> list[Intent]:
        """Read the intents never closed, oldest first: of all orders, of one, or of none (None)."""
        with self._database.read() as connection:
            return intents.still_open(connection, self.source, order_id)

    # -- audit: the journal

    def audit(
        self,
        *,
        event: str,
        order_id: int | None,
        run_id: str,
        data: Mapping[str, Any],
        who: str | None = None,
    ) -> None:
        """Add a row to the audit journal; fields that name persons are left out of `data`."""
        with self._database.write() as connection:
            self._append(
                connection,
                event,
                order_id=order_id,
                run_id=run_id,
                data=redaction.of_data(dict(data)),
                who=who,
            )

    def audit_rows(self, order_id: int | None = None) -> Iterator[AuditRow]:
        """Read the shop's audit rows, of one order or all, page by page, oldest first."""
        after = -(2**62)
        while True:
            with self._database.read() as connection:
                found = journal.page(connection, self.source, after, order_id)
            yield from found
            if len(found) < journal.PAGE:
                return
            after = found[-1].seq

    def verify_chain(self) -> ChainVerdict:
        """Walk the whole audit chain, of all shops, and name the first row that is not right."""
        with self._database.read_snapshot() as connection:
            return journal.verify(connection)

    # -- lock: one run per account

    def lock(
        self,
        account: str,
        holder: str,
        *,
        wait_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> AbstractContextManager[AccountLock]:
        """Hold a FreshBooks account for the length of a `with` block.

        Args:
            account: The FreshBooks account id; the lock is over all shops that feed it.
            holder: Who holds it, for the message to others: the run's name.
            wait_seconds: How long to wait for another run to end.
            sleep: Waits between looks.

        Raises:
            LockHeld: On entering, if another run still holds it.
            LedgerError: If the ledger is where no lock keeps others out.
        """
        return lock.held(
            self._database,
            account,
            holder,
            wait_seconds=wait_seconds,
            sleep=sleep,
            clock=self._clock,
        )

    def is_at_work(self, account: str) -> bool:
        """Tell whether a run holds the account; waits for nobody."""
        return lock.is_held(self._database, account)

    # -- runs, counts, retention

    def start_run(self, run_id: str, code_version: str) -> None:
        """Write that a run begins; audit rows of `close` bear its name from now on."""
        with self._database.write() as connection:
            runs.start(connection, self.source, run_id, code_version, self._clock())
            self._append(
                connection,
                "run_started",
                order_id=None,
                run_id=run_id,
                data={"code_version": code_version},
            )
        self._run_id = run_id

    def end_run(self, run_id: str, outcome: str, counts: Mapping[str, Any]) -> None:
        """Write how a run ended, and what it did."""
        with self._database.write() as connection:
            runs.end(connection, run_id, outcome, dict(counts), self._clock())
            data = {"outcome": outcome, "counts": dict(counts)}
            self._append(connection, "run_ended", order_id=None, run_id=run_id, data=data)
        self._run_id = None

    def last_runs(self, limit: int = 10) -> list[RunRow]:
        """Read the latest runs, the newest first."""
        with self._database.read() as connection:
            return runs.latest(connection, self.source, limit)

    def counts(self) -> dict[str, Any]:
        """Count what the ledger holds of this shop.

        Returns:
            `new`, `waiting`, `posted`, `parked`: orders; `waiting_reasons`, `parked_reasons`:
            orders by reason; `open_intents`; `inbox`: records by stream; `audit_rows`: rows of
            the journal, of all shops.
        """
        with self._database.read() as connection:
            by_state, by_reason = orders.counts(connection, self.source)
            streams = connection.execute(
                select(inbox_table.c.stream, func.count())
                .where(inbox_table.c.source == self.source)
                .group_by(inbox_table.c.stream)
                .order_by(inbox_table.c.stream)
            )
            return {
                **by_state,
                "waiting_reasons": by_reason["waiting"],
                "parked_reasons": by_reason["parked"],
                "open_intents": intents.count_open(connection, self.source),
                "inbox": {row[0]: row[1] for row in streams},
                "audit_rows": connection.execute(select(audit_head.c.seq)).scalar_one_or_none(),
            }

    def prune(self, older_than: timedelta) -> int:
        """Drop the bodies of orders untouched for that long, with their customers and children.

        Hashes, links, standings and the audit journal stay; see `retention`. An order about which
        anything came in since it was looked at is kept.

        Returns:
            How many orders lost their bodies.
        """
        before = self._clock() - older_than
        total = 0
        while True:
            with self._database.write() as connection:  # in portions: others write in between
                dropped = retention.prune(connection, self.source, before)
            total += dropped
            if dropped == 0:
                break
        with self._database.write() as connection:
            retention.prune_others(connection, self.source, before)
        return total

    def _append(
        self,
        connection: Connection,
        event: str,
        *,
        order_id: int | None,
        run_id: str,
        data: dict[str, Any],
        who: str | None = None,
    ) -> None:
        journal.append(
            connection,
            source=self.source,
            at=self._clock(),
            event=event,
            order_id=order_id,
            run_id=run_id,
            who=who or self.who,
            data=data,
        )


_put_links = links.put  # `Ledger.close` has an argument of that name


def _whoami() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = f"uid {os.getuid()}"
    return f"{user}@{platform.node() or 'unknown'}"
