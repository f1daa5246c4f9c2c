"""Invoices: numbers, totals under every rounding, lines, status, what may not be written."""

from __future__ import annotations

from typing import Any

import pytest


def amounts(invoice: dict[str, Any]) -> tuple[str, str, str]:
    return tuple(invoice[name]["amount"] for name in ("amount", "paid", "outstanding"))  # type: ignore[return-value]


def states(invoice: dict[str, Any]) -> tuple[int, str, str]:
    return invoice["status"], invoice["v3_status"], invoice["payment_status"]


# -- totals ---------------------------------------------------------------------------------------


def test_tax_is_computed_after_the_discount(books: Any, line: Any) -> None:
    gst = {"taxName1": "TPS", "taxAmount1": "5", "taxName2": "TVQ", "taxAmount2": "9.975"}
    invoice = books.invoice(
        line("555.55", **gst), line("7.98", **gst), discount_value="15", currency_code="CAD"
    )
    assert invoice["discount_total"]["amount"] == "-84.53"
    assert invoice["amount"]["amount"] == "550.73"


def test_tax_is_rounded_per_line_or_per_tax(books: Any, line: Any, switch: Any) -> None:
    lines = [line("0.10", taxName1="HST", taxAmount1="5") for _ in range(3)]
    assert books.invoice(*lines)["amount"]["amount"] == "0.33"
    switch(tax_rounding="per_tax")
    assert books.invoice(*lines)["amount"]["amount"] == "0.32"


def test_half_a_cent_goes_up_or_to_even(books: Any, line: Any, switch: Any) -> None:
    taxed = line("0.50", taxName1="HST", taxAmount1="5")
    assert books.invoice(taxed)["amount"]["amount"] == "0.53"
    switch(rounding_mode="half_even")
    assert books.invoice(taxed)["amount"]["amount"] == "0.52"


def test_unit_costs_keep_their_decimals_or_two(books: Any, line: Any, switch: Any) -> None:
    invoice = books.invoice(line("3.3333", "3"))
    assert invoice["lines"][0]["unit_cost"]["amount"] == "3.3333"
    assert invoice["amount"]["amount"] == "10.00"
    switch(unit_cost_decimals=2)
    invoice = books.invoice(line("3.3333", "3"))
    assert invoice["lines"][0]["unit_cost"]["amount"] == "3.33"
    assert invoice["amount"]["amount"] == "9.99"


def test_yen_are_rounded_to_cents_or_to_yen(books: Any, line: Any, switch: Any) -> None:
    taxed = line("105", taxName1="CT", taxAmount1="10")
    taxed["unit_cost"]["code"] = "JPY"
    assert books.invoice(taxed, currency_code="JPY")["amount"]["amount"] == "115.50"
    switch(currency_decimals="iso")
    assert books.invoice(taxed, currency_code="JPY")["amount"]["amount"] == "116.00"


def test_a_compounded_second_tax_is_on_top_of_the_first(books: Any, line: Any) -> None:
    two = {"taxName1": "A", "taxAmount1": "10", "taxName2": "B", "taxAmount2": "10"}
    assert books.invoice(line("100.00", **two))["amount"]["amount"] == "120.00"
    compounded = books.invoice(line("100.00", **two, compounded_tax=True))
    assert compounded["amount"]["amount"] == "121.00"


def test_percents_keep_four_decimals_unless_switched(books: Any, line: Any, switch: Any) -> None:
    taxed = line("1000.00", taxName1="T", taxAmount1="8.12345")
    assert books.invoice(taxed)["lines"][0]["taxAmount1"] == "8.1235"
    switch(tax_percent_decimals=5)
    assert books.invoice(taxed)["lines"][0]["taxAmount1"] == "8.12345"
    taxed["taxAmount1"] = "101"
    body = {"customerid": books.client()["id"], "create_date": "2026-11-02"}
    refused = books.errors("POST", "invoice", **body, currency_code="CAD", lines=[taxed])
    assert (refused.errno, refused.field) == (1018, "taxAmount1")


def test_an_untaxed_line_reads_back_with_an_empty_name_and_zero(books: Any, line: Any) -> None:
    read = books.invoice(line("1.00"))["lines"][0]
    assert (read["taxName1"], read["taxAmount1"], read["taxNumber1"]) == ("", "0", None)


def test_the_tax_number_comes_from_the_tax_of_that_name(books: Any, line: Any) -> None:
    books.create("tax", name="HST", amount="13", number="RT 1234")
    read = books.invoice(line("1.00", taxName1="HST", taxAmount1="13", taxNumber1="mine"))
    assert read["lines"][0]["taxNumber1"] == "RT 1234"


def test_money_and_quantities_are_strings_on_the_wire(books: Any, line: Any) -> None:
    read = books.invoice({**line("2"), "qty": 3})["lines"][0]
    assert (read["qty"], read["unit_cost"], read["amount"]) == (
        "3",
        {"amount": "2.00", "code": "CAD"},
        {"amount": "6.00", "code": "CAD"},
    )


def test_misnamed_line_fields_give_zero_lines(books: Any) -> None:
    read = books.invoice({"name": "Bowl", "unitcost": "5.00", "quantity": "2"})
    assert read["amount"]["amount"] == "0.00"


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("negative_line", {"unit_cost": {"amount": "-1.00", "code": "CAD"}}),
        ("negative_qty", {"qty": "-1"}),
        ("line_currency", {"unit_cost": {"amount": "1.00", "code": "EUR"}}),
    ],
)
def test_odd_lines_are_accepted_or_refused(
    books: Any, line: Any, switch: Any, name: str, bad: dict[str, Any]
) -> None:
    body = {"customerid": books.client()["id"], "create_date": "2026-11-02"}
    body |= {"currency_code": "CAD", "lines": [line("10.00"), {**line("1.00"), **bad}]}
    switch(**{name: "refuse"})
    currency = name == "line_currency"
    assert books.errors("POST", "invoice", **body).errno == (1004 if currency else 1025)
    switch(**{name: "ignore" if currency else "accept"})
    books.create("invoice", **body)


def test_a_total_below_zero_is_refused_unless_switched(books: Any, line: Any, switch: Any) -> None:
    body = {"customerid": books.client()["id"], "create_date": "2026-11-02"}
    body |= {"currency_code": "CAD", "lines": [line("-1.00")]}
    assert books.errors("POST", "invoice", **body).errno == 1040
    switch(negative_total="accept")
    assert books.create("invoice", **body)["amount"]["amount"] == "-1.00"


# -- lines ----------------------------------------------------------------------------------------


def test_lines_are_answered_only_when_asked_for(books: Any) -> None:
    body = {"customerid": books.client()["id"], "create_date": "2026-11-02", "lines": []}
    made = books.ask("POST", "invoice", json={"invoice": body}).json()["response"]["result"]
    record_id = made["invoice"]["id"]
    read = books.ask("GET", "invoice", record_id).json()["response"]["result"]
    put = books.ask("PUT", "invoice", record_id, json={"invoice": {"notes": "n"}})
    for answer in (made, read, put.json()["response"]["result"]):
        assert "lines" not in answer["invoice"]
    assert "lines" not in books.rows("invoice")[0]
    listed = books.ask("GET", "invoice", params={"include[]": "lines"}).json()
    assert listed["response"]["result"]["invoices"][0]["lines"] == []


def test_a_put_with_lines_replaces_them_all(books: Any, line: Any) -> None:
    invoice = books.invoice(line("1.00", name="A"), line("2.00", name="B"), line("3.00", name="C"))
    kept = invoice["lines"][1]
    put = books.put(
        "invoice",
        invoice["id"],
        lines=[{**line("2.50", name="B"), "lineid": kept["lineid"]}, line("9.00", name="D")],
    )
    assert [(row["lineid"], row["name"]) for row in put["lines"]] == [(2, "B"), (4, "D")]
    assert put["amount"]["amount"] == "11.50"
    assert books.put("invoice", invoice["id"], notes="n")["amount"]["amount"] == "11.50"


def test_line_ids_count_from_one_in_each_invoice(books: Any, line: Any) -> None:
    for _ in range(2):
        invoice = books.invoice(line("1.00"), line("2.00"))
        assert [row["lineid"] for row in invoice["lines"]] == [1, 2]


def test_the_description_is_that_of_the_first_line(books: Any, line: Any) -> None:
    invoice = books.invoice(line("1.00", description="Melmac"), line("2.00"))
    assert invoice["description"] == "Melmac"


# -- number ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [0, 1, 2])
def test_a_number_is_unique_among_active_deleted_and_archived(books: Any, state: int) -> None:
    first = books.invoice(invoice_number="BC-1001")
    books.put("invoice", first["id"], vis_state=state)
    body = {"customerid": first["customerid"], "create_date": "2026-11-02"}
    refused = books.errors("POST", "invoice", **body, invoice_number="BC-1001")
    assert (refused.status, refused.errno, refused.field) == (422, 1029, "invoice_number")
    other = books.invoice(invoice_number="BC-1002")
    assert books.errors("PUT", "invoice", other["id"], invoice_number="BC-1001").errno == 1029


def test_a_taken_number_may_be_accepted(books: Any, switch: Any) -> None:
    switch(number_unique="no")
    one, other = (books.invoice(invoice_number="BC-1") for _ in range(2))
    assert one["id"] != other["id"]
    assert one["invoice_number"] == other["invoice_number"]


def test_a_taken_number_may_be_answered_otherwise(books: Any, switch: Any) -> None:
    switch(number_taken_status=409, number_taken_errno=1004)
    first = books.invoice(invoice_number="BC-1001")
    body = {"customerid": first["customerid"], "create_date": "2026-11-02"}
    refused = books.errors("POST", "invoice", **body, invoice_number="BC-1001")
    assert (refused.status, refused.errno, refused.field) == (409, 1004, "invoice_number")


def test_renaming_a_deleted_invoice_frees_its_number(books: Any) -> None:
    first = books.invoice(invoice_number="BC-1001")
    books.put("invoice", first["id"], vis_state=1)
    renamed = books.put("invoice", first["id"], invoice_number="BC-1001-old")
    assert (renamed["invoice_number"], renamed["vis_state"]) == ("BC-1001-old", 1)
    books.invoice(invoice_number="BC-1001")


def test_numbers_left_out_go_on_from_the_latest(books: Any) -> None:
    assert books.invoice()["invoice_number"] == "0000001"
    assert books.invoice()["invoice_number"] == "0000002"
    for given, next_one in (("BC-0009", "BC-0010"), ("000D", "000E"), ("0005", "0006")):
        books.invoice(invoice_number=given)
        assert books.invoice()["invoice_number"] == next_one


@pytest.mark.parametrize(
    ("limit", "body"),
    [
        ("invoice_number_max", {"invoice_number": "12345678901"}),
        ("po_number_max", {"po_number": "12345678901"}),
        ("notes_max", {"notes": "12345678901"}),
        ("line_name_max", {"lines": [{"name": "12345678901"}]}),
        ("line_description_max", {"lines": [{"description": "12345678901"}]}),
        ("lines_max", {"lines": [{"name": "x"}] * 11}),
    ],
)
def test_lengths_are_limited_when_switched(
    books: Any, switch: Any, limit: str, body: dict[str, Any]
) -> None:
    head = {"customerid": books.client()["id"], "create_date": "2026-11-02"}
    books.create("invoice", **head, **body)
    switch(**{limit: 10})
    body = {**body, "invoice_number": body.get("invoice_number", "other")}
    assert books.errors("POST", "invoice", **head, **body).errno == 1017


# -- what must and may be written -----------------------------------------------------------------


def test_client_and_date_are_required(books: Any) -> None:
    client_id = books.client()["id"]
    for body, field in (
        ({"create_date": "2026-11-02"}, "customerid"),
        ({"customerid": client_id}, "create_date"),
    ):
        refused = books.errors("POST", "invoice", **body)
        assert (refused.status, refused.errno, refused.field) == (422, 1001, field)
        assert refused.message == f"'{field}' is a required field."
    assert (
        books.errors("POST", "invoice", customerid=client_id, create_date="02/11/2026").errno
        == 1033
    )
    assert books.errors("POST", "invoice", customerid=1, create_date="2026-11-02").errno == 1012


def test_due_date_is_read_only_and_follows_the_offset(books: Any, switch: Any) -> None:
    invoice = books.invoice(due_offset_days=30)
    assert invoice["due_date"] == "2026-12-02"
    refused = books.errors("PUT", "invoice", invoice["id"], due_date="2026-12-24", notes="lost")
    assert (refused.status, refused.errno, refused.field) == (403, 1038, "due_date")
    assert books.get("invoice", invoice["id"])["notes"] == ""
    switch(due_date="ignore")
    put = books.put("invoice", invoice["id"], due_date="2026-12-24", notes="kept")
    assert (put["due_date"], put["notes"]) == ("2026-12-02", "kept")


def test_computed_fields_cannot_be_written(books: Any) -> None:
    invoice = books.invoice()
    free = {"amount": "0.00", "code": "CAD"}
    put = books.put("invoice", invoice["id"], amount=free, outstanding=free, description="mine")
    assert amounts(put) == ("100.00", "0.00", "100.00")


def test_name_and_address_are_copies_from_when_the_invoice_was_made(books: Any) -> None:
    client = books.client(p_city="Toronto")
    invoice = books.invoice(customerid=client["id"])
    books.put("client", client["id"], fname="Willie", p_city="Ottawa")
    read = books.get("invoice", invoice["id"])
    assert (read["fname"], read["city"]) == ("Gordon", "Toronto")


def test_currency_comes_from_the_client_unless_given(books: Any) -> None:
    client = books.client(currency_code="EUR")
    made = books.create("invoice", customerid=client["id"], create_date="2026-11-02")
    assert made["amount"]["code"] == made["currency_code"] == "EUR"
    assert books.invoice(customerid=client["id"])["currency_code"] == "CAD"


def test_an_invoice_for_a_deleted_client_is_accepted_or_refused(books: Any, switch: Any) -> None:
    client = books.client()
    books.put("client", client["id"], vis_state=1)
    body = {"customerid": client["id"], "create_date": "2026-11-02"}
    books.create("invoice", **body)
    switch(deleted_client_invoice="refuse")
    assert books.errors("POST", "invoice", **body).errno == 1011


# -- status ---------------------------------------------------------------------------------------


def test_status_can_be_written_to_0_to_3_only(books: Any) -> None:
    invoice = books.invoice()
    for status, words in ((2, "sent"), (3, "viewed"), (1, "draft")):
        put = books.put("invoice", invoice["id"], status=status)
        assert states(put) == (status, words, "unpaid")
    assert books.put("invoice", invoice["id"], status=0)["v3_status"] == "disputed"
    for status in (4, 5, 8):
        refused = books.errors("PUT", "invoice", invoice["id"], status=status)
        assert refused.status == 422
        expected = "Status must be one of 'draft', 'sent', 'viewed' or 'disputed'."
        assert refused.message == expected
    refused = books.errors("PUT", "invoice", invoice["id"], status="sent")
    assert (refused.status, refused.errno) == (422, 1015)
    assert refused.message == "The field 'status' must be a number."


def test_a_status_on_create_is_ignored_or_honoured(books: Any, switch: Any) -> None:
    assert states(books.invoice(status=1)) == (1, "draft", "unpaid")
    assert states(books.invoice(status=2)) == (2, "sent", "unpaid")
    assert states(books.invoice(status=3)) == (3, "viewed", "unpaid")
    head = {"customerid": books.client()["id"], "create_date": "2026-11-02"}
    for wrong in (0, 4, 8):
        refused = books.errors("POST", "invoice", **head, status=wrong)
        assert (refused.status, refused.errno, refused.field) == (422, 8008, "status")
    switch(create_status="ignore")
    assert states(books.invoice(status=2)) == (1, "draft", "unpaid")
    assert states(books.invoice(status=4)) == (1, "draft", "unpaid")


def test_a_quantity_of_nothing_is_refused_unless_switched(
    books: Any, line: Any, switch: Any
) -> None:
    head = {"customerid": books.client()["id"], "create_date": "2026-11-02", "currency_code": "CAD"}
    refused = books.errors("POST", "invoice", **head, lines=[line("5.00", "0")])
    assert (refused.status, refused.errno, refused.field) == (422, 1028, "qty")
    assert books.invoice(line("5.00", "0.5"))["amount"]["amount"] == "2.50"
    switch(zero_qty="accept")
    assert books.invoice(line("5.00", "0"))["amount"]["amount"] == "0.00"


def test_numbers_of_invoices_and_credit_notes_end_at_twenty_and_ten(books: Any, line: Any) -> None:
    head = {"customerid": books.client()["id"], "create_date": "2026-11-02", "currency_code": "CAD"}
    assert books.create("invoice", **head, invoice_number="N" * 20)
    refused = books.errors("POST", "invoice", **head, invoice_number="N" * 21)
    assert (refused.status, refused.errno, refused.field) == (422, 1017, "invoice_number")
    note = {**head, "clientid": head.pop("customerid"), "lines": [line("5.00")]}
    assert books.create("credit_note", **note, credit_number="N" * 10)
    refused = books.errors("POST", "credit_note", **note, credit_number="N" * 11)
    assert (refused.status, refused.errno, refused.field) == (422, 1017, "credit_number")


def test_sending_by_email_needs_recipients(books: Any) -> None:
    invoice = books.invoice()
    assert books.errors("PUT", "invoice", invoice["id"], action_email=True).errno == 1001
    put = books.put("invoice", invoice["id"], action_email=True, email_recipients=["a@b.c"])
    assert put["v3_status"] == "sent"


def test_overdue_goes_by_today(books: Any, control: Any) -> None:
    invoice = books.sent(due_offset_days=5)
    assert invoice["v3_status"] == "sent"
    books.pay(invoice, "40.00")
    assert states(books.get("invoice", invoice["id"])) == (2, "partial", "partial")
    control.post("clock", json={"set": "2026-11-09T12:00:00+00:00"})
    books.login()
    assert states(books.get("invoice", invoice["id"])) == (2, "overdue", "partial")
    assert [row["id"] for row in books.rows("invoice", v3_status="overdue")] == [invoice["id"]]


def test_a_sent_invoice_of_nothing_stays_unpaid(books: Any, line: Any, control: Any) -> None:
    invoice = books.sent(line("0.00"))
    assert states(invoice) == (2, "sent", "unpaid")
    control.post("clock", json={"set": "2026-11-09T12:00:00+00:00"})
    books.login()
    assert states(books.get("invoice", invoice["id"])) == (2, "overdue", "unpaid")


def test_lowering_a_paid_invoice_keeps_the_excess_or_makes_credit_of_it(
    books: Any, line: Any, switch: Any
) -> None:
    invoice = books.sent(line("100.00"))
    books.pay(invoice, "100.00")
    put = books.put("invoice", invoice["id"], lines=[line("100.00"), line("-30.00")])
    assert amounts(put) == ("70.00", "100.00", "-30.00")
    assert put["payment_status"] == "paid"
    switch(overpaid_after_line="credit")
    invoice = books.sent(line("100.00"))
    payment = books.pay(invoice, "100.00")
    put = books.put("invoice", invoice["id"], lines=[line("100.00"), line("-30.00")])
    assert amounts(put) == ("70.00", "70.00", "0.00")
    note = books.rows("credit_note", clientid=invoice["customerid"])[0]
    assert (note["amount"]["amount"], note["credit_type"]) == ("30.00", "overpayment")
    assert books.get("payment", payment["id"])["overpaymentid"] == note["id"]


@pytest.mark.parametrize("name", ["negative_line_paid", "edit_paid"])
def test_a_refund_line_on_a_paid_invoice_is_accepted_or_refused(
    books: Any, line: Any, switch: Any, name: str
) -> None:
    invoice = books.sent(line("100.00"))
    payment = books.pay(invoice, "100.00")
    books.put("payment", payment["id"], amount={"amount": "70.00", "code": "CAD"})
    lines = [line("100.00"), line("-30.00", name="Refund 1")]
    switch(**{name: "refuse"})
    assert books.errors("PUT", "invoice", invoice["id"], lines=lines).status == 422
    switch(**{name: "accept"})
    put = books.put("invoice", invoice["id"], lines=lines)
    assert amounts(put) == ("70.00", "70.00", "0.00")
    assert states(put) == (4, "paid", "paid")


def test_deleting_a_paid_invoice_is_accepted_or_refused(books: Any, switch: Any) -> None:
    invoice = books.sent()
    books.pay(invoice, "100.00")
    switch(delete_paid_invoice="refuse")
    assert books.errors("PUT", "invoice", invoice["id"], vis_state=1).status == 422
    switch(delete_paid_invoice="accept")
    assert books.put("invoice", invoice["id"], vis_state=1)["vis_state"] == 1
