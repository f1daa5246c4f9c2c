"""Parts of one order that BigCommerce gives in no known form: they concern that order alone.

The order comes without what could not be read and says so, by the addresses in `UNREADABLE`. A run
ends for an odd answer only where nobody can tell which order it is of, or where orders themselves
are not asked for, so that none could say so.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.errors import OddAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_bigcommerce_orders.pages import Row

UNREADABLE = "unreadable_parts"

logger = logging.getLogger("tap-bigcommerce-orders.orders")


@contextlib.contextmanager
def marking(order: Row, path: str, *, is_selected: bool) -> Iterator[None]:
    """Read a part of an order; one that has no known form ends the reading and marks the order.

    Args:
        order: The order.
        path: Where the part is asked for.
        is_selected: Whether the order itself is given to anybody.

    Raises:
        OddAnswer: The part has no known form, and the order is not given.
    """
    try:
        yield
    except OddAnswer as odd:
        if not is_selected:
            raise
        logger.warning("%s The order is given without it, and is marked.", odd.what)
        order.setdefault(UNREADABLE, []).append(path)
