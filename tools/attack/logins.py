"""Whatever reaches the port of a waiting login: nothing but its own page's answer ends it."""

from __future__ import annotations

import json
import re
import secrets
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
from connector_sandbox.settings import clean_environment, target_settings

from demo.sandbox import BIN

if TYPE_CHECKING:
    from attack.bounds import Findings
    from demo.sandbox import Sandbox

GUESSES = 500
PATH = "/back/callback"
ENOUGH_SECONDS = 60


def attack(findings: Findings, sandbox: Sandbox) -> None:
    """Bring a login codes of somebody else, then the answer of its own page."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{probe.getsockname()[1]}"
    redirect_uri = f"{origin}{PATH}"
    sandbox.tell("PUT", "switches", {"fb.extra_redirect_uri": redirect_uri})
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        config = Path(folder) / "target.json"
        settings = target_settings(sandbox.url, Path(folder), redirect_uri=redirect_uri)
        config.write_text(json.dumps({**settings, "refresh_token": None}))
        config.chmod(0o600)
        program = str(BIN / "target-freshbooks-ctl")
        command = [program, "--config", str(config), "login", "--loopback"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=clean_environment(), cwd=folder
        ) as process:
            try:
                _bring(findings, process, origin)
            finally:
                process.kill()


def _bring(findings: Findings, process: subprocess.Popen[str], origin: str) -> None:
    output = ""
    assert process.stdout is not None  # noqa: S101 - it was asked for with PIPE
    while "Waiting for the browser" not in output:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"login did not wait: {output}")
        output += line
    page = re.findall(r"https?://\S+/oauth/authorize\S*", output)[0]
    state = parse_qs(urlsplit(page).query)["state"][0]
    with httpx.Client(
        base_url=origin, timeout=ENOUGH_SECONDS, transport=httpx.HTTPTransport(retries=9)
    ) as browser:
        answers = {
            browser.get(PATH, params=query).status_code
            for query in (
                *({"code": "c", "state": secrets.token_urlsafe(16)} for _ in range(GUESSES)),
                {"code": "c"},
                {"error": "access_denied"},
                {"error": "access_denied", "state": state[:-1]},
            )
        }
        right = {"code": "c", "state": state}
        answers |= {
            browser.post(PATH, params=right).status_code,
            browser.get("/", params=right).status_code,
            browser.get(PATH, params=right, headers={"Host": "evil.example"}).status_code,
        }
        is_waiting = process.poll() is None and answers <= {400, 404}
        findings.held(
            f"login, {GUESSES} guesses and an error of another page",
            is_held=is_waiting,
            figure=f"answered {', '.join(map(str, sorted(answers)))}",
        )
        address, _, query = page.partition("?")
        agreed = browser.post(address, params=parse_qs(query))
        browser.get(agreed.headers["location"])
    ended = process.wait(ENOUGH_SECONDS)
    findings.held("login, then its own page", is_held=ended == 0, figure=f"exit code {ended}")
