"""The operator's commands take the same settings as the target, and name one that is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.ctl.cli import cli
from target_freshbooks.ctl.context import told_plainly

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = {"client_id": "id", "client_secret": "secret"}


def ended(
    home: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *options: str
) -> int:
    path = home / "target.json"
    settings = {**NEEDED, "ledger_url": f"sqlite:///{home}/ledger.sqlite", **settings}
    path.write_text(json.dumps(settings), encoding="utf-8")
    arguments = ["target-freshbooks-ctl", "--config", str(path), *options, "status"]
    monkeypatch.setattr("sys.argv", arguments)
    return told_plainly(cli)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"refund_mode": "zzz"}, "refund_mode must be adjust_invoice or credit_note."),
        ({"on_parked": 1}, "on_parked must be warn or fail."),
        ({"dry_run": "false"}, "dry_run must be true or false."),
        ({"max_parallel_orders": 1.5}, "max_parallel_orders must be a whole number."),
        ({"max_parallel_orders": True}, "max_parallel_orders must be a whole number."),
        ({"paid_status_ids": ["x"]}, "paid_status_ids must be an array of whole numbers."),
        (
            {"exclude_external_sources": "POS"},
            "exclude_external_sources must be an array of texts.",
        ),
        ({"tax_mapping": {"State": 7}}, "tax_mapping must be an object of text to text."),
        ({"generic_client": 12}, "generic_client must be text or an object."),
        ({"source": 7}, "source must be text."),
        ({"client_secret": 12345678}, "client_secret must be text."),
        ({"encryption_key": ["canary"]}, "encryption_key must be text."),
    ],
)
def test_a_wrong_setting_is_named_in_a_line_with_what_it_may_be(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: dict[str, Any],
    words: str,
) -> None:
    assert ended(tmp_path, wrong, monkeypatch) == 1
    assert capsys.readouterr().err == f"Error: The setting {words}\n"


def test_settings_that_the_target_takes_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "refund_mode": "credit_note",
        "max_parallel_orders": 2,
        "tax_mapping": {"State": "NY"},
        "generic_client": {"organization": "Walk-in"},
        "timezone": None,
    }
    assert ended(tmp_path, settings, monkeypatch) == 0


def test_numbers_and_objects_of_the_environment_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"MAX_PARALLEL_ORDERS": "2", "TAX_MAPPING": '{"State": "NY"}'}.items():
        monkeypatch.setenv(f"TARGET_FRESHBOOKS_{name}", text)
    assert ended(tmp_path, {}, monkeypatch, "--config", "ENV") == 0
