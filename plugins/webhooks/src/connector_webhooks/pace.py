"""How many orders go into the next run, and when it may start.

A run answers for all its orders at once, so after a failed one the next is half as large, down to a
single order, and after a good one it is as large as ever. When several orders in a row have failed
by themselves it is no order's fault: then there are pauses, until any run ends well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from connector_credentials.backoff import Backoff

LONE_FAILURES_OF_AN_OUTAGE = 3


@dataclass
class Pace:
    """The pace of runs of one kind of orders.

    Attributes:
        tried: Of orders that have failed by themselves, or of the others. They never share a run.
        most: Most orders of a run.
        backoff: The pauses.
        random: For their scatter.
        size: Orders of the next run.
        lone_failures: Single orders that failed since a run ended well.
        not_before: The monotonic time until which it pauses.
    """

    tried: bool
    most: int
    backoff: Backoff
    random: Random
    size: int = field(init=False)
    lone_failures: int = 0
    not_before: float = 0.0

    def __post_init__(self) -> None:
        self.size = self.most

    def succeeded(self, ran: Pace) -> None:
        """A run of that pace ended well: the other side lives."""
        self.lone_failures, self.not_before = 0, 0.0
        if ran is self:
            self.size = self.most

    def failed(self, number: int, now: float) -> None:
        """A run of so many orders failed."""
        self.size = max(1, number // 2)
        self.lone_failures += number == 1
        beyond = self.lone_failures - LONE_FAILURES_OF_AN_OUTAGE
        if beyond >= 0:
            self.not_before = now + self.backoff.pause(beyond + 1, self.random)
