"""The ledger as a dry run sees it: it reads all of it, and keeps what the shop says to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

from target_freshbooks.ledger import ownership
from target_freshbooks.ledger.inbox import records as inbox
from target_freshbooks.ledger.inbox import scratch as apart
from target_freshbooks.ledger.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from target_freshbooks.ledger.inbox.records import Key, Record, StoredFacts
    from target_freshbooks.ledger.terms import Terms


class Rehearsal(Ledger):
    """A ledger whose `receive` changes nothing that a real run looks at.

    What is received stays readable until the next dry run begins, so that `plan` can show orders
    that came in a dry run only; what comes in earnest meanwhile takes its place.

    Args:
        ledger: The ledger itself; its connections are shared.
    """

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(
            ledger._database,  # noqa: SLF001 - of the same class
            source=ledger.source,
            clock=ledger._clock,  # noqa: SLF001 - of the same class
            who=ledger.who,
        )

    @classmethod
    def begin(cls, ledger: Ledger) -> Self:
        """Begin a dry run: without anything that came in an earlier one."""
        rehearsal = cls(ledger)
        with rehearsal._database.write() as connection:
            apart.clear(connection, ledger.source)
        return rehearsal

    def unknown_orders(self) -> list[int]:
        """The orders, by id, that came in the last dry run and never in a real one."""
        with self._database.read() as connection:
            return apart.orders_only_here(connection, self.source)

    @override
    def bind_store(self, store_hash: str) -> None:
        with self._database.read() as connection:
            ownership.check_store(connection, self.source, store_hash)

    @override
    def keep_terms(self, order_id: int, new: Terms) -> None:
        """Nothing is posted in a dry run."""

    @override
    def receive(self, records: Iterable[Record], *, complete: Collection[str] = ()) -> list[Record]:
        received, now = list(records), self._clock()
        with self._database.write() as connection:
            apart.carry_over(connection, self.source, received, now)
            shelf = apart.name_of(self.source)
            stored = inbox.store(connection, shelf, received, complete, now)
        return [record for record, _ in stored.taken]

    @override
    def facts_of(self, order_id: int) -> StoredFacts | None:
        with self._database.read() as connection:
            found = inbox.facts_of(connection, apart.name_of(self.source), order_id)
        return found or super().facts_of(order_id)

    @override
    def body(self, stream: str, key: Key) -> dict[str, Any] | None:
        with self._database.read() as connection:
            found = inbox.body(connection, apart.name_of(self.source), stream, key)
        return found or super().body(stream, key)

    @override
    def bodies(self, stream: str) -> Iterator[dict[str, Any]]:
        shelf = apart.name_of(self.source)
        copied: set[str] = set()
        for source in (shelf, self.source):
            after = ""
            while True:
                with self._database.read() as connection:
                    found = inbox.page_of_bodies(connection, source, stream, after)
                for key, body in found:
                    if source == shelf:
                        copied.add(key)
                    if source == shelf or key not in copied:
                        yield body
                if len(found) < inbox.PAGE:
                    break
                after = found[-1][0]
