"""The sandbox's own controls: switches, clock, history, counts, reset, and the command."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from connector_sandbox.clock import Clock
from connector_sandbox.history import template
from connector_sandbox.quota import FixedWindow
from connector_sandbox.server import running

if TYPE_CHECKING:
    from pathlib import Path


def test_the_clock_runs_at_its_rate_and_can_be_set() -> None:
    real = [1_000_000.0]
    start = datetime(2026, 11, 1, tzinfo=UTC)
    clock = Clock(rate=60, start=start, real=lambda: real[0])
    real[0] += 2
    assert clock.now() == start + timedelta(minutes=2)
    clock.move(rate=0)
    real[0] += 100
    clock.move(by=timedelta(hours=1))
    assert clock.now() == start + timedelta(minutes=62)


def test_a_window_opens_with_its_first_request_and_closes_in_time() -> None:
    now = [50.0]
    window = FixedWindow(lambda: (2, 30), lambda: now[0])
    verdicts = [window.take() for _ in range(3)]
    assert [verdict.allowed for verdict in verdicts] == [True, True, False]
    assert [verdict.remaining for verdict in verdicts] == [1, 0, 0]
    now[0] += 29.5
    assert window.take().retry_after == 1
    now[0] += 0.5
    assert window.take().remaining == 1


def test_ids_in_paths_become_templates() -> None:
    assert template("/stores/abc/v2/orders/7/taxes") == "/stores/{store}/v2/orders/{id}/taxes"
    assert (
        template("/accounting/account/SBX001/invoices/invoices/9")
        == "/accounting/account/{account}/invoices/invoices/{id}"
    )


def test_every_switch_has_words_and_wrong_ones_are_refused(control: httpx.Client) -> None:
    described = control.get("switches", params={"describe": "1"}).json()["switches"]
    assert all(switch["words"] for switch in described if switch["name"].startswith("fb."))
    assert control.put("switches", json={"fb.tax_rounding": "per_tax"}).is_success
    for wrong in ({"fb.tax_rounding": "never"}, {"fb.nonsense": 1}, {"fb.rate_limit": "many"}):
        answer = control.put("switches", json=wrong)
        assert answer.status_code == 400
        assert "fb." in answer.json()["error"]
    assert control.get("switches").json()["fb.tax_rounding"] == "per_tax"


def test_a_reset_puts_everything_back(control: httpx.Client, books: Any) -> None:
    books.client()
    control.put("switches", json={"fb.tax_rounding": "per_tax", "fb.rate_limit": 9})
    control.post("faults", json={"kind": "status", "side": "bigcommerce"})
    control.post("reset", json={"seed": False})
    assert control.get("books").json()["clients"] == []
    assert control.get("history").json()["history"] == []
    assert control.get("requests").json()["requests"] == []
    assert control.get("faults").json()["rules"] == []
    assert control.get("switches").json()["fb.tax_rounding"] == "per_line"
    # What the sandbox was started with comes back, too.
    assert control.get("switches").json()["fb.rate_limit"] == 0


def test_the_history_holds_accepted_writes_alone(control: httpx.Client, books: Any) -> None:
    invoice = books.sent(invoice_number="BC-1001", notes="BigCommerce order 1001")
    books.errors("PUT", "invoice", invoice["id"], due_date="2026-12-01")
    books.rows("invoice")
    kinds = [row["kind"] for row in control.get("history").json()["history"]]
    assert kinds == ["client.create", "invoice.create", "invoice.mark_sent"]
    of_order = control.get("history", params={"order": "1001"}).json()["history"]
    assert [row["kind"] for row in of_order] == ["invoice.create"]
    assert of_order[0]["body"]["invoice"]["invoice_number"] == "BC-1001"


def test_everything_lives_through_a_restart(tmp_path: Path) -> None:
    path, headers = "/accounting/account/SBX001/users/clients", {}
    with running(tmp_path, sides=["freshbooks"]) as first:
        token = httpx.post(f"{first.url}/_sandbox/freshbooks/tokens/grant").json()["access_token"]
        headers["authorization"] = f"Bearer {token}"
        httpx.put(f"{first.url}/_sandbox/switches", json={"fb.default_order": "id_desc"})
        body = {"client": {"email": "first@example.com"}}
        httpx.post(f"{first.url}{path}", json=body, headers=headers)
    with running(tmp_path, sides=["freshbooks"]) as second:
        body = {"client": {"email": "second@example.com"}}
        httpx.post(f"{second.url}{path}", json=body, headers=headers)
        rows = httpx.get(f"{second.url}{path}", headers=headers).json()["response"]["result"]
        history = httpx.get(f"{second.url}/_sandbox/history").json()["history"]
    emails = [row["email"] for row in rows["clients"]]
    assert emails == ["second@example.com", "first@example.com"]
    assert [row["seq"] for row in history] == [1, 2]


def test_the_history_cannot_be_changed(sandbox: Any, books: Any) -> None:
    books.client()
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        sandbox.context.store.connect().execute("UPDATE history SET kind = 'nothing'")


def test_the_command_serves_inspects_and_resets(tmp_path: Path) -> None:
    sandbox = [
        sys.executable,
        "-c",
        "import sys; from connector_sandbox.cli import main; sys.exit(main())",
    ]
    data = ["--data", str(tmp_path / "data")]
    up = subprocess.Popen(
        [*sandbox, "up", "--port", "0", "--empty", "--switch", "fb.rate_limit=7", *data],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert up.stdout is not None
        url = json.loads(up.stdout.readline())["url"]
        with httpx.Client(base_url=url) as http:
            token = http.post("/_sandbox/freshbooks/tokens/grant").json()["access_token"]
            headers = {"authorization": f"Bearer {token}"}
            path = "/accounting/account/SBX001/users/clients"
            made = http.post(path, json={"client": {"email": "a@b.c"}}, headers=headers)
            assert made.status_code == 200
            assert made.headers["x-ratelimit-limit"] == "7"
        for where in (["--url", url], data):
            told = subprocess.run(
                [*sandbox, "inspect", "--json", *where], capture_output=True, text=True, check=True
            )
            inspected = json.loads(told.stdout)
            assert inspected["holds"]["freshbooks"]["clients"] == 1
            assert inspected["freshbooks"]["refresh_token"] == "sandbox-refresh-0"
        subprocess.run(
            [*sandbox, "reset", "--empty", "--url", url], check=True, capture_output=True
        )
        with httpx.Client(base_url=url) as http:
            assert http.get("/_sandbox/books").json()["clients"] == []
    finally:
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=20)
