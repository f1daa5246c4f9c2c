"""OAuth: consent, codes, single-use refresh tokens, expiry, revocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from connector_sandbox import constants

if TYPE_CHECKING:
    import httpx

CLIENT = {
    "client_id": constants.FRESHBOOKS_CLIENT_ID,
    "client_secret": constants.FRESHBOOKS_CLIENT_SECRET,
}
ASKED = {
    "client_id": constants.FRESHBOOKS_CLIENT_ID,
    "response_type": "code",
    "redirect_uri": constants.FRESHBOOKS_REDIRECT_URI,
}


@pytest.fixture
def http(books: Any) -> httpx.Client:
    """A client without tokens, in a sandbox where only the first refresh token lives."""
    books.http.post("/_sandbox/reset", json={"seed": False})
    books.http.headers.pop("authorization")
    return books.http


def consent(http: httpx.Client, **more: str) -> str:
    back = http.get("/oauth/authorize", params={**ASKED, "approve": "1", **more})
    assert back.status_code == 302, back.text
    return parse_qs(urlsplit(back.headers["location"]).query)["code"][0]


def exchange(http: httpx.Client, code: str, **more: str) -> httpx.Response:
    fields = {"grant_type": "authorization_code", "code": code, **CLIENT}
    fields |= {"redirect_uri": constants.FRESHBOOKS_REDIRECT_URI, **more}
    return http.post("/auth/oauth/token", data=fields)


def refresh(http: httpx.Client, token: str, **more: str) -> httpx.Response:
    fields = {"grant_type": "refresh_token", "refresh_token": token, **CLIENT, **more}
    return http.post("/auth/oauth/token", json=fields)


def me(http: httpx.Client, access: str) -> int:
    headers = {"authorization": f"Bearer {access}"}
    return http.get("/auth/api/v1/users/me", headers=headers).status_code


def test_the_consent_page_has_a_button_that_goes_back_with_a_code(http: httpx.Client) -> None:
    page = http.get("/oauth/authorize/", params={**ASKED, "state": "s1"})
    assert page.status_code == 200
    assert "user:invoices:write" in page.text
    assert '<button id="approve">' in page.text
    back = http.post(str(page.url))
    location = urlsplit(back.headers["location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == ASKED["redirect_uri"]
    assert parse_qs(location.query)["state"] == ["s1"]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"client_id": "nobody"}, 500),
        ({"redirect_uri": "https://localhost/elsewhere"}, 400),
        ({"redirect_uri": "http://localhost/callback"}, 400),
        ({"scope": "user:invoices:read user:reports:write"}, 400),
        ({"response_type": "token"}, 400),
    ],
)
def test_a_wrong_request_never_leaves_the_consent_page(
    http: httpx.Client, wrong: dict[str, str], status: int
) -> None:
    page = http.get("/oauth/authorize", params={**ASKED, "approve": "1", **wrong})
    assert page.status_code == status
    assert "location" not in page.headers


def test_a_code_is_good_once_for_five_minutes_and_for_its_redirect(
    http: httpx.Client, control: httpx.Client
) -> None:
    code = consent(http)
    elsewhere = exchange(http, code, redirect_uri="https://localhost/elsewhere")
    assert elsewhere.json()["error"] == "invalid_grant"
    assert exchange(http, code).status_code == 200
    assert exchange(http, code).status_code == 400
    late = consent(http)
    control.post("clock", json={"advance_seconds": 301})
    assert exchange(http, late).json()["error"] == "invalid_grant"


VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # with its challenge, of RFC 7636
CHALLENGE = {
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}


def test_a_code_of_a_page_with_a_challenge_is_good_with_its_verifier_alone(
    http: httpx.Client, switch: Any
) -> None:
    code = consent(http, **CHALLENGE)
    for wrong in ({}, {"code_verifier": VERIFIER.swapcase()}):
        assert exchange(http, code, **wrong).json()["error"] == "invalid_grant"
    assert exchange(http, code, code_verifier=VERIFIER).status_code == 200
    assert exchange(http, consent(http), code_verifier=VERIFIER).status_code == 200
    plain = {**CHALLENGE, "code_challenge_method": "plain"}
    page = http.get("/oauth/authorize", params={**ASKED, "approve": "1", **plain})
    assert page.status_code == 400
    switch(pkce="ignored")
    assert exchange(http, consent(http, **CHALLENGE)).status_code == 200


def test_the_scope_asked_for_is_the_scope_given_and_enforced(http: httpx.Client) -> None:
    tokens = exchange(http, consent(http, scope="user:clients:read")).json()
    assert tokens["scope"] == "user:clients:read user:profile:read"
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    base = "/accounting/account/SBX001"
    assert http.get(f"{base}/users/clients", headers=headers).status_code == 200
    assert http.post(f"{base}/users/clients", headers=headers, json={}).status_code == 403
    assert http.get(f"{base}/invoices/invoices", headers=headers).status_code == 403


def test_the_answer_has_the_documented_shape(http: httpx.Client) -> None:
    tokens = refresh(http, constants.FRESHBOOKS_REFRESH_TOKEN).json()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 43200
    assert tokens["direct_buy_tokens"] == {}
    assert 800 <= len(tokens["access_token"]) <= 1200
    assert tokens["access_token"].startswith("eyJ")
    assert isinstance(tokens["created_at"], int)


def test_a_refresh_token_is_good_once(http: httpx.Client, control: httpx.Client) -> None:
    first = refresh(http, constants.FRESHBOOKS_REFRESH_TOKEN).json()
    again = refresh(http, constants.FRESHBOOKS_REFRESH_TOKEN)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert refresh(http, first["refresh_token"]).status_code == 200
    told = control.get("freshbooks/tokens").json()
    assert (told["refreshes"], told["refused_refreshes"]) == (2, 1)
    assert len(told["living_refresh_tokens"]) == 1


def test_a_new_authorisation_kills_the_older_chain(http: httpx.Client) -> None:
    old = refresh(http, constants.FRESHBOOKS_REFRESH_TOKEN).json()
    exchange(http, consent(http))
    assert refresh(http, old["refresh_token"]).json()["error"] == "invalid_grant"
    assert me(http, old["access_token"]) == 200


@pytest.mark.parametrize(("value", "status"), [("no", 200), ("yes", 401)])
def test_a_refresh_ends_older_access_tokens_or_not(
    http: httpx.Client, switch: Any, value: str, status: int
) -> None:
    switch(refresh_ends_access=value)
    old = refresh(http, constants.FRESHBOOKS_REFRESH_TOKEN).json()
    refresh(http, old["refresh_token"])
    assert me(http, old["access_token"]) == status


def test_access_expires_after_twelve_hours_of_the_sandbox_clock(
    http: httpx.Client, control: httpx.Client
) -> None:
    access = refresh(http, constants.FRESHBOOKS_REFRESH_TOKEN).json()["access_token"]
    control.post("clock", json={"advance_seconds": 43_100})
    assert me(http, access) == 200
    control.post("clock", json={"advance_seconds": 200})
    assert me(http, access) == 401


def test_access_can_be_expired_by_hand(http: httpx.Client, control: httpx.Client) -> None:
    access = refresh(http, constants.FRESHBOOKS_REFRESH_TOKEN).json()["access_token"]
    control.post("freshbooks/tokens/expire")
    assert me(http, access) == 401


def test_created_at_may_be_the_original_one(
    http: httpx.Client, control: httpx.Client, switch: Any
) -> None:
    first = exchange(http, consent(http)).json()
    switch(refresh_created_at="original")
    control.post("clock", json={"advance_seconds": 100})
    second = refresh(http, first["refresh_token"]).json()
    assert second["created_at"] == first["created_at"]
    assert 43_000 <= second["expires_in"] <= 43_100


def test_revoking_ends_everything(http: httpx.Client) -> None:
    tokens = refresh(http, constants.FRESHBOOKS_REFRESH_TOKEN).json()
    revoked = http.post("/auth/oauth/revoke", json={"token": tokens["access_token"], **CLIENT})
    assert (revoked.status_code, revoked.json()) == (200, {})
    assert me(http, tokens["access_token"]) == 401
    assert refresh(http, tokens["refresh_token"]).status_code == 400


def test_a_wrong_secret_is_invalid_client(http: httpx.Client) -> None:
    answer = refresh(http, constants.FRESHBOOKS_REFRESH_TOKEN, client_secret="wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert refresh(http, constants.FRESHBOOKS_REFRESH_TOKEN).status_code == 200


def test_each_family_words_its_401_in_its_own_way(http: httpx.Client) -> None:
    auth = http.get("/auth/api/v1/users/me")
    assert auth.json()["error"] == "unauthenticated"
    accounting = http.get("/accounting/account/SBX001/users/clients")
    assert accounting.status_code == 401
    assert accounting.json()["response"]["errors"][0]["errno"] == 1003


def test_tokens_are_not_in_the_history(http: httpx.Client, control: httpx.Client) -> None:
    tokens = refresh(http, constants.FRESHBOOKS_REFRESH_TOKEN).json()
    history = control.get("history").text
    assert "token.refresh" in history
    assert tokens["access_token"] not in history
    assert tokens["refresh_token"] not in history


def test_identity_has_the_account_or_leaves_it_to_the_roles(
    http: httpx.Client, switch: Any
) -> None:
    access = refresh(http, constants.FRESHBOOKS_REFRESH_TOKEN).json()["access_token"]

    def seen() -> tuple[list[Any], list[tuple[str, str]]]:
        answer = http.get(
            "/auth/api/v1/users/me", headers={"authorization": f"Bearer {access}"}
        ).json()["response"]
        memberships = [one["business"]["account_id"] for one in answer["business_memberships"]]
        return memberships, [(one["role"], one["accountid"]) for one in answer["roles"]]

    assert seen() == (["SBX001", None], [("admin", "SBX001"), ("client", "SBX0CL")])
    switch(account_id_null="yes")
    assert seen() == ([None, None], [("admin", "SBX001"), ("client", "SBX0CL")])
    switch(role="client")
    assert seen()[1][0] == ("client", "SBX001")


def test_another_user_reaches_the_second_account_alone_and_ends_no_chain_of_the_owner(
    http: httpx.Client, switch: Any
) -> None:
    first = exchange(http, consent(http)).json()
    switch(user="other")
    other = exchange(http, consent(http)).json()

    def reached(access: str, account: str) -> int:
        headers = {"authorization": f"Bearer {access}"}
        path = f"/accounting/account/{account}/users/clients"
        return http.get(path, headers=headers).status_code

    def members(access: str) -> list[Any]:
        headers = {"authorization": f"Bearer {access}"}
        answer = http.get("/auth/api/v1/users/me", headers=headers).json()["response"]
        return [one["business"]["account_id"] for one in answer["business_memberships"]]

    assert members(other["access_token"]) == ["SBX002"]
    assert reached(other["access_token"], "SBX002") == 200
    assert reached(other["access_token"], "SBX001") == 404
    assert reached(first["access_token"], "SBX002") == 404
    assert refresh(http, first["refresh_token"]).status_code == 200
    switch(user="owner", second_account="yes")
    again = exchange(http, consent(http)).json()
    assert members(again["access_token"]) == ["SBX001", "SBX002"]
    assert reached(again["access_token"], "SBX002") == 200
    assert refresh(http, other["refresh_token"]).status_code == 200
