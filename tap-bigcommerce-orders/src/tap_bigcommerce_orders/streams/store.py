"""The store, read at each run, and its small tables, read in full once a day.

The store's record is asked for each time: it says whose answers these are and in which time zone
and currency the orders are, for whatever ledger is at the other end, which may be a new one.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_bigcommerce_orders.errors import UnexpectedAnswer
from tap_bigcommerce_orders.normalize import format_time, parse_time
from tap_bigcommerce_orders.pages import Row, check_ids, pages, rows_of
from tap_bigcommerce_orders.schemas import store
from tap_bigcommerce_orders.state_memory import READ_AT
from tap_bigcommerce_orders.streams.base import BigCommerceStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record

A_DAY = timedelta(days=1)


class TableStream(BigCommerceStream):
    """A small v2 table, paged by number."""

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/v2/{self.name}"

    def rows(self) -> Iterable[Row]:
        """Ask for all of it."""
        found = pages(self.connection, self.path)
        return chain.from_iterable(check_ids(self.path, rows) for rows in found)

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        return self.rows()


class DailyTableStream(TableStream):
    """A table that seldom changes, and that nothing is booked by."""

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        now, last = self.source.started, parse_time(self.stream_state.get(READ_AT))
        if last is not None and last <= now < last + A_DAY:
            return
        yield from self.rows()
        self.stream_state[READ_AT] = format_time(now)


class TaxClassesStream(DailyTableStream):
    """Tax classes; orders may also name class 0, the default, which need not be listed."""

    name = "tax_classes"
    schema = store.TAX_CLASS


class CurrenciesStream(DailyTableStream):
    """Currencies and their rates to the store's default one."""

    name = "currencies"
    schema = store.CURRENCY


class OrderStatusesStream(DailyTableStream):
    """The fixed order statuses, with the merchant's own labels; all in one answer."""

    name = "order_statuses"
    schema = store.ORDER_STATUS

    @override
    def rows(self) -> Iterable[Row]:
        return check_ids(self.path, rows_of(self.path, self.connection.get(self.path)))


class StoreStream(TableStream):
    """The store's own data: time zone, currency, whether prices are entered with tax."""

    name = "store"
    schema = store.STORE

    @override
    def rows(self) -> Iterable[Row]:
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
