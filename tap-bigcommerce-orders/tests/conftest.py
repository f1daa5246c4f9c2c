"""A small shop that speaks the API over real HTTP, and ways to run the tap against it."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import logging
import re
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.testing import TRUNCATE, Asked, Reply, answering
from tap_bigcommerce_orders.tap import TapBigCommerceOrders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Row = dict[str, Any]
TAP = [sys.executable, "-m", "tap_bigcommerce_orders"]
TOKEN = "canary-token-9f8e7d"
STORE = "abc123"
LINK = {"url": "https://api.example/x", "resource": "/x"}


def when(offset: int) -> datetime:
    """A moment so many seconds after the beginning of November 2026."""
    return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=offset)


class Shop:
    """What the shop holds, how it behaves, and what it was asked."""

    def __init__(self) -> None:
        self.orders: dict[int, Row] = {}
        self.lines: dict[int, list[Row]] = {}
        self.transactions: dict[int, list[Row]] = {}
        self.taxes: dict[int, list[Row]] = {}
        self.coupons: dict[int, list[Row]] = {}
        self.fees: dict[int, list[Row]] = {}
        self.refunds: list[Row] = []
        self.customers: list[Row] = []
        self.addresses: list[Row] = []
        self.products: list[Row] = []
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.connections: set[Any] = set()
        self.faults: list[Row] = []
        self.lock = threading.RLock()
        self.answers_as: str | None = STORE
        self.inclusive = True
        self.ignored: set[str] = set()  # filters the API does not understand
        self.includes = True
        self.included_fields: set[str] | None = None
        self.none_is = "204"  # an order without transactions
        self.refund_meta = False
        self.cursor_end = "no link"
        self.cap = 250
        self.before_answer: Callable[[str, dict[str, str]], None] | None = None
        self.rate_headers: Callable[[], dict[str, str]] | None = None
        self.rng = None
        self.url = ""

    # -- what a test puts into the shop

    def order(self, number: int, modified: int, **fields: Any) -> Row:
        """Put an order with one line and one transaction into the shop."""
        row = {
            "id": number,
            "customer_id": 0,
            "date_created": format_datetime(when(modified)),
            "date_modified": format_datetime(when(modified)),
            "date_shipped": "",
            "status_id": 11,
            "status": "Awaiting Fulfillment",
            "total_inc_tax": "10.0000",
            "total_ex_tax": "10.0000",
            "total_tax": "0.0000",
            "coupon_discount": "0.0000",
            "items_total": 1,
            "default_currency_code": "USD",
            "credit_card_type": {},
            "billing_address": {"email": f"p{number}@example.com", "company": ""},
            **fields,
        }
        self.orders[number] = row
        self.lines.setdefault(number, [self.line(number, number * 10)])
        self.transactions.setdefault(number, [self.transaction(number, number * 100)])
        return row

    @staticmethod
    def line(order_id: int, line_id: int, **fields: Any) -> Row:
        return {
            "id": line_id,
            "order_id": order_id,
            "product_id": 1,
            "variant_id": 2,
            "name": "Mug",
            "sku": "MUG",
            "type": "physical",
            "quantity": 1,
            "price_ex_tax": "10.0000",
            "price_inc_tax": "10.0000",
            "total_ex_tax": "10.0000",
            "total_inc_tax": "10.0000",
            "total_tax": "0.0000",
            "discounted_total_inc_tax": "10.0000",
            "applied_discounts": [],
            **fields,
        }

    @staticmethod
    def transaction(order_id: int, number: int, **fields: Any) -> Row:
        return {
            "id": number,
            "order_id": str(order_id),
            "event": "purchase",
            "amount": 10.5,
            "currency": "USD",
            "status": "ok",
            "date_created": "2026-11-01T00:00:00+00:00",
            "reference_transaction_id": {},
            "credit_card": {},
            **fields,
        }

    def refund(self, number: int, order_id: int, created: int, **fields: Any) -> Row:
        row = {
            "id": number,
            "order_id": order_id,
            "created": when(created).isoformat(),
            "total_amount": 5,
            "total_tax": 0,
            "items": [],
            "payments": [{"id": number, "amount": 5, "is_declined": False}],
            **fields,
        }
        self.refunds.append(row)
        return row

    def touch(self, number: int, modified: int) -> None:
        self.orders[number]["date_modified"] = format_datetime(when(modified))

    def fault(self, path: str, kind: str, times: int = 1, **more: Any) -> None:
        """Spoil the next answers to a path (a regular expression)."""
        self.faults.append({"path": path, "kind": kind, "times": times, **more})

    # -- what a test asks afterwards

    def asked(self, path: str) -> list[dict[str, str]]:
        """The queries of all requests to a path (a regular expression)."""
        return [query for asked, query, _ in self.requests if re.fullmatch(path, asked)]

    def counts(self) -> Counter[str]:
        return Counter(re.sub(r"/\d+", "/N", path) for path, _, _ in self.requests)

    # -- the API

    def reply(self, asked: Asked) -> Reply:
        prefix = f"/stores/{STORE}"
        path, query = asked.path.removeprefix(prefix), dict(asked.query)
        if self.before_answer:
            self.before_answer(path, query)
        with self.lock:
            self.requests.append((path, query, asked.headers))
            self.connections.add(asked.port)
            faults = (f for f in self.faults if f["times"] > 0 and re.fullmatch(f["path"], path))
            fault = next(faults, None)
            if fault:
                fault["times"] -= 1
            status, body = self.answer(path, query)
            headers = self.rate_headers() if self.rate_headers else {}
        if asked.headers.get("X-Auth-Token") != TOKEN:
            status, body = 401, {"title": "Unauthorized"}
        elif not asked.path.startswith(prefix + "/"):
            status, body = 404, {}
        raw = b"" if body is None else json.dumps(body).encode()
        reply = Reply(status=status, body=raw, headers=headers)
        return self.spoil(fault, reply, raw) if fault else reply

    @staticmethod
    def spoil(fault: Row, reply: Reply, raw: bytes) -> Reply:
        kind = fault["kind"]
        reply.headers = {**reply.headers, **fault.get("headers", {})}
        reply.spoil = {"cut": TRUNCATE}.get(kind, kind)
        if kind == "body":
            reply.status, reply.body = 200, fault["body"]
        elif kind == "replace":
            reply.body = raw.replace(fault["old"], fault["new"])
        elif kind == "html":
            reply.status, reply.body = 200, b"<html>Sorry</html>"
        elif kind == "truncated":
            reply.body = raw[: len(raw) // 2]
        elif reply.headers.get("Content-Encoding") == "gzip":
            reply.body = gzip.compress(raw)
        elif kind.isdigit():
            reply.status, reply.body = int(kind), fault.get("body", b'{"secret": "body"}')
        return reply

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        match = re.fullmatch(r"/(v[23])/(.*)", path)
        if match is None:
            return 404, {}
        version, rest = match.groups()
        if version == "v2":
            return self._v2(rest, query)
        return self._v3(rest, query)

    def _v2(self, rest: str, query: dict[str, str]) -> tuple[int, Any]:
        if rest == "orders":
            return self._order_list(query)
        if found := re.fullmatch(r"orders/(\d+)", rest):
            row = self.orders.get(int(found[1]))
            missing = [{"status": 404, "message": "The requested resource was not found."}]
            return (200, self._shown(row, query)) if row else (404, missing)
        if found := re.fullmatch(r"orders/(\d+)/(products|taxes|coupons|fees)", rest):
            tables = {
                "products": self.lines,
                "taxes": self.taxes,
                "coupons": self.coupons,
                "fees": self.fees,
            }
            rows = tables[found[2]].get(int(found[1]), [])
            return self._v2_page(rows, query)
        zone = {"name": "UTC", "raw_offset": 0}
        small = {
            "store": {"id": self.answers_as, "name": "Shop", "timezone": zone},
            "time": {"time": 1},
            "order_statuses": [{"id": 11, "name": "Awaiting Fulfillment", "order": 1}],
            "tax_classes": [{"id": "1", "name": "Default", "created_at": "", "updated_at": ""}],
            "currencies": [{"id": 1, "currency_code": "USD", "currency_exchange_rate": "1.00"}],
        }
        return (200, small[rest]) if rest in small else (404, {})

    def _v2_page(self, rows: list[Row], query: dict[str, str]) -> tuple[int, Any]:
        limit = min(int(query.get("limit", 50)), self.cap)
        start = (int(query.get("page", 1)) - 1) * limit
        rows = rows[start : start + limit]
        return (200, rows) if rows else (204, None)

    def _order_list(self, query: dict[str, str]) -> tuple[int, Any]:
        rows = list(self.orders.values())
        query = {key: value for key, value in query.items() if key not in self.ignored}

        def time(row: Row) -> datetime:
            return datetime.strptime(row["date_modified"], "%a, %d %b %Y %H:%M:%S %z")

        if "min_date_modified" in query:
            low = datetime.fromisoformat(query["min_date_modified"])
            rows = [r for r in rows if time(r) > low or (self.inclusive and time(r) == low)]
        if "max_date_modified" in query:
            high = datetime.fromisoformat(query["max_date_modified"])
            rows = [r for r in rows if time(r) < high or (self.inclusive and time(r) == high)]
        if "min_id" in query:
            first = int(query["min_id"])
            rows = [r for r in rows if r["id"] > first or (self.inclusive and r["id"] == first)]
        if query.get("sort") == "date_modified:asc":
            rows.sort(key=lambda r: (time(r), self.rng.random() if self.rng else r["id"]))
        else:
            rows.sort(key=lambda r: r["id"])
        status, found = self._v2_page(rows, query)
        return status, [self._shown(row, query) for row in found] if found else found

    def _shown(self, row: Row, query: dict[str, str]) -> Row:
        shown = {**row, "products": LINK, "coupons": LINK, "shipping_addresses": LINK}
        if not (self.includes and "consignments.line_items" in query.get("include", "")):
            return {**shown, "consignments": LINK, "fees": LINK}
        lines = self.lines[row["id"]]
        if self.included_fields is not None:
            lines = [{k: v for k, v in line.items() if k in self.included_fields} for line in lines]
        by_type: dict[str, list[Row]] = {"physical": [], "digital": [], "giftcertificate": []}
        for line in lines:
            by_type[line.get("type", "physical")].append(line)
        shown["consignments"] = {
            "shipping": [{"id": 7, "cost_ex_tax": 5.1, "line_items": by_type["physical"]}],
            "pickups": [],
            "downloads": [{"recipient_email": "x@example.com", "line_items": by_type["digital"]}],
            "email": {
                "gift_certificates": [
                    {"recipient_email": "x@example.com", "line_items": by_type["giftcertificate"]}
                ]
            },
        }
        shown["fees"] = self.fees.get(row["id"], [])
        return shown

    def _v3(self, rest: str, query: dict[str, str]) -> tuple[int, Any]:
        if found := re.fullmatch(r"orders/(\d+)/transactions", rest):
            rows = self.transactions.get(int(found[1]), [])
            if not rows and self.none_is != "[]":
                return int(self.none_is), None if self.none_is == "204" else {"status": 404}
            return 200, {"data": rows, "meta": {"pagination": pagination(len(rows), 1, 250)}}
        if rest == "orders/payment_actions/refunds":
            return self._v3_page(self._refunds(query), query, meta=self.refund_meta)
        if found := re.fullmatch(r"orders/(\d+)/payment_actions/refunds", rest):
            rows = [r for r in self.refunds if r["order_id"] == int(found[1])]
            return self._v3_page(rows, query, meta=self.refund_meta)
        if rest == "customers":
            return self._customers(query)
        if rest == "customers/addresses":
            wanted = {int(i) for i in query["customer_id:in"].split(",")}
            return self._v3_page(
                [a for a in self.addresses if a["customer_id"] in wanted], query, meta=True
            )
        if rest == "catalog/products":
            rows = self.products
            if "id:greater" in query and "id:greater" not in self.ignored:
                rows = [p for p in rows if p["id"] > int(query["id:greater"])]
            if "id:in" in query:
                rows = [p for p in rows if str(p["id"]) in query["id:in"].split(",")]
            return self._v3_page(rows, query, meta=True)
        return 404, {}

    def _refunds(self, query: dict[str, str]) -> list[Row]:
        rows = sorted(self.refunds, key=lambda r: r["id"])
        query = {key: value for key, value in query.items() if key not in self.ignored}
        if "order_id:in" in query:
            wanted = {int(i) for i in query["order_id:in"].split(",")}
            rows = [r for r in rows if r["order_id"] in wanted]
        if "created:min" in query:
            low = datetime.fromisoformat(query["created:min"])
            rows = [r for r in rows if datetime.fromisoformat(r["created"]) >= low]
        return rows

    def _v3_page(self, rows: list[Row], query: dict[str, str], *, meta: bool) -> tuple[int, Any]:
        limit = min(int(query.get("limit", 50)), self.cap)
        page = int(query.get("page", 1))
        found = rows[(page - 1) * limit : page * limit]
        paging = pagination(len(rows), page, limit)
        return 200, {"data": found, "meta": {"pagination": paging} if meta else {}}

    def _customers(self, query: dict[str, str]) -> tuple[int, Any]:
        rows = self.customers
        if "id:in" in query:
            rows = [c for c in rows if str(c["id"]) in query["id:in"].split(",")]
        limit = min(int(query.get("limit", 50)), self.cap)
        start = int(query.get("after", "0"))
        found = rows[start : start + limit]
        end = start + len(found)
        links = {"next": f"?after={end}"} if end < len(rows) or self.cursor_end == "empty" else {}
        cursor: Row = {"count": len(found), "per_page": limit, "links": links}
        if found:
            cursor["end_cursor"] = str(end)
        return 200, {"data": found, "meta": {"cursor_pagination": cursor}}


def pagination(total: int, page: int, limit: int) -> Row:
    pages = -(-total // limit)
    return {"total": total, "current_page": page, "total_pages": pages, "per_page": limit}


@contextlib.contextmanager
def serving(shop: Shop) -> Iterator[Shop]:
    with answering(shop.reply) as shop.url:
        yield shop


class Run:
    """What a run of the tap wrote."""

    def __init__(self, text: str, error: BaseException | None) -> None:
        self.messages: list[Row] = [json.loads(line) for line in text.splitlines()]
        self.error = error

    def records(self, stream: str) -> list[Row]:
        return [
            m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream
        ]

    def ids(self, stream: str) -> list[int]:
        return [record["id"] for record in self.records(stream)]

    @property
    def states(self) -> list[Row]:
        return [m["value"] for m in self.messages if m["type"] == "STATE"]

    def bookmark(self, stream: str = "orders") -> str | None:
        found = self.states[-1]["bookmarks"].get(stream, {}) if self.states else {}
        return found.get("replication_key_value")


ORDER_STREAMS = ("orders", "transactions", "refunds", "order_taxes")


def settings(shop: Shop, **more: Any) -> Row:
    return {
        "store_hash": STORE,
        "access_token": TOKEN,
        "api_url": shop.url,
        "max_retry_seconds": 5,
        "request_timeout": 5,
        **more,
    }


def run_tap(
    shop: Shop,
    *,
    streams: tuple[str, ...] | None = ORDER_STREAMS,
    state: Row | None = None,
    started: datetime | None = None,
    full_table: tuple[str, ...] = (),
    **more: Any,
) -> Run:
    """Run the tap in this process; ``streams=None`` takes the default selection.

    Streams of ``full_table`` have that method in the catalog.
    """
    config = settings(shop, **more)
    tap = TapBigCommerceOrders(config=dict(config), state=state)
    if full_table:
        catalog = tap.catalog_dict
        for entry in catalog["streams"]:
            if entry["tap_stream_id"] in full_table:
                entry["replication_method"] = "FULL_TABLE"
        tap = TapBigCommerceOrders(config=dict(config), state=state, catalog=catalog)
    if started is not None:
        tap.started = started
    if streams is not None:
        for name, stream in tap.streams.items():
            stream.selected = name in streams
    wait = tap.connection._sleep
    tap.connection._sleep = lambda seconds: wait(seconds / 20)  # back-off, at a test's pace
    out = io.StringIO()
    error: BaseException | None = None
    with contextlib.redirect_stdout(out):
        try:
            tap.sync_all()
        except Exception as caught:  # noqa: BLE001 - handed to the test
            error = caught
    tap.connection.stop()
    tap.connection.close()
    return Run(out.getvalue(), error)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with serving(Shop()) as served:
        yield served


@pytest.fixture
def run() -> Callable[..., Run]:
    return run_tap


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start the tap with a configuration file, away from any .env file."""

    def run(config: dict[str, Any], *arguments: str, **more: Any) -> subprocess.Popen[str]:
        path = tmp_path / "config.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        return subprocess.Popen(
            [*TAP, "--config", str(path), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            **more,
        )

    return run


@pytest.fixture
def config_for() -> Callable[..., Row]:
    return settings


@pytest.fixture
def moment() -> Callable[[int], datetime]:
    return when


@pytest.fixture
def token() -> str:
    return TOKEN


@pytest.fixture
def at() -> Callable[[int], str]:
    """The text of a moment as the tap writes it."""
    return lambda offset: when(offset).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(autouse=True)
def _no_leftover_logs() -> Iterator[None]:
    yield
    logging.captureWarnings(capture=False)
