"""An order's record has all its lines and fees, however the API hands them out."""

from __future__ import annotations

from typing import Any

import pytest


def test_lines_are_collected_from_every_kind_of_consignment(shop: Any, run: Any) -> None:
    shop.order(1, 1, items_total=3)
    shop.lines[1] = [
        shop.line(1, 13, type="giftcertificate"),
        shop.line(1, 11),
        shop.line(1, 12, type="digital"),
    ]
    ran = run(shop, streams=("orders",))
    (order,) = ran.records("orders")
    assert [line["id"] for line in order["line_items"]] == [11, 12, 13]
    assert order["line_items"][0]["order_address_id"] == 7
    assert order["consignments"]["shipping"] == [{"id": 7, "cost_ex_tax": "5.1"}]
    assert order["consignments"]["email"]["gift_certificates"][0]["recipient_email"]
    assert "products" not in order
    assert list(shop.counts()) == ["/v2/orders"]


def test_without_the_include_lines_and_fees_are_read_by_themselves(shop: Any, run: Any) -> None:
    shop.includes = False
    shop.order(1, 1, items_total=300)
    shop.lines[1] = [shop.line(1, number) for number in range(1, 301)]
    shop.fees[1] = [{"id": 4, "cost_exc_tax": "1.0000", "cost_inc_tax": 1.5}]
    ran = run(shop, streams=("orders",))
    (order,) = ran.records("orders")
    assert len(order["line_items"]) == 300
    assert order["fees"] == [{"id": 4, "cost_inc_tax": "1.5", "cost_ex_tax": "1.0000"}]
    assert order["consignments"] is None


def test_more_than_250_included_lines_are_kept(shop: Any, run: Any) -> None:
    shop.order(1, 1, items_total=333)
    shop.lines[1] = [shop.line(1, number) for number in range(1, 334)]
    (order,) = run(shop, streams=("orders",)).records("orders")
    assert len(order["line_items"]) == 333


@pytest.mark.parametrize(
    ("kept", "items_total"), [(10, ""), (50, ""), (7, 60), (59, 60), (0, ""), (0, None)]
)
def test_an_include_that_is_cut_short_is_noticed(
    shop: Any, run: Any, kept: int, items_total: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.order(1, 1, items_total=items_total)
    shop.lines[1] = [shop.line(1, number) for number in range(1, 61)]
    whole = shop._shown

    def cut(row: Any, query: Any) -> Any:
        shown = whole(row, query)
        first = shown["consignments"]["shipping"][0]
        first["line_items"] = first["line_items"][:kept]
        return shown

    monkeypatch.setattr(shop, "_shown", cut)
    (order,) = run(shop, streams=("orders",)).records("orders")
    assert len(order["line_items"]) == 60


def cut_to(shop: Any, monkeypatch: pytest.MonkeyPatch, most: int, *, warns: bool) -> None:
    """Two consignments, of which the API includes at most so many lines each."""
    whole = shop._shown

    def cut(row: Any, query: Any) -> Any:
        shown = whole(row, query)
        consignments = shown["consignments"]
        if isinstance(consignments, dict) and "line_items" in consignments["shipping"][0]:
            lines = consignments["shipping"][0]["line_items"]
            consignments["shipping"] = [
                {"id": 7, "line_items": lines[:60][:most]},
                {"id": 8, "line_items": lines[60:][:most]},
            ]
            if warns:
                consignments["shipping"][0]["__warning__"] = "not all lines are shown"
        return shown

    monkeypatch.setattr(shop, "_shown", cut)


@pytest.mark.parametrize(("most", "warns"), [(50, False), (50, True), (49, True)])
def test_consignments_of_which_not_all_lines_are_included_are_noticed(
    shop: Any, run: Any, monkeypatch: pytest.MonkeyPatch, most: int, *, warns: bool
) -> None:
    shop.order(1, 1, items_total="")
    shop.lines[1] = [shop.line(1, number) for number in range(1, 74)]
    cut_to(shop, monkeypatch, most, warns=warns)
    (order,) = run(shop, streams=("orders",)).records("orders")
    assert len(order["line_items"]) == 73


def test_a_targeted_run_brings_the_products_of_lines_that_were_not_included(
    shop: Any, run: Any, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.order(1, 1)
    shop.lines[1] = [{**shop.line(1, n), "product_id": n} for n in range(1, 74)]
    shop.products = [{"id": n, "date_modified": at(1)} for n in range(1, 80)]
    cut_to(shop, monkeypatch, 50, warns=False)
    ran = run(shop, streams=("orders", "products"), order_ids=[1])
    assert ran.error is None
    assert ran.ids("products") == list(range(1, 74))
    assert len(ran.records("orders")[0]["line_items"]) == 73


def test_included_lines_without_accounting_fields_are_read_again(shop: Any, run: Any) -> None:
    shop.included_fields = {"id", "name", "quantity", "type"}
    shop.order(1, 1)
    (order,) = run(shop, streams=("orders",)).records("orders")
    assert order["line_items"][0]["discounted_total_inc_tax"] == "10.0000"


def test_a_field_that_products_lacks_as_well_costs_one_request_not_one_an_order(
    shop: Any, run: Any
) -> None:
    for number in range(1, 11):
        shop.order(number, number)
        shop.lines[number][0].pop("discounted_total_inc_tax")
    run(shop, streams=("orders",), max_concurrency=1)
    assert shop.counts()["/v2/orders/N/products"] == 1


def test_an_order_without_lines_is_an_order(shop: Any, run: Any) -> None:
    shop.order(1, 1, items_total=0)
    shop.lines[1] = []
    (order,) = run(shop, streams=("orders",)).records("orders")
    assert order["line_items"] == []
