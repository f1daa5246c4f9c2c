"""Finding the order that spoils a run, so that it does not hold up the others.

A run answers for all its orders at once. When a group fails it is halved, and each half is run by
itself, down to single orders. An outage looks like every order being bad; so when several single
orders have failed and nothing at all has gone well, the rest is left for later instead of being
run one by one against a dead service.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Single failures, with no success beside them, that are taken for an outage.
LONE_FAILURES_OF_AN_OUTAGE = 3


@dataclass
class Isolation:
    """The groups still to run, and what the ones before have shown.

    Attributes:
        groups: A stack; the next one to run is last.
        lone_failures: Orders that failed by themselves.
        successes: Groups that ran well.
    """

    groups: list[tuple[int, ...]] = field(default_factory=list)
    lone_failures: int = 0
    successes: int = 0

    @classmethod
    def of_failed(cls, order_ids: tuple[int, ...]) -> Isolation:
        """Start from a group that has failed just now."""
        isolation = cls()
        if len(order_ids) == 1:
            isolation.groups.append(order_ids)
        else:
            isolation._halve(order_ids)
        return isolation

    def next_group(self) -> tuple[int, ...] | None:
        """The group to run now; None when all are settled or an outage is assumed."""
        if not self.groups or self.outage:
            return None
        return self.groups.pop()

    @property
    def outage(self) -> bool:
        """Whether it looks as if nothing can be delivered at the moment."""
        return self.successes == 0 and self.lone_failures >= LONE_FAILURES_OF_AN_OUTAGE

    def succeeded(self) -> None:
        """The group ran well."""
        self.successes += 1

    def failed(self, group: tuple[int, ...]) -> int | None:
        """The group failed; return the order to blame when it was alone."""
        if len(group) == 1:
            self.lone_failures += 1
            return group[0]
        self._halve(group)
        return None

    def _halve(self, group: tuple[int, ...]) -> None:
        middle = len(group) // 2
        self.groups += [group[middle:], group[:middle]]

    @property
    def left(self) -> tuple[int, ...]:
        """Orders that were not run to an end."""
        return tuple(order_id for group in self.groups for order_id in group)
