"""Parsers of what BigCommerce says to the tap, and of the state that the tap is given."""

from __future__ import annotations

import contextlib
import io
import json
import re
from typing import TYPE_CHECKING, Any

import requests
from connector_sandbox.constants import STORE_HASH
from connector_sandbox.settings import tap_settings
from hypothesis import strategies as st
from tap_bigcommerce_orders.answers import Transient, read_answer
from tap_bigcommerce_orders.connection import Seen
from tap_bigcommerce_orders.errors import BigCommerceError, GaveUp
from tap_bigcommerce_orders.normalize import amount, format_time, parse_time, read_iso
from tap_bigcommerce_orders.state_validation import check_store, checked
from tap_bigcommerce_orders.tap import TapBigCommerceOrders

from fuzz.engine import Parser, Unexpected
from fuzz.mutation import ODD_TEXTS, octets, odd_values, texts, written

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hypothesis.strategies import SearchStrategy

    from fuzz.samples import Samples

STATUSES = (200, 201, 204, 301, 400, 401, 403, 404, 408, 413, 429, 499, 500, 501, 503, 599)
MOST_REQUESTS = 2_000


def parsers(samples: Samples) -> list[Parser]:
    """Those parsers."""
    documents = list(samples.shop.values())
    bookmark = {"replication_key": "date_modified", "replication_key_value": "2026-01-31T09:30:00Z"}
    state = {"bookmarks": {"orders": {**bookmark, "store_hash": STORE_HASH}, "store": {}}}
    return [
        Parser(
            "shop answer",
            st.tuples(st.sampled_from(STATUSES), octets(documents)),
            _answer,
            (BigCommerceError, Transient),
        ),
        Parser("shop", _answers(samples), _Shop(samples), (BigCommerceError,), most_seconds=10),
        Parser("shop moment", odd_values | st.datetimes().map(str) | _moments(), _moment),
        Parser("state", texts([state]), _state, (BigCommerceError,)),
    ]


def _answer(example: tuple[int, bytes]) -> None:
    status, body = example
    read_answer(_response(status, body), "/v2/orders")


def _response(status: int, body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = body  # noqa: SLF001 - as if it had come over the wire
    return response


def _answers(samples: Samples) -> SearchStrategy[tuple[str, bytes]]:
    """One path of the shop with an odd answer; lists of much are as likely as the many small."""
    kinds: dict[str, list[str]] = {}
    for path in samples.shop:
        kinds.setdefault(re.sub(r"[0-9]{3,}", "N", path), []).append(path)
    paths = st.sampled_from(sorted(kinds)).flatmap(lambda kind: st.sampled_from(kinds[kind][:5]))
    return paths.flatmap(lambda path: st.tuples(st.just(path), octets([samples.shop[path]])))


class _Scripted:
    """The shop's answers as they were recorded, but for one path."""

    request_count = 0

    def __init__(self, answers: Mapping[str, Any], path: str, body: bytes) -> None:
        self._answers = answers
        self._path = path
        self._body = body

    def get(
        self, path: str, params: Mapping[str, Any] | None = None, *, absent: Collection[int] = ()
    ) -> Any:  # noqa: ANN401 - JSON
        """As the tap's connection does."""
        self.request_count += 1
        if self.request_count > MOST_REQUESTS:
            raise Unexpected(f"asks-on after {MOST_REQUESTS} requests")
        asked = params or {}
        later = asked.get("page", 1) != 1 or {"id:greater", "after", "min_id"} & asked.keys()
        if path == self._path:
            body = self._body
        elif later or path not in self._answers:
            body = b"[]" if path.startswith("/v2") else b'{"data": []}'
            if path not in self._answers and absent:
                return None
        else:
            body = json.dumps(self._answers[path]).encode()
        try:
            return read_answer(_response(200, body), path)
        except Transient as error:
            raise GaveUp(f"GET {path} failed at last with {error.what}.") from None

    def look(
        self, path: str, params: Mapping[str, Any] | None = None, *, told: Collection[int] = ()
    ) -> Seen:
        """As the tap's connection does."""
        body = self.get(path, params, absent=told)
        return Seen(200 if body is not None or path == self._path else 404, {}, body)

    def stop(self) -> None:
        """Nothing runs on."""

    def close(self) -> None:
        """Nothing is open."""


class _Shop:
    """Runs the tap; no order that came whole is missing from what it says, unless it fails."""

    def __init__(self, samples: Samples) -> None:
        self._answers = samples.shop
        self._config = tap_settings(samples.url, max_concurrency=1)

    def __call__(self, example: tuple[str, bytes]) -> None:
        path, body = example
        tap = TapBigCommerceOrders(config=self._config)
        tap.__dict__["connection"] = _Scripted(self._answers, path, body)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            tap.sync_all()
        messages = [json.loads(line) for line in said.getvalue().splitlines()]
        given = {
            str(one["record"].get("id"))
            for one in messages
            if one["type"] == "RECORD" and one["stream"] == "orders"
        }
        if lost := self._whole(path, body) - given:
            raise Unexpected(f"lost orders {sorted(lost)}")

    def _whole(self, path: str, body: bytes) -> set[str]:
        """The orders that came as they were recorded."""
        orders = self._answers["/v2/orders"]
        if path == "/v2/orders":
            text = body.decode("utf-8", "replace")
            orders = [one for one in orders if written(one) in text and text.startswith("[")]
        return {str(one["id"]) for one in orders}


def _moments() -> SearchStrategy[str]:
    numbers = st.integers(0, 99)
    clock = st.builds(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}".format,
        st.sampled_from([0, 1, 2, 1970, 2026, 9998, 9999]),
        *(st.sampled_from([0, 1, 12, 13, 28, 31]) for _ in range(2)),
        numbers,
        numbers,
        numbers,
        st.sampled_from(["+", "-", "Z"]),
        numbers,
        numbers,
    )
    mail = st.builds(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} {}{:04}".format,
        st.sampled_from(["Mon", "Tue", "", "X"]),
        numbers,
        st.sampled_from(["Jan", "Feb", "Dec", "", "Foo"]),
        st.sampled_from([0, 1, 99, 1970, 2026, 9999]),
        numbers,
        numbers,
        numbers,
        st.sampled_from(["+", "-", ""]),
        st.sampled_from([0, 1, 1200, 2359, 9999]),
    )
    words = st.text("MonJan0123456789:,+- TZ.()<>@\t", max_size=40)
    return st.one_of(clock, mail, words, st.sampled_from(ODD_TEXTS))


def _moment(value: object) -> None:
    moment = parse_time(value)
    if moment is not None and parse_time(format_time(moment)) != moment:
        raise Unexpected(f"moment {format_time(moment)} is read as another")
    amount(value)
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            read_iso(value)


def _state(text: str) -> None:
    check_store(json.loads(checked(io.StringIO(text)).read()), STORE_HASH)
