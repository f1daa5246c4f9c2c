from __future__ import annotations

import logging

import pytest
from connector_credentials.settings import SettingError
from connector_webhooks.assembly import Assembly
from connector_webhooks.secrecy import RedactingFormatter, Redaction, secrets_of
from connector_webhooks.settings import check_addresses, load

NOT_ENCODED = "https://me:canary/word@shop.invalid"
ENVIRONMENT = {
    "WEBHOOKS_STORE_HASH": "abc123",
    "WEBHOOKS_CLIENT_SECRET": "canary-new-secret,canary-old-secret",
    "WEBHOOKS_ACCESS_TOKEN": "canary-access-token",
    "WEBHOOKS_SHARED_HEADER_NAME": "X-Shared",
    "WEBHOOKS_SHARED_HEADER_VALUE": "canary-shared-value",
    "TARGET_FRESHBOOKS_CLIENT_SECRET": "canary-books-secret",
    "WEBHOOKS_INBOX_URL": "postgresql+psycopg://me:canary-password@db/inbox",
}


def test_no_repr_shows_a_secret() -> None:
    assembly = Assembly(load(ENVIRONMENT), {})
    assert "canary" not in repr(assembly.settings) + repr(assembly.secrets())


@pytest.mark.parametrize(
    "secret",
    [
        "canary-new-secret",
        "canary-old-secret",
        "canary-access-token",
        "canary-shared-value",
        "canary-books-secret",
        "postgresql+psycopg://me:canary-password@db/inbox",
    ],
)
def test_every_secret_is_blanked_in_a_traceback(secret: str) -> None:
    redaction = Assembly(load(ENVIRONMENT), ENVIRONMENT).redaction()
    try:
        int(f"it went wrong with {secret}!")
    except ValueError as error:
        trouble = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "said %s", (secret,), trouble)
    text = RedactingFormatter("%(message)s", redaction).format(record)
    assert "canary" not in text
    assert text.count("***") >= 2


def test_short_and_harmless_values_are_left_alone() -> None:
    environment = {"A_TOKEN": "short", "MONKEY": "banana-split", "X_TOKEN": "canary-123"}
    redaction = Redaction(secrets_of(environment))
    assert redaction("short banana-split canary-123") == "short banana-split ***"


@pytest.mark.parametrize(
    ("name", "environment", "url"),
    [("api_url", {"WEBHOOKS_API_URL": NOT_ENCODED}, ""), ("--url", {}, NOT_ENCODED)],
)
def test_an_address_whose_login_is_not_encoded_is_refused_without_it(
    name: str, environment: dict[str, str], url: str
) -> None:
    with pytest.raises(SettingError, match=rf"{name} is 'https://me:\*\*\*@shop\.inv") as told:
        check_addresses(load(environment), {}, url)
    assert "word" not in str(told.value)


def test_a_password_with_an_at_is_blanked_whole() -> None:
    redaction = Redaction()
    assert redaction("opened postgresql://me:p@s/s:w@db:5432/inbox") == (
        "opened postgresql://me:***@db:5432/inbox"
    )
