"""`meltano run` on the sandbox, settings from the environment: what a user's first two runs do."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials import CredentialStore

from demo import sandbox as sandboxes
from demo.login import log_in
from demo.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from demo.books import Comparison
    from demo.sandbox import Sandbox

PAIR = ("tap-bigcommerce-orders", "target-freshbooks")


@dataclass(frozen=True)
class TwoRuns:
    """Two runs of the main job, one after the other, on one sandbox."""

    sandbox: Sandbox
    project: Project
    codes: tuple[int, int]
    logs: tuple[str, str]
    login: str
    truth: list[dict[str, Any]]
    books: Comparison
    first_reads: int
    second_reads: int
    second_writes: dict[str, int]


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory,
    compared: Callable[[Sandbox, Path], Comparison],
) -> Iterator[TwoRuns]:
    home = tmp_path_factory.mktemp("meltano")
    with sandboxes.up(home / "sandbox") as sandbox:
        (home / "project").mkdir()
        project = Project(home=home / "project", url=sandbox.url, settings={})
        login = log_in(project)
        sandbox.count_anew()
        first_code, first_log = _run(project, "first")
        first_reads = sandbox.requests("bigcommerce")
        books = compared(sandbox, project.ledger)
        sandbox.count_anew()
        second_code, second_log = _run(project, "second")
        yield TwoRuns(
            sandbox=sandbox,
            project=project,
            codes=(first_code, second_code),
            logs=(first_log, second_log),
            login=login,
            truth=sandbox.ask("truth")["orders"],
            books=books,
            first_reads=first_reads,
            second_reads=sandbox.requests("bigcommerce"),
            second_writes=sandbox.writes(),
        )


def _run(project: Project, name: str) -> tuple[int, str]:
    log = project.home / f"{name}.log"
    with log.open("w", encoding="utf-8") as output:
        code = project.meltano("run", *PAIR, output=output)
    return code, log.read_text(encoding="utf-8")


def test_both_runs_end_well(runs: TwoRuns) -> None:
    assert runs.codes == (0, 0), runs.logs[0][-4000:] + runs.logs[1][-4000:]


def test_every_posted_order_agrees_to_the_cent(runs: TwoRuns) -> None:
    assert runs.books.differing == {}
    assert runs.books.doubled == []
    for currency, sums in runs.books.totals.items():
        assert sums.difference == Decimal(0), currency
        assert sums.paid_difference == Decimal(0), currency


def test_exactly_the_orders_that_should_be_are_posted(runs: TwoRuns) -> None:
    expected = {one["order_id"] for one in runs.truth if one["expect"] == "posted"}
    cases = {one["order_id"]: one["case"] for one in runs.truth}
    assert {cases[one] for one in expected - runs.books.posted} == set()
    assert {cases[one] for one in runs.books.posted - expected} == set()


def test_the_second_run_writes_nothing(runs: TwoRuns) -> None:
    assert runs.second_writes == {"POST": 0, "PUT": 0, "DELETE": 0}


def test_the_second_run_reads_from_the_bookmark(runs: TwoRuns) -> None:
    assert runs.second_reads < runs.first_reads / 4
    with closing(sqlite3.connect(runs.project.home / "meltano.db")) as database:
        states = dict(database.execute("SELECT state_id, completed_state FROM state").fetchall())
    assert list(states) == ["sandbox:tap-bigcommerce-orders-to-target-freshbooks"]
    bookmarks = json.loads(next(iter(states.values())))["singer_state"]["bookmarks"]
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*", bookmarks["orders"]["replication_key_value"]
    )
    assert len(json.dumps(bookmarks)) < 4000


def test_no_secret_is_in_logs_state_ledger_or_any_other_file(runs: TwoRuns) -> None:
    key = runs.project.environment()
    store = CredentialStore.open(key["TARGET_FRESHBOOKS_LEDGER_URL"], None)
    tokens = store.read(f"freshbooks:{key['TARGET_FRESHBOOKS_CLIENT_ID']}")
    assert tokens is not None
    secrets = {
        "BigCommerce token": key["TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN"],
        "FreshBooks client secret": key["TARGET_FRESHBOOKS_CLIENT_SECRET"],
        "access token": tokens["access_token"],
        "refresh token": tokens["refresh_token"],
    }
    places = {"what login said": runs.login.encode()}
    places |= {
        str(file): file.read_bytes() for file in runs.project.home.rglob("*") if file.is_file()
    }
    assert len(places) > 4
    for place, held in places.items():
        for name, secret in secrets.items():
            assert secret.encode() not in held, f"{name} in {place}"


def test_no_customer_is_named_in_the_logs(runs: TwoRuns) -> None:
    clients = runs.sandbox.ask("books")["clients"]
    assert clients
    for client in clients:
        for name in ("email", "fname", "lname", "organization"):
            value = str(client.get(name) or "")
            if len(value) > 5:
                assert value not in runs.logs[0], name
