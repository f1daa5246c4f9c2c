"""Orders that are no sale: an entry of `exclude_orders` tells them by one of their lines.

B2B Edition makes a second order of an invoice that is paid: one digital line over the amount. The
goods were sold by the first one, so that both together count the sale twice. Such an order differs
from others by its product only, which the merchant names here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_freshbooks.books.shop import Order, OrderLine


@dataclass(frozen=True, slots=True)
class ExcludedOrder:
    """One entry: all that is given must fit one line of the order. None of a field: any."""

    sku: str | None = None
    name: str | None = None
    """A shell pattern (`*`, `?`, `[…]`) of the whole name; letters of either case are the same."""
    product_id: int | None = None
    channel_id: int | None = None
    """The order's."""

    def fits(self, order: Order) -> bool:
        """Whether the order is one of those."""
        of_channel = self.channel_id in (None, order.channel_id)
        return of_channel and any(self._fits_line(line) for line in order.lines)

    def _fits_line(self, line: OrderLine) -> bool:
        return (
            self.product_id in (None, line.product_id)
            and (self.sku is None or self.sku.casefold() == line.sku.casefold())
            and (self.name is None or fnmatchcase(line.name.casefold(), self.name.casefold()))
        )
