"""What FreshBooks refuses, ignores or does on its own, where nobody knows which: both sides."""

from __future__ import annotations

from typing import Any

import pytest

CAD = "CAD"


def cad(amount: str) -> dict[str, str]:
    return {"amount": amount, "code": CAD}


def overpaid(books: Any) -> dict[str, Any]:
    return books.pay(books.sent(), "130.00")


def notes(books: Any, **search: Any) -> list[dict[str, Any]]:
    return books.rows("credit_note", **search)


@pytest.mark.parametrize(("switched", "left"), [("credit_stays", 1), ("credit_goes", 0)])
def test_the_credit_of_a_deleted_overpayment_stays_or_goes(
    books: Any, switch: Any, switched: str, left: int
) -> None:
    switch(overpayment_deleted=switched)
    payment = overpaid(books)
    books.put("payment", payment["id"], vis_state=1)
    assert len(notes(books)) == left
    assert notes(books, vis_state=1) == [] or left == 0


def test_deleting_a_credit_an_overpayment_made_may_be_refused(books: Any, switch: Any) -> None:
    note = overpaid(books)["overpaymentid"]
    switch(overpayment_credit="refuse")
    assert books.errors("PUT", "credit_note", note, vis_state=1).status == 422
    goodwill = books.create("credit_note", clientid=books.client()["id"], create_date="2026-11-02")
    assert books.put("credit_note", goodwill["id"], vis_state=1)["vis_state"] == 1
    switch(overpayment_credit="deletable")
    assert books.put("credit_note", note, vis_state=1)["vis_state"] == 1


def test_an_overpayment_may_name_its_credit_by_the_other_id(books: Any, switch: Any) -> None:
    switch(credit_ids="apart")
    payment = overpaid(books)
    (note,) = notes(books)
    assert payment["overpaymentid"] == note["creditid"] != note["id"]
    assert books.errors("GET", "credit_note", payment["overpaymentid"]).status == 404


@pytest.mark.parametrize(("status", "errno", "field"), [(409, 409, ""), (422, 1029, "username")])
def test_two_people_of_one_name_cannot_both_have_the_user_name(
    books: Any, switch: Any, status: int, errno: int, field: str
) -> None:
    switch(username_taken=str(status))
    books.client(fname="John", lname="Smith", email="one@example.com")
    john = {"fname": "John", "lname": "Smith", "email": "two@example.com", "organization": "Two"}
    refused = books.errors("POST", "client", **john)
    assert (refused.status, refused.errno, refused.field) == (status, errno, field)
    assert "already exists" in refused.message
    made = books.create("client", email="two@example.com")
    books.put("client", made["id"], vis_state=1)
    assert books.errors("POST", "client", email="two@example.com").status == status
    assert books.create("client", organization="Two")["organization"] == "Two"
    assert books.create("client", organization="Two")["id"]
    switch(username_taken="no")
    books.client(**john)


def test_an_item_name_may_be_refused_in_words_alone(books: Any, switch: Any) -> None:
    switch(item_name_unique="409")
    item = books.create("item", name="Mug")
    books.put("item", item["id"], vis_state=1)
    refused = books.errors("POST", "item", name="Mug")
    assert (refused.status, refused.errno, refused.field) == (409, 409, "")


def test_the_longest_invoice_number_is_switched(books: Any, switch: Any) -> None:
    client = books.client()["id"]
    head = {"customerid": client, "create_date": "2026-11-02"}
    switch(invoice_number_max=10)
    refused = books.errors("POST", "invoice", **head, invoice_number="BC-12345678")
    assert (refused.status, refused.errno, refused.field) == (422, 1017, "invoice_number")
    switch(invoice_number_max=20)
    books.create("invoice", **head, invoice_number="BC-12345678")


@pytest.mark.parametrize("status", [402, 403, 422])
def test_a_plan_allows_so_many_clients_and_deleted_ones_do_not_count(
    books: Any, switch: Any, status: int
) -> None:
    switch(client_limit=2, client_limit_status=status)
    first, second = books.client(), books.client()
    books.put("client", second["id"], vis_state=2)
    refused = books.errors("POST", "client", email="three@example.com")
    assert refused.status == status
    assert "maximum number of clients" in refused.message
    books.put("client", first["id"], fname="Changed")
    books.put("client", first["id"], vis_state=1)
    books.client()


@pytest.mark.parametrize(("status", "errno"), [(422, 1004), (403, 1003)])
def test_nothing_dated_in_a_locked_period_is_written(
    books: Any, switch: Any, status: int, errno: int
) -> None:
    invoice = books.sent(create_date="2026-10-31")
    payment = books.pay(invoice, "50.00", date="2026-10-31")
    switch(locked_until="2026-10-31", lock_status=status)
    on = {"create_date": "2026-10-31"}
    tries = [
        ("POST", "invoice", None, {"customerid": invoice["customerid"], **on}),
        ("PUT", "invoice", invoice["id"], {"notes": "x"}),
        ("PUT", "invoice", invoice["id"], {"create_date": "2026-11-01"}),
        ("PUT", "invoice", invoice["id"], {"vis_state": 1}),
        ("PUT", "payment", payment["id"], {"amount": cad("1.00")}),
        ("PUT", "payment", payment["id"], {"vis_state": 1}),
        ("POST", "credit_note", None, {"clientid": invoice["customerid"], **on}),
    ]
    for method, kind, record_id, body in tries:
        refused = books.errors(method, kind, record_id, **body)
        assert (refused.status, refused.errno) == (status, errno), (method, kind)
        assert "locked period" in refused.message
    assert books.put("invoice", invoice["id"], vis_state=2)["vis_state"] == 2
    books.pay(invoice, "10.00", date="2026-11-01")
    open_one = books.invoice(create_date="2026-11-01")
    assert books.errors("PUT", "invoice", open_one["id"], **on).status == status
    switch(locked_until="")
    books.put("payment", payment["id"], vis_state=1)


@pytest.mark.parametrize(
    ("switched", "created", "updated"),
    [
        ("accept", 200, 200),
        ("refuse_create", 422, 200),
        ("refuse_update", 200, 422),
        ("refuse", 422, 422),
    ],
)
def test_negative_lines_are_refused_on_creation_on_update_or_both(
    books: Any, switch: Any, line: Any, switched: str, created: int, updated: int
) -> None:
    switch(negative_line=switched)
    lines = [line("10.00"), line("-1.00")]
    head = {"customerid": books.client()["id"], "create_date": "2026-11-02", "currency_code": CAD}
    answer = books.ask("POST", "invoice", json={"invoice": {**head, "lines": lines}})
    assert answer.status_code == created
    plain = books.invoice(line("10.00"))
    answer = books.ask("PUT", "invoice", plain["id"], json={"invoice": {"lines": lines}})
    assert answer.status_code == updated


@pytest.mark.parametrize(("switched", "state"), [("stays", 2), ("returns", 0)])
def test_an_edit_leaves_an_archived_invoice_there_or_takes_it_out(
    books: Any, switch: Any, switched: str, state: int
) -> None:
    switch(archived_put=switched)
    invoice = books.invoice()
    books.put("invoice", invoice["id"], vis_state=2)
    assert books.put("invoice", invoice["id"], notes="x")["vis_state"] == state
    books.put("invoice", invoice["id"], vis_state=2)
    assert books.put("invoice", invoice["id"], action_mark_as_sent=True)["vis_state"] == state


def test_a_sent_invoice_is_given_to_another_client_or_not(books: Any, switch: Any) -> None:
    other = books.client(fname="Other")["id"]
    invoice = books.sent()
    assert books.put("invoice", invoice["id"], customerid=other)["customerid"] == other
    switch(move_invoice="ignore")
    invoice = books.sent()
    kept = books.put("invoice", invoice["id"], customerid=other, notes="x")
    assert (kept["customerid"], kept["notes"]) == (invoice["customerid"], "x")
    switch(move_invoice="refuse")
    refused = books.errors("PUT", "invoice", invoice["id"], customerid=other)
    assert (refused.status, refused.field) == (422, "customerid")
    draft = books.invoice()
    assert books.put("invoice", draft["id"], customerid=other)["customerid"] == other


def test_rights_may_lack_for_clients_only_or_for_every_write(books: Any, switch: Any) -> None:
    head = {"customerid": books.client()["id"], "create_date": "2026-11-02"}
    switch(write_rights="no_clients")
    assert books.ask("POST", "client", json={"client": {"email": "a@x.com"}}).status_code == 403
    assert books.ask("POST", "invoice", json={"invoice": head}).status_code == 200
    switch(write_rights="none")
    assert books.ask("POST", "invoice", json={"invoice": head}).status_code == 403
    assert len(books.rows("client")) == 1


def test_a_put_can_be_ignored(books: Any, sandbox: Any) -> None:
    invoice = books.invoice()
    rule = {"kind": "ignored", "method": "PUT", "path": "invoices", "body": "mark_as_sent"}
    sandbox.context.faults.add({**rule, "times": 1})
    ignored = books.put("invoice", invoice["id"], action_mark_as_sent=True)
    assert (ignored["status"], ignored["lines"]) == (1, invoice["lines"])
    assert books.put("invoice", invoice["id"], action_mark_as_sent=True)["status"] == 2
    paid = books.pay(invoice, "5.00")
    sandbox.context.faults.add({"kind": "ignored", "method": "PUT", "path": f"/{paid['id']}$"})
    assert books.put("payment", paid["id"], amount=cad("1.00"))["amount"] == cad("5.00")


@pytest.mark.parametrize("status", [409, 422, 200])
def test_any_request_can_be_refused_in_any_words(books: Any, sandbox: Any, status: int) -> None:
    rule = {"kind": "refused", "side": "freshbooks", "method": "POST", "times": 1}
    words = "It conflicts with another change."
    sandbox.context.faults.add({**rule, "status": status, "errno": 409, "words": words})
    refused = books.errors("POST", "client", email="a@x.com")
    assert (refused.status, refused.errno, refused.message) == (status, 409, words)
    assert books.rows("client") == []


def test_a_bare_409_is_worded_as_busy(books: Any, sandbox: Any) -> None:
    sandbox.context.faults.add({"kind": "status", "status": 409, "method": "POST"})
    assert "being changed" in books.errors("POST", "client", email="a@x.com").message


# -- another hand


def test_a_bookkeeper_writes_without_token_right_or_quota_and_is_told_apart(
    books: Any, control: Any, switch: Any
) -> None:
    switch(write_rights="none")
    made = control.post(
        "by-hand", json={"path": "users/clients", "json": {"client": {"email": "b@x.com"}}}
    )
    assert made.status_code == 200
    (answer,) = made.json()
    client = answer["json"]["response"]["result"]["client"]
    switch(write_rights="all")
    books.put("client", client["id"], fname="Ours")
    writes = [
        {
            "method": "PUT",
            "path": f"users/clients/{client['id']}",
            "json": {"client": {"fname": "Hers"}},
        }
    ]
    control.post("by-hand", json=[{**writes[0], "by": "bookkeeper"}])
    told = control.get("history").json()["history"]
    assert [(row["kind"], row["actor"]) for row in told] == [
        ("client.create", "by hand"),
        ("client.update", "api"),
        ("client.update", "bookkeeper"),
    ]


def test_what_a_bookkeeper_may_not_do_either_is_told(books: Any, control: Any) -> None:
    del books
    refused = control.post("by-hand", json={"path": "items/items", "json": {"item": {}}})
    assert refused.status_code == 422
    assert refused.json()[0]["json"]["response"]["errors"][0]["errno"] == 1001
    assert control.post("by-hand", json={"method": "PUT"}).status_code == 400


def test_somebody_pays_just_before_our_payment_arrives(books: Any, control: Any) -> None:
    invoice = books.sent()
    payment = {
        "invoiceid": "$invoiceid",
        "amount": "$amount",
        "date": "2026-11-02",
        "type": "Cash",
        "note": "by hand on $invoiceid",
    }
    rule = {
        "kind": "act",
        "method": "POST",
        "path": "payments/payments$",
        "times": 1,
        "writes": [{"path": "payments/payments", "json": {"payment": payment}}],
    }
    assert control.post("faults", json=rule).status_code == 201
    ours = books.pay(invoice, "100.00")
    assert ours["amount"] == cad("0.00")
    hers, _ = books.rows("payment", invoiceid=invoice["id"])
    assert (hers["note"], hers["amount"]) == (f"by hand on {invoice['id']}", cad("100.00"))
    (told,) = control.get("faults").json()["rules"]
    assert [answer["status"] for answer in told["outcomes"][0]] == [200]
    by = {row["kind"]: row["actor"] for row in control.get("history").json()["history"]}
    assert (by["payment.create"], by["credit_note.overpayment"]) == ("api", "api")


def test_somebody_acts_right_after_a_request_was_answered(books: Any, control: Any) -> None:
    writes = [
        {
            "method": "PUT",
            "path": "invoices/invoices/$answer.id",
            "json": {"invoice": {"notes": "!"}},
        },
        {"method": "PUT", "path": "/_sandbox/switches", "json": {"fb.locked_until": "2026-11-30"}},
    ]
    rule = {"kind": "act", "method": "POST", "path": "invoices$", "when": "after", "writes": writes}
    control.post("faults", json={**rule, "times": 1})
    invoice = books.invoice()
    assert invoice["notes"] == ""
    assert books.get("invoice", invoice["id"])["notes"] == "!"
    assert books.errors("PUT", "invoice", invoice["id"], notes="x").status == 422


def test_a_rule_without_a_path_to_write_to_is_not_taken(control: Any, sandbox: Any) -> None:
    del sandbox
    assert control.post("faults", json={"kind": "act", "writes": [{"json": {}}]}).status_code == 400
