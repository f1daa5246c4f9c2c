"""The Singer SDK's own suite of tests for targets, with a sandbox behind the settings.

Its streams have no place in the books, so the target must read them all and ask FreshBooks nothing.
"""

from __future__ import annotations

import json
import socket
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.suites import SingerTestSuite
from singer_sdk.testing.target_tests import TargetMultipleStateMessages
from target_freshbooks.target import TargetFreshBooks

if TYPE_CHECKING:
    from collections.abc import Iterator

sandbox_server = pytest.importorskip(
    "connector_sandbox.server", reason="the sandbox is not installed"
)

# The SDK builds its suite while tests are collected: the address must be known by then.
with socket.socket() as _probe:
    _probe.bind(("127.0.0.1", 0))
    PORT = _probe.getsockname()[1]
URL = f"http://127.0.0.1:{PORT}"
CONFIG = {
    "client_id": "sandbox-client",
    "client_secret": "sandbox-client-secret",
    "redirect_uri": "https://localhost/callback",
    "api_url": URL,
    "auth_url": URL,
}


class TargetRelaysEveryState(TargetMultipleStateMessages):
    """Each of several states comes out, where the SDK's own target may keep some back."""

    def test(self) -> None:
        self.runner.sync_all()
        messages = [json.loads(line) for line in self.singer_filepath.read_text().splitlines()]
        said = [message["value"] for message in messages if message["type"] == "STATE"]
        assert len(said) > 1
        assert [json.loads(line) for line in self.runner.stdout.splitlines()] == said


_Suite: Any = get_target_test_class(
    TargetFreshBooks,
    config=CONFIG,
    custom_suites=[SingerTestSuite(kind="target", tests=[TargetRelaysEveryState])],
    parse_env_config=False,
)


class TestTargetBySdk(_Suite):  # type: ignore[misc]  # its base is made at run time
    """The sixteen tests of the SDK, and one for several states."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _sandbox(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        data = tmp_path_factory.mktemp("sandbox")
        with sandbox_server.running(data, port=PORT, fb__rate_limit=0):
            yield
            with urllib.request.urlopen(f"{URL}/_sandbox/requests", timeout=30) as answer:  # noqa: S310 - our own localhost
                asked = json.loads(answer.read())["requests"]
        assert asked == [], "streams without a place in the books reached FreshBooks"


def test_the_suite_is_the_whole_suite() -> None:
    assert len([name for name in dir(TestTargetBySdk) if name.startswith("test_")]) == 16 + 1
