"""The operator's commands take the same settings as the target, and name one that is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials import CredentialError, CredentialStore
from cryptography.fernet import Fernet
from target_freshbooks.ctl.cli import cli
from target_freshbooks.ctl.context import run_command
from target_freshbooks.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = {"client_id": "id", "client_secret": "secret"}


def ended(
    home: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *options: str
) -> int:
    path = home / "target.json"
    Ledger.open(f"sqlite:///{home}/ledger.sqlite", source="bigcommerce").dispose()
    settings = {**NEEDED, "ledger_url": f"sqlite:///{home}/ledger.sqlite", **settings}
    path.touch(mode=0o600)
    path.write_text(json.dumps(settings), encoding="utf-8")
    arguments = ["target-freshbooks-ctl", "--config", str(path), *options, "status"]
    monkeypatch.setattr("sys.argv", arguments)
    return run_command(cli)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"refund_mode": "zzz"}, "refund_mode is 'zzz': it must be adjust_invoice or credit_note."),
        ({"on_parked": 1}, "on_parked is 1: it must be warn or fail."),
        ({"dry_run": "ture"}, "dry_run is 'ture': it must be true or false."),
        ({"dry_run": 1}, "dry_run is 1: it must be true or false."),
        (
            {"max_parallel_orders": 1.5},
            "max_parallel_orders is 1.5: it must be a whole number of at least 1.",
        ),
        (
            {"max_parallel_orders": True},
            "max_parallel_orders is true: it must be a whole number of at least 1.",
        ),
        (
            {"paid_status_ids": ["x"]},
            'paid_status_ids is ["x"]: it must be a list of whole numbers such as 101,102',
        ),
        (
            {"exclude_external_sources": [7]},
            'exclude_external_sources is [7]: it must be a list of texts such as a,b or ["a", "b"]',
        ),
        (
            {"tax_mapping": {"State": 7}},
            'tax_mapping is {"State": 7}: it must be a JSON object of texts such as {"a": "b"}.',
        ),
        (
            {"generic_client": {"organisation": "Walk-in"}},
            'generic_client is {"organisation": "Walk-in"}: it must be text, or a JSON object of',
        ),
        ({"source": 7}, "source is 7: it must be text."),
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
    told = capsys.readouterr().err
    assert told.startswith(f"Error: The setting {words}")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "typed",
    [
        "stauts",
        "--colour status",
        "status --fail-if-parkd",
        "plan abc",
        "audit",
        "replay",
        "replay --since 01.02.2026",
        "replay --parked --date 2026-10-01",
        "replay 7 --settings old",
        "settle 7",
        "report",
        "report --month 2026-13",
        "verify --expect garbage",
        "probe --full --clean",
        "init --json",
    ],
)
def test_a_wrong_command_line_is_no_sign_of_parked_orders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    for name, text in {**NEEDED, "ledger_url": f"sqlite:///{tmp_path}/l.sqlite"}.items():
        monkeypatch.setenv(f"TARGET_FRESHBOOKS_{name.upper()}", text)
    Ledger.open(f"sqlite:///{tmp_path}/l.sqlite", source="bigcommerce").dispose()
    monkeypatch.setattr("sys.argv", ["target-freshbooks-ctl", *typed.split()])
    assert run_command(cli) == 1


def test_settings_that_the_target_takes_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "refund_mode": "credit_note",
        "max_parallel_orders": 2,
        "exclude_external_sources": "M-MIG,POS",
        "dry_run": "True",
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


def test_the_environment_is_read_strictly_where_no_file_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Ledger.open(f"sqlite:///{tmp_path}/l.sqlite", source="bigcommerce").dispose()
    for name, text in {**NEEDED, "ledger_url": f"sqlite:///{tmp_path}/l.sqlite"}.items():
        monkeypatch.setenv(f"TARGET_FRESHBOOKS_{name.upper()}", text)
    monkeypatch.setattr("sys.argv", ["target-freshbooks-ctl", "status"])
    monkeypatch.setenv("TARGET_FRESHBOOKS_DRY_RUN", "false")
    monkeypatch.setenv("TARGET_FRESHBOOKS_PAID_STATUS_IDS", "2,11")
    assert run_command(cli) == 0
    monkeypatch.setenv("TARGET_FRESHBOOKS_DRY_RUN", "ture")
    assert run_command(cli) == 1
    assert "dry_run is 'ture': it must be true or false" in capsys.readouterr().err


def test_a_misspelt_variable_or_key_stops_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(tmp_path, {"tax_mod": "rates"}, monkeypatch) == 1
    assert "There is no setting tax_mod. If it is tax_mode" in capsys.readouterr().err
    monkeypatch.setenv("TARGET_FRESHBOOKS_INVOICE_NUMER_PREFIX", "A-")
    assert ended(tmp_path, {}, monkeypatch) == 1
    assert (
        "There is no setting TARGET_FRESHBOOKS_INVOICE_NUMER_PREFIX. If it is"
        " TARGET_FRESHBOOKS_INVOICE_NUMBER_PREFIX, mend its name; if not, remove it."
    ) in capsys.readouterr().err


def test_an_unknown_variable_is_told_once_and_the_target_s_own_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TARGET_FRESHBOOKS_SHOE_SIZE", "46")
    for name in ("STREAM_MAPS", "LOGLEVEL", "_LOAD_SCHEMA", "SERVICE_HOST"):
        monkeypatch.setenv(f"TARGET_FRESHBOOKS_{name}", "1")
    assert ended(tmp_path, {"stream_maps": {}}, monkeypatch) == 0
    (told,) = caplog.messages
    assert told == "No setting has this name, so it has no effect: TARGET_FRESHBOOKS_SHOE_SIZE."


def test_the_key_is_rotated_as_the_credentials_program_does_and_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "target.json"
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings = {**NEEDED, "ledger_url": f"sqlite:///{tmp_path}/ledger.sqlite"}

    def rotate(keys: str | None, *options: str) -> Any:
        path.write_text(json.dumps(settings | {"encryption_key": keys}), encoding="utf-8")
        arguments = ["--json", "--config", str(path), "rotate-key", *options]
        cli.main(arguments, standalone_mode=False)
        return json.loads(capsys.readouterr().out)

    with CredentialStore.open(settings["ledger_url"], old).exclusive("entry", timeout=5) as entry:
        entry.write({"secret": "kept"})
    assert rotate(f"{new},{old}") == {"reencrypted": 1}
    store = CredentialStore.open(settings["ledger_url"], new)
    assert store.read("entry") == {"secret": "kept"}
    with pytest.raises(CredentialError, match="encryption_key = NEW,OLD"):
        rotate(new)
    with Ledger.open(settings["ledger_url"], source="bigcommerce") as ledger:
        assert [row.event for row in ledger.audit.rows()] == ["key_rotated"]
