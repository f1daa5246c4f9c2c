"""Tally: what a run did, in numbers, and which of its orders are told by name at its end."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

WORKED_OUT = "taxes that the shop states without a rate, so that their percents were worked out"


@dataclass(slots=True)
class Tally:
    """What this run did, in numbers; `parked` has the orders this run parked."""

    received: int = 0
    posted: int = 0
    unchanged: int = 0
    waiting: int = 0
    planned: int = 0
    parked: dict[int, str] = field(default_factory=dict)
    worked_out: dict[int, str] = field(default_factory=dict)

    def report(self, writes: int) -> None:
        """Log the numbers, with those of the writes and the orders that were parked."""
        logger.info(
            "Orders received %d: posted %d, unchanged %d, waiting %d, parked %d; %d writes%s",
            self.received,
            self.posted,
            self.unchanged,
            self.waiting,
            len(self.parked),
            writes,
            f" ({self.planned} planned: this was a dry run)" if self.planned else "",
        )
        if self.worked_out:
            listed = [f"{order} ({taxes})" for order, taxes in sorted(self.worked_out.items())]
            logger.info("%d with %s: %s", len(listed), WORKED_OUT, ", ".join(listed))
        if self.parked:
            listed = [f"{order} ({reason})" for order, reason in sorted(self.parked.items())]
            logger.warning(
                "%d orders parked: %s. See `target-freshbooks-ctl status`.",
                len(listed),
                ", ".join(listed),
            )
