"""Upserts: clients and items are found before they are made, made once, changed only if ours.

One worker at a time looks after one client or item, so that two orders of a new customer cannot
both make the client. What was found or made is remembered in the ledger and costs no request again.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.errors import Conflict, Refused
from target_freshbooks.freshbooks.observed import ARCHIVED, ObservedClient, ObservedItem
from target_freshbooks.freshbooks.refusals import RefusalKind, classify
from target_freshbooks.ledger import Intent, Ledger, Link
from target_freshbooks.posting.apply import ownership
from target_freshbooks.posting.apply.writer import BUSY_PAUSES, OutcomeUnknown, Writer
from target_freshbooks.posting.identity import leaving
from target_freshbooks.posting.plan.steps import StepKind

logger = logging.getLogger(__name__)

MAY_PASS = frozenset({RefusalKind.BUSY, RefusalKind.NO_RIGHT})
"""Refusals that are not about what was sent: the same may be taken another time."""

Form = TypeVar("Form")
Record = TypeVar("Record", bound=ObservedClient | ObservedItem)


class Locks:
    """One lock per key, for as long as somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[tuple[str, str], tuple[threading.RLock, int]] = {}

    def __len__(self) -> int:
        """How many keys are held or waited for."""
        return len(self._locks)

    @contextmanager
    def held(self, kind: str, key: str) -> Iterator[None]:
        """Hold the lock of one client or item."""
        with self._guard:
            lock, users = self._locks.get((kind, key), (threading.RLock(), 0))
            self._locks[kind, key] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                _, users = self._locks.pop((kind, key))
                if users > 1:
                    self._locks[kind, key] = lock, users - 1


class Upserts:
    """What the upserts of clients and those of items share."""

    CREATION: ClassVar[StepKind]
    """The step that makes such a record."""

    def __init__(
        self,
        books: FreshBooks,
        ledger: Ledger,
        writer: Writer,
        settle_unknown: Callable[[OutcomeUnknown], bool],
        look: Callable[[Intent], bool],
        sleep: Callable[[float], None],
        settle_seconds: int,
    ) -> None:
        self._books = books
        self._ledger = ledger
        self._writer = writer
        self._settle_unknown = settle_unknown
        self._look = look
        self._sleep = sleep
        self._settle_seconds = settle_seconds
        self._others_may_be_unseen = True
        self._guard = threading.Lock()
        self._held = Locks().held

    def _finish(self, kind: StepKind, same: Callable[[Mapping[str, Any]], bool]) -> None:
        """See to creations of the same that an order left without an answer when it broke off.

        Whose lock is held has no creation under way.
        """
        for intent in self._ledger.intents.still_open():
            if intent.kind == kind.value and same(intent.payload["body"]):
                self._look(intent)

    def _let_others_settle(self) -> None:
        """Wait until searches show what the ledger's other sources have made before this run.

        While this one has the account they make nothing.
        """
        with self._guard:
            if not self._others_may_be_unseen:
                return
            made = self._ledger.intents.last_of_others(self.CREATION.value)
            if made is not None:
                passed = (self._ledger.scope.clock() - made).total_seconds()
                self._sleep(max(self._settle_seconds - passed, 0))
            self._others_may_be_unseen = False

    def _find_or_make(
        self,
        forms: Iterable[Form],
        find: Callable[[Form], Link | None],
        make: Callable[[Form], Link],
    ) -> Link:
        """The record found, else made, in the first form whose name no other record has.

        Raises:
            Refused: FreshBooks takes none.
        """
        self._writer.pin()  # what is found is of this account, too
        self._let_others_settle()
        refusal: Refused | None = None
        for form in forms:
            link = find(form)
            if link is not None:
                return link
            try:
                return make(form)
            except Refused as refused:
                if classify(refused).kind is not RefusalKind.TAKEN:
                    raise
                refusal = refused
        assert refusal is not None  # noqa: S101 - each form was refused
        raise refusal

    def _make(
        self,
        kind: StepKind,
        key: str,
        body: Mapping[str, Any],
        order_id: int | None,
        links: Callable[[Any], list[Link]],
        content: str | None,
    ) -> Link:
        """Make a record, and return its link; `links` gives those to remember from the answer.

        Raises:
            Refused: FreshBooks declined, or kept saying that another request is at it.
        """
        self._write(
            lambda: self._ledger.links.get(kind.record, key) is not None,
            kind=kind,
            key=key,
            body=body,
            order_id=order_id,
            links=links,
            content=content,
        )
        link = self._ledger.links.get(kind.record, key)
        if link is None:
            raise LookupError(f"No link to {kind.record} {key} although it was just made.")
        return link

    def _write(self, is_there: Callable[[], bool], **write: Any) -> None:  # noqa: ANN401 - the writer's arguments
        """Write until it is known to be done: after an unknown outcome look, then perhaps again."""
        pauses = iter(BUSY_PAUSES)
        while True:
            try:
                self._writer.write(**write)
            except OutcomeUnknown as unknown:
                self._settle_unknown(unknown)
                if is_there():
                    return
                continue
            except Conflict:
                pause = next(pauses, None)
                if pause is None:
                    raise
                self._sleep(pause)
                continue
            return

    # -- changing

    def _change(
        self,
        kind: StepKind,
        link: Link,
        standing: Record,
        wanted: Mapping[str, Any],
        content: str,
        *,
        instead: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        links: Callable[[Record, Link], list[Link]],
        kept: Collection[str] = (),
    ) -> bool:
        """Write the fields that differ and are ours; True if something was written.

        Args:
            kind: The write.
            link: The link to the record, which we made.
            standing: The record as it stands.
            wanted: Its fields as the shop has them, in the form of a body.
            content: Digest of all that the shop says of it.
            instead: What to want if another record has the name already.
            links: The links to remember, from the answer and the link.
            kept: Fields that differ and are to be left in any case.

        Raises:
            Refused: FreshBooks declined.
            OutcomeUnknown, Throttled: It rests on an old look by now.
        """
        before = ownership.fields_of(standing)
        body, left = ownership.change(link, wanted, before)
        left |= {*kept}
        if standing.vis_state == ARCHIVED:
            # A person filed it away: a change might take it out again.
            body, left = {}, {*left, *body}
        if not body:
            self._leave(link, content, left)
            return False
        # Said before the write, so that it is known even if the run breaks off in it.
        link = self._leaving(link, left)
        self._ledger.links.put(link)

        def after(answer: Record) -> list[Link]:
            held = ownership.fields_of(answer)
            own = replace(link, content_hash=content, extra=ownership.written(link, body, held))
            ignored = ownership.not_taken(body, before, held)
            return links(answer, self._leaving(own, {*left, *ignored}))

        try:
            self._writer.write(
                kind=kind,
                key=link.key,
                body=body,
                order_id=None,
                remote_id=link.remote_id,
                links=after,
                content=content,
            )
        except Refused as refused:
            meant, other = classify(refused).kind, instead(wanted)
            if meant is RefusalKind.TAKEN and other != wanted:
                kept = {*left, *(body.keys() - other.keys())}
                return self._change(
                    kind, link, standing, other, content, instead=instead, links=links, kept=kept
                )
            if meant not in MAY_PASS:
                self._leave(link, content, {*left, *body})
            raise
        return True

    def _leave(self, link: Link, content: str, left: Collection[str]) -> None:
        """Remember that the shop's change was looked at, and which fields of it are left."""
        self._ledger.links.put(self._leaving(replace(link, content_hash=content), left))

    def _leaving(self, link: Link, left: Collection[str]) -> Link:
        """The link, saying that these fields are left; what is new of that is told."""
        fields = sorted(left)
        if fields and fields != link.extra.get("left"):
            logger.warning(
                "FreshBooks keeps %s of %s %d, which differs from the shop: it was changed or made"
                " there, or is not to follow the shop. Change it by hand if it is to be as in the"
                " shop.",
                ", ".join(fields),
                link.kind,
                link.remote_id,
            )
        return leaving(link, fields)
