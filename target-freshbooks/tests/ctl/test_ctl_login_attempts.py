"""Answers to a login: of the page that was shown last, whole, once, in time, and no others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
import pytest
from connector_credentials import CredentialStore
from cryptography.fernet import Fernet
from target_freshbooks.ctl.attempt import LoginAttempts

if TYPE_CHECKING:
    from pathlib import Path

NOT_WHOLE = "This is not the whole address"
OF_ANOTHER = "This address belongs to another attempt"
HERE = "https://localhost/callback"


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    return CredentialStore.open(url, Fernet.generate_key().decode())


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(store: CredentialStore, clock: Clock) -> LoginAttempts:
    return LoginAttempts(store, "app", clock)


def refusal(attempts: LoginAttempts, address: str) -> str:
    with pytest.raises(click.ClickException) as caught:
        attempts.redeem(address)
    return caught.value.message


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("code=abc", NOT_WHOLE),
        ("code=abc&state=", NOT_WHOLE),
        ("state={state}", NOT_WHOLE),
        ("code=abc&state={state}&state={state}", NOT_WHOLE),
        ("code=abc&code=abc&state={state}", NOT_WHOLE),
        ("code=abc&error=access_denied&state={state}", NOT_WHOLE),
        ("code=abc&state=of-somebody-else", OF_ANOTHER),
        ("code=abc&state={state}x", OF_ANOTHER),
        ("code=abc&state=\udcff%ff\x00", OF_ANOTHER),
        ("error=access_denied&state=of-somebody-else", OF_ANOTHER),
    ],
)
def test_an_answer_of_another_page_is_refused_and_the_right_one_still_counts(
    attempts: LoginAttempts, query: str, words: str
) -> None:
    attempt = attempts.begin()
    address = f"{HERE}?{query.format(state=attempt.state)}"
    assert refusal(attempts, address).startswith(words)
    assert attempt.is_answered_by(address) is False
    right = f" {HERE}?code=abc&state={attempt.state}#fragment\n"
    assert attempt.is_answered_by(right)
    assert attempts.redeem(right) == ("abc", attempt.verifier)


@pytest.mark.parametrize("pasted", ["abc", "", "https://[", HERE, f"{HERE}?", "code=a&state=b"])
def test_what_is_no_whole_address_is_refused_in_a_sentence(
    attempts: LoginAttempts, pasted: str
) -> None:
    attempts.begin()
    assert refusal(attempts, pasted).startswith(NOT_WHOLE)


def test_an_answer_may_come_to_another_process_and_counts_once(
    attempts: LoginAttempts, store: CredentialStore, clock: Clock
) -> None:
    attempt = attempts.begin()
    address = f"{HERE}?code=abc&state={attempt.state}"
    assert LoginAttempts(store, "app", clock).redeem(address) == ("abc", attempt.verifier)
    assert refusal(attempts, address).startswith("No login is waiting for this address")
    assert store.names() == []


def test_an_answer_counts_for_its_app_and_for_the_last_page_alone(
    attempts: LoginAttempts, store: CredentialStore, clock: Clock
) -> None:
    first, last = attempts.begin(), attempts.begin()
    assert len({first.state, first.verifier, last.state, last.verifier}) == 4
    other = LoginAttempts(store, "other", clock)
    assert refusal(other, f"{HERE}?code=a&state={last.state}").startswith("No login is waiting")
    assert refusal(attempts, f"{HERE}?code=a&state={first.state}").startswith(OF_ANOTHER)
    assert attempts.redeem(f"{HERE}?code=a&state={last.state}") == ("a", last.verifier)


@pytest.mark.parametrize(("minutes", "counts"), [(10, True), (10.1, False)])
def test_an_answer_counts_for_ten_minutes(
    attempts: LoginAttempts, store: CredentialStore, clock: Clock, minutes: float, counts: bool
) -> None:
    address = f"{HERE}?code=abc&state={attempts.begin().state}"
    clock.now += timedelta(minutes=minutes)
    if counts:
        assert attempts.redeem(address)[0] == "abc"
    else:
        assert "more than ten minutes ago" in refusal(attempts, address)
    assert store.names() == []


def test_what_freshbooks_did_not_allow_is_told_and_ends_the_attempt(
    attempts: LoginAttempts,
) -> None:
    address = f"{HERE}?error=access_\x1b[2Jdenied&state={attempts.begin().state}"
    assert r"FreshBooks did not allow it ('access_\x1b[2Jdenied')" in refusal(attempts, address)
    assert refusal(attempts, address).startswith("No login is waiting")


def test_the_secrets_of_a_page_are_in_no_file_in_clear_and_in_no_repr(
    attempts: LoginAttempts, tmp_path: Path
) -> None:
    attempt = attempts.begin()
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in (attempt.state, attempt.verifier):
        assert secret.encode() not in held
        assert secret not in repr(attempt)
