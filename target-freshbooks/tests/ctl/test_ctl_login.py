"""Logging in: a code is spent only when its pair can be kept, and the browser is waited for."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import click
import pytest
from connector_sandbox.testing import until
from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url
from target_freshbooks.ctl import loopback

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_login_begins_a_new_chain(desk: Any) -> None:
    code, said = desk.ctl("login", "--code", desk.landed(), refresh_token=None)
    assert code == 0, said
    assert "Connected" in said
    desk.expire()
    assert desk.ctl("whoami", refresh_token=None)[0] == 0
    assert "refreshing_since" not in desk.store.read(desk.entry)


@pytest.mark.more
def test_a_login_with_a_wrong_key_spends_no_code_and_leaves_the_chain(desk: Any) -> None:
    assert desk.ctl("whoami")[0] == 0
    landed, spent = desk.landed(), desk.spent()
    wrong = Fernet.generate_key().decode()
    code, said = desk.ctl("login", "--code", landed, encryption_key=wrong)
    assert code == 1
    assert "does not open the stored credentials" in said
    assert "1. Open this page" not in desk.ctl("login", encryption_key=wrong)[1]
    assert desk.spent() == spent
    desk.expire()
    assert desk.ctl("whoami")[0] == 0
    assert desk.ctl("login", "--code", landed)[0] == 0  # the code is as good as it was


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def waiting() -> Callable[[str], tuple[int, list[Any]]]:
    """Wait for the browser in a thread: the port, and what comes of it."""

    def start(scheme: str) -> tuple[int, list[Any]]:
        port = free_port()
        outcome: list[Any] = []

        def wait() -> None:
            try:
                uri = f"{scheme}://localhost:{port}/callback"
                outcome.append(loopback.wait_for_browser(uri, lambda _: True))
            except click.ClickException as error:
                outcome.append(error)

        threading.Thread(target=wait, daemon=True).start()
        return port, outcome

    return start


def connected(port: int) -> socket.socket:
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)  # between two looks of a bounded poll


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_browsers_idle_connection_does_not_hold_up_the_one_with_the_code(
    waiting: Any, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loopback, "IDLE_SECONDS", 60)
    port, outcome = waiting(scheme)
    with connected(port), connected(port) as stranger:
        stranger.sendall(b"no words of ours\r\n\r\n")
        if scheme == "https":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            browser: Any = http.client.HTTPSConnection(
                "localhost", port, timeout=20, context=context
            )
        else:
            browser = http.client.HTTPConnection("localhost", port, timeout=20)
        browser.request("GET", "/callback?code=abc&state=s")
        assert browser.getresponse().status == 200
        browser.close()
        assert until(lambda: outcome)[0] == f"{scheme}://localhost:{port}/callback?code=abc&state=s"


def test_nobody_is_waited_for_beyond_the_limit(
    waiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loopback, "WAIT_SECONDS", 1)
    port, outcome = waiting("http")
    with connected(port):
        assert "Nobody came back" in str(until(lambda: outcome)[0])


def revocations(desk: Any) -> int:
    rows = desk.control("GET", "requests")["requests"]
    return sum(row["count"] for row in rows if row["path"] == "/auth/oauth/revoke")


def is_alive(desk: Any, access_token: str) -> bool:
    headers = {"Authorization": f"Bearer {access_token}"}
    answer = desk.http.get(f"{desk.url}/auth/api/v1/users/me", headers=headers)
    return bool(answer.status_code == 200)


def test_a_logout_ends_the_login_at_freshbooks_and_forgets_it(desk: Any) -> None:
    assert desk.ctl("login", "--code", desk.landed(), refresh_token=None)[0] == 0
    token = desk.store.read(desk.entry)["access_token"]
    assert is_alive(desk, token)
    code, said = desk.ctl("logout", refresh_token=None)
    assert code == 0, said
    assert "Logged out" in said
    assert not is_alive(desk, token)
    assert desk.store.read(desk.entry) is None
    code, said = desk.ctl("whoami", refresh_token=None)
    assert (code, "no FreshBooks login is stored" in said) == (1, True)


@pytest.mark.more
@pytest.mark.parametrize("taken", [True, False])
def test_a_logout_ends_the_login_of_the_setting_too(desk: Any, taken: bool) -> None:
    assert not taken or desk.ctl("whoami")[0] == 0
    assert desk.ctl("logout")[0] == 0
    spent = desk.spent()
    code, said = desk.ctl("whoami")
    assert (code, "no FreshBooks login is stored" in said) == (1, True)
    assert (desk.spent(), revocations(desk)) == (spent, 1)


@pytest.mark.more
def test_a_logout_leaves_no_ciphertext_where_another_program_keeps_the_log(desk: Any) -> None:
    assert desk.ctl("whoami")[0] == 0  # with the setting's token, which is remembered as taken
    folder, name = make_url(desk.config["credentials_url"]).database.rsplit("/", 1)
    with contextlib.closing(sqlite3.connect(f"{folder}/{name}")) as other:
        ((old,),) = other.execute("SELECT document FROM credentials").fetchall()
        desk.expire()

        def files() -> bytes:
            # Read by another process: closing a file here would drop SQLite's locks.
            return subprocess.check_output(["cat", name, f"{name}-wal"], cwd=folder)

        assert old in files()
        assert desk.ctl("logout")[0] == 0
        assert old not in files()


@pytest.mark.more
@pytest.mark.parametrize("unreachable", [True, False])
def test_a_logout_that_freshbooks_does_not_hear_forgets_the_login_and_says_so(
    desk: Any, unreachable: bool
) -> None:
    assert desk.ctl("whoami")[0] == 0
    desk.fault(kind="status", status=500, method="POST", path="/auth/oauth/revoke$")
    url = f"http://127.0.0.1:{free_port()}" if unreachable else desk.url
    code, said = desk.ctl("logout", api_url=url)
    assert code == 0, said
    assert "FreshBooks may still accept it" in said
    assert "Traceback" not in said
    assert "refresh_token" not in (desk.store.read(desk.entry) or {})


def test_a_logout_without_a_login_says_so_and_asks_nobody(desk: Any) -> None:
    code, said = desk.ctl("logout", "--json", refresh_token=None)
    assert code == 0
    assert json.loads(said) == {"was_logged_in": False, "revoked": False}
    assert revocations(desk) == 0
