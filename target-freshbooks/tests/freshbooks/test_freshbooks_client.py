"""Which requests an operation makes, and what is made of the rows that come back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.freshbooks import BillingAddress, NotFound, Outage, UnknownOutcome
from target_freshbooks.freshbooks.parsing import Unreadable, client, invoice, item, payment

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = "/accounting/account/ACM123"


def invoice_row(id_: Any, number: str, **more: Any) -> dict[str, Any]:
    money = {"amount": "12.50", "code": "CAD"}
    row = {"id": id_, "invoice_number": number, "amount": money, "create_date": "2026-11-20"}
    return {**row, **more}


def page(kind: str, rows: list[dict[str, Any]], number: int = 1, pages: int = 1) -> dict[str, Any]:
    result = {kind: rows, "page": number, "pages": pages, "per_page": 100, "total": 999}
    return {"response": {"result": result}}


def test_an_invoice_is_found_by_one_request_with_its_lines(bench: Any, reply: Any) -> None:
    bench.say(reply(page("invoices", [invoice_row(7, "BC-1", lines=[])])))
    found = bench.client.invoices.find("BC-1")
    assert (found.id, found.lines) == (7, ())
    (asked,) = bench.server.asked
    assert asked.path == f"{ROOT}/invoices/invoices"
    assert asked.query == [
        ("search[invoice_number]", "BC-1"),
        ("include[]", "lines"),
        ("page", "1"),
        ("per_page", "100"),
    ]


def test_rows_that_do_not_bear_the_number_are_dropped(bench: Any, reply: Any) -> None:
    """An ignored filter gives the whole list; a substring filter gives BC-10 for BC-1."""
    rows = [invoice_row(1, "BC-10"), invoice_row(2, "XBC-1"), invoice_row(3, "bc-1")]
    bench.say(reply(page("invoices", rows)))
    assert bench.client.invoices.find("BC-1") is None


def test_an_unreadable_row_of_somebody_else_stops_nobody(bench: Any, reply: Any) -> None:
    rows = [{"id": 1, "invoice_number": "BC-2"}, invoice_row(7, "BC-1")]
    bench.say(reply(page("invoices", rows)))
    assert bench.client.invoices.find("BC-1").id == 7
    bench.say(reply(page("invoices", [{"id": 1, "invoice_number": "BC-1"}])))
    with pytest.raises(Outage, match="no amount"):  # but ours is not taken for missing
        bench.client.invoices.find("BC-1")


def test_deleted_rows_are_told_apart_even_where_the_filter_is_ignored(
    bench: Any, reply: Any
) -> None:
    rows = [invoice_row(1, "BC-1", vis_state=1), invoice_row(2, "BC-1", vis_state=2)]
    bench.say(reply(page("invoices", rows)))
    assert bench.client.invoices.find("BC-1").id == 2
    assert bench.client.invoices.find("BC-1", deleted=True).id == 1
    assert ("search[vis_state]", "1") in bench.server.asked[1].query


def test_pages_are_followed_until_the_last_and_each_row_comes_once(bench: Any, reply: Any) -> None:
    amount = {"amount": "1.00", "code": "CAD"}
    rows = [
        {"id": i, "invoiceid": 7, "amount": amount, "date": "2026-11-20", "type": "Other"}
        for i in range(5)
    ]
    bench.say(
        reply(page("payments", rows[:2], 1, 3)),
        reply(page("payments", rows[1:4], 2, 3)),
        reply(page("payments", rows[4:], 3, 3)),
    )
    assert [row.id for row in bench.client.payments.of_invoice(7)] == [0, 1, 2, 3, 4]
    assert len(bench.server.asked) == 3


def test_an_empty_page_ends_a_list_whose_total_counts_unreadable_rows(
    bench: Any, reply: Any
) -> None:
    bench.say(reply(page("payments", [], 1, 7)))
    assert bench.client.payments.of_invoice(7) == []
    assert len(bench.server.asked) == 1


def test_payments_of_other_invoices_are_dropped(bench: Any, reply: Any) -> None:
    amount = {"amount": "1.00", "code": "CAD"}
    rows = [
        {"id": 1, "invoiceid": "7", "amount": amount, "date": "2026-11-20"},
        {"id": 2, "invoiceid": 8, "amount": amount, "date": "2026-11-20"},
    ]
    bench.say(reply(page("payments", rows)))
    assert [row.id for row in bench.client.payments.of_invoice(7)] == [1]


def test_a_plus_in_an_email_is_encoded(bench: Any, reply: Any) -> None:
    bench.say(reply(page("clients", [{"id": 3, "email": "a+b@x.com"}])))
    (found,) = bench.client.clients.of_email("a+b@x.com")
    assert found.id == 3
    assert "search%5Bemail%5D=a%2Bb%40x.com" in bench.server.asked[0].raw_query
    assert len(bench.server.asked) == 1


def test_clients_are_found_in_any_case_active_first_then_lowest_id(bench: Any, reply: Any) -> None:
    rows = [
        {"id": 4, "email": "Ann@X.com", "vis_state": 2},
        {"id": 9, "email": " ann@x.com", "vis_state": 0},
        {"userid": "8", "email": "ANN@x.com"},
        {"id": 1, "email": "other@x.com"},
        {"id": 2, "email": "ann@x.com", "vis_state": 1},
    ]
    bench.say(reply(page("clients", rows)))
    assert [row.id for row in bench.client.clients.of_email("Ann@x.com")] == [8, 9, 4]


def test_a_search_that_heeds_case_is_repeated_in_lower_case(bench: Any, reply: Any) -> None:
    bench.say(reply(page("clients", [])), reply(page("clients", [{"id": 3, "email": "a@x.com"}])))
    assert [row.id for row in bench.client.clients.of_email("A@x.com")] == [3]
    searched = [dict(asked.query)["search[email]"] for asked in bench.server.asked]
    assert searched == ["A@x.com", "a@x.com"]


def test_items_by_sku_are_checked_again(bench: Any, reply: Any) -> None:
    rows = [{"id": 2, "name": "b", "sku": "S"}, {"id": 1, "name": "a", "sku": "S2"}]
    bench.say(reply(page("items", rows)))
    assert [row.id for row in bench.client.items.of_sku("S")] == [2]


def test_the_catalogue_is_read_once_for_all_names_and_own_writes_are_added(
    bench: Any, reply: Any
) -> None:
    bench.say(
        reply(page("items", [{"id": 1, "name": "Cap"}], 1, 2)),
        reply(page("items", [{"id": 2, "name": "Mug"}], 2, 2)),
        reply({"response": {"result": {"item": {"id": 3, "name": "New"}}}}),
        reply(spoil="reset"),
        reply(page("items", [{"id": 4, "name": "Late"}])),
    )
    assert [row.id for row in bench.client.items.named("Mug")] == [2]
    assert bench.client.items.named("Hat") == []
    assert len(bench.server.asked) == 2
    bench.client.items.create({"name": "New"})
    assert [row.id for row in bench.client.items.named("New")] == [3]
    with pytest.raises(UnknownOutcome):
        bench.client.items.create({"name": "Late"})
    # Looking after an unknown outcome must not be answered from memory.
    assert [row.id for row in bench.client.items.named("Late")] == [4]


def test_each_write_is_one_request_in_its_own_envelope(bench: Any, reply: Any) -> None:
    row = {"response": {"result": {"invoice": invoice_row(7, "BC-1")}}}
    bench.say(reply(row))
    bench.client.invoices.create({"customerid": 1})
    bench.client.invoices.update(7, {"notes": "x"})
    bench.client.invoices.update(7, {"action_mark_as_sent": True})
    bench.client.invoices.update(7, {"vis_state": 1})
    told = [(asked.method, asked.path, asked.json) for asked in bench.server.asked]
    one = f"{ROOT}/invoices/invoices/7"
    assert told == [
        ("POST", f"{ROOT}/invoices/invoices", {"invoice": {"customerid": 1}}),
        ("PUT", one, {"invoice": {"notes": "x"}}),
        ("PUT", one, {"invoice": {"action_mark_as_sent": True}}),
        ("PUT", one, {"invoice": {"vis_state": 1}}),
    ]
    assert {asked.raw_query for asked in bench.server.asked} == {"include%5B%5D=lines"}


def test_filing_an_invoice_away_is_a_write_of_that_alone(bench: Any, reply: Any) -> None:
    row = invoice_row(7, "BC-1", vis_state=2)
    bench.say(reply({"response": {"result": {"invoice": row}}}))
    assert bench.client.invoices.update(7, {"vis_state": 2}).vis_state == 2
    (asked,) = bench.server.asked
    assert (asked.method, asked.json) == ("PUT", {"invoice": {"vis_state": 2}})


def credit(id_: int, credit_id: int, **more: Any) -> dict[str, Any]:
    money = {"amount": "2.00", "code": "CAD"}
    row = {"id": id_, "creditid": credit_id, "clientid": 1, "amount": money}
    return {**row, "credit_type": "overpayment", "vis_state": 0, **more}


def test_the_credit_of_an_overpayment_is_read_by_its_id(bench: Any, reply: Any) -> None:
    bench.say(reply({"response": {"result": {"credit_note": credit(10320, 10320)}}}))
    found = bench.client.credit_notes.overpayment(10320, 1)
    assert found is not None
    assert (found.id, found.credit_id, found.credit_type) == (10320, 10320, "overpayment")
    assert len(bench.server.asked) == 1


@pytest.mark.parametrize(
    ("by_id", "expected"),
    [
        (None, 7),
        (credit(10320, 5, clientid=2), 7),
        (credit(10320, 5, credit_type="goodwill"), 7),
        (credit(10320, 5, vis_state=1), 7),
    ],
    ids=["no such id", "of another client", "made by a person", "deleted"],
)
def test_the_credit_of_an_overpayment_is_looked_for_among_its_clients(
    bench: Any, reply: Any, by_id: Any, expected: int
) -> None:
    rows = [credit(6, 10320, credit_type="goodwill"), credit(7, 10320), credit(8, 10321)]

    def answer(asked: Any) -> Any:
        if asked.path.endswith("/10320"):
            if by_id is None:
                error = {"errno": 1012, "field": "creditid", "message": "Credit note not found."}
                return reply({"response": {"errors": [error]}}, status=404)
            return reply({"response": {"result": {"credit_note": by_id}}})
        return reply(page("credit_notes", rows))

    bench.server.answer = answer
    found = bench.client.credit_notes.overpayment(10320, 1)
    assert found is not None
    assert found.id == expected
    rows[1]["vis_state"] = 1
    assert bench.client.credit_notes.overpayment(10320, 1) is None


@pytest.mark.parametrize("key", ["vis_state", "ext_vis_state", "action_mark_as_sent"])
def test_an_update_never_mixes_phases(bench: Any, key: str) -> None:
    with pytest.raises(ValueError, match="drop every other field"):
        bench.client.invoices.update(7, {"notes": "x", key: 1})
    assert bench.server.asked == []


def test_a_credit_note_is_written_under_the_singular_key(bench: Any, reply: Any) -> None:
    note = {"id": 5, "clientid": 1, "amount": {"amount": "2.00", "code": "CAD"}}
    bench.say(reply({"response": {"result": {"credit_note": note}}}))
    assert bench.client.credit_notes.create({"clientid": 1}).amount == Decimal("2.00")
    assert bench.server.asked[0].json == {"credit_note": {"clientid": 1}}
    bench.say(reply(page("credit_notes", [note, {**note, "id": 6, "clientid": 2}])))
    assert [row.id for row in bench.client.credit_notes.of_client(1)] == [5]


def test_a_missing_record_is_not_found(bench: Any, reply: Any) -> None:
    error = {"errno": 1012, "field": "userid", "message": "Client not found.", "object": "client"}
    listed = {"response": {"result": {"clients": [], "pages": 1}}}
    bench.say(reply({"response": {"errors": [error]}}, status=404), reply(listed))
    with pytest.raises(NotFound, match="Client not found"):
        bench.client.clients.get(3)


def test_a_list_that_cannot_be_read_is_an_outage_not_an_empty_list(bench: Any, reply: Any) -> None:
    bench.say(reply({"response": {"result": {"page": 1}}}))
    with pytest.raises(Outage, match="no invoices"):
        bench.client.invoices.find("BC-1")


def test_the_recorded_invoice_is_read_to_the_cent(recorded: Callable[[str], Any]) -> None:
    row = recorded("java-sdk/get_invoice_response.json")["response"]["result"]["invoice"]
    found = invoice(row)
    assert (found.id, found.number, found.customer_id) == (987654, "ACM0002", 12345)
    assert (found.amount, found.paid, found.outstanding) == (
        Decimal("41.94"),
        Decimal("20.00"),
        Decimal("21.94"),
    )
    assert (found.currency, found.create_date) == ("CAD", date(2021, 4, 16))
    assert (found.status, found.payment_status) == (2, "partial")
    assert (found.po_number, found.vis_state) == ("", 0)
    assert found.lines is not None
    first, second = found.lines
    assert (first.qty, first.unit_cost, first.tax_name1, first.tax_percent1) == (
        Decimal(4),
        Decimal("5.00"),
        "HST1",
        Decimal(13),
    )
    assert (second.tax_name1, second.tax_name2, second.tax_percent1) == (None, None, Decimal(0))


@pytest.mark.parametrize(
    ("name", "key", "call"),
    [
        ("java-sdk/list_invoices_response.json", "invoices", invoice),
        ("java-sdk/list_payments_response.json", "payments", payment),
        ("java-sdk/list_clients_response.json", "clients", client),
        ("python-sdk/list_clients_response.json", "clients", client),
        ("java-sdk/list_items_response.json", "items", item),
    ],
)
def test_recorded_lists_are_read(
    recorded: Callable[[str], Any], name: str, key: str, call: Callable[[Any], Any]
) -> None:
    rows = recorded(name)["response"]["result"][key]
    assert rows
    assert all(call(row).id > 0 for row in rows)


def test_whom_an_invoice_is_made_out_to_is_read_with_it(recorded: Callable[[str], Any]) -> None:
    row = recorded("java-sdk/get_invoice_response.json")["response"]["result"]["invoice"]
    told = {name: row[name] or "" for name in ("fname", "lname", "organization", "city", "code")}
    found = invoice(row).billing
    assert {name: getattr(found, name) for name in told} == told
    assert told["lname"]
    assert invoice(invoice_row(1, "BC-1", street=None, country="Canada")).billing == BillingAddress(
        country="Canada"
    )


def test_a_client_is_read_with_every_field_that_is_written() -> None:
    body = {
        "fname": "Ann",
        "lname": "Lee",
        "organization": "Lee Ltd",
        "email": "ann@x.com",
        "p_street": "1 Road",
        "p_street2": "Flat 2",
        "p_city": "Toronto",
        "p_province": "Ontario",
        "p_code": "M5T 2B3",
        "p_country": "Canada",
        "currency_code": "CAD",
        "vat_name": "VAT number",
        "vat_number": "GB123",
    }
    found = client({"userid": "3", "vis_state": None, **body})
    assert {name: getattr(found, name) for name in body} == body
    assert (found.id, found.vis_state) == (3, 0)
    assert client({"id": 3, "p_street": None}).p_street == ""


def test_odd_shapes_are_tolerated() -> None:
    found = invoice(
        {
            "invoiceid": "12",
            "amount": {"amount": 10, "code": None},
            "create_date": "2026-11-20 10:00:00",
            "status": "2",
            "notes": None,
            "currency_code": "EUR",
            "vis_state": None,
        }
    )
    assert (found.id, found.amount, found.outstanding) == (12, Decimal(10), Decimal(10))
    assert (found.status, found.notes, found.currency, found.lines) == (2, "", "EUR", None)
    priceless = item({"id": 1, "name": "Cap", "unit_cost": None, "sku": None})
    assert (priceless.unit_cost, priceless.currency, priceless.sku) == (None, None, "")


@pytest.mark.parametrize(
    "row",
    [
        {"amount": {"amount": "1"}, "create_date": "2026-11-20"},
        {"id": "x", "amount": {"amount": "1"}, "create_date": "2026-11-20"},
        {"id": 1, "amount": {"amount": "NaN"}, "create_date": "2026-11-20"},
        {"id": 1, "amount": {"amount": 1.5}, "create_date": "2026-11-20"},
        {"id": 1, "amount": None, "create_date": "2026-11-20"},
        {"id": 1, "amount": {"amount": "1"}, "create_date": "yesterday"},
    ],
)
def test_what_would_make_money_or_identity_up_is_unreadable(row: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        invoice(row)
