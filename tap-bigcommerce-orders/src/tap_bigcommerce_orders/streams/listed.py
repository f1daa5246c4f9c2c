"""Customers and products: v3 lists, incremental by modification.

Customers are paged by a cursor (the only endpoint here that has one); addresses beyond the ten that
are included come from their own endpoint. Products are paged by id, with their variants. A run for
selected orders reads only whom and what they name. Source: BigCommerce v3 customers and catalog
references.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_bigcommerce_orders.normalize import parse_time, whole
from tap_bigcommerce_orders.pages import Row, by_cursor, by_id, check_ids, id_of, pages, rows_named
from tap_bigcommerce_orders.schemas import catalog, customers
from tap_bigcommerce_orders.streams.base import BigCommerceStream
from tap_bigcommerce_orders.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from singer_sdk.helpers.types import Context

    from tap_bigcommerce_orders.pages import Token
    from tap_bigcommerce_orders.state_memory import GivenRows


class ListedStream(BigCommerceStream):
    """Rows of a list.

    Attributes:
        path: Where it is.
        include: What comes with each row.
        way: How the next page is asked for, one of `pages`.
    """

    replication_key = "date_modified"
    path: ClassVar[str]
    include: ClassVar[str]
    way: ClassVar[Callable[..., Token | None]]

    def complete(self, rows: list[Row]) -> list[Row]:
        """Add to the rows of a page what did not come with them."""
        return rows

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        orders, include = self.source.selected_orders, {"include": self.include}
        if orders is not None:
            ids = orders.named(self.name)
            found = rows_named(self.connection, self.path, "id", ids, include)
        else:
            end = self.window_end if self.config.get("end_date") else None
            window = Window(self.window_start(), end)
            limited = {**include, "limit": self.config["page_size"]}
            params = {**limited, **window.bounds("date_modified")}
            found = (
                [row for row in page if window.holds(row.get("date_modified"))]
                for page in pages(self.connection, self.path, params, way=self.way)
            )
        for rows in found:
            yield from self.complete(check_ids(self.path, rows))


class CustomersStream(ListedStream):
    """Registered customers, with all of their addresses; guests exist only in their orders."""

    name = "customers"
    path = "/v3/customers"
    schema = customers.CUSTOMER
    include = "addresses,formfields"
    way = staticmethod(by_cursor)

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        yield from super().get_records(context)
        self.remember(self._given)

    @cached_property
    def _given(self) -> GivenRows:
        """Customers with further addresses; one given as it is need not be asked for them again."""
        return self.given_rows()

    @override
    def complete(self, rows: list[Row]) -> list[Row]:
        long = [row for row in rows if (whole(row.get("address_count")) or 0) > _included(row)]
        incremental = self.source.selected_orders is None
        known = [row for row in long if incremental and self._given.holds(row)]
        for row in long:
            self._given.note(row, parse_time(row.get("date_modified")))
        rows = [row for row in rows if row not in known]
        found = {id_of(row): _included_by_id(row) for row in long if row not in known}
        path = "/v3/customers/addresses"
        for page in rows_named(self.connection, path, "customer_id", found.keys(), {}):
            for address in page:
                found[id_of(address, "customer_id")][id_of(address, path=path)] = address
        for row in rows:
            if id_of(row) in found:
                row["addresses"] = list(found[id_of(row)].values())
        return rows


def _included(customer: Row) -> int:
    """How many addresses came with the customer."""
    addresses = customer.get("addresses")
    return len(addresses) if isinstance(addresses, list) else 0


def _included_by_id(customer: Row) -> dict[int, Row]:
    """The addresses that came with the customer and that can be told from others."""
    addresses = customer["addresses"] if _included(customer) else []
    numbered = [(whole(row.get("id")), row) for row in addresses if isinstance(row, dict)]
    return {number: row for number, row in numbered if number is not None}


class ProductsStream(ListedStream):
    """The catalog's products, with their variants."""

    name = "products"
    path = "/v3/catalog/products"
    schema = catalog.PRODUCT
    include = "variants"
    way = staticmethod(by_id)
