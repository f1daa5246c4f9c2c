"""PUT runs in phases: the first that is present runs, and everything else is dropped silently."""

from __future__ import annotations

from typing import Any

import pytest


def test_vis_state_drops_every_other_field(books: Any) -> None:
    client = books.client()
    put = books.put("client", client["id"], vis_state=2, fname="Lost", note="lost")
    assert (put["vis_state"], put["fname"], put["note"]) == (2, "Gordon", None)


def test_vis_state_drops_the_rest_even_when_it_does_not_change(books: Any) -> None:
    invoice = books.invoice(notes="old")
    put = books.put("invoice", invoice["id"], vis_state=0, notes="new", action_mark_as_sent=True)
    assert (put["notes"], put["v3_status"]) == ("old", "draft")


def test_echoing_back_what_was_read_saves_nothing(books: Any) -> None:
    item = books.create("item", name="Bowl")
    assert books.put("item", item["id"], **{**item, "name": "Mug"})["name"] == "Bowl"


def test_an_action_drops_ordinary_fields(books: Any, line: Any) -> None:
    invoice = books.invoice(notes="old")
    put = books.put(
        "invoice", invoice["id"], action_mark_as_sent=True, notes="new", lines=[line("1.00")]
    )
    assert (put["v3_status"], put["notes"]) == ("sent", "old")
    assert put["amount"]["amount"] == "100.00"


def test_ext_vis_state_comes_before_all(books: Any) -> None:
    client = books.client()
    put = books.put("client", client["id"], ext_vis_state=0, vis_state=1, fname="Lost")
    assert (put["vis_state"], put["fname"]) == (0, "Gordon")


def test_ordinary_fields_are_partial(books: Any) -> None:
    client = books.client(note="kept", p_city="Toronto")
    put = books.put("client", client["id"], fname="Willie")
    assert (put["fname"], put["note"], put["p_city"]) == ("Willie", "kept", "Toronto")


@pytest.mark.parametrize("kind", ["client", "item", "invoice", "payment", "credit_note"])
def test_everything_is_deleted_softly_and_can_be_restored(books: Any, kind: str) -> None:
    record = _one_of(books, kind)
    assert books.put(kind, record["id"], vis_state=1)["vis_state"] == 1
    assert books.rows(kind) == []
    assert [row["id"] for row in books.rows(kind, vis_state=1)] == [record["id"]]
    assert books.put(kind, record["id"], vis_state=0)["vis_state"] == 0
    assert [row["id"] for row in books.rows(kind)] == [record["id"]]


def test_archived_records_are_in_lists(books: Any) -> None:
    client = books.client()
    books.put("client", client["id"], vis_state=2)
    assert [row["id"] for row in books.rows("client")] == [client["id"]]
    assert books.errors("PUT", "client", client["id"], vis_state=3).errno == 1004


@pytest.mark.parametrize(
    ("value", "status", "errno"), [("found", 200, 0), ("error", 422, 1011), ("missing", 404, 1012)]
)
def test_a_deleted_record_is_found_by_id_or_not(
    books: Any, switch: Any, value: str, status: int, errno: int
) -> None:
    switch(deleted_get=value)
    client = books.client()
    books.put("client", client["id"], vis_state=1)
    answer = books.ask("GET", "client", client["id"])
    assert answer.status_code == status
    if errno:
        assert answer.json()["response"]["errors"][0]["errno"] == errno
    else:
        assert answer.json()["response"]["result"]["client"]["vis_state"] == 1


def test_http_delete_is_soft_for_invoices_hard_for_taxes_and_absent_elsewhere(books: Any) -> None:
    invoice, tax = books.invoice(), books.create("tax", name="HST", amount="13")
    for kind, record in (("invoice", invoice), ("tax", tax)):
        answer = books.ask("DELETE", kind, record["id"])
        assert (answer.status_code, answer.json()) == (200, {"response": {}})
    assert [row["id"] for row in books.rows("invoice", vis_state=1)] == [invoice["id"]]
    assert books.ask("GET", "tax", tax["id"]).status_code == 404
    assert books.ask("DELETE", "client", invoice["customerid"]).status_code == 405


def _one_of(books: Any, kind: str) -> dict[str, Any]:
    if kind == "client":
        return books.client()
    if kind == "item":
        return books.create("item", name="Bowl")
    if kind == "invoice":
        return books.invoice()
    if kind == "payment":
        return books.pay(books.sent(), "10.00")
    return books.create("credit_note", clientid=books.client()["id"], create_date="2026-11-02")
