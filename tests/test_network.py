"""The network as the machine has it: each trouble names the host, at once where no try helps."""

from __future__ import annotations

import gzip
import json
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox import constants
from connector_sandbox.settings import clean_environment, freshbooks_app
from connector_sandbox.testing import BIN, Asked, Reply, answering
from connector_sandbox.testing.answers import DRIP, HANG, RESET, TRUNCATE
from connector_sandbox.testing.certificate import write_certificate
from connector_webhooks.bigcommerce import HooksApi
from connector_webhooks.errors import ApiError
from tap_bigcommerce_orders.connection import Connection
from tap_bigcommerce_orders.errors import BigCommerceError
from target_freshbooks.access import connect, token_source
from target_freshbooks.freshbooks import FreshBooksError
from target_freshbooks.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Ask = Callable[[str, float], None]

ERRORS = (BigCommerceError, FreshBooksError, ApiError)
SECONDS = 60
FOR_EVER = 600
"""Seconds of trying again that a test does not outlive."""

CURE = "is not trusted here.*REQUESTS_CA_BUNDLE"


class Token:
    """A token that is good."""

    def access_token(self) -> str:
        return "t"

    def refresh(self, rejected: str) -> str:
        return rejected


def tap_asks(url: str, retry: float = 0) -> None:
    connection = Connection(
        base_url=f"{url}/stores/abc123",
        token=lambda: "t",
        user_agent="test",
        request_timeout=1,
        max_retry_seconds=int(retry),
        quota_percent=90,
        max_concurrency=1,
    )
    try:
        connection.get("/v2/store")
    finally:
        connection.close()


def settings_of(url: str, retry: float) -> Any:
    quick = {"request_timeout": 1, "max_retry_seconds": int(retry), "allow_insecure_http": True}
    return read_settings({**freshbooks_app(url), **quick})


def target_asks(url: str, retry: float = 0) -> None:
    connect(settings_of(url, retry), Token()).me()


def target_refreshes(url: str, retry: float = 0) -> None:
    class Entry:
        def write(self, document: object) -> None:
            """Nothing is kept."""

    source: Any = token_source(settings_of(url, retry), store=None)  # type: ignore[arg-type]
    source._chain.spend(Entry(), {"refresh_token": "r"})


def webhooks_ask(url: str, retry: float = 0) -> None:
    def sleep(_seconds: float) -> None:
        raise AssertionError("it waits for another try")

    with HooksApi(url, "abc123", "t", timeout=1, sleep=sleep) as api:
        if retry:
            api.hooks()
        else:
            api.create("store/order/created", "https://hooks.shop.example", {})  # in one try


CLIENTS = [tap_asks, target_asks, target_refreshes, webhooks_ask]


@pytest.mark.more
@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(spoil=RESET), "no whole answer of HOST (ConnectionResetError)"),
        (Reply(spoil=HANG), "no whole answer of HOST in time"),
        (Reply({"id": "a" * 100}, spoil=DRIP), "no whole answer of HOST in time"),
        (Reply({"id": "a" * 100}, spoil=TRUNCATE), "no whole answer of HOST (IncompleteRead)"),
        (
            Reply(body=b"no gzip", headers={"Content-Encoding": "gzip"}),
            "no whole answer of HOST (error)",
        ),
        (
            Reply(body=gzip.compress(b" " * 40 * 1024**2), headers={"Content-Encoding": "gzip"}),
            "no whole answer of HOST: the answer has more than 32 MiB",
        ),
    ],
    ids=["reset", "time-out", "drip", "cut off", "broken gzip", "too long"],
)
def test_an_answer_that_does_not_come_whole_is_told_with_the_host(
    ask: Ask, reply: Reply, words: str
) -> None:
    with answering(lambda _: reply) as url, pytest.raises(ERRORS) as error:
        ask(url, 0)
    assert words.replace("HOST", url.partition("://")[2]) in str(error.value)


@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.parametrize("host", ["127.0.0.1:9", "shop.invalid"])
def test_a_connection_that_cannot_be_made_is_told_with_the_host(ask: Ask, host: str) -> None:
    with pytest.raises(ERRORS, match=rf"cannot connect to {host} \((NewConn|NameRes)\w+Error\)"):
        ask(f"http://{host}", 0)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, list[Asked]]]:
    """A server behind TLS that nobody vouches for but the file `authority`; what it was asked."""
    asked: list[Asked] = []

    def answer(request: Asked) -> Reply:
        asked.append(request)
        return Reply({"id": "abc123", "data": []})

    with answering(answer, write_certificate(tmp_path / "authority")) as url:
        yield url, asked


@pytest.mark.parametrize("ask", CLIENTS)
def test_an_authority_of_the_machine_is_trusted(
    ask: Ask, secure: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = secure
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority"))
    with suppress(*ERRORS):  # what it says is not what each wants to hear
        ask(url, 0)
    assert asked


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_certificate_of_nobody_is_told_at_once_with_the_cure(ask: Ask, secure: Any) -> None:
    url, asked = secure
    with pytest.raises(ERRORS, match=rf"{url.partition('://')[2]} shows {CURE}"):
        ask(url, FOR_EVER)
    assert asked == []


@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.parametrize("bundle", ["none", "junk"])
def test_a_file_of_authorities_that_holds_none_is_told_at_once(
    ask: Ask, bundle: str, secure: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "junk").write_text("no certificate\n")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / bundle))
    host = secure[0].partition("://")[2]
    with pytest.raises(ERRORS, match=f"vouch for {host}: check the file that REQUESTS_CA_BUNDLE"):
        ask(secure[0], FOR_EVER)


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_proxy_of_the_machine_is_used(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Reply:
        asked.append(request)
        return Reply({"id": "abc123", "data": []})

    with answering(answer) as url:
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with suppress(*ERRORS):
            ask("http://store.invalid", 0)
    assert asked[0].target.startswith("http://store.invalid/")


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_proxy_s_address_that_is_none_is_told_at_once(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(ERRORS, match=r"cannot connect to store\.invalid"):
        ask("http://store.invalid", FOR_EVER)


def settings_at(url: str, home: Path) -> dict[str, str]:
    """Settings of all programs, for one server."""
    target = {
        **freshbooks_app(url),
        "refresh_token": constants.FRESHBOOKS_REFRESH_TOKEN,
        "ledger_url": f"sqlite:///{home}/ledger.sqlite",
        "timezone": "UTC",
    }
    return {
        "TAP_BIGCOMMERCE_ORDERS_API_URL": url,
        "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": constants.STORE_HASH,
        "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN": constants.BIGCOMMERCE_ACCESS_TOKEN,
        "WEBHOOKS_API_URL": url,
        "WEBHOOKS_STORE_HASH": constants.STORE_HASH,
        "WEBHOOKS_ACCESS_TOKEN": constants.BIGCOMMERCE_ACCESS_TOKEN,
        "WEBHOOKS_CLIENT_SECRET": constants.BIGCOMMERCE_CLIENT_SECRET,
        "WEBHOOKS_INBOX_URL": f"sqlite:///{home}/inbox.sqlite",
        **{f"TARGET_FRESHBOOKS_{name.upper()}": value for name, value in target.items()},
    }


SCHEMA = {"type": "SCHEMA", "stream": "store", "schema": {"properties": {}}, "key_properties": []}
PROGRAMS = [
    "tap-bigcommerce-orders --config=ENV",
    "target-freshbooks --config=ENV",
    "target-freshbooks-ctl whoami",
    "webhooks list",
    "webhooks register",
    "webhooks send-test 101 --url URL/webhooks",
]


@pytest.mark.more
@pytest.mark.parametrize("command", PROGRAMS)
def test_each_program_tells_a_certificate_of_nobody_at_once_and_ends(
    command: str, secure: Any, tmp_path: Path
) -> None:
    url, asked = secure
    program, *arguments = command.replace("URL", url).split()
    done = subprocess.run(
        [str(BIN / program), *arguments],
        cwd=tmp_path,
        env=clean_environment()
        | settings_at(url, tmp_path)
        | {"WEBHOOKS_DESTINATION": "https://hooks.shop.example/webhooks"},
        input=json.dumps(SCHEMA),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert f"{url.partition('://')[2]} shows is not trusted here" in done.stderr
    assert "REQUESTS_CA_BUNDLE" in done.stderr
    assert "Traceback" not in done.stderr
    assert asked == []
