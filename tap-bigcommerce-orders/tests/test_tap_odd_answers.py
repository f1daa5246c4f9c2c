"""Answers of no known form: they cost their field, mark their order, or end the run in a sentence.

Only where no order can be told does the run end.
"""

from __future__ import annotations

from typing import Any

import pytest
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR
from tap_bigcommerce_orders.errors import BigCommerceError, UnexpectedAnswer
from tap_bigcommerce_orders.normalize import format_time, parse_time
from tap_bigcommerce_orders.tap import STREAMS

ALL = (
    *("store", "currencies", "tax_classes", "order_statuses", "customers", "products"),
    *("transactions", "refunds", "order_taxes", "order_coupons", "orders"),
)
REFUNDS = "/v3/orders/payment_actions/refunds"
LISTS = ["/v2/currencies", "/v2/orders", "/v3/customers", "/v3/catalog/products", REFUNDS]
IDS = {
    "/v2/orders": 2,
    "/v2/currencies": 1,
    "/v2/order_statuses": 11,
    "/v2/tax_classes": '"1"',
    "/v3/customers": 5,
    "/v3/catalog/products": 7,
}
"""Lists of which no row may lack its id, with the id of a row."""
PARTS = {
    "/v3/orders/2/transactions": b'"id": 200,',
    "/v3/orders/2/payment_actions/refunds": b'"id": 9,',
    "/v2/orders/2/taxes": b"",
    "/v2/orders/2/coupons": b'"id": 8,',
    "/v2/orders/2/products": b"",
}
"""What is read of one order by itself, with the id of a row where it needs one."""


@pytest.fixture
def full(shop: Any) -> Any:
    """A shop with something in each list."""
    for number in (1, 2, 3):
        shop.order(number, number, total_tax="1.0000", coupon_discount="1.0000", items_total=2)
    shop.refund(9, 2, 2)
    shop.customers.append({"id": 5, "address_count": 2, "addresses": [], "date_modified": ""})
    shop.addresses.append({"id": 6, "customer_id": 5})
    shop.products.append({"id": 7, "name": "Mug"})
    shop.taxes[2] = [{"id": 1, "order_product_id": 20, "line_item_type": "item"}]
    shop.coupons[2] = [{"id": 8, "code": "TEN"}]
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
    assert f"a row that is no object in what GET {path} answered" in str(ran.error)


@pytest.mark.parametrize(
    "said", [b'"id": null', b'"id": {}', b'"id": "x"', b'"id": 1.5', b'"x": 1']
)
@pytest.mark.parametrize("path", IDS)
def test_a_row_without_a_usable_id_fails_the_run_in_a_sentence(
    full: Any, run: Any, path: str, said: bytes
) -> None:
    full.customers[0]["address_count"] = 0
    old = f'"id": {IDS[path]},'.encode()
    full.fault(path, "replace", times=99, old=old, new=said + b",")
    ran = run(full, streams=ALL)
    assert isinstance(ran.error, UnexpectedAnswer)
    assert f"without a usable id in what GET {path} answered" in str(ran.error)


def test_a_refund_of_nobody_knows_which_order_fails_the_run_in_a_sentence(
    full: Any, run: Any
) -> None:
    full.refund(10, 4, 4)
    full.fault(REFUNDS, "replace", times=99, old=b'"order_id": 4', new=b'"order_id": null')
    ran = run(full, streams=ALL)
    assert isinstance(ran.error, UnexpectedAnswer)
    assert f"without a usable order_id in what GET {REFUNDS} answered" in str(ran.error)
    assert sorted(ran.ids("orders")) == [1, 2, 3]


def marked(ran: Any) -> dict[int, Any]:
    """The orders that came, each with what of it cannot be read."""
    return {row["id"]: row.get("unreadable_parts") for row in ran.records("orders")}


@pytest.mark.more
@pytest.mark.parametrize("body", [b'{"x": 1}', b"[null]", b'{"data": [7]}', b'"mug"'])
@pytest.mark.parametrize("path", PARTS)
def test_a_part_that_is_no_list_of_objects_marks_its_order_and_stops_no_other(
    full: Any, run: Any, path: str, body: bytes
) -> None:
    full.refunds.clear()  # one that is swept would read its order once more
    full.fault(REFUNDS, "body", times=1, body=b'{"x": 1}')  # so that they are read by order
    full.fault(path, "body", times=99, body=body)
    ran = run(full, streams=ALL)
    assert ran.error is None
    assert marked(ran) == {1: None, 2: [path], 3: None}
    assert ran.bookmark() is not None


@pytest.mark.more
@pytest.mark.parametrize(
    "said", [b'"id": ' + b"1" * 5_000, b'"id": null', b'"id": "ch_1abc"', b'"id": 1.5', b'"x": 1']
)
@pytest.mark.parametrize("path", [path for path, row in PARTS.items() if row])
def test_a_part_without_a_usable_id_marks_its_order_and_stops_no_other(
    full: Any, run: Any, path: str, said: bytes
) -> None:
    odd = {"times": 99, "old": PARTS[path], "new": said + b","}
    full.fault(f"{path}|{REFUNDS}", "replace", **odd)
    ran = run(full, streams=ALL)
    assert ran.error is None
    assert marked(ran) == {1: None, 2: [path], 3: None}
    again = run(full, streams=ALL, state=ran.states[-1])
    assert again.error is None
    full.faults.clear()
    assert marked(run(full, streams=ALL, order_ids=[2])) == {2: None}


MISSING = ("/v3/orders/2/payment_actions/refunds", "/v2/orders/2/products")
"""What 404 is no way of saying "none" of; nor is it of transactions, if the order is 404 too."""


@pytest.mark.parametrize("path", [*MISSING, "/v3/orders/2/transactions|/v2/orders/2"])
def test_a_part_that_is_missing_marks_its_order_and_stops_no_other(
    full: Any, run: Any, path: str
) -> None:
    full.refunds.clear()
    full.fault(REFUNDS, "body", times=1, body=b'{"x": 1}')
    full.fault(path, "404", times=99)
    full.included_fields = {"id", "name", "quantity", "type"}
    ran = run(full, streams=ALL, max_concurrency=1)
    assert ran.error is None
    assert marked(ran) == {1: None, 2: [path.partition("|")[0]], 3: None}


@pytest.mark.parametrize("includes", [True, False])
def test_an_archived_order_of_which_nothing_is_to_be_had_is_given_without_it(
    full: Any, run: Any, includes: bool
) -> None:
    full.refunds.clear()
    full.fault(REFUNDS, "body", times=1, body=b'{"x": 1}')
    full.includes, full.orders[2]["is_deleted"] = includes, True
    full.fault(".*/orders/2(/.*)?", "404", times=99)
    ran = run(full, streams=ALL)
    assert ran.error is None
    assert marked(ran) == {1: None, 2: None, 3: None}
    assert [row["is_deleted"] for row in ran.records("orders") if row["id"] == 2] == [True]


def test_lines_that_cannot_be_read_do_not_speak_for_those_of_other_orders(
    full: Any, run: Any
) -> None:
    for order in full.orders.values():
        order["items_total"] = 1
    full.included_fields = {"id", "name", "quantity", "type"}
    full.fault("/v2/orders/1/products", "body", times=99, body=b'{"x": 1}')
    ran = run(full, streams=ALL, max_concurrency=1)
    assert marked(ran)[1] == ["/v2/orders/1/products"]
    lines = [row["line_items"][0] for row in ran.records("orders") if row["id"] != 1]
    assert [line["discounted_total_inc_tax"] for line in lines] == ["10.0000"] * 2


def test_a_part_that_is_missing_fails_the_run_where_no_order_could_say_so(
    full: Any, run: Any
) -> None:
    full.fault("/v3/orders/2/transactions|/v2/orders/2", "404", times=99)
    ran = run(full, streams=("transactions",))
    assert isinstance(ran.error, UnexpectedAnswer)
    assert "/v3/orders/2/transactions" in str(ran.error)


def test_an_order_asked_for_by_number_is_marked_as_well(full: Any, run: Any) -> None:
    for path in PARTS:
        full.fault(path, "body", times=99, body=b'{"x": 1}')
    full.fault(REFUNDS, "body", times=99, body=b'{"x": 1}')
    ran = run(full, streams=ALL, order_ids=[2])
    assert ran.error is None
    assert sorted(marked(ran)[2]) == sorted(PARTS)


@pytest.mark.parametrize("body", [b'[{"id": 4}]', b'"busy"', b"[]", b"null", b"0"])
@pytest.mark.parametrize("more", [{}, {"order_ids": [4]}], ids=["by its refund", "by number"])
def test_an_order_s_own_answer_that_is_no_object_is_not_taken_for_no_such_order(
    full: Any, run: Any, body: bytes, more: dict[str, Any]
) -> None:
    full.refund(10, 4, 4)
    full.fault("/v2/orders/4", "body", times=99, body=body)
    ran = run(full, streams=ALL, **more)
    assert isinstance(ran.error, UnexpectedAnswer)
    assert "GET /v2/orders/4" in str(ran.error)
    assert ran.bookmark("refunds") is None


def test_an_odd_refund_of_an_order_that_is_gone_fails_the_run_in_a_sentence(
    full: Any, run: Any
) -> None:
    full.refund(10, 4, 4)
    full.fault(REFUNDS, "replace", times=99, old=b'"id": 10,', new=b'"id": null,')
    ran = run(full, streams=ALL)
    assert f"without a usable id in what GET {REFUNDS} answered" in str(ran.error)
    assert ran.ids("refunds") == [9]


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
    for stream in STREAMS:
        validator = DEFAULT_JSONSCHEMA_VALIDATOR(stream.schema)
        for record in ran.records(stream.name):
            assert [error.message for error in validator.iter_errors(record)] == []


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
