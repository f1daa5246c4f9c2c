"""What an order asks of the ledger is found by an index, however many orders came before it."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW, MORE = 2, 6
LARGE = "ledger_(?:audit|inbox|intents|links|orders)"
WIDE = re.compile(rf"SCAN {LARGE}|SEARCH {LARGE} USING .*\((?:source=\?(?: AND kind=\?)?)\)")
"""A plan that reads all rows of a source, or of a kind of its records."""


@contextmanager
def asked() -> Iterator[dict[str, Any]]:
    """The queries that are made meanwhile: parameters of one, and under `count` how many."""
    queries: dict[str, Any] = {"count": Counter()}

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if not statement.startswith(("PRAGMA", "BEGIN", "INSERT")):
            queries["count"][statement] += 1
            queries[statement] = parameters

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield queries
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_no_query_of_an_order_reads_all_that_the_ledger_has(world: Any) -> None:
    world.place()
    world.sync()
    runs = []
    for number in (FEW, MORE):
        for _ in range(number):
            world.place()
        with asked() as queries:
            world.sync()
        runs.append(queries)
    few, more = (run["count"] for run in runs)
    of_orders = [statement for statement in more if more[statement] >= few[statement] + MORE - FEW]
    assert len(of_orders) > 5
    with closing(sqlite3.connect(world.home / "ledger.sqlite")) as database:
        plans = {
            statement: database.execute(
                f"EXPLAIN QUERY PLAN {statement}", runs[1][statement]
            ).fetchall()
            for statement in of_orders
        }
    wide = {
        statement: plan
        for statement, plan in plans.items()
        if any(WIDE.search(step[-1]) for step in plan)
    }
    assert wide == {}
