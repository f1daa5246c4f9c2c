"""The store and its small tables, read in full at each run."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_bigcommerce_orders.errors import UnexpectedAnswer
from tap_bigcommerce_orders.pages import Row, pages, rows_of
from tap_bigcommerce_orders.schemas import store
from tap_bigcommerce_orders.streams.base import BigCommerceStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record


class TableStream(BigCommerceStream):
    """A small v2 table, paged by number."""

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/v2/{self.name}"

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        return chain.from_iterable(pages(self.connection, self.path))


class TaxClassesStream(TableStream):
    """Tax classes; orders may also name class 0, the default, which need not be listed."""

    name = "tax_classes"
    schema = store.TAX_CLASS


class CurrenciesStream(TableStream):
    """Currencies and their rates to the store's default one."""

    name = "currencies"
    schema = store.CURRENCY


class OrderStatusesStream(TableStream):
    """The fixed order statuses, with the merchant's own labels; all in one answer."""

    name = "order_statuses"
    schema = store.ORDER_STATUS

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        return rows_of(self.path, self.connection.get(self.path))


class StoreStream(TableStream):
    """The store's own data: time zone, currency, whether prices are entered with tax."""

    name = "store"
    schema = store.STORE

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        answer = self.connection.get(self.path)
        return [answer] if isinstance(answer, dict) and answer else rows_of(self.path, answer)

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        # "The store hash, a unique store identifier" (store information reference): what else
        # this address gives would be another store's too.
        if row.get("id") != self.source.store_hash:
            raise UnexpectedAnswer(
                f"GET {self.path} answered for another store than {self.source.store_hash}, the "
                "setting store_hash. Nothing was read: check store_hash and api_url."
            )
        return super().post_process(row, context)
