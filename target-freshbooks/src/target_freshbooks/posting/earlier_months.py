"""Earlier months: while nothing closes them, each change of a month that is over is told."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_freshbooks.ledger import EarlierMonth

NAMED = 5
"""How many orders of a month a sentence names."""


def sentences(changes: Iterable[EarlierMonth]) -> list[str]:
    """A sentence for each month, such as `2026-10 was changed by 3 writes, for orders 101, 102`."""
    told = []
    for month, group in groupby(changes, key=lambda change: change.month):
        of_month = list(group)
        writes = sum(change.writes for change in of_month)
        orders = ", ".join(str(change.order_id) for change in of_month[:NAMED])
        more = f" and {len(of_month) - NAMED} more" if len(of_month) > NAMED else ""
        told.append(f"{month} was changed by {writes} writes, for orders {orders}{more}")
    return told
