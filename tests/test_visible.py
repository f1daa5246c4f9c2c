"""Words of shops, FreshBooks and child processes act on no terminal and forge no line of a log."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from unicodedata import category

import pytest
from connector_credentials.output import VisibleRecord, json_lines, visible
from connector_sandbox.settings import clean_environment
from connector_sandbox.testing import BIN, Harness
from target_freshbooks.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORGED = "2026-11-28 ERROR    | all is lost"
HOSTILE = f"Mug \x1b[2J\x9b31m\u202efdp.exe\u200b\ufeff\x7f\u2028\t\r\n{FORGED}\n" + '{"level":"x"}'
SHOWN = r"Mug \x1b[2J\x9b31m\u202efdp.exe\u200b\ufeff\x7f\u2028\t\r\n2026-11-28 ERROR"
ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def check(*texts: str) -> None:
    """Nothing in what was shown acts, and no line of it is a stranger's."""
    for text in texts:
        assert [char for char in text if category(char) in ACTING and char != "\n"] == []
        assert [line for line in text.split("\n") if line.startswith((FORGED, '{"'))] == []


def test_what_acts_on_a_terminal_is_shown_and_what_is_read_stays() -> None:
    assert visible(HOSTILE).startswith(SHOWN)
    assert visible("\u2066a\u2069\u200f\u2029\x00\x85\ud800\U000e0041") == (
        r"\u2066a\u2069\u200f\u2029\x00\x85\ud800\U000e0041"
    )
    harmless = "Grüße, 注文 Ωμέγα\N{NO-BREAK SPACE}€ 🛒 \\x1b"
    assert visible(f"{harmless}\n") == rf"{harmless}\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1:strict", "utf-8"])
def test_what_an_output_cannot_show_is_written_out(encoding: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from connector_credentials.output import say; say('Müller 注')"],
        check=True,
        capture_output=True,
        env=clean_environment() | {"PYTHONIOENCODING": encoding},
    )
    name, _, _ = encoding.partition(":")
    assert told.stdout == "Müller 注\n".encode(name, "backslashreplace")


def test_a_json_document_stays_one_and_acts_on_nothing() -> None:
    lines = json_lines({"note": f"{HOSTILE} Grüße"}, indent=2)
    check("\n".join(lines))
    assert json.loads("\n".join(lines)) == {"note": f"{HOSTILE} Grüße"}


@pytest.mark.parametrize("arguments", [(HOSTILE,), ()])
def test_a_record_is_one_line_whatever_it_holds_and_its_traceback_is_set_off(
    arguments: tuple[str, ...],
) -> None:
    error = ValueError(HOSTILE)
    words = "Order %s" if arguments else f"Order {HOSTILE}"
    trouble = (ValueError, error, None)
    record = VisibleRecord("x", logging.ERROR, "", 0, words, arguments, trouble)
    first, *others = logging.Formatter("%(message)s").format(record).split("\n")
    assert first.startswith(f"Order {SHOWN}")
    assert others
    assert all(line.startswith("  | ") for line in others)
    check(first, *others)


class Desk(Harness):
    """An operator's place."""

    def ctl(self, *arguments: str, **settings: Any) -> tuple[str, str]:
        """What a command says, to whom it asked and aside."""
        process = self.start("target-freshbooks-ctl", *arguments, **settings)
        out, aside = process.communicate(timeout=120)
        assert "Traceback" not in aside
        check(out, aside)
        return out, aside

    def month(self, order: int) -> str:
        with Ledger.open(self.config["ledger_url"], source="bigcommerce") as ledger:
            row = ledger.orders.get(order)
        assert row is not None
        return f"{row.order_date:%Y-%m}"


@pytest.fixture
def desk(sandbox_url: str, tmp_path: Path) -> Iterator[Desk]:
    with Desk(sandbox_url, tmp_path) as desk:
        yield desk


@pytest.mark.more
def test_the_target_s_log_and_all_commands_show_what_they_are_told(desk: Desk) -> None:
    order = desk.place()
    desk.place(pay="offline", payment_method=HOSTILE)
    messages = desk.messages()
    desk.settings = {"dry_run": True}
    planned = desk.run(messages).log
    check(planned)
    assert "Dry run, nothing is written:\n" in planned
    assert f"  {SHOWN}" in planned
    desk.settings = {}
    error = {"errno": 1004, "field": "notes", "message": HOSTILE}
    answer = json.dumps({"response": {"errors": [error]}})
    path = "invoices/invoices$"
    desk.fault(kind="status", status=422, answer=answer, method="POST", path=path)
    log = desk.run(messages).log
    check(log)
    assert "2 orders parked" in log
    number = str(order)
    said = desk.ctl("status")[0]
    assert f"\n  FreshBooks says: notes: {SHOWN}" in said
    assert f"\n  FreshBooks says: notes: {SHOWN}" in desk.ctl("audit", number)[0]
    words = json.loads(desk.ctl("status", "--json")[0])["parked_orders"][0]["words"]
    assert words == f"notes: {HOSTILE}"
    report = ("report", "--month", desk.month(order), "--output", "out")
    for command in (["verify"], ["replay", number], ["plan", number]):
        desk.ctl(*command)
    for form in ("json", "html", "csv"):
        desk.ctl("plan", number, "--format", form)
    assert "is settled: Mug \\x1b" in desk.ctl("settle", number, "--note", HOSTILE)[0]
    desk.ctl(*report)
    (page,) = (desk.home / "out").glob("*.html")
    text = page.read_text(encoding="utf-8")
    check(text)
    assert r"Mug \x1b[2J\x9b31m\u202efdp.exe" in text


@pytest.mark.more
def test_errors_show_what_they_are_told(desk: Desk) -> None:
    answer = json.dumps({"message": HOSTILE, "error_description": HOSTILE, "error": HOSTILE})
    desk.fault(kind="status", status=400, answer=answer, path="oauth/token")
    desk.ctl("whoami")
    assert r"no\x1b[2Jthing" in desk.ctl("no\x1b[2Jthing")[1]
    name = "abc\x1b[2J\u202e"
    environment = {
        **clean_environment(),
        "CREDENTIALS_URL": f"sqlite:///{desk.home}/others.sqlite",
    }
    for arguments, given, words in (
        (["set-bigcommerce", name], "secret", r"stored bigcommerce:abc\x1b[2J\u202e"),
        (["list"], "", r"bigcommerce:abc\x1b[2J\u202e"),
        (["delete", f"x{name}"], "", r"not stored: xabc\x1b[2J\u202e"),
    ):
        ended = subprocess.run(
            [BIN / "connector-credentials", *arguments],
            input=given,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        check(ended.stdout, ended.stderr)
        assert words in ended.stdout + ended.stderr
