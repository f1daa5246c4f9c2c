"""The answers have the keys and JSON types of published answers of the real API.

`documented.json` has them, from the test data of an open-source client. Some values there were
edited by its author, whose notes list them; such keys are left out here by name.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import documented

SHAPES = json.loads((Path(__file__).parent / "documented.json").read_text())["freshbooks"]
_ARTEFACTS = (
    "test_amount",  # made up by the client's author
    "outstanding_balance",  # amounts are numbers there by mistake
    "deposit_amount",  # set there though deposit_status is none
    "deposit_percentage",
)


def differences(kind: str, answer: Any) -> list[str]:
    """The fields that are missing and those of another type; null fits anything."""
    ours = documented.shape_of(answer["response"])
    filled = {at for at, types in ours.items() if types not in ("null", "array|null")}
    found = []
    for at, types in SHAPES[kind].items():
        above = at.rpartition(".")[0]
        if any(name in at for name in _ARTEFACTS) or (at and above not in filled):
            continue
        if at not in ours:
            found += [] if at.endswith("*") else [f"{at}: missing"]
        elif not {*types.split("|"), "null"} & set(ours[at].split("|")) and types != "null":
            found.append(f"{at}: {ours[at]} in place of {types}")
    return found


@pytest.fixture
def filled(books: Any, line: Any) -> dict[str, dict[str, Any]]:
    """One record of each kind, filled as the published ones are."""
    tax = books.create("tax", name="HST1", amount="13", number="RT")
    item = books.create("item", name="Item", sku="SQ1234", tax1=tax["id"])
    client = books.client(lname="Shumway", note="I like cats", home_phone="1", vat_name="VAT")
    invoice = books.sent(
        line("5.00", "4", taxName1="HST1", taxAmount1="13", description="Melmac"),
        line("4.00", "6"),
        customerid=client["id"],
        discount_value="10",
        notes="Thanks",
    )
    payment = books.pay(invoice, "20.00", note="Some note")
    return {"tax": tax, "item": item, "client": client, "invoice": invoice, "payment": payment}


@pytest.mark.parametrize("kind", ["client", "invoice", "item", "payment", "tax"])
def test_a_single_record_has_the_keys_and_types_of_the_real_one(
    books: Any, filled: Any, kind: str
) -> None:
    includes = ["lines", "presentation", "grand_total_balance", "outstanding_balance"]
    params = [("include[]", include) for include in includes]
    answer = books.ask("GET", kind, filled[kind]["id"], params=params)
    assert differences(kind, answer.json()) == []


def test_a_missing_field_and_a_wrong_type_are_found_out(books: Any, filled: Any) -> None:
    answer = books.ask("GET", "payment", filled["payment"]["id"]).json()
    payment = answer["response"]["result"]["payment"]
    del payment["note"]
    payment["amount"]["amount"] = 20.0
    assert differences("payment", answer) == [
        "result.payment.amount.amount: number in place of string",
        "result.payment.note: missing",
    ]


@pytest.mark.parametrize("kind", ["client", "invoice", "item", "payment"])
def test_a_list_has_the_keys_and_types_of_the_real_one(books: Any, filled: Any, kind: str) -> None:
    del filled
    answer = books.ask("GET", kind, params={"include[]": "lines"})
    assert differences(f"{kind}s", answer.json()) == []


def test_a_created_client_has_the_values_of_the_real_one(
    books: Any, fixtures_of_freshbooks: Path
) -> None:
    name = fixtures_of_freshbooks / "java-sdk/create_client_response.json"
    real = json.loads(name.read_text())["response"]["result"]["client"]
    ours = books.create("client", email=real["email"], p_city=real["p_city"], currency_code="CAD")
    own = {"id", "userid", "accounting_systemid", "signup_date", "updated", "username"}
    assert {key: ours[key] for key in real.keys() - own} == {
        key: real[key] for key in real.keys() - own
    }


def test_identity_has_the_keys_and_types_of_the_real_one(books: Any) -> None:
    ours = books.http.get("/auth/api/v1/users/me").json()
    account = ours["response"]["business_memberships"][0]["business"]["account_id"]
    for section in ("permissions", "subscription_statuses"):
        assert account in ours["response"].pop(section)
    named = ("permissions", "subscription_statuses")  # by account, so that each has its own
    assert [text for text in differences("me", ours) if not text.startswith(named)] == []


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("java-sdk/get_client_response__not_found_old.json", None),
        ("java-sdk/get_client_response__not_found_new.json", "2023-02-20"),
    ],
)
def test_a_missing_client_is_worded_as_by_the_real_api(
    books: Any, fixtures_of_freshbooks: Path, name: str, version: str | None
) -> None:
    real = json.loads((fixtures_of_freshbooks / name).read_text())
    headers = {"x-api-version": version} if version else {}
    answer = books.ask("GET", "client", 12345, headers=headers)
    assert (answer.status_code, answer.json()) == (404, real)


def test_a_bad_token_is_worded_as_by_the_real_api(books: Any, fixtures_of_freshbooks: Path) -> None:
    folder = fixtures_of_freshbooks / "java-sdk"
    headers = {"authorization": "Bearer wrong", "x-api-version": "2023-02-20"}
    ours = books.ask("GET", "client", headers=headers).json()
    real = json.loads((folder / "get_client_response__no_auth.json").read_text())
    assert documented.shape_of(ours) == documented.shape_of(real)
    assert ours["code"] == real["code"] == 16
    real = json.loads((folder / "auth_response__no_auth.json").read_text())
    assert books.http.get("/auth/api/v1/users/me", headers=headers).json() == real
