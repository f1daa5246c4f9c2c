"""Parsers of the target: messages, what they say of an order, and FreshBooks' answers."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from connector_credentials import CredentialError, CredentialStore
from connector_credentials.backoff import RetryPolicy
from connector_credentials.json_text import read_json
from connector_sandbox.settings import KEY, target_settings
from hypothesis import strategies as st
from target_freshbooks.books import assess, desire
from target_freshbooks.books.calendar import UnknownZone
from target_freshbooks.freshbooks import (
    FreshBooks,
    FreshBooksError,
    OAuth,
    Pacer,
    TokenSource,
    choose_account,
)
from target_freshbooks.freshbooks.errors import Refused
from target_freshbooks.freshbooks.refusals import classify
from target_freshbooks.freshbooks.wire import WireReply
from target_freshbooks.ledger import Record
from target_freshbooks.ledger.inbox.records import row_of
from target_freshbooks.ledger.storage.canonical import from_text
from target_freshbooks.message_reader import DamagedInput, Reader
from target_freshbooks.settings import read_settings
from target_freshbooks.shop import ReadError, read_facts, read_product
from target_freshbooks.shop.fields import unreadable_value

from fuzz.engine import Parser, Unexpected
from fuzz.mutation import octets, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypothesis.strategies import SearchStrategy

    from fuzz.samples import Samples

TOKEN = "canary-of-a-token-93ab"  # noqa: S105 - made up
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HEADERS = {"Retry-After": "1e999", "X-RateLimit-Reset": "-1", "Date": "no date"}


def parsers(samples: Samples) -> list[Parser]:
    """Those parsers."""
    tokens = {
        "access_token": TOKEN,
        "refresh_token": TOKEN,
        "token_type": "bearer",
        "expires_in": 43200,
        "created_at": 1_700_000_000,
        "scope": "user:profile:read",
    }
    entry = {
        "access_token": TOKEN,
        "refresh_token": TOKEN,
        "expires_at": "2026-11-28T18:00:00+00:00",
        "refreshed_at": "2026-11-28T06:00:00+00:00",
        "scope": "user:profile:read",
    }
    refusals = [{"error": "invalid_grant"}, {"error": "invalid_client"}]
    return [
        Parser("message", texts(samples.messages), Reader().deserialize_json, (DamagedInput,)),
        Parser(
            "order", texts(_orders(samples)), _Order(samples), (ReadError, UnknownZone, Refusing)
        ),
        Parser("product", texts(samples.records("products")), _product, (ReadError, Refusing)),
        Parser(
            "freshbooks", _answers(samples), _Books(), (FreshBooksError,), (TOKEN,), most_seconds=3
        ),
        Parser(
            "freshbooks tokens",
            st.tuples(st.sampled_from((200, 400, 401, 429, 500)), octets([tokens, *refusals])),
            _OAuth(),
            (FreshBooksError,),
            (TOKEN,),
        ),
        Parser(
            "stored tokens",
            texts([entry]),
            _Stored(samples),
            (FreshBooksError, CredentialError),
            (TOKEN,),
        ),
    ]


class Refusing(Exception):  # noqa: N818 - the word says it
    """The text is no JSON object: the parser under test never sees it."""


def _orders(samples: Samples) -> list[dict[str, Any]]:
    """Orders, each with all that belongs to it."""
    streams = ("transactions", "refunds", "order_taxes")
    children: dict[int, dict[str, list[Any]]] = defaultdict(lambda: {name: [] for name in streams})
    for stream in streams:
        for record in samples.records(stream):
            children[record["order_id"]][stream].append(record)
    customers = {one["id"]: one for one in samples.records("customers")}
    store = samples.records("store")[0]
    return [
        {
            "order": order,
            **children[order["id"]],
            "customer": customers.get(order.get("customer_id")),
            "store": store,
        }
        for order in samples.records("orders")
    ]


def _read(text: str) -> dict[str, Any]:
    try:
        document = read_json(text, unreadable_value, constant=unreadable_value)
    except ValueError:
        raise Refusing("no JSON") from None
    if not isinstance(document, dict):
        raise Refusing("no JSON object")
    return document


class _Order:
    """From an order's records through the ledger's text to what FreshBooks should hold."""

    def __init__(self, samples: Samples) -> None:
        values = target_settings(samples.url, samples.home)
        self._policy = read_settings(
            {**values, "invoice_start_date": "2020-01-01", "timezone": "America/Chicago"}
        ).policy

    def __call__(self, text: str) -> None:
        document = _read(text)
        order, customer, store = (document.get(name) for name in ("order", "customer", "store"))
        if not isinstance(order, dict):
            raise Refusing("no record")
        facts = read_facts(
            _kept("orders", order),
            _stored(document.get("transactions")),
            _stored(document.get("refunds")),
            _stored(document.get("order_taxes")),
            _kept("customers", customer) if isinstance(customer, dict) else None,
            _kept("store", store) if isinstance(store, dict) else None,
        )
        assess(facts, self._policy, already_invoiced=False)
        desire(facts, self._policy)


def _stored(rows: object) -> list[dict[str, Any]]:
    given = rows if isinstance(rows, list) else []
    return [_kept("transactions", row) for row in given if isinstance(row, dict)]


def _kept(stream: str, body: dict[str, Any]) -> dict[str, Any]:
    """The record as the ledger gives it back."""
    row = row_of("fuzz", Record(stream, (1,), 1, body), NOW)
    return dict(from_text(row["body"]))


def _product(text: str) -> None:
    read_product(_kept("products", _read(text)))


# -- FreshBooks


class _Wire:
    """Answers each request with the same."""

    def __init__(self) -> None:
        self.status, self.body = 200, b""
        self.requests = 0

    def send(self, *_: object, **__: object) -> WireReply:
        """As the wire of the target does."""
        self.requests += 1
        if self.requests > 500:  # noqa: PLR2004 - a hundredth of a hang
            raise Unexpected("asks-on after 500 requests")
        return WireReply(self.status, HEADERS, self.body, 0.01)


class _Tokens:
    def access_token(self) -> str:
        return TOKEN

    def refresh(self, rejected: str) -> str:
        return rejected


def _answers(samples: Samples) -> SearchStrategy[tuple[str, int, bytes]]:
    by_name: dict[str, list[Any]] = defaultdict(list)
    for name, _, answer in samples.books:
        if len(by_name[name]) < 20:  # noqa: PLR2004 - enough of one kind
            by_name[name].append(answer)
    kinds = sorted(name for name in by_name if "/accounting/" in name or "users/me" in name)
    refusals = [
        {"response": {"errors": [{"errno": 1012, "field": "userid", "message": "Gone: a@b.c"}]}},
        {"code": 5, "details": [{"reason": "1012", "metadata": {"message": "x", "field": "y"}}]},
        {"error_type": "not_found", "message": "The requested resource was not found."},
    ]
    statuses = st.sampled_from((200, 200, 200, 200, 301, 400, 401, 403, 404, 409, 422, 429, 500))
    return st.sampled_from(kinds).flatmap(
        lambda name: st.tuples(st.just(name), statuses, octets([*by_name[name], *refusals]))
    )


class _Books:
    """Asks FreshBooks as the target does, and reads what it says."""

    def __init__(self) -> None:
        self._wire = _Wire()
        rng = random.Random(1)  # noqa: S311 - jitter
        self._books = FreshBooks(
            api_url="https://api.example",
            account_id="xZNQ1X",
            tokens=_Tokens(),
            user_agent="fuzz",
            request_timeout=1,
            max_retry_seconds=0,
            pacer=Pacer(clock=lambda: NOW, sleep=_never, random=rng),
            random=rng,
            clock=lambda: NOW,
            sleep=_never,
        )
        self._books._transport._wire = self._wire  # type: ignore[assignment]  # noqa: SLF001 - instead of a server

    def __call__(self, example: tuple[str, int, bytes]) -> None:
        name, self._wire.status, self._wire.body = example
        self._wire.requests = 0
        try:
            self._ask(name)
        except Refused as refused:
            classify(refused)
            raise

    def _ask(self, name: str) -> None:
        if "users/me" in name:
            choose_account(self._books.me())
            return
        books, method = self._books, name.partition(" ")[0]
        kinds = (books.clients, books.items, books.invoices, books.payments, books.credit_notes)
        kinds += (books.expenses, books.expense_categories, books.taxes)  # type: ignore[assignment]
        collection: Any = next((one for one in kinds if f"/{one.path}" in name), books.taxes)
        asks: Mapping[str, Callable[[], object]] = {
            "POST": lambda: collection.create({"notes": "x"}),
            "PUT": lambda: collection.update(1, {"notes": "x"}),
        }
        if "{id}" in name and method == "GET":
            collection.standing(1)
        elif method == "GET":
            list(collection.rows())
            list(collection.naming("x", date(2026, 1, 1)))
        else:
            asks[method]()


def _never(_seconds: float) -> None:
    """Nobody waits here."""


def _oauth(wire: _Wire) -> OAuth:
    return OAuth(
        client_id="app",
        client_secret=TOKEN,
        redirect_uri="https://localhost/callback",
        auth_url="https://auth.example",
        wire=wire,  # type: ignore[arg-type] # instead of a server
        clock=lambda: NOW,
    )


class _OAuth:
    """Uses a refresh token up."""

    def __init__(self) -> None:
        self._wire = _Wire()
        self._oauth = _oauth(self._wire)

    def __call__(self, example: tuple[int, bytes]) -> None:
        self._wire.status, self._wire.body = example
        self._wire.requests = 0
        pair = self._oauth.refresh(TOKEN)
        pair.expires_at.isoformat()
        (pair.access_token + pair.refresh_token).encode("ascii")
        pair.scope.encode()


class _Stored:
    """Takes an access token from an entry of the store that somebody else wrote."""

    def __init__(self, samples: Samples) -> None:
        self._wire = _Wire()
        self._wire.status, self._wire.body = 400, b'{"error": "invalid_grant"}'
        self._store = CredentialStore.open(f"sqlite:///{samples.home}/tokens.sqlite", KEY)

    def __call__(self, text: str) -> None:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(document, dict):
            return
        self._store.write("freshbooks:app", document)
        self._wire.requests = 0
        source = TokenSource(
            store=self._store,
            oauth=_oauth(self._wire),
            clock=lambda: NOW,
            policy=RetryPolicy(0, random.Random(1), _never),  # noqa: S311 - jitter
            pause=_never,
        )
        source.access_token().encode("latin-1")  # as a header is
