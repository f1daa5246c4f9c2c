"""The probe in this process, on a sandbox whose books are empty."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.testing import Harness
from target_freshbooks.ctl import probe
from target_freshbooks.ctl.cli import cli
from target_freshbooks.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSINESS = "Sandbox Books"
ACTIVE = 0
DELETED = 1


class Desk(Harness):
    """An operator's place, its commands in this process.

    Attributes:
        left: What the last probe told that FreshBooks kept.
    """

    left: list[str]

    def switch(self, **switches: Any) -> None:
        self.control("PUT", "switches", {f"fb.{name}": value for name, value in switches.items()})

    def ctl(self, *arguments: str, given: str = "") -> str:
        """Run a command to its end; what it wrote to standard output."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), pytest.MonkeyPatch.context() as patched:
            patched.setattr(sys, "stdin", io.StringIO(given))
            self.code = cli.main(
                ["--config", self.config_file(), *arguments], standalone_mode=False
            )
        return said.getvalue()

    def probe(self, *options: str, given: str = BUSINESS) -> dict[str, dict[str, Any]]:
        """Probe the account; the findings by check."""
        document = json.loads(self.ctl("probe", "--json", *options, given=f"{given}\n"))
        self.left = document["left"]
        return {one["check"]: one for one in document["findings"]}

    def standing(self) -> list[str]:
        """What FreshBooks holds that is not deleted."""
        return [
            f"{kind} {row['id']}"
            for kind, rows in self.books().items()
            for row in rows
            if row.get("vis_state", ACTIVE) != DELETED
        ]

    def numbers(self) -> set[str]:
        """The numbers of all invoices, deleted ones too."""
        return {row["invoice_number"] for row in self.books()["invoices"]}

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Ledger]:
        with Ledger.open(self.config["ledger_url"], source="bigcommerce") as ledger:
            yield ledger


@pytest.fixture
def desk(sandbox_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(probe, "PATIENCE", 2.0)
    with Desk(sandbox_url, tmp_path) as desk:
        yield desk
