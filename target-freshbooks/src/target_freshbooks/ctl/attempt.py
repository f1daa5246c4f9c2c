"""Login attempts: the page that was shown last, and the browser's answer that belongs to it.

Whoever has an operator log in with a code of his own has the books go to his account. So the page
bears a secret that its answer must bring back (`state`), and its code is worth nothing without
another one (PKCE's verifier). Both are kept encrypted until the answer comes, which may be to
another process (`login --code`): for ten minutes, and once. (RFC 6749, 10.12; RFC 7636.)
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import click
from connector_credentials import CredentialStore
from connector_credentials.commands import ctl

LIFETIME = timedelta(minutes=10)
LOCK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """The secrets of one page. Neither shows in a repr."""

    state: str = field(repr=False)
    verifier: str = field(repr=False)

    def is_answered_by(self, address: str) -> bool:
        """Whether the address the browser was sent to is of this page, whatever it says."""
        return _is_whole(address) and _is_same(_parameter(address, "state"), self.state)


class LoginAttempts:
    """The attempts of one app, of which the last alone counts.

    Args:
        store: Where its secrets are kept.
        client_id: The app's.
        clock: Aware UTC now.
    """

    def __init__(
        self, store: CredentialStore, client_id: str, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._name = f"freshbooks-login:{client_id}"
        self._clock = clock

    def begin(self) -> Attempt:
        """Make and keep the secrets of a new page; those of an earlier one are forgotten."""
        attempt = Attempt(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        kept = {
            "state": attempt.state,
            "verifier": attempt.verifier,
            "until": (self._clock() + LIFETIME).isoformat(),
        }
        with self._store.exclusive(self._name, LOCK_SECONDS) as entry:
            entry.write(kept)
        return attempt

    def redeem(self, address: str) -> tuple[str, str]:
        """Take the page's answer, once: the code, and the verifier that FreshBooks wants with it.

        Raises:
            click.ClickException: It is no answer of the last page, or FreshBooks said no. After an
                answer of another page the last one is still waited for.
        """
        if not _is_whole(address):
            raise click.ClickException(
                "This is not the whole address: paste all that the browser's address bar shows,"
                " with code=... and state=... in it. A code alone may be anybody's."
            )
        with self._store.exclusive(self._name, LOCK_SECONDS) as entry:
            kept = entry.read()
            if kept is None:
                raise click.ClickException(
                    "No login is waiting for this address: each is good once. Run"
                    f" {ctl('login')}, and paste the address that its page leads to."
                )
            if not Attempt(kept["state"], kept["verifier"]).is_answered_by(address):
                raise click.ClickException(
                    "This address belongs to another attempt to log in. Use the page that login"
                    f" printed last, or run {ctl('login')} again."
                )
            entry.delete()
        if self._clock() > datetime.fromisoformat(kept["until"]):
            raise click.ClickException(
                "The page of this address was printed more than ten minutes ago. Run"
                f" {ctl('login')} again and use its new page."
            )
        if error := _parameter(address, "error"):
            raise click.ClickException(
                f"FreshBooks did not allow it ({error!r}). Check the app's scopes and redirect URI,"
                " and log in again."
            )
        return _parameter(address, "code"), kept["verifier"]


def _is_whole(address: str) -> bool:
    answers = bool(_parameter(address, "code")), bool(_parameter(address, "error"))
    return sum(answers) == 1 and bool(_parameter(address, "state"))


def _parameter(address: str, name: str) -> str:
    """A parameter that stands there once, else ""."""
    query = address.strip().partition("#")[0].partition("?")[2]
    values = parse_qs(query).get(name, [])
    return values[0] if len(values) == 1 else ""


def _is_same(given: str, wanted: str) -> bool:
    """Compare in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())
