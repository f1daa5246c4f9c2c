"""Samples: what both sides of a sandbox really say while a shop's orders become invoices."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

from connector_sandbox import constants
from connector_sandbox.app import create_context
from connector_sandbox.seed import DEFAULT_MONTH, seed_shop
from connector_sandbox.settings import tap_settings
from connector_sandbox.testing.harness import Harness
from tap_bigcommerce_orders.connection import Connection
from tap_bigcommerce_orders.tap import TapBigCommerceOrders
from target_freshbooks.freshbooks.wire import Wire, WireReply

from demo import sandbox as sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORDERS = 25
ROWS = 4


@dataclass(frozen=True, slots=True)
class Samples:
    """What was said.

    Attributes:
        url: Where the sandbox is.
        home: A folder for the files of runs.
        shop: The shop's answers by path, of each path the one with most in it.
        messages: The tap's.
        books: FreshBooks' answers, each with its status.
    """

    url: str
    home: Path
    shop: dict[str, Any]
    messages: list[dict[str, Any]]
    books: list[tuple[str, int, dict[str, Any]]]

    def records(self, stream: str) -> list[dict[str, Any]]:
        """The records of a stream."""
        return [
            one["record"]
            for one in self.messages
            if one.get("stream") == stream and one["type"] == "RECORD"
        ]


@contextlib.contextmanager
def taken(home: Path) -> Iterator[Samples]:
    """Run the main job once on a sandbox that stays up, and listen."""
    logging.disable(logging.CRITICAL)
    data = home / "sandbox"
    data.mkdir()
    context, _ = create_context(data)
    seed_shop(context, orders=ORDERS, seed=constants.DEFAULT_SEED, month=DEFAULT_MONTH)
    context.store.close()
    with sandboxes.up(data) as sandbox:
        shop, messages = _said_by_shop(sandbox.url)
        books = _said_by_books(sandbox.url, home, messages)
        told = [json.loads(line) for line in messages.splitlines()]
        yield Samples(sandbox.url, home, shop, told, books)


def _said_by_shop(url: str) -> tuple[dict[str, Any], str]:
    answers: dict[str, Any] = {}
    plain = Connection.get

    def heard(self: Connection, path: str, *args: Any, **more: Any) -> Any:  # noqa: ANN401 - JSON
        answer = plain(self, path, *args, **more)
        text = json.dumps(answer, default=str)
        if path not in answers or len(text) > len(json.dumps(answers[path])):
            answers[path] = _some(json.loads(text))
        return answer

    said = io.StringIO()
    with mock.patch.object(Connection, "get", heard), contextlib.redirect_stdout(said):
        TapBigCommerceOrders(config=tap_settings(url)).sync_all()
    return answers, said.getvalue()


def _some(answer: Any) -> Any:  # noqa: ANN401 - JSON
    """The answer with a few of its rows: examples are to be read, and shrunk, by row."""
    if isinstance(answer, list):
        return [_some(one) for one in answer[:ROWS]]
    return {k: _some(v) for k, v in answer.items()} if isinstance(answer, dict) else answer


def _said_by_books(url: str, home: Path, messages: str) -> list[tuple[str, int, dict[str, Any]]]:
    answers: list[tuple[str, int, dict[str, Any]]] = []
    plain = Wire.send

    def heard(self: Wire, method: str, path: str, template: str, **more: Any) -> Any:  # noqa: ANN401
        reply = plain(self, method, path, template, **more)
        if isinstance(reply, WireReply):
            answers.append((f"{method} {template}", reply.status, _some(json.loads(reply.body))))
        return reply

    place = home / "first"
    place.mkdir()
    with mock.patch.object(Wire, "send", heard):
        harness = Harness(url, place, {"invoice_start_date": "2020-01-01"})
        harness.sync(messages)
        harness.http.close()
    return answers
