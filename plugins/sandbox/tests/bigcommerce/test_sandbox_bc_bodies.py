"""What the shop is told is understood at once, or refused with the reason; then it still works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Shop

LINE = {"name": "Mug", "price": "10.00"}


@pytest.mark.parametrize(
    "fields",
    [
        {"currency": "AUD"},
        {"display_currency": "AUD"},
        {"lines": [{**LINE, "price": "abc"}]},
        {"lines": [{**LINE, "price": "NaN"}]},
        {"lines": [{**LINE, "price": "1E+400"}]},
        {"lines": [{**LINE, "quantity": 0}]},
        {"lines": [{**LINE, "quantity": 10**20}]},
        {"lines": [{**LINE, "parent_line": 99_999_999}]},
        {"lines": [{**LINE, "address": -1}]},
        {"lines": [{**LINE, "kind": "abc"}]},
        {"lines": [{**LINE, "taxes": [{"name": "VAT", "percent": "99999999"}]}]},
        {"lines": [LINE], "discounts": [{"amount": "1.00", "lines": [99_999_999]}]},
        {"lines": [LINE], "discounts": [{"amount": "1.00", "kind": "abc"}]},
        {"lines": "abc"},
        {"status_id": 99_999_999},
        {"status_id": "abc"},
        {"rounding_strategy": "abc"},
        {"id": 10**30},
        {"created": "abc"},
        {"created": 5},
        {"created": "0001-01-01T00:00:00Z"},
        {"billing": {"email": 7}},
        {"transactions": [{"amount": "abc"}]},
        {"nonsense": 1},
    ],
)
def test_an_order_that_cannot_be_is_refused(shop: Shop, fields: dict[str, Any]) -> None:
    answer = shop.control.post("shop/orders", json={"lines": [LINE], **fields})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    number = shop.sell()["id"]
    refused = shop.control.post(f"shop/orders/{number}/edit", json=fields)
    assert refused.status_code == 400, refused.text
    rows = shop.rows("v2/orders", include="consignments.line_items", consignment_structure="object")
    assert [row["id"] for row in rows] == [number]
    assert shop.rows(f"v2/orders/{number}/products")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "shop/orders/{id}/status", {"status_id": "abc"}),
        ("POST", "shop/orders/{id}/status", {}),
        ("POST", "shop/orders/{id}/capture", {"amount": "abc"}),
        ("POST", "shop/orders/{id}/touch", {"modified": "abc"}),
        ("POST", "shop/orders/{id}/touch", {"modified": "9999-12-31T23:59:59Z"}),
        ("POST", "shop/orders/{id}/refund", {"lines": [{"line": 99, "quantity": 1}]}),
        ("POST", "shop/orders/{id}/refund", {"lines": [{"line": 0, "quantity": -1}]}),
        ("POST", "shop/orders/{id}/refund", {"order_amount": "abc"}),
        ("POST", "shop/orders/{id}/refund", []),
        ("POST", "shop/orders/{id}/transactions", {"amount": "-5.00", "at": "abc"}),
        ("POST", "shop/orders/{id}/decline_refund", {}),
        ("POST", "shop/products/101", {"price": "abc"}),
        ("POST", "shop/products/101", {"name": None}),
        ("POST", "shop/products/101", {"variants": "abc"}),
        ("POST", "shop/products/101", {"id": 7}),
        ("POST", "shop/customers/11", {"addresses": "abc"}),
        ("POST", "shop/customers/11", {"email": 5}),
        ("POST", "shop/customers", {"email": 5}),
        ("POST", "shop/seed", {"orders": 99_999_999}),
        ("POST", "shop/seed", {"orders": -1}),
        ("POST", "shop/seed", {"month": "abc"}),
        ("POST", "shop/tokens", {"token": "other", "scopes": "abc"}),
        ("POST", "shop/tokens", {"token": "other", "scopes": [["abc"]]}),
        ("POST", "shop/forge", {"order_id": "abc"}),
        ("POST", "shop/forge", {"order_id": 1, "forgery": "abc"}),
        ("PUT", "shop/mischief", {"late_seconds": "abc"}),
        ("PUT", "shop/mischief", {"drop_percent": 101}),
        ("PUT", "shop/mischief", {"most_copies": 1}),
        ("PUT", "switches", {"bc.quota_window_seconds": 0}),
        ("PUT", "switches", {"bc.store_hash": "a/b"}),
    ],
)
def test_an_odd_body_is_refused_and_the_shop_still_works(
    shop: Shop, method: str, path: str, body: object
) -> None:
    number = shop.sell()["id"]
    answer = shop.control.request(method, path.format(id=number), json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    subscribed = {"scope": "store/order/*", "destination": "http://127.0.0.1:9/"}
    assert shop.http.post("v3/hooks", json=subscribed).status_code == 200
    shop.sell()
    for read in ("v2/orders", "v3/customers?include=addresses,storecredit"):
        assert shop.ask(read).status_code == 200
    assert shop.ask("v3/catalog/products", include="variants").status_code == 200


def test_what_is_not_there_is_404_and_says_what(shop: Shop) -> None:
    for path in ("shop/orders/77", "shop/customers/999999"):
        answer = shop.control.request("GET" if "orders" in path else "POST", path, json={})
        assert answer.status_code == 404
        assert "there is no" in answer.json()["error"]


def test_a_time_without_a_zone_is_utc(shop: Shop) -> None:
    number = shop.sell(created="2026-10-31T23:30:00")["id"]
    shop.do(f"shop/orders/{number}/touch", {"modified": "2026-11-01T12:00:00"})
    order = shop.rows(f"v2/orders/{number}")
    assert order["date_created"] == "Sat, 31 Oct 2026 23:30:00 +0000"
    assert order["date_modified"] == "Sun, 01 Nov 2026 12:00:00 +0000"
