"""The store and its small tables, read in full at each run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tap_bigcommerce_orders.errors import UnexpectedAnswer
from tap_bigcommerce_orders.pages import read_v2
from tap_bigcommerce_orders.schemas import store
from tap_bigcommerce_orders.streams.base import BigCommerceStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record


class StoreStream(BigCommerceStream):
    """The store's own data: time zone, currency, whether prices are entered with tax."""

    name = "store"
    path = "/v2/store"
    primary_keys = ("id",)
    schema = store.STORE

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        # "The store hash, a unique store identifier" (store information reference): what else
        # this address gives would be another store's too.
        if row.get("id") != self._tap.store_hash:
            raise UnexpectedAnswer(
                f"GET {self.path} answered for another store than {self._tap.store_hash}, the "
                "setting store_hash. Nothing was read: check store_hash and api_url."
            )
        return super().post_process(row, context)


class OrderStatusesStream(BigCommerceStream):
    """The fixed order statuses, with the merchant's own labels."""

    name = "order_statuses"
    path = "/v2/order_statuses"
    primary_keys = ("id",)
    schema = store.ORDER_STATUS


class PagedTableStream(BigCommerceStream):
    """A small v2 table that is paged."""

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        yield from read_v2(self.connection, self.path)


class TaxClassesStream(PagedTableStream):
    """Tax classes; orders may also name class 0, the default, which need not be listed."""

    name = "tax_classes"
    path = "/v2/tax_classes"
    primary_keys = ("id",)
    schema = store.TAX_CLASS


class CurrenciesStream(PagedTableStream):
    """Currencies and their rates to the store's default one."""

    name = "currencies"
    path = "/v2/currencies"
    primary_keys = ("id",)
    schema = store.CURRENCY
