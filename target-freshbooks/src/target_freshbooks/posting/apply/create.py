"""Creation: writes clients and items, one worker each, so that nothing is made twice."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from target_freshbooks.freshbooks.errors import Conflict, Refused
from target_freshbooks.freshbooks.refusals import RefusalKind, classify
from target_freshbooks.posting.apply.refusals import BUSY_PAUSES
from target_freshbooks.posting.apply.writer import OutcomeUnknown, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from target_freshbooks.ledger import Intent, Ledger, Link
    from target_freshbooks.ledger.link import LinkKind
    from target_freshbooks.posting.plan.steps import StepKind


Form = TypeVar("Form")


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


class Creation:
    """Writes the clients and items of one run."""

    def __init__(
        self,
        ledger: Ledger,
        writer: Writer,
        settle_unknown: Callable[[OutcomeUnknown], bool],
        look: Callable[[Intent], bool],
        sleep: Callable[[float], None],
    ) -> None:
        self._ledger = ledger
        self._writer = writer
        self._settle_unknown = settle_unknown
        self._look = look
        self._sleep = sleep
        self._locks = Locks()
        self.held = self._locks.held

    def finish(self, kind: StepKind, same: Callable[[Mapping[str, Any]], bool]) -> None:
        """See to creations of the same that an order left without an answer when it broke off.

        Whose lock is held has no creation under way.
        """
        for intent in self._ledger.intents.still_open():
            if intent.kind == kind.value and same(intent.payload["body"]):
                self._look(intent)

    def find_or_make(
        self,
        forms: Iterable[Form],
        find: Callable[[Form], Link | None],
        make: Callable[[Form], Link],
    ) -> Link:
        """The record found, else made, in the first form whose name no other record has.

        Raises:
            Refused: FreshBooks takes none.
        """
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

    def create(
        self,
        kind: StepKind,
        what: LinkKind,
        key: str,
        body: Mapping[str, Any],
        order_id: int | None,
        links: Callable[[Any], list[Link]],
        *,
        content: str | None,
    ) -> Link:
        """Make a record, and return its link; `links` gives those to remember from the answer.

        Raises:
            Refused: FreshBooks declined, or kept saying that another request is at it.
        """
        self._write(
            lambda: self._ledger.links.get(what, key) is not None,
            kind=kind,
            key=key,
            body=body,
            order_id=order_id,
            links=links,
            content=content,
        )
        link = self._ledger.links.get(what, key)
        if link is None:
            raise LookupError(f"No link to {what} {key} although it was just made.")
        return link

    def update(
        self,
        kind: StepKind,
        link: Link,
        body: Mapping[str, Any],
        links: Callable[[Any], list[Link]],
        *,
        content: str,
    ) -> None:
        """Change a record to the content (a digest) that the shop has.

        Raises:
            Refused: As above.
        """

        def stands() -> bool:
            now = self._ledger.links.get(link.kind, link.key)
            return now is not None and now.content_hash == content

        self._write(
            stands,
            kind=kind,
            key=link.key,
            body=body,
            order_id=None,
            remote_id=link.remote_id,
            links=links,
            content=content,
        )

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
