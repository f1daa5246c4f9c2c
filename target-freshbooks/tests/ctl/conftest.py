"""A sandbox with an empty shop, and the operator's commands as processes of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials import CredentialStore
from connector_sandbox.settings import KEY
from connector_sandbox.testing import Harness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG_AGO = "2020-01-01T00:00:00+00:00"


class Desk(Harness):
    """An operator's place: the settings, the commands, and what FreshBooks saw of them."""

    def ctl(self, *arguments: str, given: str = "", **more: Any) -> tuple[int, str]:
        """Run a command to its end: its code, and all that it said."""
        process = self.start("target-freshbooks-ctl", *arguments, **more)
        out, log = process.communicate(given, timeout=120)
        return process.returncode, out + log

    def park_an_order(self) -> int:
        """Have an order in the ledger that FreshBooks refused once."""
        order = self.place()
        messages = self.messages()
        refusal = {"response": {"errors": [{"errno": 1004, "field": "x", "message": "no"}]}}
        invoices = {"method": "POST", "path": "invoices/invoices", "times": 1}
        self.fault(kind="status", status=422, answer=json.dumps(refusal), **invoices)
        _, log = self.post(messages)
        assert "1 orders parked" in log, log
        return order

    def post(self, messages: str, **more: Any) -> tuple[int, str]:
        """Run the target on messages to its end: its code, and its log."""
        target = self.start("target-freshbooks", **more)
        _, log = target.communicate(messages, timeout=120)
        return target.returncode, log

    def hold(self, path: str, method: str, when: str = "after") -> str:
        """Have FreshBooks keep the next answer, or request, to itself; returns the rule's id."""
        return self.fault(kind="hold", path=path, method=method, when=when, times=1, delay_ms=30000)

    @property
    def store(self) -> CredentialStore:
        return CredentialStore.open(self.config["credentials_url"], KEY)

    @property
    def entry(self) -> str:
        return f"freshbooks:{self.config['client_id']}"

    def expire(self) -> None:
        """Have the stored access token end now, as a clock of hours later sees it."""
        document: dict[str, Any] = self.store.read(self.entry) or {}
        self.store.write(self.entry, {**document, "expires_at": LONG_AGO, "refreshed_at": LONG_AGO})

    def spent(self) -> int:
        """How often the token endpoint was asked."""
        return sum(row["count"] for row in self.requests() if row["path"] == "/auth/oauth/token")


@pytest.fixture
def desk(sandbox_url: str, tmp_path: Path) -> Iterator[Desk]:
    with Desk(sandbox_url, tmp_path) as desk:
        yield desk
