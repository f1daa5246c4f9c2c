"""Order result: how the reconciling of an order came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Reason
from target_freshbooks.posting.apply.fence import ClosedDay
from target_freshbooks.posting.apply.refusals import parked_for

if TYPE_CHECKING:
    from target_freshbooks.books.desired import Desired, Parked
    from target_freshbooks.freshbooks.errors import Refused
    from target_freshbooks.ledger import OrderState


class Interrupted(Exception):  # noqa: N818 - it is no error to be asked to stop
    """The run was asked to stop; the step in hand was finished."""


@dataclass(frozen=True, slots=True)
class OrderResult:
    """How an order came out.

    Attributes:
        state: `posted`, `parked` or `waiting`; in a plan also `settled`.
        parked: Why, if it is parked.
        why: Code of the reason, if it is waiting; the person's note, if it is settled.
        words: FreshBooks' own words, where it refused something.
        desired: The desired state, if there is one.
        desired_hash: Its digest.
        writes: Number of outside writes made.
        unchanged: Nothing had to be looked at: what is desired is what was posted before.
        met_lock: FreshBooks refused a day as locked that was taken to be open.
    """

    state: OrderState
    parked: Parked | None = None
    why: str | None = None
    words: str | None = None
    desired: Desired | None = None
    desired_hash: str | None = None
    writes: int = 0
    unchanged: bool = False
    met_lock: bool = False

    @property
    def is_refused_as_locked(self) -> bool:
        """Whether the order is parked since FreshBooks itself said that a day is locked."""
        closed = self.parked is not None and self.parked.reason is Reason.CLOSED_PERIOD
        return closed and self.words is not None


def refused_result(refused: Refused, what: str, writes: int) -> OrderResult:
    """The order is parked since FreshBooks refused something, with its words."""
    words = None if isinstance(refused, ClosedDay) else refused.words
    return OrderResult("parked", parked=parked_for(refused, what), words=words, writes=writes)
