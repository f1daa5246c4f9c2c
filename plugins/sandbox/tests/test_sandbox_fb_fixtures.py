"""The answers have the keys and JSON types of published answers of the real API.

Those come from the test data of two open-source clients. Some of their values were edited by the
clients' authors, which their notes list; such keys are left out here by name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# path of a key -> why it is not compared
_ARTEFACTS = {
    "client.test_amount": "made up by the client's author",
    "client.outstanding_balance": "amounts are numbers there by mistake",
    "invoice.deposit_amount": "set there though deposit_status is none",
    "invoice.deposit_percentage": "as deposit_amount",
    "token.id_token": "a placeholder",
}


def shape(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return type(value).__name__


def differences(path: str, real: Any, ours: Any) -> list[str]:
    """Name the keys that are missing and those of another type; null fits anything."""
    if path in _ARTEFACTS or real is None or ours is None:
        return []
    if shape(real) != shape(ours):
        return [f"{path}: {shape(ours)} in place of {shape(real)}"]
    if isinstance(real, dict):
        found = [f"{path}.{key}: missing" for key in real if key not in ours]
        found = [text for text in found if text.removesuffix(": missing") not in _ARTEFACTS]
        for key in real.keys() & ours.keys():
            found += differences(f"{path}.{key}", real[key], ours[key])
        return found
    if isinstance(real, list) and real and ours:
        return differences(f"{path}[]", real[0], ours[0])
    return []


def result(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / name).read_text())["response"]["result"]


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
    books: Any, filled: Any, fixtures_of_freshbooks: Path, kind: str
) -> None:
    real = result(fixtures_of_freshbooks, f"java-sdk/get_{kind}_response.json")
    includes = ["lines", "presentation", "grand_total_balance", "outstanding_balance"]
    params = [("include[]", include) for include in includes]
    answer = books.ask("GET", kind, filled[kind]["id"], params=params)
    ours = answer.json()["response"]["result"]
    assert ours.keys() == real.keys()
    assert differences(kind, real[kind], ours[kind]) == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("client", "java-sdk/list_clients_response.json"),
        ("client", "python-sdk/list_clients_response.json"),
        ("invoice", "java-sdk/list_invoices_response.json"),
        ("item", "java-sdk/list_items_response.json"),
        ("payment", "java-sdk/list_payments_response.json"),
        ("tax", "java-sdk/list_taxes_response.json"),
    ],
)
def test_a_list_has_the_keys_and_types_of_the_real_one(
    books: Any, filled: Any, fixtures_of_freshbooks: Path, kind: str, name: str
) -> None:
    del filled
    real = result(fixtures_of_freshbooks, name)
    answer = books.ask("GET", kind, params={"include[]": "lines"})
    ours = answer.json()["response"]["result"]
    assert ours.keys() == real.keys()
    assert differences("list", {**real}, {**ours}) == []


def test_a_created_client_has_the_keys_and_values_of_the_real_one(
    books: Any, fixtures_of_freshbooks: Path
) -> None:
    real = result(fixtures_of_freshbooks, "java-sdk/create_client_response.json")["client"]
    ours = books.create("client", email=real["email"], p_city=real["p_city"], currency_code="CAD")
    assert differences("client", real, ours) == []
    own = {"id", "userid", "accounting_systemid", "signup_date", "updated", "username"}
    assert {key: ours[key] for key in real.keys() - own} == {
        key: real[key] for key in real.keys() - own
    }


def test_identity_and_tokens_have_the_keys_and_types_of_the_real_ones(
    books: Any, fixtures_of_freshbooks: Path, sandbox: Any
) -> None:
    real = json.loads((fixtures_of_freshbooks / "java-sdk/auth_me_response.json").read_text())
    ours = books.http.get("/auth/api/v1/users/me").json()
    account = ours["response"]["business_memberships"][0]["business"]["account_id"]
    for section in ("permissions", "subscription_statuses"):
        assert account in ours["response"][section]
        real["response"].pop(section)
    assert differences("me", real, ours) == []
    real = json.loads((fixtures_of_freshbooks / "java-sdk/auth_token_response.json").read_text())
    fields = {"grant_type": "refresh_token", "client_id": "sandbox-client"}
    fields |= {"client_secret": "sandbox-client-secret"}
    told = books.http.get("/_sandbox/freshbooks/tokens").json()
    fields["refresh_token"] = told["living_refresh_tokens"][0]
    ours = books.http.post("/auth/oauth/token", data=fields).json()
    assert differences("token", real, ours) == []
    del sandbox


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
    assert differences("error", real, ours) == []
    assert ours["code"] == real["code"] == 16
    real = json.loads((folder / "auth_response__no_auth.json").read_text())
    assert books.http.get("/auth/api/v1/users/me", headers=headers).json() == real
