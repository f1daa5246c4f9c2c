"""Circuit breaker: tells an outage (stop, park nobody) from a bad order (park it alone).

From one record's failures the two cannot be told apart, so what was given up is only a suspect.
What settles it is whether FreshBooks carried out other writes meanwhile; and whoever looks guilty
then gets another chance, since an outage may have passed before the others had their turn.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_freshbooks.freshbooks.errors import FreshBooksError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.ledger import StoredFacts
    from target_freshbooks.posting.apply.retry import Patience, RetriesExhausted

OUTAGE = 3
"""So many records given up for the same, and nothing went well meanwhile: FreshBooks is ill."""

NO_NUMBER = "0"
"""A number to look for where it only matters that FreshBooks answers."""


class FreshBooksFails(FreshBooksError):  # noqa: N818 - the sentence is the name
    """FreshBooks kept failing, for all orders alike: an outage, so nobody is parked for it."""

    def __init__(self, records: Iterable[str]) -> None:
        names = ", ".join(sorted(records))
        super().__init__(
            "posting",
            f"FreshBooks kept answering with server errors ({names}). Nothing is lost:"
            " run again when it is well.",
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """What was given up, until it is known whether FreshBooks or the record is to blame.

    An order with what is stored of it, or a customer or product; `again` has it worked on anew,
    `convicted` tells that it was found to blame by an earlier run.
    """

    record: str
    given_up: RetriesExhausted
    again: Callable[[], None]
    order_id: int | None = None
    stored: StoredFacts | None = None
    convicted: bool = False


class CircuitBreaker:
    """Collects the suspects of a run, from several threads, and judges them at its checkpoints."""

    def __init__(self, books: FreshBooks, patience: Patience) -> None:
        self._books = books
        self._patience = patience
        self._guard = threading.Lock()
        self._suspects: list[Failure] = []
        self._last_chance = False

    def suspect(self, suspect: Failure) -> None:
        """Note what was given up; several with no write between them are an outage at once.

        Else a run would spend its patience on every order that is left before it said so.

        Raises:
            FreshBooksFails: It is an outage.
        """
        with self._guard:
            self._suspects.append(suspect)
            if self._last_chance:
                return
            suspects = list(self._suspects)
        failing = [one for one in suspects if not self._patience.others_went_well(one.given_up)]
        if len(failing) >= OUTAGE:
            raise FreshBooksFails(one.record for one in failing)

    def judge(self, settle: Callable[[], None]) -> list[Failure]:
        """The suspects that alone were to blame, and whose last chance failed as well.

        A record is to blame when FreshBooks carried out writes that were begun after its first
        failure, or, being the only one, when it did so in this run, or when an earlier run found it
        to blame; unless several failed at the same kind of write, and that kind went well for
        nobody. And FreshBooks' books must be readable at the end.

        Args:
            settle: Returns when all that was handed to the workers is settled.

        Raises:
            FreshBooksError: It is an outage.
        """
        accused = self._accused()
        if not accused:
            return []
        self._last_chance = True
        try:
            with self._patience.short():
                for suspect in accused:
                    suspect.again()
                settle()
        finally:
            self._last_chance = False
        failed_again = self._taken()
        if failed_again:
            self._books.find_invoice(NO_NUMBER, lines=False)  # raises when the books are down
        return failed_again

    def _taken(self) -> list[Failure]:
        with self._guard:
            suspects, self._suspects = self._suspects, []
        return suspects

    def _accused(self) -> list[Failure]:
        suspects = self._taken()
        if not suspects:
            return []
        unexplained = [
            one
            for one in suspects
            if not one.convicted and not self._patience.others_went_well(one.given_up)
        ]
        alone = len(suspects) == 1 and self._patience.writes > 0
        if unexplained and not alone:
            raise FreshBooksFails(suspect.record for suspect in unexplained)
        # FreshBooks may be well but for one kind of write.
        same = Counter(
            one.given_up.kind
            for one in suspects
            if not self._patience.its_kind_went_well(one.given_up)
        )
        if any(number >= OUTAGE for number in same.values()):
            raise FreshBooksFails(suspect.record for suspect in suspects)
        return suspects
