"""Parsers of what is pasted into a login, sent to its loopback, or given as a noted audit head."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from connector_credentials import CredentialStore
from connector_sandbox.settings import KEY
from hypothesis import strategies as st
from target_freshbooks.ctl.attempt import LoginAttempts
from target_freshbooks.ctl.loopback import _Handler
from target_freshbooks.ledger import AuditHead

from fuzz.engine import Parser, Unexpected
from fuzz.mutation import ODD_TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

    from fuzz.samples import Samples

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
STATE = "STATE"
"""Stands in an example for the secret of the page that was shown."""


def parsers(samples: Samples) -> list[Parser]:
    """Those parsers."""
    heads = st.builds(
        "{}{}{}".format, _pieces(), st.sampled_from(":;"), st.text("0af", max_size=70)
    )
    return [
        Parser("pasted address", _addresses(), _Login(samples), (click.ClickException,)),
        Parser("loopback", _requests(), _loopback),
        Parser("audit head", heads | _pieces(), AuditHead.parse, (ValueError,)),
    ]


def _pieces() -> SearchStrategy[str]:
    return st.one_of(st.integers().map(str), st.text(max_size=20), st.sampled_from(ODD_TEXTS))


def _addresses() -> SearchStrategy[str]:
    parts = st.sampled_from(
        ["code=abc", "state=STATE", "state=", "error=no", "&", ";", "#", "?", "%ff", "%", "+", "="]
    )
    query = st.lists(parts | _pieces(), max_size=8).map("".join)
    whole = st.sampled_from(["https://localhost/callback?code=abc&state=STATE", "", "http://["])
    return st.builds("{}{}".format, whole, query)


class _Login:
    """Redeems an address; no code comes of one that does not bear the page's secret."""

    def __init__(self, samples: Samples) -> None:
        store = CredentialStore.open(f"sqlite:///{samples.home}/logins.sqlite", KEY)
        self._attempts = LoginAttempts(store, "app", lambda: NOW)
        self._state = self._attempts.begin().state

    def __call__(self, address: str) -> None:
        try:
            code, _ = self._attempts.redeem(address.replace(STATE, self._state))
        except click.ClickException:
            if STATE in address:
                self._state = self._attempts.begin().state
            raise
        self._state = self._attempts.begin().state
        if STATE not in address or not code:
            raise Unexpected("code taken from an address that is not of the page")


def _requests() -> SearchStrategy[bytes]:
    line = st.builds(
        "{} {} {}".format,
        st.sampled_from(["GET", "POST", "get", "", "GET\t"]),
        st.sampled_from(["/callback?code=a&state=s", "//callback", "/", "*", "http://x/callback"])
        | _pieces(),
        st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9999999999.1", ""])
        | _pieces(),
    )
    header = st.builds(
        "{}: {}".format, st.sampled_from(["Host", "Content-Length", "Expect", ""]), _pieces()
    )
    lines = st.lists(st.just("Host: localhost:8443") | header, max_size=4)
    whole = st.builds(
        lambda first, rest: "\r\n".join([first, *rest, "", ""]).encode("utf-8", "surrogatepass"),
        line,
        lines,
    )
    return st.one_of(whole, whole, st.binary(max_size=200))


@dataclass
class _Server:
    """What a handler knows of the server that made it."""

    origin: str = "http://localhost:8443"
    path: str = "/callback"
    hosts: list[list[str]] = field(default_factory=lambda: [["localhost:8443"]])
    is_answer: Callable[[str], bool] = lambda address: "state=s" in address
    came: list[str] = field(default_factory=list)


class _Connection:
    """A socket that has said all it will say."""

    def __init__(self, said: bytes) -> None:
        self._said = said
        self.answer = b""

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._said)

    def sendall(self, data: bytes) -> None:
        self.answer += data

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


def _loopback(said: bytes) -> None:
    server: Any = _Server()
    connection: Any = _Connection(said)
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        _Handler(connection, ("127.0.0.1", 1), server)
    if errors.getvalue():
        raise Unexpected("words on standard error")
    if server.came and b"/callback?code=a&state=s" not in said:
        raise Unexpected("answer taken of another address")
