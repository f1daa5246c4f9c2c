"""The main path: log in, client, item, invoice, mark sent, payment."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from connector_sandbox import constants


def test_an_order_can_be_invoiced_and_paid(books: Any, line: Any) -> None:
    client = books.client()
    item = books.create(
        "item", name="Bowls", sku="B-1", unit_cost={"amount": "5.00", "code": "CAD"}
    )
    assert [row["id"] for row in books.rows("client", email="gordon@example.com")] == [client["id"]]
    assert [row["id"] for row in books.rows("item", sku="B-1")] == [item["id"]]

    taxed = line("5.00", "4", taxName1="HST", taxAmount1="13")
    invoice = books.invoice(
        taxed,
        line("4.00", "6"),
        discount_value="10",
        invoice_number="BC-1001",
        customerid=client["id"],
    )
    assert invoice["amount"] == {"amount": "41.94", "code": "CAD"}
    assert invoice["discount_total"] == {"amount": "-4.40", "code": "CAD"}
    assert (invoice["status"], invoice["v3_status"], invoice["payment_status"]) == (
        1,
        "draft",
        "unpaid",
    )

    sent = books.put("invoice", invoice["id"], action_mark_as_sent=True)
    assert (sent["status"], sent["v3_status"]) == (2, "sent")

    payment = books.pay(invoice, "41.94", note="BigCommerce order 1001")
    assert payment["amount"] == {"amount": "41.94", "code": "CAD"}
    paid = books.get("invoice", invoice["id"])
    assert (paid["status"], paid["v3_status"], paid["payment_status"]) == (4, "paid", "paid")
    assert paid["outstanding"]["amount"] == "0.00"
    assert [row["id"] for row in books.rows("payment", invoiceid=invoice["id"])] == [payment["id"]]


def test_the_oauth_flow_gives_tokens_that_open_the_account(sandbox: Any) -> None:
    with httpx.Client(base_url=sandbox.url) as http:
        asked = {
            "client_id": constants.FRESHBOOKS_CLIENT_ID,
            "response_type": "code",
            "redirect_uri": constants.FRESHBOOKS_REDIRECT_URI,
            "state": "xyz",
            "approve": "1",
        }
        back = http.get("/oauth/authorize/", params=asked)
        assert back.status_code == 302
        given = parse_qs(urlsplit(back.headers["location"]).query)
        assert given["state"] == ["xyz"]
        answer = http.post(
            "/auth/oauth/token",
            data={
                "grant_type": "authorization_code",
                "client_id": constants.FRESHBOOKS_CLIENT_ID,
                "client_secret": constants.FRESHBOOKS_CLIENT_SECRET,
                "redirect_uri": constants.FRESHBOOKS_REDIRECT_URI,
                "code": given["code"][0],
            },
        )
        tokens = answer.json()
        assert tokens["expires_in"] == 43200
        assert len(tokens["refresh_token"]) == 64
        me = http.get(
            "/auth/api/v1/users/me", headers={"authorization": f"Bearer {tokens['access_token']}"}
        ).json()["response"]
    accounts = [one["business"]["account_id"] for one in me["business_memberships"]]
    assert accounts == [constants.FRESHBOOKS_ACCOUNT_ID, None]
