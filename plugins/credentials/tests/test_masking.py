"""What is masked in messages, and that no text can make the masking slow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from connector_credentials import CredentialError, CredentialStore
from connector_credentials.masking import without_emails, without_passwords
from connector_credentials.settings import SettingError, read_value

if TYPE_CHECKING:
    from collections.abc import Callable

MILLION = 10**6


@pytest.mark.parametrize(
    "password", ["p@ss", "p/ss", "p#ss", "p:ss", "p%40ss", "@:/#?&=@", "päss'"]
)
@pytest.mark.parametrize("place", ["db/inbox", "db:5432/inbox?sslmode=require", "[::1]:5432/inbox"])
def test_a_password_is_masked_whole_whatever_it_holds(password: str, place: str) -> None:
    text = f"cannot open postgresql://me:{password}@{place}, nor sqlite:///data/x.sqlite"
    masked = f"cannot open postgresql://me:***@{place}, nor sqlite:///data/x.sqlite"
    assert without_passwords(text) == masked


@pytest.mark.parametrize("user", ["me", "", "me@corp", "me%40corp"])
def test_the_user_of_an_address_is_shown(user: str) -> None:
    assert without_passwords(f"a://{user}:pw@h b://x:y@z") == f"a://{user}:***@h b://x:***@z"


def test_of_addresses_run_together_no_password_is_left() -> None:
    assert "pw" not in without_passwords("url=http://a/x,postgresql://u:pw@h,b://v:pw@k")


@pytest.mark.parametrize(
    "text",
    ["http://127.0.0.1:8787/orders", "sqlite:////a@b/c.sqlite", "at 10:30 a@b", "://", "@://"],
)
def test_what_holds_no_password_stays(text: str) -> None:
    assert without_passwords(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to Jane <jane@shop.example>, bob+1@b.example", "to Jane <[e-mail]>, [e-mail]"),
        ("a@b@c and ä@ö.example", "[e-mail]@c and [e-mail]"),
        ("@ a@ @b a@@b", "@ a@ @b a@@b"),
        ("[a@b]", "[[e-mail]]"),
    ],
)
def test_each_e_mail_address_is_masked(text: str, masked: str) -> None:
    assert without_emails(text) == masked


@pytest.mark.parametrize("mask", [without_emails, without_passwords])
@pytest.mark.parametrize(
    "part", ["a", "a.", "@", "a@", "@a", ".@.", "://", "a://b:", "://a:@", "://a:b@ ", "a@ ", ":"]
)
def test_a_text_of_a_million_letters_is_masked_in_the_time_of_reading_it(
    mask: Callable[[str], str], part: str
) -> None:
    started = time.process_time()
    mask(part * (MILLION // len(part)))
    mask("a://b:" + part * (MILLION // len(part)) + "@")
    assert time.process_time() - started < 5  # some tenths; where each letter begins anew, an hour


@pytest.mark.parametrize("password", ["p@ss", "p@1/ss", "p@h:1/ss", "p@s?s", "p@h:ss"])
def test_a_bare_at_in_a_database_s_password_is_told_with_the_cure_and_not_shown(
    password: str,
) -> None:
    with pytest.raises(
        CredentialError, match=r"credentials_url (has more than one @.*%40|is not)"
    ) as told:
        CredentialStore.open(f"postgresql://me:{password}@db.invalid/x", "k")
    assert "ss" not in str(told.value).replace("password", "")


def test_a_setting_that_cannot_be_read_is_shown_without_its_password() -> None:
    with pytest.raises(SettingError, match=r"http://me:\*\*\*@proxy") as told:
        read_value("api_url", "http://me:p/w@proxy", {"type": "string", "format": "uri"})
    assert "p/w" not in str(told.value)
