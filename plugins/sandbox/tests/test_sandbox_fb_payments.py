"""Payments and credit notes: capped, credited, lowered, deleted, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

CAD = "CAD"


def cad(amount: str) -> dict[str, str]:
    return {"amount": amount, "code": CAD}


def standing(books: Any, invoice: dict[str, Any]) -> tuple[str, str, int, str, str]:
    read = books.get("invoice", invoice["id"])
    return (
        read["paid"]["amount"],
        read["outstanding"]["amount"],
        read["status"],
        read["v3_status"],
        read["payment_status"],
    )


def test_too_much_is_stored_as_what_was_outstanding_and_the_rest_is_credit(
    books: Any, line: Any
) -> None:
    invoice = books.sent(line("180.00"))
    payment = books.pay(invoice, "3300.00")
    assert payment["amount"] == cad("180.00")
    note = books.get("credit_note", payment["overpaymentid"])
    assert (note["amount"], note["credit_type"]) == (cad("3120.00"), "overpayment")
    assert standing(books, invoice) == ("180.00", "0.00", 4, "paid", "paid")


def test_paying_twice_makes_a_payment_of_nothing_and_a_credit(books: Any) -> None:
    invoice = books.sent()
    books.pay(invoice, "100.00")
    again = books.pay(invoice, "100.00")
    assert again["amount"] == cad("0.00")
    assert again["overpaymentid"] is not None
    credit = books.ask(
        "GET", "client", invoice["customerid"], params={"include[]": "credit_balance"}
    )
    found = credit.json()["response"]["result"]["client"]["credit_balance"]
    assert found == [{"amount": cad("100.00")}]


def test_two_payments_make_partial_then_paid(books: Any) -> None:
    invoice = books.sent()
    books.pay(invoice, "40.00")
    assert standing(books, invoice) == ("40.00", "60.00", 2, "partial", "partial")
    books.pay(invoice, "60.00")
    assert standing(books, invoice) == ("100.00", "0.00", 4, "paid", "paid")


def test_a_deleted_payment_reopens_its_invoice_unless_switched(books: Any, switch: Any) -> None:
    invoice = books.sent()
    payment = books.pay(invoice, "100.00")
    deleted = books.put("payment", payment["id"], vis_state=1)
    assert (deleted["vis_state"], deleted["amount"]) == (1, cad("100.00"))
    assert standing(books, invoice) == ("0.00", "100.00", 2, "sent", "unpaid")
    assert books.rows("payment", invoiceid=invoice["id"]) == []
    switch(deleted_payment="still_counts")
    other = books.sent()
    books.put("payment", books.pay(other, "100.00")["id"], vis_state=1)
    assert standing(books, other)[0] == "100.00"


def test_editing_a_deleted_payment_restores_it(books: Any) -> None:
    invoice = books.sent()
    payment = books.pay(invoice, "100.00")
    books.put("payment", payment["id"], vis_state=1)
    assert books.put("payment", payment["id"], note="edited")["vis_state"] == 0
    assert standing(books, invoice)[0] == "100.00"


def test_a_payment_can_be_lowered_and_raised(books: Any) -> None:
    invoice = books.sent()
    payment = books.pay(invoice, "100.00")
    books.put("payment", payment["id"], amount=cad("70.00"))
    assert standing(books, invoice) == ("70.00", "30.00", 2, "partial", "partial")
    books.put("payment", payment["id"], amount=cad("100.00"))
    assert standing(books, invoice) == ("100.00", "0.00", 4, "paid", "paid")
    raised = books.put("payment", payment["id"], amount=cad("150.00"))
    assert raised["amount"] == cad("100.00")
    assert raised["overpaymentid"] is not None


def test_a_payment_can_be_lowered_to_zero_unless_switched(books: Any, switch: Any) -> None:
    payment = books.pay(books.sent(), "100.00")
    assert books.put("payment", payment["id"], amount=cad("0.00"))["amount"] == cad("0.00")
    switch(payment_put_zero="refuse")
    assert books.errors("PUT", "payment", payment["id"], amount=cad("0.00")).errno == 1025


@pytest.mark.parametrize(
    ("name", "amount"), [("payment_zero", "0.00"), ("payment_negative", "-1.00")]
)
def test_zero_and_negative_payments_are_refused_unless_switched(
    books: Any, switch: Any, name: str, amount: str
) -> None:
    invoice = books.sent()
    body = {"invoiceid": invoice["id"], "date": "2026-11-02", "type": "Cash", "amount": cad(amount)}
    assert books.errors("POST", "payment", **body).errno == 1025
    switch(**{name: "accept"})
    assert books.create("payment", **body)["amount"] == cad(amount)


@pytest.mark.parametrize("field", ["invoiceid", "amount", "date", "type"])
def test_what_a_payment_must_have(books: Any, field: str) -> None:
    invoice = books.sent()
    body = {"invoiceid": invoice["id"], "date": "2026-11-02", "type": "Cash", "amount": cad("1.00")}
    del body[field]
    refused = books.errors("POST", "payment", **body)
    assert (refused.status, refused.errno, refused.field) == (422, 1001, field)


def test_types_are_normalised_and_unknown_ones_refused_or_other(books: Any, switch: Any) -> None:
    invoice = books.sent()
    assert books.pay(invoice, "1.00", type="Visa")["type"] == "VISA"
    body = {"invoiceid": invoice["id"], "date": "2026-11-02", "amount": cad("1.00")}
    for wrong in ("Stripe", "Refund", "Wire Transfer"):
        refused = books.errors("POST", "payment", **body, type=wrong)
        assert (refused.status, refused.errno, refused.field) == (422, 1004, "type")
    switch(payment_unknown_type="other")
    assert books.create("payment", **body, type="Stripe")["type"] == "Other"


def test_the_currency_is_the_invoices_and_may_be_left_out(books: Any, switch: Any) -> None:
    invoice = books.sent()
    body = {"invoiceid": invoice["id"], "date": "2026-11-02", "type": "Cash"}
    made = books.create("payment", **body, amount={"amount": "1.00"})
    assert made["amount"] == cad("1.00")
    body["amount"] = {"amount": "1.00", "code": "USD"}
    assert books.errors("POST", "payment", **body).field == "amount"
    switch(payment_currency="ignore")
    assert books.create("payment", **body)["amount"] == cad("1.00")


@pytest.mark.parametrize(
    ("value", "state"),
    [("becomes_paid", (4, "paid", "paid")), ("stays_draft", (1, "draft", "paid"))],
)
def test_paying_a_draft_pays_it_or_leaves_it_a_draft(
    books: Any, switch: Any, value: str, state: tuple[int, str, str]
) -> None:
    switch(draft_payment=value)
    invoice = books.invoice()
    books.pay(invoice, "100.00")
    assert standing(books, invoice)[2:] == state


def test_paying_a_draft_may_be_refused(books: Any, switch: Any) -> None:
    switch(draft_payment="refuse")
    body = {"invoiceid": books.invoice()["id"], "date": "2026-11-02", "type": "Cash"}
    assert books.errors("POST", "payment", **body, amount=cad("1.00")).field == "invoiceid"


def test_a_payment_needs_an_invoice_that_is_there(books: Any) -> None:
    body = {"date": "2026-11-02", "type": "Cash", "amount": cad("1.00")}
    refused = books.errors("POST", "payment", **body, invoiceid=1)
    assert (refused.status, refused.errno) == (404, 1012)
    invoice = books.sent()
    books.put("invoice", invoice["id"], vis_state=1)
    assert books.errors("POST", "payment", **body, invoiceid=invoice["id"]).errno == 1011


def test_payments_are_found_by_note_invoice_amount_and_day(books: Any) -> None:
    invoice, other = books.sent(), books.sent()
    first = books.pay(invoice, "40.00", note="BigCommerce order 1001, transaction 7")
    second = books.pay(other, "60.00", note="BigCommerce order 1002", date="2026-11-03")
    expected = [
        ({"notes": "order 1001"}, [first]),
        ({"invoiceid": other["id"]}, [second]),
        ({"amount_min": "50"}, [second]),
        ({"amount_max": "50"}, [first]),
        ({"date_min": "2026-11-03"}, [second]),
        ({"date_max": "2026-11-03"}, [first]),
        ({"clientids": [invoice["customerid"], other["customerid"]]}, [first, second]),
        ({"payment_or_credit": "credit"}, []),
        ({"number": invoice["invoice_number"]}, [first]),
    ]
    for search, wanted in expected:
        found = [row["id"] for row in books.rows("payment", **search)]
        assert found == [row["id"] for row in wanted], search


def test_a_payments_id_and_logid_are_one(books: Any) -> None:
    payment = books.pay(books.sent(), "1.00")
    assert payment["id"] == payment["logid"]


# -- credit notes ---------------------------------------------------------------------------------


def test_a_credit_note_is_made_under_its_singular_key(books: Any, line: Any) -> None:
    client = books.client()
    body = {"clientid": client["id"], "create_date": "2026-11-05", "currency_code": CAD}
    body |= {"credit_number": "CN-1001", "notes": "BigCommerce order 1001, refund 3"}
    body["lines"] = [line("10.00", taxName1="HST", taxAmount1="13")]
    note = books.create("credit_note", **body)
    assert note["amount"] == cad("11.30")
    assert (note["status"], note["payment_status"], note["credit_type"]) == (
        "created",
        "unpaid",
        "goodwill",
    )
    assert note["lines"][0]["lineid"] == f"{note['id']}-1"
    assert "lines" not in books.rows("credit_note")[0]

    plural = books.ask("POST", "credit_note", json={"credit_notes": body})
    error = plural.json()["response"]["errors"][0]
    assert (plural.status_code, error["errno"]) == (422, 1001)
    assert error["message"] == "'clientid' is a required field."


def test_credit_numbers_may_repeat_unless_switched(books: Any, switch: Any) -> None:
    body = {"clientid": books.client()["id"], "credit_number": "CN-1"}
    books.create("credit_note", **body)
    books.create("credit_note", **body)
    switch(credit_number_unique="yes")
    assert books.errors("POST", "credit_note", **body).errno == 1029


def test_credit_notes_are_found_by_clientid_and_not_by_client_id(books: Any) -> None:
    first, second = (books.create("credit_note", clientid=books.client()["id"]) for _ in "ab")
    found = books.rows("credit_note", clientid=first["clientid"])
    assert [row["id"] for row in found] == [first["id"]]
    ignored = books.rows("credit_note", client_id=first["clientid"])
    assert [row["id"] for row in ignored] == [first["id"], second["id"]]


def test_only_two_credit_types_can_be_written(books: Any) -> None:
    body = {"clientid": books.client()["id"], "credit_type": "overpayment"}
    assert books.errors("POST", "credit_note", **body).field == "credit_type"


def test_a_payment_moved_to_another_invoice_is_capped_there(books: Any, line: Any) -> None:
    large, small = (books.sent(line(cost)) for cost in ("100.00", "30.00"))
    books.pay(small, "10.00")
    payment = books.pay(large, "100.00")
    moved = books.put("payment", payment["id"], invoiceid=small["id"])
    assert moved["amount"]["amount"] == "20.00"
    assert books.get("invoice", small["id"])["outstanding"]["amount"] == "0.00"
    assert books.get("invoice", large["id"])["outstanding"]["amount"] == "100.00"
    (credit,) = books.rows("credit_note", clientid=small["customerid"])
    assert credit["amount"]["amount"] == "80.00"
    assert moved["overpaymentid"] == credit["creditid"]
