"""Parts of one order that are missing or of no known form: they concern that order alone.

The order comes without what could not be read and says so, by the addresses in `UNREADABLE`. A run
ends for an odd answer only where nobody can tell which order it is of, or where orders themselves
are not asked for, so that none could say so. An archived order may come without its parts.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.errors import OddAnswer, StoreNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_bigcommerce_orders.pages import Row

UNREADABLE = "unreadable_parts"

logger = logging.getLogger("tap-bigcommerce-orders.orders")


@contextlib.contextmanager
def marking(order: Row, path: str, *, is_selected: bool) -> Iterator[None]:
    """Read a part of an order; one that is missing or odd ends the reading and marks the order.

    An order that says that it is archived is not marked for what is missing: nothing is booked of
    it, and a store that lists it may answer 404 for all of it.

    Args:
        order: The order.
        path: Where the part is asked for.
        is_selected: Whether the order itself is given to anybody.

    Raises:
        OddAnswer: The part is missing or has no known form, and the order is not given.
    """
    try:
        yield
    except StoreNotFound:
        if order.get("is_deleted") is not True:
            _mark(order, path, OddAnswer("nothing (404)", path), is_selected=is_selected)
    except OddAnswer as odd:
        _mark(order, path, odd, is_selected=is_selected)


def _mark(order: Row, path: str, odd: OddAnswer, *, is_selected: bool) -> None:
    if not is_selected:
        raise odd
    logger.warning("%s The order is given without it, and is marked.", odd.what)
    order.setdefault(UNREADABLE, []).append(path)
