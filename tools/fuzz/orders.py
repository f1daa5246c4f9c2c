"""No order is lost: one odd order between two good ones, through the real target into a sandbox."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from itertools import count
from typing import TYPE_CHECKING, Any

from connector_sandbox.testing.harness import Harness
from hypothesis import strategies as st
from target_freshbooks.failures import explain
from target_freshbooks.ledger import Ledger, OrderRow
from target_freshbooks.target import TargetFreshBooks

from fuzz.engine import Parser, Unexpected
from fuzz.mutation import mutated, written

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

    from fuzz.samples import Samples

Message = dict[str, Any]

MOST_SECONDS = 20.0
PARTS = ("transactions", "refunds", "order_taxes", "orders")
SHARED = ("store", "customers")


def parsers(samples: Samples) -> list[Parser]:
    """The one parser: all of the target."""
    return [Parser("orders", _records(samples), _Run(samples), most_seconds=MOST_SECONDS)]


def _records(samples: Samples) -> SearchStrategy[tuple[str, int]]:
    """A record in JSON, and which of the messages it stands for."""
    places = [at for at, one in enumerate(samples.messages) if _stream(one) in (*PARTS, *SHARED)]
    odd: SearchStrategy[tuple[str, int]] = st.sampled_from(places).flatmap(
        lambda at: st.tuples(mutated([samples.messages[at]["record"]]).map(written), st.just(at))
    )
    return odd


class _Run:
    """Posts three orders with a state after each; one record of the stream is odd."""

    def __init__(self, samples: Samples) -> None:
        self._url = samples.url
        self._home = samples.home
        self._messages = samples.messages
        self._numbers = count()

    def __call__(self, example: tuple[str, int]) -> None:
        lines, orders = self._lines(*example)
        home = self._home / f"run-{next(self._numbers)}"
        home.mkdir()
        try:
            error, states, rows = self._run(home, "\n".join(lines) + "\n")
        finally:
            shutil.rmtree(home, ignore_errors=True)
        if error is not None:
            sentence = explain(error)
            if sentence is None:
                raise error
            if not sentence.strip():
                raise Unexpected("no-words for what happened")
        _judge(orders, self._messages[example[1]], states, rows, is_whole=error is None)

    def _run(self, home: Path, text: str) -> tuple[Exception | None, list[int], list[OrderRow]]:
        """How the run ended, the states that left, and the ledger's orders."""
        settings = {"invoice_start_date": "2020-01-01", "max_retry_seconds": 1}
        error: Exception | None = None
        out = io.StringIO()
        with Harness(self._url, home, settings) as harness:
            target = TargetFreshBooks(config=harness.config)
            try:
                with contextlib.redirect_stdout(out):
                    target.listen(io.StringIO(text))
            except Exception as raised:  # noqa: BLE001 - it is judged
                error = raised
            finally:
                target.close()
            with Ledger.open(harness.config["ledger_url"], source="bigcommerce") as ledger:
                rows = list(ledger.orders.all())
        return error, [json.loads(line)["orders"] for line in out.getvalue().splitlines()], rows

    def _lines(self, record: str, at: int) -> tuple[list[str], list[int]]:
        """The messages, and the orders in their order."""
        odd = _order_of(self._messages[at])
        ids = [one["record"]["id"] for one in self._messages if _stream(one) == "orders"]
        good = [one for one in ids if one != odd][:2]
        orders = [good[0], *([odd] if odd is not None else []), good[1]]
        lines = [
            json.dumps({**one, "schema": {"properties": {}}})
            for one in self._messages
            if one["type"] == "SCHEMA" and one["stream"] in (*PARTS, *SHARED)
        ]
        chosen = [one for one in enumerate(self._messages) if _stream(one[1]) in SHARED]
        for number, order in enumerate(orders, 1):
            chosen += [one for one in enumerate(self._messages) if _order_of(one[1]) == order]
            chosen.append((-1, {"type": "STATE", "value": {"orders": number}}))
        for place, one in chosen:
            text = json.dumps({**one, "record": "@here@"} if place == at else one)
            lines.append(text.replace('"@here@"', record))
        return lines, orders


def _judge(
    orders: list[int],
    odd: Message,
    states: list[int],
    rows: list[OrderRow],
    *,
    is_whole: bool,
) -> None:
    """What was acknowledged is in the ledger, settled; so are the good orders of a whole run."""
    if is_whole and states[-1:] != [len(orders)]:
        raise Unexpected("silent: neither the last state nor a failure")
    settled = {row.order_id for row in rows if row.state != "new"}
    renamed = odd["stream"] == "orders" and {odd["record"]["id"]} - settled
    wanted = set(orders[: max(states, default=0)]) - (renamed or set())
    if lost := wanted - settled:
        raise Unexpected(f"lost orders {lost}, though state left")
    if renamed and is_whole and len(settled) < len(orders):
        raise Unexpected("lost the odd order: it is in the ledger under no number")
    for row in rows:
        if str(row.reason or "") == "defect":
            raise Unexpected(f"defect parks an order: {row.detail}")
        beside = odd["stream"] in PARTS and row.order_id != _order_of(odd)
        if beside and row.order_id in orders and row.state == "parked":
            raise Unexpected(f"harmed order beside the odd one: {row.reason}")


def _stream(message: Message) -> str | None:
    return message["stream"] if message["type"] == "RECORD" else None


def _order_of(message: Message) -> int | None:
    stream = _stream(message)
    if stream not in PARTS:
        return None
    return int(message["record"]["id" if stream == "orders" else "order_id"])
