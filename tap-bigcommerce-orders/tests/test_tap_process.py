"""The tap as its users run it: a process with exit codes, a log and a pipe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TAP = [sys.executable, "-m", "tap_bigcommerce_orders"]
EMAIL = "canary.person@example.com"


def test_a_run_that_ends_well_exits_0_and_its_log_has_no_token_and_no_personal_data(
    shop: Any, start: Any, config_for: Any, token: str
) -> None:
    for number in range(1, 30):
        shop.order(number, number, billing_address={"email": EMAIL, "first_name": "Canary"})
    shop.fault("/v3/orders/7/transactions", "500", times=2)
    process = start(config_for(shop, max_retry_seconds=60), env={**os.environ, "LOGLEVEL": "DEBUG"})
    out, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert EMAIL in out
    for canary in (token, EMAIL, "Canary"):
        assert canary not in log
    assert token not in out


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("500", "max_retry_seconds"),
        ("403", "store_v2_transactions_read_only"),
        ("401", "access_token"),
    ],
)
def test_a_run_that_cannot_go_on_exits_1_with_one_sentence(
    shop: Any, start: Any, config_for: Any, token: str, fault: str, words: str
) -> None:
    shop.order(1, 1, billing_address={"email": EMAIL})
    shop.fault("/v3/orders/1/transactions", fault, times=999, body=EMAIL.encode())
    process = start(config_for(shop, max_retry_seconds=0))
    out, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert words in log
    assert "Traceback" not in log
    assert token not in log
    assert EMAIL not in log + out


def test_a_missing_setting_is_named_without_showing_the_others(start: Any, token: str) -> None:
    process = start({"access_token": token})
    _, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "store_hash" in log
    assert token not in log


@pytest.mark.more
@pytest.mark.parametrize("name", ["access_token", "credentials_url", "encryption_key"])
@pytest.mark.parametrize("mode", ["run", "test"])
def test_a_secret_of_a_wrong_type_is_named_and_not_quoted(
    start: Any, token: str, name: str, mode: str
) -> None:
    process = start(
        {"store_hash": "abc123", name: [token]}, *(["--test"] if mode == "test" else [])
    )
    out, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"The setting {name} must be text" in log
    assert token not in log + out
    assert "Traceback" not in log


@pytest.mark.more
@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"api_url": "api.example"}, "it must be a web address"),
        ({"api_url": "ftp://api.example"}, "it must be a web address"),
        ({"api_url": "http://api example"}, "it must be a web address"),
        ({"api_url": "http://api.example/a b"}, "it must be a web address"),
        ({"api_url": "http://api.example:port"}, "it must be a web address"),
        ({"user_agent": "books ✓"}, "it must be one line"),
        ({"user_agent": "books\nX-Auth-Token: 1"}, "it must be one line"),
        ({"page_size": 999}, "The setting page_size is 999: it must be a whole number from 1 to"),
        ({"page_size": "12.0"}, "page_size is '12.0': it must be a whole number"),
        ({"order_ids": "101,x"}, "order_ids is '101,x': it must be a list of whole numbers such"),
        ({"order_ids": "101;102"}, "order_ids is '101;102': it must be a list of whole numbers"),
        ({"start_date": "01.02.2026"}, "start_date is '01.02.2026': it must be an ISO 8601 date"),
        ({"start_date": "01/02/2026"}, "it must be an ISO 8601 date"),
        ({"start_date": "2026-13-45"}, "it must be an ISO 8601 date"),
        ({"start_date": "yesterday"}, "it must be an ISO 8601 date"),
        ({"start_date": "1712120112345"}, "it must be an ISO 8601 date"),
        ({"start_date": 1767225600}, "is 1767225600: it must be an ISO 8601 date"),
        ({"end_date": "2026-02-30T00:00:00Z"}, "it must be an ISO 8601 date"),
        ({"end_date": "tomorrow"}, "it must be an ISO 8601 date"),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("--test",)], ids=["run", "test"])
def test_a_setting_no_request_can_be_made_of_is_named(
    shop: Any, start: Any, config_for: Any, setting: dict[str, Any], words: str, arguments: Any
) -> None:
    process = start({**config_for(shop), **setting}, *arguments)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert words in log
    assert f"The setting {next(iter(setting))} is " in log
    assert shop.requests == []
    assert "Traceback" not in log


BROKEN = "must be an ISO 8601 date-time"
PARTS = "the bookmark of orders has partitions"
MARKERS = "progress_markers in the bookmark of orders"


@pytest.mark.more
@pytest.mark.parametrize(
    ("state", "words"),
    [
        ('{"bookmarks": {"orders": null}}', "the bookmark of orders must be a JSON object"),
        ('{"bookmarks": {"orders": "2026-01-01"}}', "the bookmark of orders must be"),
        (
            '{"bookmarks": {"customers": {}, "refunds": {"replication_key_value": "soon"}}}',
            f"replication_key_value in the bookmark of refunds {BROKEN}",
        ),
        ('{"bookmarks": {"orders": {"replication_key_value": 105}}}', BROKEN),
        ('{"bookmarks": {"customers": {"replication_key_value": "2026-02-30"}}}', BROKEN),
        (
            '{"bookmarks": {"orders": {"progress_markers": null}}}',
            "progress_markers in the bookmark",
        ),
        (
            '{"bookmarks": {"orders": {"progress_markers": "x"}}}',
            "progress_markers in the bookmark",
        ),
        (
            '{"bookmarks": {"orders": {"partitions": null}}}',
            PARTS,
        ),
        (
            '{"bookmarks": {"orders": {"partitions": [{"context": {"shop": "1"}}, {}]}}}',
            PARTS,
        ),
        ('{"bookmarks": null}', "must be a JSON object"),
        ("[]", "must be a JSON object"),
        ("{nope", "The state is not JSON"),
        ("", "The state is not JSON"),
        ("\udcff", "The state is not JSON"),
    ],
)
def test_an_unusable_state_is_told_in_a_line_before_any_request(
    shop: Any, start: Any, config_for: Any, tmp_path: Path, state: str, words: str
) -> None:
    path = tmp_path / "state.json"
    path.write_text(state, errors="surrogateescape")
    process = start(config_for(shop, start_date="2026-01-01"), "--state", str(path))
    out, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert words in log
    assert "Traceback" not in log
    assert (out, shop.requests) == ("", [])


@pytest.mark.more
@pytest.mark.parametrize(
    "catalog",
    ["{nope", "", "[]", "null", "{}", '{"streams": null}', '{"streams": [{}]}',
     '{"streams": [{"tap_stream_id": "orders", "metadata": null}]}',
     '{"streams": [{"tap_stream_id": "orders", "schema": null}]}'],
)  # fmt: skip
def test_an_unusable_catalog_is_told_in_a_line_before_any_request(
    shop: Any, start: Any, config_for: Any, tmp_path: Path, catalog: str
) -> None:
    path = tmp_path / "catalog.json"
    path.write_text(catalog)
    process = start(config_for(shop), "--catalog", str(path))
    out, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "The catalog" in log.splitlines()[-1]
    assert "--discover" in log.splitlines()[-1]
    assert "Traceback" not in log
    assert (out, shop.requests) == ("", [])


@pytest.mark.more
@pytest.mark.parametrize(
    "variables",
    [{"LOGLEVEL": "verbose"}, {"LOGLEVEL": "INFO", "TAP_BIGCOMMERCE_ORDERS_LOGLEVEL": "verbose"}],
)
def test_a_log_level_that_there_is_not_is_told_in_a_sentence(
    shop: Any, start: Any, config_for: Any, variables: dict[str, str]
) -> None:
    process = start(config_for(shop), env={**os.environ, **variables})
    out, log = process.communicate(timeout=60)
    assert process.returncode == 1
    name = [*variables][-1]
    assert f"The setting {name} is 'VERBOSE': it must be" in log
    assert "Traceback" not in log
    assert (out, shop.requests) == ("", [])


def test_a_log_level_of_its_own_goes_before_that_of_all(
    shop: Any, start: Any, config_for: Any
) -> None:
    levels = {"LOGLEVEL": "verbose", "TAP_BIGCOMMERCE_ORDERS_LOGLEVEL": "warning"}
    process = start(config_for(shop), env={**os.environ, **levels})
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_state_that_was_never_set_reads_from_the_start_date(
    shop: Any, start: Any, config_for: Any, tmp_path: Path
) -> None:
    shop.order(1, 1)
    path = tmp_path / "state.json"
    path.write_text('{"bookmarks": {"orders": {"replication_key_value": null}, "store": {}}}')
    process = start(config_for(shop), "--state", str(path))
    out, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    assert '"stream":"orders"' in out


@pytest.mark.parametrize("content", ['{"access_token": "canary",', "[1]", None])
def test_an_unusable_configuration_file_is_told_in_a_sentence(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "mine.json"
    if content is not None:
        path.write_text(content)
    done = subprocess.run(
        [*TAP, "--config", str(path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "mine.json" in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr


@pytest.mark.parametrize("order_ids", ["[2, 3]", "2,3", " 2, 3 "])
def test_the_settings_come_from_the_environment_too(
    shop: Any, tmp_path: Path, token: str, order_ids: str
) -> None:
    for number in range(1, 4):
        shop.order(number, number)
    prefix = "TAP_BIGCOMMERCE_ORDERS_"
    env = {
        f"{prefix}STORE_HASH": "abc123",
        f"{prefix}ACCESS_TOKEN": token,
        f"{prefix}API_URL": shop.url,
        f"{prefix}ORDER_IDS": order_ids,
        f"{prefix}PAGE_SIZE": "10",
    }
    done = subprocess.run(
        [*TAP, "--config=ENV"],
        env={**os.environ, **env},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    records = [m for m in messages if m["type"] == "RECORD" and m["stream"] == "orders"]
    assert [m["record"]["id"] for m in records] == [2, 3]
    assert token not in done.stdout + done.stderr


def test_a_misspelt_variable_stops_the_run_before_any_request_and_an_unknown_one_is_told(
    shop: Any, start: Any, config_for: Any, token: str
) -> None:
    shop.order(1, 1)
    strange = {**os.environ, "TAP_BIGCOMMERCE_ORDERS_SHOE_SIZE": token}
    process = start(config_for(shop), env={**strange, "TAP_BIGCOMMERCE_ORDERS_ORDERIDS": "1"})
    _, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no setting TAP_BIGCOMMERCE_ORDERS_ORDERIDS. If it is TAP_BIGCOMMERCE_ORDERS_ORD" in log
    assert "Traceback" not in log
    assert shop.requests == []
    process = start(config_for(shop), env={**strange, "TAP_BIGCOMMERCE_ORDERS_PAGE_SIZE": "x"})
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0, "the environment's values were read beside a file"
    assert "no effect: TAP_BIGCOMMERCE_ORDERS_SHOE_SIZE" in log
    assert token not in log


def test_a_key_of_the_file_is_held_to_the_same(shop: Any, start: Any, config_for: Any) -> None:
    process = start({**config_for(shop), "page_szie": 10})
    _, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "There is no setting page_szie. If it is page_size" in log
    assert shop.requests == []


def test_discovery_and_help_need_no_settings(start: Any) -> None:
    for option in ("--discover", "--about"):
        process = start({"store_hash": "A B", "page_size": "many", "page_szie": 1}, option)
        _, log = process.communicate(timeout=60)
        assert process.returncode == 0, log


@pytest.mark.parametrize("after", [1, 95])
def test_sigterm_writes_the_last_true_state_and_exits_143(
    shop: Any, start: Any, config_for: Any, at: Any, after: int
) -> None:
    for number in range(1, 121):
        shop.order(number, number)
    shop.fault("/v3/orders/115/transactions", "429", times=9999)
    lines: list[str] = []
    seen = 0
    with start(config_for(shop, page_size=20, max_retry_seconds=600)) as process:
        for line in process.stdout:
            lines.append(line)
            seen += '"stream":"orders"' in line and '"RECORD"' in line
            if seen >= after:
                break
        process.send_signal(signal.SIGTERM)
        # Not by `communicate`: it would not see what the loop above has read ahead.
        lines += process.stdout
        log = process.stderr.read()
        assert process.wait(timeout=20) == 143, log
    messages = [json.loads(line) for line in lines]
    state = [m["value"] for m in messages if m["type"] == "STATE"][-1]
    mark = state["bookmarks"].get("orders", {}).get("replication_key_value", "")
    assert after < 25 or mark >= at(after - 25)
    written = [
        m["record"]["id"] for m in messages if m["type"] == "RECORD" and m["stream"] == "orders"
    ]
    assert {n for n in range(1, 121) if at(n) <= mark} <= set(written)
    assert "Traceback" not in log


def test_sigterm_while_waiting_for_an_answer_does_not_wait_for_it(
    shop: Any, start: Any, config_for: Any
) -> None:
    shop.order(1, 1)
    shop.fault("/v3/orders/1/transactions", "500", times=9999)
    process = start(config_for(shop, max_retry_seconds=600))
    while not shop.asked("/v3/orders/1/transactions"):
        assert process.poll() is None
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 143


@pytest.mark.more
@pytest.mark.parametrize("option", ["--probe=json", "--doctor=json"])
def test_a_signal_while_the_store_is_only_looked_at_writes_no_state(
    shop: Any, start: Any, config_for: Any, option: str
) -> None:
    asked, ended = threading.Event(), threading.Event()
    shop.before_answer = lambda *_: (asked.set(), ended.wait(20))
    process = start(config_for(shop, request_timeout=60), option)
    assert asked.wait(20)
    process.terminate()
    out, log = process.communicate(timeout=20)
    ended.set()
    assert (process.returncode, out) == (143, "")
    assert "Traceback" not in log


def test_a_target_that_goes_away_ends_the_run_with_1(
    shop: Any, start: Any, config_for: Any
) -> None:
    for number in range(1, 200):
        shop.order(number, number)
    process = start(config_for(shop))
    process.stdout.readline()
    process.stdout.close()
    log = process.stderr.read()
    assert process.wait(timeout=30) == 1
    assert "Traceback" not in log
    assert "closed the pipe" in log
    process.stderr.close()


def test_about_names_every_setting_and_marks_the_secrets(tmp_path: Path) -> None:
    done = subprocess.run(
        [*TAP, "--about", "--format=json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    about = json.loads(done.stdout)["settings"]["properties"]
    ours = {name: value for name, value in about.items() if "title" in value}
    assert {"store_hash", "access_token", "order_ids", "lookback_seconds", "quota_percent"} <= set(
        ours
    )
    assert {name for name, value in about.items() if value.get("secret")} >= {
        "access_token",
        "encryption_key",
        "credentials_url",
    }
    assert not any("number" in str(value.get("type")) for value in ours.values())


def test_the_connection_test_of_meltano_passes(
    shop: Any, start: Any, config_for: Any, at: Any
) -> None:
    for number in range(1, 4):
        shop.order(number, number)
    shop.customers = [{"id": 1, "date_modified": at(1)}]
    process = start(config_for(shop), "--test")
    process.communicate(timeout=60)
    assert process.returncode == 0
    shop.fault(".*", "401", times=99)
    process = start(config_for(shop), "--test")
    _, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "access_token" in log
    assert "Traceback" not in log


def test_what_a_log_tells_of_others_words_is_one_line_that_acts_on_no_terminal(
    shop: Any, start: Any, config_for: Any, tmp_path: Path
) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"bookmarks": {"orders": {"store_hash": "x\x1b[2J\u202e\nERROR"}}}))
    process = start(config_for(shop), "--state", str(state))
    _, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert r"x\x1b[2J\u202e\nERROR" in log
    assert log.replace("\n", "").isprintable()
