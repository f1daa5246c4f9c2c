"""FreshBooks' own Python SDK, which nobody here wrote, works against the sandbox."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from connector_sandbox import constants

freshbooks = pytest.importorskip("freshbooks", reason="freshbooks-sdk is a development dependency")


@pytest.fixture
def sdk(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SDK, logged in with the first refresh token."""
    monkeypatch.setenv("FRESHBOOKS_API_URL", sandbox.url)
    monkeypatch.setenv("FRESHBOOKS_AUTH_URL", sandbox.url)
    client = freshbooks.Client(
        constants.FRESHBOOKS_CLIENT_ID,
        client_secret=constants.FRESHBOOKS_CLIENT_SECRET,
        redirect_uri=constants.FRESHBOOKS_REDIRECT_URI,
        refresh_token=constants.FRESHBOOKS_REFRESH_TOKEN,
    )
    client.refresh_access_token()
    return client


ACCOUNT = constants.FRESHBOOKS_ACCOUNT_ID


def test_the_sdk_logs_in_and_finds_the_account(sdk: Any) -> None:
    me = sdk.current_user()
    assert [one.business.account_id for one in me.business_memberships] == [ACCOUNT, None]
    assert sdk.access_token_expires_at is not None
    spent = constants.FRESHBOOKS_REFRESH_TOKEN
    with pytest.raises(freshbooks.FreshBooksError):
        sdk.refresh_access_token(spent)


def test_the_sdk_keeps_clients(sdk: Any) -> None:
    made = sdk.clients.create(ACCOUNT, {"email": "a+b@example.com", "fname": "Gordon"})
    assert made.organization == "Gordon"
    sdk.clients.update(ACCOUNT, made.id, {"note": "I like cats"})
    find = freshbooks.FilterBuilder().equals("email", "a%2Bb@example.com")
    assert [one.note for one in sdk.clients.list(ACCOUNT, builders=[find])] == ["I like cats"]
    sdk.clients.delete(ACCOUNT, made.id)
    assert sdk.clients.get(ACCOUNT, made.id).vis_state == freshbooks.VisState.DELETED
    assert len(sdk.clients.list(ACCOUNT)) == 0


def test_the_sdk_keeps_items_and_pages_through_them(sdk: Any) -> None:
    for number in range(7):
        cost = {"amount": "5.00", "code": "CAD"}
        sdk.items.create(
            ACCOUNT, {"name": f"Item {number}", "sku": f"S-{number}", "unit_cost": cost}
        )
    pages = freshbooks.PaginateBuilder(1, 3)
    listed = sdk.items.list(ACCOUNT, builders=[pages])
    assert (listed.pages.page, listed.pages.pages, listed.pages.total) == (1, 3, 7)
    last = sdk.items.list(ACCOUNT, builders=[pages.page(3)])
    assert [one.name for one in last] == ["Item 6"]
    sku = freshbooks.FilterBuilder().equals("sku", "S-4")
    assert [one.unit_cost.amount for one in sdk.items.list(ACCOUNT, builders=[sku])] == ["5.00"]


def test_the_sdk_invoices_sends_pays_and_searches(sdk: Any) -> None:
    client = sdk.clients.create(ACCOUNT, {"email": "gordon@example.com"})
    lines = [
        {
            "name": "Bowls",
            "qty": 4,
            "unit_cost": {"amount": "5.00", "code": "CAD"},
            "taxName1": "HST",
            "taxAmount1": "13",
        },
        {"name": "Mugs", "qty": 6, "unit_cost": {"amount": "4.00", "code": "CAD"}},
    ]
    include = freshbooks.IncludesBuilder().include("lines")
    made = sdk.invoices.create(
        ACCOUNT,
        {
            "customerid": client.id,
            "create_date": date(2026, 11, 2).isoformat(),
            "invoice_number": "BC-1001",
            "currency_code": "CAD",
            "discount_value": "10",
            "lines": lines,
        },
        includes=include,
    )
    assert made.amount.amount == "41.94"
    assert [one.name for one in made.lines] == ["Bowls", "Mugs"]
    sdk.invoices.update(ACCOUNT, made.id, {"action_mark_as_sent": True})
    paid = sdk.payments.create(
        ACCOUNT,
        {
            "invoiceid": made.id,
            "amount": {"amount": "41.94", "code": "CAD"},
            "date": "2026-11-02",
            "type": "Credit Card",
        },
    )
    assert paid.amount.amount == "41.94"
    read = sdk.invoices.get(ACCOUNT, made.id, includes=include)
    assert (read.status, read.payment_status, len(read.lines)) == (4, "paid", 2)
    number = freshbooks.FilterBuilder().equals("invoice_number", "BC-1001")
    by_date = freshbooks.FilterBuilder().between("date", date(2026, 11, 1), date(2026, 11, 3))
    among = freshbooks.FilterBuilder().in_list("customerid", [client.id])
    newest = freshbooks.SortBuilder().descending("invoice_date")
    for builders in ([number], [by_date], [among, newest]):
        assert [one.id for one in sdk.invoices.list(ACCOUNT, builders=builders)] == [made.id]
    of_invoice = freshbooks.FilterBuilder().equals("invoiceid", made.id)
    assert [one.id for one in sdk.payments.list(ACCOUNT, builders=[of_invoice])] == [paid.id]


@pytest.mark.parametrize("version", [None, "2023-02-20"])
def test_the_sdk_understands_the_errors(sandbox: Any, sdk: Any, version: str | None) -> None:
    client = freshbooks.Client(
        constants.FRESHBOOKS_CLIENT_ID, access_token=sdk.access_token, api_version=version
    )
    with pytest.raises(freshbooks.FreshBooksError) as missing:
        client.clients.get(ACCOUNT, 1)
    if version is None:
        assert (missing.value.status_code, missing.value.error_code) == (404, 1012)
        assert str(missing.value) == "Client not found."
    with pytest.raises(freshbooks.FreshBooksError):
        client.invoices.create(ACCOUNT, {"create_date": "2026-11-02"})
    del sandbox
