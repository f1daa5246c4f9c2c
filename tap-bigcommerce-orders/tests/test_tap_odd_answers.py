"""Answers of no known form: they cost their own field, or fail the run in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from tap_bigcommerce_orders.errors import BigCommerceError, UnexpectedAnswer
from tap_bigcommerce_orders.normalize import format_time, parse_time

ALL = (
    *("store", "currencies", "tax_classes", "order_statuses", "customers", "products"),
    *("transactions", "refunds", "order_taxes", "order_coupons", "orders"),
)
LISTS = [
    "/v2/currencies",
    "/v2/orders",
    "/v3/customers",
    "/v3/catalog/products",
    r"/v3/orders/\d+/transactions",
    "/v3/orders/payment_actions/refunds",
]


@pytest.fixture
def full(shop: Any) -> Any:
    """A shop with something in each list."""
    for number in (1, 2, 3):
        shop.order(number, number, total_tax="1.0000")
    shop.refund(9, 2, 2)
    shop.customers.append({"id": 5, "address_count": 2, "addresses": [], "date_modified": ""})
    shop.addresses.append({"id": 6, "customer_id": 5})
    shop.products.append({"id": 7, "name": "Mug"})
    shop.taxes[2] = [{"id": 1, "order_product_id": 20, "line_item_type": "item"}]
    return shop


@pytest.mark.parametrize("row", ["null", "5", '"mug"', "[]"])
@pytest.mark.parametrize("path", LISTS)
def test_a_row_that_is_no_object_fails_the_run_in_a_sentence(
    full: Any, run: Any, path: str, row: str
) -> None:
    body = f"[{row}]" if path.startswith("/v2") else f'{{"data": [{row}]}}'
    full.fault(path, "body", times=99, body=body.encode())
    ran = run(full, streams=ALL)
    assert isinstance(ran.error, UnexpectedAnswer)
    assert "a row that is no object" in str(ran.error)


@pytest.mark.parametrize(
    "said", [b'"id": null', b'"id": {}', b'"id": "x"', b'"id": 1.5', b'"x": 1']
)
@pytest.mark.parametrize("path", LISTS[1:])
def test_a_row_without_a_usable_id_fails_the_run_in_a_sentence(
    full: Any, run: Any, path: str, said: bytes
) -> None:
    number = {"/v2/orders": 2, LISTS[2]: 5, LISTS[3]: 7, LISTS[4]: 200, LISTS[5]: 9}[path]
    full.fault(path, "replace", times=99, old=b'"id": %d,' % number, new=said + b",")
    ran = run(full, streams=ALL)
    assert isinstance(ran.error, UnexpectedAnswer)
    assert "without a usable id" in str(ran.error)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("/v3/catalog/products", b'"meta": {', b'"meta": [], "x": {'),
        ("/v3/catalog/products", b'"pagination": {', b'"pagination": 5, "x": {'),
        ("/v3/catalog/products", b'"total_pages": 1', b'"total_pages": "many"'),
        (r"/v3/orders/\d+/transactions", b'"total": 1', b'"total": []'),
        ("/v3/customers", b'"links": {}', b'"links": [1]'),
        ("/v3/customers", b'"address_count": 2', b'"address_count": "x"'),
        ("/v3/customers", b'"addresses": []', b'"addresses": 3'),
        (r"/v2/orders/\d+/taxes", b'"order_product_id": 20', b'"order_product_id": "x"'),
        ("/v2/orders", b'"fees": []', b'"fees": 5'),
        ("/v2/orders", b'"line_items": [{', b'"line_items": [null, {'),
        ("/v2/orders", b'"line_items": [{"id": 20', b'"line_items": [{"id": "x"'),
        ("/v2/orders", b'"quantity": 1', b'"quantity": []'),
    ],
)
def test_an_odd_field_loses_no_order(
    full: Any, run: Any, path: str, old: bytes, new: bytes
) -> None:
    full.fault(path, "replace", times=99, old=old, new=new)
    ran = run(full, streams=ALL)
    assert ran.error is None
    assert sorted(ran.ids("orders")) == [1, 2, 3]
    assert full.faults[0]["times"] < 99


def test_an_order_that_comes_with_odd_lines_has_them_read_by_themselves(
    full: Any, run: Any
) -> None:
    full.fault(
        "/v2/orders", "replace", times=99, old=b'"line_items": [{', new=b'"line_items": [7, {'
    )
    ran = run(full)
    assert [len(order["line_items"]) for order in ran.records("orders")] == [1, 1, 1]


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_moment_outside_all_time_is_none(written: str) -> None:
    assert parse_time(written) is None


def test_a_moment_is_written_so_that_it_is_read_again() -> None:
    first = parse_time("0001-01-01T00:00:00+00:00")
    assert first is not None
    assert format_time(first) == "0001-01-01T00:00:00Z"


def test_all_that_stops_a_run_is_of_one_kind() -> None:
    assert issubclass(UnexpectedAnswer, BigCommerceError)
