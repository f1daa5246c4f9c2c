"""Logging in as a process: what the browser brings back counts if it is of the page shown last."""

from __future__ import annotations

import http.client
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from connector_sandbox.testing import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

pytestmark = pytest.mark.more


def page_in(said: str) -> str:
    """The page that `login` printed."""
    page = re.search(r"https?://\S+/oauth/authorize\S*", said)
    assert page, said
    return page[0]


def landed(desk: Any, page: str, **changed: str) -> str:
    """Agree on a page, or on one that somebody has changed: where the browser is sent to."""
    address, _, query = page.partition("?")
    asked = {name: values[0] for name, values in parse_qs(query).items()} | changed
    return str(desk.http.post(address, params=asked).headers["location"])


def altered(address: str, **changed: str | None) -> str:
    """An address with other parameters, or with fewer."""
    bare, _, query = address.partition("?")
    said = {name: values[0] for name, values in parse_qs(query).items()} | changed
    return f"{bare}?{urlencode({name: value for name, value in said.items() if value})}"


def code_in(address: str) -> str:
    return parse_qs(urlsplit(address).query)["code"][0]


def works(desk: Any) -> bool:
    desk.expire()
    return bool(desk.ctl("whoami", refresh_token=None)[0] == 0)


def test_the_address_may_come_to_another_process_than_showed_its_page(desk: Any) -> None:
    _, said = desk.ctl("login", refresh_token=None)  # nobody answers the prompt
    address = landed(desk, page_in(said))
    code, said = desk.ctl("login", "--code", f"  {address}\n", refresh_token=None)
    assert code == 0, said
    assert desk.store.names() == [desk.entry]
    assert works(desk)


def test_the_address_may_be_pasted(desk: Any) -> None:
    process = desk.start("target-freshbooks-ctl", "login", refresh_token=None)
    said = ""
    while "/oauth/authorize" not in said:
        said += process.stdout.readline()
    out, log = process.communicate(f"{landed(desk, page_in(said))}\n", timeout=60)
    assert (process.returncode, "Connected" in out) == (0, True), log


def test_a_code_alone_is_refused_and_spends_nothing(desk: Any) -> None:
    address = desk.landed()
    code, said = desk.ctl("login", "--code", code_in(address), refresh_token=None)
    assert (code, said.count("\n")) == (1, 1)
    assert "paste all that the browser's address bar shows" in said
    assert desk.spent() == 0
    assert desk.ctl("login", "--code", address, refresh_token=None)[0] == 0
    assert "No login is waiting" in desk.ctl("login", "--code", address, refresh_token=None)[1]
    assert works(desk)


def test_a_code_that_freshbooks_does_not_take_is_told_and_the_former_login_stays(
    desk: Any,
) -> None:
    used = desk.landed()
    assert desk.ctl("login", "--code", used, refresh_token=None)[0] == 0
    kept = desk.store.read(desk.entry)
    for worthless in (code_in(used), "no-code-at-all"):
        address = altered(desk.landed(), code=worthless)
        code, said = desk.ctl("login", "--code", address, refresh_token=None)
        assert code == 1
        assert "FreshBooks does not accept this code: it was used before" in said
        assert "use the new page of" in said
        assert said.count("\n") == 1
        assert desk.store.read(desk.entry) == kept
    assert works(desk)


@pytest.mark.parametrize("switch", ["checked", "ignored"])
def test_a_code_that_was_given_for_another_page_is_worthless_where_freshbooks_knows_pkce(
    desk: Any, switch: str
) -> None:
    desk.control("PUT", "switches", {"fb.pkce": switch})
    page = page_in(desk.ctl("login", refresh_token=None)[1])
    of_another = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    address = landed(desk, page, code_challenge=of_another)
    code, said = desk.ctl("login", "--code", address, refresh_token=None)
    assert code == (1 if switch == "checked" else 0), said
    assert ("does not accept this code" in said) == (switch == "checked")


# -- the loopback


@dataclass
class Waiting:
    """A `login --loopback` that waits, and what it has printed so far."""

    process: subprocess.Popen[str]
    host: str
    page: str

    def ask(
        self, method: str, target: str, host: str | None = None, *more: str
    ) -> tuple[int, bytes]:
        """Ask its port in so many words: status, and body."""
        connection = http.client.HTTPConnection(self.host, timeout=20)
        connection.putrequest(method, target, skip_host=True)
        for one in (self.host if host is None else host, *more):
            if one:
                connection.putheader("Host", one)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()

    def state(self) -> str:
        return parse_qs(urlsplit(self.page).query)["state"][0]


@pytest.fixture
def waiting(desk: Any) -> Iterator[Waiting]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    uri = f"http://{host}/back/callback"
    desk.control("PUT", "switches", {"fb.extra_redirect_uri": uri})
    arguments = ("login", "--loopback")
    process = desk.start("target-freshbooks-ctl", *arguments, redirect_uri=uri, refresh_token=None)
    said = ""
    while "Waiting for the browser" not in said:
        said += process.stdout.readline()
    found = Waiting(process, host, page_in(said))

    def listens() -> bool:
        try:
            return found.ask("GET", "/")[0] == 404
        except ConnectionError:
            return False

    until(listens)
    yield found
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_the_loopback_answers_its_own_address_alone_and_waits_for_its_own_page(
    desk: Any, waiting: Waiting
) -> None:
    right = f"code=of-an-attacker&state={waiting.state()}"
    path = "/back/callback"
    for method in ("POST", "HEAD", "PUT", "OPTIONS", "DELETE", "BREW"):
        assert waiting.ask(method, f"{path}?{right}")[0] == 404, method
    for target in (
        f"/?{right}",
        f"{path}/?{right}",
        f"/{path}?{right}",
        f"/back/./callback?{right}",
        f"/back/callbacks?{right}",
        f"http://{waiting.host}{path}?{right}",
        "/favicon.ico",
    ):
        assert waiting.ask("GET", target)[0] == 404, target
    port = waiting.host.rpartition(":")[2]
    for host in (
        "",
        "attacker.example",
        f"attacker.example:{port}",
        "127.0.0.1",
        f"localhost:{port}",
    ):
        assert waiting.ask("GET", f"{path}?{right}", host)[0] == 404, host
    assert waiting.ask("GET", f"{path}?{right}", waiting.host, "attacker.example")[0] == 404
    for query in (
        "",
        "code=of-an-attacker",
        "code=of-an-attacker&state=",
        "code=of-an-attacker&state=a-guess",
        f"{right}&state=a-guess",
        "error=access_denied",
        "error=access_denied&state=a-guess",
        f"state={waiting.state()}",
    ):
        assert waiting.ask("GET", f"{path}?{query}")[0] == 400, query
    assert waiting.process.poll() is None
    assert desk.spent() == 0
    answer = httpx.get(landed(desk, waiting.page))
    assert (answer.status_code, "close this window" in answer.text) == (200, True)
    out, log = waiting.process.communicate(timeout=60)
    assert (waiting.process.returncode, "Connected" in out) == (0, True), log


def test_what_freshbooks_did_not_allow_ends_the_loopback_if_it_is_of_its_page(
    waiting: Waiting,
) -> None:
    said = f"error=access_denied&state={waiting.state()}"
    assert waiting.ask("GET", f"/back/callback?{said}")[0] == 200
    _, log = waiting.process.communicate(timeout=60)
    assert waiting.process.returncode == 1
    assert "FreshBooks did not allow it" in log


def test_a_port_that_is_taken_or_not_of_this_machine_is_told(desk: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        uri = f"http://localhost:{other.getsockname()[1]}/callback"
        code, said = desk.ctl("login", "--loopback", redirect_uri=uri, refresh_token=None)
    assert code == 1
    assert f"--loopback cannot listen where {uri} leads (Address already in use)" in said
    uri = "https://books.example/callback"
    code, said = desk.ctl("login", "--loopback", redirect_uri=uri, refresh_token=None)
    assert (code, "--loopback needs a redirect URI on localhost" in said) == (1, True)
