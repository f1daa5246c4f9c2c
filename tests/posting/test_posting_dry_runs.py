"""A dry run tells what would be, in figures and in a file, and writes nothing to FreshBooks."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from connector_credentials.settings import SettingError
from sqlalchemy import select
from target_freshbooks.ledger.storage.tables import inbox
from target_freshbooks.posting.apply.circuit_breaker import FreshBooksFails
from target_freshbooks.posting.observe.by_request import RequestObserver
from target_freshbooks.settings import read_settings


@pytest.fixture
def month(world: Any) -> dict[str, int]:
    """A sold order, one that does not add up, one that waits."""
    return {
        "sold": world.place(),
        "mismatch": world.place(override={"total_inc_tax": "15.00", "total_ex_tax": "14.00"}),
        "waits": world.place(status_id=7),
    }


def told(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.getMessage() for record in caplog.records)


def test_a_plan_of_an_order_that_does_not_add_up_invents_no_tax(
    world: Any, month: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world.sync(dry_run=True)
    world.settings["dry_run"] = False
    (document,) = world.ctl("plan", str(month["mismatch"]))
    assert document["reason"] == "total_mismatch"
    assert document["invoice"]["taxes"] == {"State Tax": "1.00"}
    assert Decimal(document["invoice"]["difference"]) == Decimal("4.00")
    text = told(caplog)
    assert "Difference between the order's total and its lines and taxes" in text
    assert "Would be parked as total_mismatch, which would say:" in text


def test_a_dry_run_ends_with_totals_reasons_and_what_comes_next(
    world: Any, month: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world.sync(dry_run=True)
    text = told(caplog)
    assert world.writes() == 0
    for line in (
        "Of 3 orders 1 would be posted, 0 would be left as they are, 1 would wait and 1 would be",
        f"{'  Invoices that would be sent':46} {1:>6} {'11.00':>16}",
        f"{'    State Tax in them':46} {'':>6} {'1.00':>16}",
        f"{'  Payments that would be recorded':46} {1:>6} {'11.00':>16}",
        f"{'  Invoices that would be left Drafts':46} {1:>6} {'15.00':>16}",
        f"1 total_mismatch (orders {month['mismatch']}). The ",
        f"1 status_7 (orders {month['waits']})",
        "nothing was written to FreshBooks, and no bookmark was moved",
    ):
        assert line in text, text
    assert " parked: " not in text
    assert "posted 1" not in text


def test_a_run_leaves_nothing_of_the_dry_run_that_came_before_it(
    world: Any, month: dict[str, int]
) -> None:
    def sources() -> set[str]:
        with world.ledger() as ledger, ledger.scope.database.read() as connection:
            return set(connection.execute(select(inbox.c.source)).scalars())

    world.sync(dry_run=True)
    assert sources() == {"bigcommerce (dry run)"}
    world.sync(dry_run=False)
    assert sources() == {"bigcommerce"}
    assert {world.row(order).state for order in month.values()} == {"posted", "parked", "waiting"}


def test_a_dry_run_counts_as_no_run_that_ended(world: Any) -> None:
    world.place()
    world.sync(dry_run=True)
    world.settings["dry_run"] = False
    with world.ledger() as ledger:
        assert [run.outcome for run in ledger.runs.latest()] == ["dry_run"]
        assert (ledger.runs.last_ended(), ledger.runs.last_good()) == (None, None)
        assert ledger.runs.outcomes() == {}


@pytest.mark.parametrize("ending", ["html", "csv"])
def test_a_file_for_the_plans_makes_a_run_a_dry_one_whatever_dry_run_says(
    world: Any, month: dict[str, int], ending: str
) -> None:
    file = world.home / "plans" / f"month.{ending}"
    world.sync(plan_file=str(file), dry_run=False)
    assert world.writes() == 0
    assert world.books()["invoices"] == []
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text(encoding="utf-8")
    if ending == "html":
        assert text.index("Totals") < text.index(f"Order {month['sold']}:")
        assert "Invoices that would be sent" in text
        return
    rows = {int(row["order_id"]): row for row in csv.DictReader(io.StringIO(text))}
    assert sorted(rows) == sorted(month.values())
    sold, mismatch = rows[month["sold"]], rows[month["mismatch"]]
    assert (sold["total"], sold["taxes"], sold["paid"]) == ("11.00", "1.00", "11.00")
    assert (mismatch["reason"], mismatch["difference"]) == ("total_mismatch", "4.00")
    assert mismatch["next_step"]
    assert rows[month["waits"]]["reason"] == "status_7"


def test_an_order_that_cannot_be_read_would_be_parked_and_is_in_the_file(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    order = world.place()
    lines = [json.loads(line) for line in world.messages().splitlines()]
    for line in lines:
        if line["type"] == "RECORD" and line["stream"] == "orders":
            line["record"]["total_inc_tax"] = "much"
    file = world.home / "plans.csv"
    world.sync("\n".join(map(json.dumps, lines)), plan_file=str(file))
    (row,) = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
    assert (row["order_id"], row["outcome"]) == (str(order), "parked")
    assert "would be parked" in told(caplog)


POISON: dict[str, dict[str, Any]] = {
    "freshbooks_error": {"kind": "status", "status": 500},
    "refused_by_freshbooks": {"kind": "refused", "errno": 1, "words": "Not now."},
    "defect": {},
}


@pytest.fixture
def poisoned(world: Any, monkeypatch: pytest.MonkeyPatch, request: Any) -> tuple[int, list[int]]:
    """An order whose invoice cannot be looked at as it should be, and others, all to be planned."""
    order = world.synced()
    invoice = world.invoice(order)["id"]
    world.change(order, "refund", order_amount="4.00")
    others = [world.place(billing={"email": f"{n}@shop.example"}) for n in range(3)]
    world.settings["max_retry_seconds"] = 1
    if request.param == "defect":
        look = RequestObserver.invoice

        def broken(self: RequestObserver, recorded: Any, number: str) -> Any:
            assert number != str(order)
            return look(self, recorded, number)

        monkeypatch.setattr(RequestObserver, "invoice", broken)
    else:
        world.fault(method="GET", path=f"/invoices/{invoice}$", **POISON[request.param])
    return order, others


@pytest.mark.parametrize("poisoned", [*POISON], indirect=True)
@pytest.mark.plans_left
def test_an_order_that_cannot_be_looked_at_ends_neither_a_dry_run_nor_plans(
    world: Any, poisoned: tuple[int, list[int]], request: pytest.FixtureRequest
) -> None:
    order, others = poisoned
    file = world.home / "plans.csv"
    world.sync(plan_file=str(file), dry_run=True)
    rows = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
    told = {int(row["order_id"]): row["reason"] or row["outcome"] for row in rows}
    plans = world.ctl("plan", str(order), *map(str, others))
    planned = {plan["order_id"]: plan["reason"] or plan["outcome"] for plan in plans}
    reason = request.node.callspec.params["poisoned"]
    assert told == planned == {order: reason, **dict.fromkeys(others, "posted")}


@pytest.mark.plans_left
def test_where_nothing_can_be_looked_at_no_order_is_to_blame_in_a_plan(world: Any) -> None:
    for number in range(4):
        world.place(billing={"email": f"{number}@shop.example"})
    world.settings["max_retry_seconds"] = 1
    world.fault(kind="status", status=500, method="GET", path="/invoices/invoices")
    with pytest.raises(FreshBooksFails):
        world.sync(dry_run=True)
    with pytest.raises(FreshBooksFails):
        world.ctl("plan")


@pytest.mark.parametrize("name", ["plans.txt", "plans", "plans.pdf"])
def test_a_file_that_is_neither_page_nor_table_is_refused_before_anything_is_read(
    world: Any, name: str
) -> None:
    with pytest.raises(SettingError, match=r"ends in \.html or \.csv"):
        read_settings(world.config | {"plan_file": name})


def test_the_command_writes_the_same_file(world: Any, month: dict[str, int]) -> None:
    world.sync(dry_run=True)
    world.settings["dry_run"] = False
    file = world.home / "some.csv"
    world.ctl("plan", str(month["sold"]), "--plan", str(file))
    (row,) = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
    assert (row["order_id"], row["total"]) == (str(month["sold"]), "11.00")
    assert world.writes() == 0


@pytest.mark.parametrize("asked", [(), ("--fail-if-parked",)])
def test_status_fails_on_parked_orders_where_it_is_asked_to(
    world: Any, asked: tuple[str, ...]
) -> None:
    world.synced()
    whole = world.ctl("status", *asked)
    assert (whole["parked_orders"], world.code) == ([], 0)
    world.synced(override={"total_inc_tax": "15.00", "total_ex_tax": "14.00"})
    told = world.ctl("status", *asked)
    assert [one["reason"] for one in told["parked_orders"]] == ["total_mismatch"]
    assert world.code == (2 if asked else 0)
