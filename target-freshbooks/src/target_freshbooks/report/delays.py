"""Delays: how many days passed from an order's payment until it was in the books."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

SPANS = (
    (0, "same day"),
    (1, "next day"),
    (3, "2 to 3 days"),
    (7, "4 to 7 days"),
    (30, "8 to 30 days"),
)
LATER = "later"


def delays(orders: Iterable[tuple[date, date]]) -> Mapping[str, int]:
    """Count orders by their delay, all spans in order; nothing if there is no order.

    Those that were booked before they were paid have none.

    Args:
        orders: The day of the first payment and the day on which the order was booked, each.
    """
    counts = Counter(_span((booked - paid).days) for paid, booked in orders if booked >= paid)
    names = [*(name for _, name in SPANS), LATER]
    return {name: counts[name] for name in names} if counts else {}


def _span(days: int) -> str:
    return next((name for most, name in SPANS if days <= most), LATER)
