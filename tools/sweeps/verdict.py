"""What is wrong at the end of a trial of others at work."""

from __future__ import annotations

import contextlib
import io
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connector_sandbox import constants

from sweeps import whose
from sweeps.whose import Connector

if TYPE_CHECKING:
    from pathlib import Path

    from sweeps.actors import Trial
    from sweeps.whose import Most

OUTLET = "outlet1"
"""The hash of the second store, whose orders bear the same numbers."""


def judge(at: Trial) -> Most:
    """Collect what is wrong; tell the attempt with the most writes."""
    sandbox = at.on.sandbox
    books = sandbox.ask("books")
    history = sandbox.ask("history", side="freshbooks")["history"]
    ledger = at.on.home / "trial" / "ledger.sqlite"
    writers = [Connector(ledger, "bigcommerce", constants.STORE_HASH)]
    if "outlet" in at.has_run:
        writers.append(Connector(ledger, "outlet", OUTLET))
    if "other" in at.has_run:
        other = at.other.home / "trial" / "ledger.sqlite"
        writers.append(Connector(other, "bigcommerce", constants.STORE_HASH))
    at.wrong += whose.trespasses(history, writers)
    at.wrong += whose.credits_left(books, history, writers)
    at.wrong += whose.doubled(books)
    truth = {row["order_id"]: row for row in sandbox.ask("truth")["orders"]}
    _compare(at, books, whose.touched(books, history), truth)
    _plans(at)
    at.wrong += at.on.flaws()
    refunds = {order: len(row["refunds"]) for order, row in truth.items()}
    most = whose.most_writes(writers, refunds)
    if most.writes > most.bound:
        at.wrong.append(f"an attempt made {most} writes")
    return most


def standings(at: Trial) -> list[tuple[str, int, str, str | None]]:
    """Source, order, state and reason of each order that the first ledger knows."""
    return at.on.ledger_rows("SELECT source, order_id, state, reason FROM ledger_orders")


def _compare(
    at: Trial, books: dict[str, Any], by_hand: set[int], truth: dict[int, dict[str, Any]]
) -> None:
    """Each order is posted as the shop says, or parked with a reason, or waits."""
    rows = {(source, order): (state, why) for source, order, state, why in standings(at)}
    stores = {"bigcommerce": constants.STORE_HASH}
    if "outlet" in at.has_run:
        stores["outlet"] = OUTLET
    for source, store in stores.items():
        for order, row in truth.items():
            state, why = rows.get((source, order), ("lost", None))
            name = f"{source} order {order}"
            standing = whose.amounts(books, f"BigCommerce order {order} (store {store})")
            if state == "parked" and why:
                continue
            if state == "waiting" and standing is None:
                continue
            if state != "posted":
                at.wrong.append(f"{name} is {state}")
            elif standing is None and not by_hand:
                at.wrong.append(f"{name} is posted and has no invoice")
            elif standing is not None and standing[0] not in by_hand:
                _agree(at, name, standing[1:], row)


def _agree(at: Trial, name: str, standing: tuple[Decimal, Decimal], row: dict[str, Any]) -> None:
    wanted = (Decimal(row["invoice_total"]), Decimal(row["paid"]))
    if standing != wanted:
        at.wrong.append(f"{name} is {standing} in the books, {wanted} in truth")


def _plans(at: Trial) -> None:
    """The plan of each posted order is empty."""
    configs = {"bigcommerce": at.on.home / "trial" / "target.json"}
    if "outlet" in at.has_run:
        configs["outlet"] = at.outlet()
    for source, config in configs.items():
        posted = [row[1] for row in standings(at) if row[0] == source and row[2] == "posted"]
        for plan in planned(config, posted):
            steps = ", ".join(step["why"] for step in plan["steps"])
            if steps:
                at.wrong.append(f"{source} order {plan['order_id']} has a plan: {steps}")


def planned(config: Path, orders: list[int]) -> list[dict[str, Any]]:
    """What `plan` says of the orders."""
    from target_freshbooks.ctl.cli import cli  # noqa: PLC0415 - heavy, and used here only

    if not orders:
        return []
    out = io.StringIO()
    arguments = ["--json", "--config", str(config), "plan", *map(str, orders)]
    with contextlib.redirect_stdout(out):
        cli.main(arguments, standalone_mode=False)
    plans: list[dict[str, Any]] = json.loads(out.getvalue())
    return plans
