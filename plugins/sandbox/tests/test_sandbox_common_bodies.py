"""What the control routes are told is understood at once, or refused with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

RULE = {"kind": "status", "side": "freshbooks", "path": "users/clients$"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("times", "3"),
        ("times", 0),
        ("skip", -1),
        ("skip", True),
        ("status", 99_999_999),
        ("status", "500"),
        ("delay_ms", "abc"),
        ("probability_percent", "half"),
        ("probability_percent", 101),
        ("seed", []),
        ("method", 5),
        ("path", ["users"]),
        ("path", "users("),
        ("headers", ["retry-after"]),
        ("headers", {"retry-after": 5}),
        ("headers", {"retry-after": "5\r\nx: y"}),
        ("answer", {"a": 1}),
        ("errno", "1004"),
        ("words", None),
        ("handle_gone", "yes"),
        ("when", "later"),
        ("writes", [{"path": 5}]),
        ("writes", [{"path": "users/clients", "method": "post it"}]),
        ("nonsense", 1),
    ],
)
def test_a_rule_that_cannot_work_is_refused(
    control: httpx.Client, books: Any, name: str, value: object
) -> None:
    answer = control.post("faults", json={**RULE, name: value})
    assert answer.status_code == 400
    assert name in answer.json()["error"]
    assert control.get("faults").json()["rules"] == []
    assert books.rows("client") == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "switches", {"fb.tax_percent_decimals": 99_999_999}),
        ("PUT", "switches", {"fb.rate_limit": -1}),
        ("PUT", "switches", {"fb.rate_window_seconds": 0}),
        ("PUT", "switches", {"fb.locked_until": "abc"}),
        ("PUT", "switches", ["fb.rate_limit"]),
        ("POST", "clock", {"set": "abc"}),
        ("POST", "clock", {"set": 5}),
        ("POST", "clock", {"set": "9999-12-31T23:00:00Z"}),
        ("POST", "clock", {"advance_seconds": 1e12}),
        ("POST", "clock", {"advance_seconds": "NaN"}),
        ("POST", "clock", {"rate": -1}),
        ("POST", "clock", {"rate": "inf"}),
        ("POST", "reset", []),
        ("POST", "faults", 7),
        ("POST", "by-hand", {"path": "users/clients", "json": {}, "by": 7}),
    ],
)
def test_an_odd_body_is_refused_and_nothing_of_it_stays(
    control: httpx.Client, books: Any, method: str, path: str, body: object
) -> None:
    before = control.get("switches").json()
    answer = control.request(method, path, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert control.get("switches").json() == before
    assert books.sent()["v3_status"] == "sent"


@pytest.mark.parametrize("path", ["faults", "clock", "reset", "by-hand", "switches"])
def test_a_body_that_is_no_json_is_refused(control: httpx.Client, path: str) -> None:
    answer = control.request("PUT" if path == "switches" else "POST", path, content=b"{")
    assert answer.status_code == 400


def test_a_history_since_nothing_known_is_refused(control: httpx.Client) -> None:
    assert control.get("history", params={"since": "abc"}).status_code == 400


def test_a_time_without_a_zone_is_utc(
    control: httpx.Client, sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del sandbox
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    told = control.post("clock", json={"set": "2026-11-02T18:00:00", "rate": 0}).json()
    assert told["now"] == "2026-11-02T18:00:00+00:00"
