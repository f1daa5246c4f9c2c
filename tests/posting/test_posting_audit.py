"""`audit`: an order's story tells what became of each write, and its rows name nobody."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner
from target_freshbooks.ctl.cli import cli
from target_freshbooks.freshbooks import Forbidden, FreshBooksError

CANARY = "Canaria Finch, 1 Canary Rd"


def story(world: Any, order_id: int) -> str:
    """What `audit` tells of an order."""
    ended = CliRunner().invoke(cli, ["--config", world.config_file(), "audit", str(order_id)])
    assert ended.exit_code == 0
    return ended.output


@pytest.mark.parametrize("path", ["/users/clients$", "/items/items$", "/invoices/invoices$"])
def test_freshbooks_words_stand_at_the_parked_order_and_not_in_the_journal(
    world: Any, path: str
) -> None:
    order = world.place()
    error = {"errno": 1004, "field": "fname", "message": f"Invalid: {CANARY}", "object": "client"}
    answer = json.dumps({"response": {"errors": [error]}})
    world.fault(kind="status", status=422, method="POST", path=path, answer=answer)
    world.sync()
    with world.ledger() as ledger:
        rows = list(ledger.audit.rows())
    assert CANARY not in str([row.data for row in rows]), "the journal is kept for good"
    assert {row.data["answer"]["errno"] for row in rows if row.event == "refused"} == {1004}
    assert CANARY in world.row(order).words
    told = story(world, order)
    assert "was refused to create the" in told
    assert "(status 422, errno 1004" in told
    assert f"Order {order} is parked: refused_by_freshbooks" in told
    assert f"FreshBooks says: fname: Invalid: {CANARY}" in told


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (403, Forbidden, "was not allowed to create the invoice"),
        (429, FreshBooksError, "FreshBooks turned it away or could not be reached"),
    ],
)
def test_a_write_that_freshbooks_turned_away_is_not_told_as_never_sent(
    world: Any, status: int, error: type[Exception], words: str
) -> None:
    order = world.place()
    world.settings["max_retry_seconds"] = 0
    error_of_account = {"errno": 1042, "field": "", "message": "Account is not active."}
    answer = json.dumps({"response": {"errors": [error_of_account]}})
    world.fault(
        kind="status", status=status, method="POST", path="/invoices/invoices$", answer=answer
    )
    with pytest.raises(error):
        world.sync()
    told = story(world, order)
    assert words in told
    assert "never left" not in told


def test_a_write_that_came_to_nothing_is_told_so(world: Any) -> None:
    order = world.place()
    world.fault(kind="status", status=500, method="POST", path="/invoices/invoices$", times=1)
    world.sync()
    assert f"an attempt to create the invoice {order} had no effect" in story(world, order)


def test_amounts_are_told_in_the_invoice_s_currency(world: Any) -> None:
    order = world.synced()
    world.sync()
    told = story(world, order)
    amounts = re.findall(r"(?:agree with it|agree already|\(id \d+\)), (.+)", told)
    assert len(amounts) >= 3, told
    assert all(re.fullmatch(r"\d+\.\d\d USD", amount) for amount in amounts), told
