"""Lists: paging, filters that work, keys that are ignored, sorting, staleness."""

from __future__ import annotations

from typing import Any

import pytest


def page(books: Any, kind: str, **params: Any) -> dict[str, Any]:
    answer = books.ask("GET", kind, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["response"]["result"]


@pytest.fixture
def many(books: Any) -> Any:
    for number in range(120):
        books.create("item", name=f"Item {number:03}", sku=f"S-{number}")
    return books


def test_pages_are_15_long_and_at_most_100(many: Any) -> None:
    first = page(many, "item")
    assert (len(first["items"]), first["per_page"], first["pages"]) == (15, 15, 8)
    capped = page(many, "item", per_page=250)
    assert (len(capped["items"]), capped["per_page"], capped["pages"]) == (100, 100, 2)
    assert (capped["page"], capped["total"]) == (1, 120)
    rest = page(many, "item", per_page=250, page=2)
    names = [row["name"] for row in capped["items"] + rest["items"]]
    assert names == [f"Item {number:03}" for number in range(120)]


def test_page_zero_is_one_and_beyond_the_end_is_empty(many: Any) -> None:
    assert page(many, "item", page=0)["items"] == page(many, "item", page=1)["items"]
    beyond = page(many, "item", page=99)
    assert (beyond["items"], beyond["pages"]) == ([], 8)
    for params, errno in (({"page": "-1"}, 1014), ({"page": "x"}, 1014), ({"per_page": "x"}, 1013)):
        answer = many.ask("GET", "item", params=params)
        assert answer.status_code == 422
        assert answer.json()["response"]["errors"][0]["errno"] == errno


def test_unknown_search_and_sort_keys_are_ignored_silently(books: Any) -> None:
    first, second = books.client(email="a@example.com"), books.client(email="b@example.com")
    everybody = [first["id"], second["id"]]
    for search in ({"emial": "a@example.com"}, {"fname": "nobody"}, {"organization": "nobody"}):
        assert [row["id"] for row in books.rows("client", **search)] == everybody
    assert [
        row["id"] for row in page(books, "client", sort="shoe_size_desc")["clients"]
    ] == everybody


def test_invoice_keys_that_look_right_are_ignored(books: Any) -> None:
    books.invoice()
    for search in (
        {"create_date_min": "2030-01-01"},
        {"status": "4"},
        {"statusid": "4"},
        {"payment_status": "paid"},
    ):
        assert len(books.rows("invoice", **search)) == 1


def test_several_keys_narrow_together(books: Any) -> None:
    first = books.invoice(invoice_number="BC-1")
    books.invoice(invoice_number="BC-2")
    found = books.rows("invoice", invoice_number="BC-1", customerid=first["customerid"])
    assert [row["id"] for row in found] == [first["id"]]
    assert books.rows("invoice", invoice_number="BC-2", customerid=first["customerid"]) == []


def test_a_number_search_is_exact_or_like(books: Any, switch: Any) -> None:
    for number in ("BC-100", "BC-1001", "bc-100"):
        books.invoice(invoice_number=number)
    exact = books.rows("invoice", invoice_number="BC-100")
    assert [row["invoice_number"] for row in exact] == ["BC-100"]
    switch(number_search="like")
    like = books.rows("invoice", invoice_number="BC-100")
    assert [row["invoice_number"] for row in like] == ["BC-100", "BC-1001", "bc-100"]


def test_deleted_invoices_are_found_only_by_their_state(books: Any) -> None:
    invoice = books.invoice(invoice_number="BC-1")
    books.put("invoice", invoice["id"], vis_state=1)
    assert books.rows("invoice", invoice_number="BC-1") == []
    assert len(books.rows("invoice", invoice_number="BC-1", vis_state=1)) == 1


def test_in_lists_take_the_plural_key(books: Any) -> None:
    ids = [books.invoice()["id"] for _ in range(3)]
    found = books.rows("invoice", invoiceids=[ids[0], ids[2]])
    assert [row["id"] for row in found] == [ids[0], ids[2]]


def test_dates_are_from_inclusive_until_exclusive_unless_switched(books: Any, switch: Any) -> None:
    for day in ("2026-11-01", "2026-11-02", "2026-11-03"):
        books.invoice(create_date=day)

    def days() -> list[str]:
        found = books.rows("invoice", date_min="2026-11-01", date_max="2026-11-03")
        return [row["create_date"] for row in found]

    assert days() == ["2026-11-01", "2026-11-02"]
    switch(date_max="inclusive")
    assert days() == ["2026-11-01", "2026-11-02", "2026-11-03"]


def test_updated_filters_go_by_the_day_in_us_eastern(books: Any, control: Any) -> None:
    control.post("clock", json={"set": "2026-11-03T03:00:00+00:00"})
    client = books.client()
    assert client["updated"].startswith("2026-11-02 22:00")
    assert client["signup_date"].startswith("2026-11-03 03:00")
    assert len(books.rows("client", updated_min="2026-11-02")) == 1
    assert books.rows("client", updated_min="2026-11-03") == []


@pytest.mark.parametrize(
    ("whose", "last"), [("utc", "2026-11-03"), ("hawaii", "2026-11-02"), ("ignored", "2026-12-31")]
)
def test_updated_filters_may_go_by_other_days_or_be_none(
    books: Any, switch: Any, control: Any, whose: str, last: str
) -> None:
    control.post("clock", json={"set": "2026-11-03T05:30:00+00:00"})
    books.client()
    switch(updated_search=whose)
    assert len(books.rows("client", updated_min=last)) == 1
    later = books.rows("client", updated_min="2026-11-04")
    assert len(later) == (whose == "ignored")


@pytest.mark.parametrize(
    ("kind", "search", "errno"),
    [
        ("invoice", {"date_min": "soon"}, 1023),
        ("invoice", {"customerid": "x"}, 1024),
        ("invoice", {"paid": "maybe"}, 1032),
        ("payment", {"amount_min": "much"}, 1024),
    ],
)
def test_filters_of_the_wrong_type_are_errors(
    books: Any, kind: str, search: dict[str, str], errno: int
) -> None:
    params = {f"search[{key}]": value for key, value in search.items()}
    answer = books.ask("GET", kind, params=params)
    assert answer.status_code == 422
    assert answer.json()["response"]["errors"][0]["errno"] == errno


def test_only_the_invoice_date_sorts_invoices(books: Any) -> None:
    for day in ("2026-11-02", "2026-11-03", "2026-11-01"):
        books.invoice(create_date=day)

    def days(sort: str) -> list[str]:
        return [row["create_date"][-2:] for row in page(books, "invoice", sort=sort)["invoices"]]

    assert days("invoice_date_asc") == ["01", "02", "03"]
    assert days("invoice_date_desc") == ["03", "02", "01"]
    assert days("create_date_desc") == ["02", "03", "01"]


def test_the_unsorted_order_and_the_total_can_be_switched(books: Any, switch: Any) -> None:
    ids = [books.client()["id"] for _ in range(3)]
    books.put("client", ids[0], vis_state=1)
    assert page(books, "client")["total"] == 2
    switch(list_total="all", default_order="id_desc")
    listed = page(books, "client")
    assert (listed["total"], [row["id"] for row in listed["clients"]]) == (3, [ids[2], ids[1]])


def test_a_plus_left_unencoded_matches_nothing(books: Any) -> None:
    books.client(email="a+b@example.com")
    assert len(books.rows("client", email="a+b@example.com")) == 1
    raw = books.http.get(f"{books.url('client')}?search[email]=a+b@example.com")
    assert raw.json()["response"]["result"]["clients"] == []


def test_searches_do_not_see_what_is_younger_than_the_switch_says(
    books: Any, switch: Any, control: Any
) -> None:
    switch(stale_search_seconds=5)
    control.post("clock", json={"rate": 0})
    invoice = books.invoice(invoice_number="BC-1")
    assert books.rows("invoice", invoice_number="BC-1") == []
    assert books.rows("invoice") == []
    assert books.get("invoice", invoice["id"])["invoice_number"] == "BC-1"
    control.post("clock", json={"advance_seconds": 6})
    assert len(books.rows("invoice", invoice_number="BC-1")) == 1
    books.put("invoice", invoice["id"], action_mark_as_sent=True)
    assert books.rows("invoice", invoice_number="BC-1")[0]["v3_status"] == "draft"
    books.put("invoice", invoice["id"], vis_state=1)
    control.post("clock", json={"advance_seconds": 6})
    assert books.rows("invoice", invoice_number="BC-1") == []


def test_the_answer_to_a_write_may_leave_out_the_lines_that_were_asked_for(
    books: Any, switch: Any
) -> None:
    invoice = books.invoice()
    ask = {"params": {"include[]": "lines"}, "json": {"invoice": {"notes": "new"}}}
    answers = []
    for choice in ("shown", "left_out"):
        switch(written_lines=choice)
        answers += [books.ask(method, "invoice", invoice["id"], **ask) for method in ("PUT", "GET")]
    shown = ["lines" in answer.json()["response"]["result"]["invoice"] for answer in answers]
    assert shown == [True, True, False, True]


def test_an_unknown_include_is_ignored_or_refused(books: Any, switch: Any) -> None:
    invoice = books.invoice()
    ask = {"params": {"include[]": "nonsense"}}
    assert books.ask("GET", "invoice", invoice["id"], **ask).status_code == 200
    switch(unknown_include="refuse")
    assert books.ask("GET", "invoice", invoice["id"], **ask).status_code == 422


def test_a_stale_search_shows_the_record_as_it_was_however_often_it_changed_since(
    control: Any, books: Any, switch: Any
) -> None:
    client = books.client(fname="First")
    control.post("clock", json={"rate": 0, "advance_seconds": 100})
    for name in ("Second", "Third"):
        books.put("client", client["id"], fname=name)
        control.post("clock", json={"advance_seconds": 2})
    books.put("client", client["id"], email="other@example.com")
    switch(stale_search_seconds=60)
    (seen,) = books.rows("client", email="gordon@example.com")
    assert seen["fname"] == "First"
    assert books.rows("client", email="other@example.com") == []
    switch(stale_search_seconds=3)
    assert [row["fname"] for row in books.rows("client", email="gordon@example.com")] == ["Second"]
    switch(stale_search_seconds=0)
    assert books.rows("client", email="gordon@example.com") == []
