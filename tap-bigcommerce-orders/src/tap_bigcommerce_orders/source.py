"""What a stream needs of the tap; so no stream has to know the tap, which knows all streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from tap_bigcommerce_orders.connection import Connection
    from tap_bigcommerce_orders.selected_orders import SelectedOrders


class Source(Protocol):
    """A store to read from."""

    @property
    def connection(self) -> Connection:
        """The store's API, shared by all streams."""

    @property
    def store_hash(self) -> str:
        """The store that is read."""

    @property
    def selected_orders(self) -> SelectedOrders | None:
        """The orders of `order_ids`; None in an ordinary run."""

    @property
    def started(self) -> datetime:
        """The run's start, in UTC."""
