"""The traps of v2 orders, each seen with a raw client."""

from __future__ import annotations

import json
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Shop

D = Decimal


def ids(rows: list[dict[str, object]]) -> list[object]:
    return [row["id"] for row in rows]


def test_money_is_text_with_four_decimals_and_rates_have_ten(month: Shop) -> None:
    for order in month.rows("v2/orders", limit=250):
        for name in ("total_inc_tax", "subtotal_ex_tax", "store_credit_amount", "discount_amount"):
            whole, _, decimals = order[name].partition(".")
            assert whole.lstrip("-").isdigit()
            assert len(decimals) == 4
        assert len(order["currency_exchange_rate"].partition(".")[2]) == 10
        assert order["refunded_amount"] == "0.0000", "always, whatever was refunded"


def test_money_of_consignments_is_a_json_number_written_exactly(month: Shop) -> None:
    number = month.case("tax_on_all_charges")
    query = "include=consignments.line_items&consignment_structure=object"
    text = month.http.get(f"v2/orders/{number}?{query}").text
    assert '"cost_inc_tax":13.02,' in text
    assert '"base_handling_cost":2.5,' in text
    order = json.loads(text, parse_float=D)
    shipping = order["consignments"]["shipping"][0]
    assert shipping["cost_inc_tax"] == D(order["shipping_cost_inc_tax"])


def test_dates_are_rfc_2822_in_utc_and_an_unset_one_is_empty(month: Shop) -> None:
    orders = month.rows("v2/orders", limit=250)
    for order in orders:
        assert order["date_modified"].endswith(" +0000")
        assert parsedate_to_datetime(order["date_modified"])
    assert "" in {order["date_shipped"] for order in orders}


def test_a_page_past_the_end_is_204_without_a_body(month: Shop) -> None:
    answer = month.ask("v2/orders", page=9)
    assert (answer.status_code, answer.content) == (204, b"")
    month.switch(empty="[]")
    assert month.rows("v2/orders", page=9) == []
    month.switch(empty="mixed")
    assert month.ask("v2/orders", page=9).status_code == 204
    assert month.rows(f"v2/orders/{month.case('tax_none')}/taxes") == []


def test_fifty_rows_are_a_page_unless_told_otherwise(month: Shop) -> None:
    assert len(month.rows("v2/orders")) == 50
    assert len(month.rows("v2/orders", limit=7)) == 7


def test_more_than_250_rows_are_clamped_or_refused(shop: Shop) -> None:
    shop.sell({"name": "Bead", "price": "0.10"}, *[{"name": "Bead", "price": "0.10"}] * 299)
    number = shop.rows("v2/orders")[0]["id"]
    assert len(shop.rows(f"v2/orders/{number}/products", limit=300)) == 250
    shop.switch(limit_over_250="413")
    assert shop.ask(f"v2/orders/{number}/products", limit=251).status_code == 413


def test_an_order_of_260_lines_has_six_pages_of_products(month: Shop) -> None:
    path = f"v2/orders/{month.case('lines_more_than_250')}/products"
    seen = [row for page in range(1, 7) for row in month.rows(path, page=page)]
    assert len(seen) == len({row["id"] for row in seen}) == 260
    assert month.ask(path, page=7).status_code == 204
    assert len(month.rows(path, limit=250)) == 250


def test_without_include_the_parts_are_links_and_with_it_they_are_data(month: Shop) -> None:
    number = month.case("tax_on_fee")
    plain = month.rows(f"v2/orders/{number}")
    for name in ("products", "shipping_addresses", "coupons", "consignments", "fees"):
        assert set(plain[name]) == {"url", "resource"}
    assert plain["shipping_addresses"]["url"].endswith("/shippingaddresses")
    full = month.rows(
        "v2/orders",
        min_id=number,
        max_id=number,
        include="consignments.line_items,fees",
        consignment_structure="object",
    )[0]
    assert full["fees"][0]["cost_inc_tax"] == "3.6100"
    assert full["consignments"]["shipping"][0]["line_items"] == month.rows(
        f"v2/orders/{number}/products"
    )
    assert set(full["products"]) == {"url", "resource"}, "there is no include=products"


def test_line_items_are_spread_over_the_kinds_of_consignment(month: Shop) -> None:
    def consignments(name: str) -> dict[str, object]:
        query = {"include": "consignments.line_items", "consignment_structure": "object"}
        return month.rows(f"v2/orders/{month.case(name)}", **query)["consignments"]

    digital = consignments("item_digital")
    assert digital["shipping"] == []
    assert len(digital["downloads"][0]["line_items"]) == 1
    sold = consignments("gift_certificate_sold_beside_goods")
    line = sold["email"]["gift_certificates"][0]["line_items"][0]
    assert (line["type"], line["product_id"], line["order_address_id"]) == ("giftcertificate", 0, 0)
    assert len(sold["shipping"][0]["line_items"]) == 1


def test_each_address_has_its_own_lines_and_cost(month: Shop) -> None:
    path = f"v2/orders/{month.case('ship_to_two_addresses')}"
    order = month.rows(path, include="consignments.line_items", consignment_structure="object")
    first, second = order["consignments"]["shipping"]
    assert [line["name"] for line in second["line_items"]] == ["Stoneware Mug"]
    assert (first["cost_inc_tax"], second["cost_inc_tax"]) == (D("7.23"), D("9.95"))
    assert D(order["shipping_cost_inc_tax"]) == D("17.18")
    rows = month.rows(path + "/shipping_addresses")
    assert [row["cost_inc_tax"] for row in rows] == ["7.2300", "9.9500"]


def test_an_unknown_or_unreadable_filter_is_ignored_and_gives_everything(month: Shop) -> None:
    everything = ids(month.rows("v2/orders", limit=250))
    for filters in (
        {"id__in": "1001"},
        {"nonsense": "1"},
        {"min_id": "abc"},
        {"min_date_modified": "yesterday"},
        {"min_date_modified": "2026-10-20T00:00:00 00:00"},  # a + that was not encoded
    ):
        assert ids(month.rows("v2/orders", limit=250, **filters)) == everything


@pytest.mark.parametrize(
    "moment",
    [
        "2026-10-20T15:00:00Z",
        "2026-10-20T15:00:00+00:00",
        "2026-10-20T11:00:00.000-04:00",
        "Tue, 20 Oct 2026 15:00:00 +0000",
        "Tue, 20 Oct 2026 11:00:00 -0400",
    ],
)
def test_a_date_filter_takes_iso_and_rfc_2822(month: Shop, moment: str) -> None:
    rows = month.rows("v2/orders", limit=250, min_date_modified=moment)
    dates = [parsedate_to_datetime(row["date_modified"]) for row in rows]
    assert min(dates) == parsedate_to_datetime("Tue, 20 Oct 2026 15:00:00 +0000")
    later = month.rows("v2/orders", limit=250, max_date_modified=moment)
    assert max(parsedate_to_datetime(row["date_modified"]) for row in later) == min(dates)


def test_a_bound_is_inclusive_or_not_by_switch(month: Shop) -> None:
    window = {
        "min_date_modified": "2026-10-20T15:00:00Z",
        "max_date_modified": "2026-10-20T15:00:00Z",
    }
    assert len(month.rows("v2/orders", limit=250, **window)) >= 10
    month.switch(inclusive_filters=False)
    assert month.ask("v2/orders", **window).status_code == 204


def test_orders_come_by_id_or_by_the_sort_asked_for(month: Shop) -> None:
    by_id = ids(month.rows("v2/orders", limit=250))
    assert by_id == sorted(by_id)
    rows = month.rows("v2/orders", limit=250, sort="date_modified:asc")
    dates = [parsedate_to_datetime(row["date_modified"]) for row in rows]
    assert dates == sorted(dates)
    assert ids(rows) != by_id
    rows = month.rows("v2/orders", limit=250, sort="date_modified:desc")
    assert parsedate_to_datetime(rows[0]["date_modified"]) == dates[-1]


def test_the_order_of_equal_dates_is_a_switch(month: Shop) -> None:
    window = {
        "sort": "date_modified:asc",
        "min_date_modified": "2026-10-20T15:00:00Z",
        "max_date_modified": "2026-10-20T15:00:00Z",
    }
    by_id = ids(month.rows("v2/orders", **window))
    assert by_id == sorted(by_id)
    month.switch(tie_order="id_desc")
    assert ids(month.rows("v2/orders", **window)) == by_id[::-1]
    month.switch(tie_order="shuffled")
    shuffled = ids(month.rows("v2/orders", **window))
    assert shuffled not in (by_id, by_id[::-1])
    assert shuffled == ids(month.rows("v2/orders", **window))
    month.switch(tie_order="random")
    assert len({tuple(ids(month.rows("v2/orders", **window))) for _ in range(10)}) > 1


def test_a_row_that_moves_shifts_the_rows_behind_it_over_the_page_border(shop: Shop) -> None:
    numbers = [shop.sell(modified=f"2026-11-01T00:0{n}:00+00:00")["id"] for n in range(4)]
    walk = {"sort": "date_modified:asc", "limit": 2}
    first = ids(shop.rows("v2/orders", page=1, **walk))
    shop.do(f"shop/orders/{numbers[0]}/touch")
    second = ids(shop.rows("v2/orders", page=2, **walk))
    assert numbers[2] not in first + second, "the third order is on no page"


def test_archived_orders_are_in_lists_by_switch_only(month: Shop) -> None:
    number = month.case("state_archived")
    assert number not in ids(month.rows("v2/orders", limit=250))
    assert month.rows(f"v2/orders/{number}")["is_deleted"] is True
    month.switch(archived_in_lists=True, archived_by_id="404")
    rows = {row["id"]: row for row in month.rows("v2/orders", limit=250)}
    assert rows[number]["is_deleted"] is True
    own = (
        f"v2/orders/{number}",
        f"v2/orders/{number}/products",
        f"v3/orders/{number}/transactions",
    )
    assert [month.ask(path).status_code for path in own] == [404, 404, 404]


def test_the_archive_filter_is_gone_or_works_by_switch(month: Shop) -> None:
    number = month.case("state_archived")
    assert number not in ids(month.rows("v2/orders", limit=250, is_deleted="true"))
    month.switch(is_deleted_filter="honoured")
    assert number in ids(month.rows("v2/orders", limit=250, is_deleted="true"))


def test_incomplete_and_migrated_orders_are_in_the_list(month: Shop) -> None:
    listed = ids(month.rows("v2/orders", limit=250))
    assert month.case("state_incomplete") in listed
    migrated = month.rows(f"v2/orders/{month.case('state_migrated')}")
    assert migrated["external_source"] == "M-MIG"
    assert "2024" in migrated["date_created"]


def test_an_order_that_does_not_exist_is_an_array_with_a_404(month: Shop) -> None:
    answer = month.ask("v2/orders/999999")
    assert answer.status_code == 404
    assert answer.json() == [{"status": 404, "message": "The requested resource was not found."}]


def test_the_currency_of_the_amounts_is_the_one_called_default(month: Shop) -> None:
    order = month.rows(f"v2/orders/{month.case('currency_shown_in_another')}")
    assert (order["currency_code"], order["default_currency_code"]) == ("CAD", "USD")
    assert order["currency_exchange_rate"] == "1.3620000000"


def test_a_custom_product_has_no_product_and_no_variant(month: Shop) -> None:
    line = month.rows(f"v2/orders/{month.case('item_custom_product')}/products")[0]
    assert (line["product_id"], line["variant_id"], line["sku"]) == (0, 0, "")


def test_children_of_a_bundle_cost_nothing_and_name_their_parent(month: Shop) -> None:
    parent, *children = month.rows(f"v2/orders/{month.case('item_bundle')}/products")
    assert {child["parent_order_product_id"] for child in children} == {parent["id"]}
    assert {child["total_inc_tax"] for child in children} == {"0.0000"}


def test_a_refund_shows_on_the_line_but_never_as_an_amount(month: Shop) -> None:
    line = month.rows(f"v2/orders/{month.case('refund_product')}/products")[0]
    assert (line["quantity_refunded"], line["is_refunded"]) == (1, False)
    assert line["refund_amount"] == "0.0000"


def test_subtotals_hold_the_fees_by_switch_and_totals_stay(month: Shop) -> None:
    path = f"v2/orders/{month.case('tax_on_fee')}"
    beside = month.rows(path)
    month.switch(fees_in_subtotal=True)
    inside = month.rows(path)
    assert D(inside["subtotal_inc_tax"]) - D(beside["subtotal_inc_tax"]) == D("3.61")
    assert inside["total_inc_tax"] == beside["total_inc_tax"]


@pytest.mark.parametrize("form", ["array", "wrapped", "misspelt"])
def test_fees_come_in_three_forms(month: Shop, form: str) -> None:
    month.switch(fees_form=form)
    body = month.rows(f"v2/orders/{month.case('fee_untaxed')}/fees")
    rows = body["fees"] if form == "wrapped" else body
    assert rows[0]["cost_exc_tax" if form == "misspelt" else "cost_ex_tax"] == "1.5000"


def test_tax_rows_are_per_rate_and_with_details_per_line_and_charge(month: Shop) -> None:
    path = f"v2/orders/{month.case('tax_on_all_charges')}"
    order, rows = month.rows(path), month.rows(path + "/taxes", details="true")
    assert {row["line_item_type"] for row in rows} == {
        "item",
        "shipping",
        "handling",
        "gift-wrapping",
    }
    told = sum(D(row["line_amount"]) for row in rows)
    assert abs(told - D(order["total_tax"])) < D("0.01"), "rows have four decimals, totals two"
    assert {row["order_product_id"] for row in rows if row["line_item_type"] == "shipping"} == {
        None
    }
    summed = month.rows(path + "/taxes")
    assert "order_product_id" not in summed[0]
    assert len(summed) < len(rows)
    assert sum(D(r["line_amount"]) for r in summed) == sum(D(r["line_amount"]) for r in rows)


def test_ids_of_detailed_tax_rows_are_their_own_or_repeat_by_switch(month: Shop) -> None:
    path = f"v2/orders/{month.case('lines_sixty')}/taxes"
    rows = month.rows(path, details="true", limit=250)
    assert len({row["id"] for row in rows}) == 60
    month.switch(tax_detail_ids="repeated")
    repeated = month.rows(path, details="true", limit=250)
    assert {row["id"] for row in repeated} == {row["id"] for row in month.rows(path)}


def test_tax_rows_of_an_automatic_provider_do_not_name_their_order(month: Shop) -> None:
    row = month.rows(f"v2/orders/{month.case('tax_automatic_rows')}/taxes")[0]
    assert row["class"] == "Automatic Tax"
    assert "order_id" not in row


def test_an_exempt_order_has_no_tax_rows_though_its_subtotals_differ(month: Shop) -> None:
    path = f"v2/orders/{month.case('tax_exempt_inclusive')}"
    order = month.rows(path)
    assert order["subtotal_inc_tax"] != order["subtotal_ex_tax"]
    assert order["total_inc_tax"] == order["total_ex_tax"] == order["subtotal_inc_tax"]
    assert month.ask(path + "/taxes").status_code == 204


def test_coupons_tell_what_they_took_off(month: Shop) -> None:
    path = f"v2/orders/{month.case('discount_two_coupons')}"
    rows = month.rows(path + "/coupons")
    assert len(rows) == 2
    assert sum(D(row["discount"]) for row in rows) == D(month.rows(path)["coupon_discount"])
    month.switch(coupon_money="number")
    assert isinstance(month.rows(path + "/coupons")[0]["discount"], D | int)


def test_statuses_key_on_the_id_since_labels_can_be_renamed(month: Shop) -> None:
    rows = {row["id"]: row for row in month.rows("v2/order_statuses")}
    assert len(rows) == 15
    assert rows[11]["custom_label"] != rows[11]["system_label"] == "Awaiting Fulfillment"


def test_the_count_takes_the_same_filters(month: Shop) -> None:
    whole = month.rows("v2/orders/count")
    assert whole["count"] == len(month.rows("v2/orders", limit=250))
    assert month.rows("v2/orders/count", status_id=13)["count"] == 1
    assert sum(row["count"] for row in whole["statuses"]) == whole["count"]


def test_non_bmp_text_arrives_whole(month: Shop) -> None:
    line = month.rows(f"v2/orders/{month.case('text_long_and_non_bmp')}/products")[0]
    assert "\U0001f980" in line["name"]
    assert len(line["name"]) > 300


def test_texts_that_are_not_set_are_null_or_empty_by_switch(month: Shop) -> None:
    path = f"v2/orders/{month.case('tax_none')}"
    mixed = month.rows(path)
    assert (mixed["staff_notes"], mixed["external_source"]) == ("", None)
    month.switch(empty_texts="null")
    assert month.rows(path)["staff_notes"] is None
    month.switch(empty_texts="text")
    assert month.rows(path)["external_source"] == ""


VAT = [{"name": "VAT", "percent": "20"}]
COUPON = {"kind": "coupon", "code": "TEN", "amount": "4.00"}
LISTED = {"include": "consignments.line_items", "consignment_structure": "object"}


@pytest.mark.parametrize(
    ("inclusive", "way", "stated"),
    [
        (False, "as_priced", ("10.0000", "4.0000")),  # the real order zynk-105
        (False, "included", ("12.0000", "4.8000")),
        (True, "as_priced", ("10.0000", "4.0000")),  # the real order appse-519
        (True, "included", ("10.0000", "4.0000")),
    ],
)
def test_discounts_are_stated_as_prices_are_entered_or_always_with_tax(
    shop: Shop, inclusive: bool, way: str, stated: tuple[str, str]
) -> None:
    shop.switch(discount_tax=way)
    number = shop.sell(
        {"name": "Mug", "price": "100.00", "taxes": VAT},
        discounts=[{"amount": "10.00"}, COUPON],
        tax_inclusive=inclusive,
    )["id"]
    order = shop.rows(f"v2/orders/{number}")
    assert (order["discount_amount"], order["coupon_discount"]) == stated
    line = shop.rows(f"v2/orders/{number}/products")[0]
    assert tuple(row["amount"] for row in line["applied_discounts"]) == stated
    assert shop.rows(f"v2/orders/{number}/coupons")[0]["discount"] == stated[1]
    side = "inc" if inclusive or way == "included" else "ex"
    parts = D(order[f"subtotal_{side}_tax"]) - sum(map(D, stated))
    assert D(order[f"total_{side}_tax"]) == parts


@pytest.mark.parametrize(("way", "tax"), [("after", "18.0000"), ("before", "20.0000")])
def test_the_subtotals_tax_is_after_discounts_or_before(shop: Shop, way: str, tax: str) -> None:
    shop.switch(subtotal_tax=way)
    mug = {"name": "Mug", "price": "100.00", "taxes": VAT}
    number = shop.sell(mug, discounts=[{"amount": "10.00"}])["id"]
    order = shop.rows(f"v2/orders/{number}")
    assert (order["subtotal_tax"], order["total_tax"]) == (tax, "18.0000")
    assert shop.rows(f"v2/orders/{number}/products")[0]["total_tax"] == tax


@pytest.mark.parametrize(("way", "shown"), [("fifty", [50, 2]), ("all", [60, 2]), ("none", [0, 0])])
def test_included_lines_end_at_fifty_a_consignment(shop: Shop, way: str, shown: list[int]) -> None:
    shop.switch(included_lines=way)
    lines = [{"name": f"Card {n}", "price": "1.00"} for n in range(60)]
    lines += [{"name": f"Mug {n}", "price": "1.00", "address": 1} for n in range(2)]
    number = shop.sell(*lines, ship_to=[{}, {}])["id"]
    (order,) = shop.rows("v2/orders", **LISTED)
    held = order["consignments"]["shipping"]
    assert [len(one["line_items"]) for one in held] == shown
    assert ["__warning__" in one for one in held] == [way == "fifty", False]
    assert order["items_total"] == 62
    assert len(shop.rows(f"v2/orders/{number}/products", limit=250)) == 62


def test_consignments_are_an_array_where_the_parameter_is_ignored(shop: Shop) -> None:
    shop.sell()
    shop.switch(consignment_structure="ignored")
    (order,) = shop.rows("v2/orders", **LISTED)
    assert [row["name"] for row in order["consignments"][0]["shipping"][0]["line_items"]] == ["Mug"]


def test_options_are_a_list_or_an_object(shop: Shop) -> None:
    size = {"name": "Size", "value": "L"}
    number = shop.sell({"name": "Shirt", "price": "9.00", "options": [size]})["id"]
    listed = shop.rows(f"v2/orders/{number}/products")[0]["product_options"]
    shop.switch(product_options="object")
    keyed = shop.rows(f"v2/orders/{number}/products")[0]["product_options"]
    assert list(keyed.values()) == listed


@pytest.mark.parametrize(("way", "code"), [("code", "USD"), ("null", None), ("empty", "")])
def test_the_transactional_currency_may_be_missing(shop: Shop, way: str, code: str | None) -> None:
    number = shop.sell()["id"]
    shop.switch(default_currency=way)
    assert shop.rows(f"v2/orders/{number}")["default_currency_code"] == code


def test_texts_may_hold_entities(shop: Shop) -> None:
    smith = {"company": "Smith & Sons", "email": "a&b@example.com"}
    mug = {"name": "Salt & Pepper", "price": "9.00"}
    number = shop.sell(mug, billing=smith, ship_to=[{"to": smith}])["id"]
    shop.switch(texts="entities")
    order = shop.rows(f"v2/orders/{number}")
    assert order["billing_address"]["company"] == "Smith &amp; Sons"
    assert order["billing_address"]["email"] == "a&b@example.com"
    assert shop.rows(f"v2/orders/{number}/products")[0]["name"] == "Salt &amp; Pepper"
    address = shop.rows(f"v2/orders/{number}/shipping_addresses")[0]
    assert address["company"] == "Smith &amp; Sons"


def test_a_tax_row_names_its_line_by_a_number_or_nothing(month: Shop) -> None:
    path = f"v2/orders/{month.case('tax_on_all_charges')}"
    numbers = {row["id"] for row in month.rows(path + "/products")}
    named = {r["order_product_id"] for r in month.rows(path + "/taxes", details="true")}
    assert named == numbers | {None}
    month.switch(tax_line_ids="text")
    named = {r["order_product_id"] for r in month.rows(path + "/taxes", details="true")}
    assert named == {str(number) for number in numbers} | {None}


@pytest.mark.parametrize(("way", "status"), [("204", 204), ("[]", 200), ("mixed", 200)])
def test_an_order_without_fees_has_an_empty_list_of_them(shop: Shop, way: str, status: int) -> None:
    number = shop.sell()["id"]
    shop.switch(empty=way)
    answer = shop.ask(f"v2/orders/{number}/fees")
    assert (answer.status_code, answer.text) == (status, "" if status == 204 else "[]")
