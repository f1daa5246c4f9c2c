"""Tally: what a run did, in numbers, and which orders and earlier months are told at its end."""

import logging
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from connector_credentials.commands import ctl

from target_freshbooks.ledger import EarlierMonth

logger = logging.getLogger(__name__)


WORKED_OUT = "taxes that the shop states without a rate, so that their percents were worked out"


@dataclass(slots=True)
class Tally:
    """What this run did, in numbers; `parked` has the orders this run parked.

    `lags` has the seconds from paid to booked of those it brought into the books.
    """

    received: int = 0
    posted: int = 0
    unchanged: int = 0
    waiting: int = 0
    parked: dict[int, str] = field(default_factory=dict)
    worked_out: dict[int, str] = field(default_factory=dict)
    lags: "array[float]" = field(default_factory=lambda: array("d"))

    def report(self, writes: int) -> None:
        """Log the numbers, with those of the writes and the orders that were parked."""
        logger.info(
            "Orders received %d: posted %d, unchanged %d, waiting %d, parked %d; %d writes",
            self.received,
            self.posted,
            self.unchanged,
            self.waiting,
            len(self.parked),
            writes,
        )
        if self.worked_out:
            listed = [f"{order} ({taxes})" for order, taxes in sorted(self.worked_out.items())]
            logger.info("%d with %s: %s", len(listed), WORKED_OUT, ", ".join(listed))
        if self.parked:
            listed = [f"{order} ({reason})" for order, reason in sorted(self.parked.items())]
            logger.warning(
                "%d orders parked: %s. See `%s`.",
                len(listed),
                ", ".join(listed),
                ctl("status"),
            )


NAMED = 5
"""How many orders of a month a sentence names."""


def sentences(changes: Iterable[EarlierMonth]) -> list[str]:
    """A sentence for each month, such as `2026-10 was changed by 3 writes, for orders 101, 102`."""
    lines = []
    for month, group in groupby(changes, key=lambda change: change.month):
        of_month = list(group)
        writes = sum(change.writes for change in of_month)
        orders = ", ".join(str(change.order_id) for change in of_month[:NAMED])
        more = f" and {len(of_month) - NAMED} more" if len(of_month) > NAMED else ""
        lines.append(f"{month} was changed by {writes} writes, for orders {orders}{more}")
    return lines
