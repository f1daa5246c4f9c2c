"""Parsers of what senders of hooks, and BigCommerce's hooks API, say to the receiver's program."""

from __future__ import annotations

import asyncio
import base64
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests
from connector_webhooks import hook
from connector_webhooks.assembly import Assembly
from connector_webhooks.bigcommerce import HooksApi
from connector_webhooks.database import Database
from connector_webhooks.errors import WebhooksError
from connector_webhooks.inbox import Inbox
from connector_webhooks.metrics import Metrics
from connector_webhooks.receiver import application
from connector_webhooks.settings import Settings
from hypothesis import strategies as st

from fuzz.engine import Parser, Unexpected
from fuzz.mutation import ODD_TEXTS, octets

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from fuzz.samples import Samples

STORE = "abc123"
SECRET = "canary-of-a-client-secret-77"  # noqa: S105 - made up
ANSWERED = frozenset({200, 401, 404, 405, 413})

HOOKS: list[dict[str, Any]] = [
    {
        "scope": "store/order/updated",
        "store_id": "1",
        "data": {"type": "order", "id": 250},
        "hash": "3f2a",
        "created_at": 1_700_000_000,
        "producer": f"stores/{STORE}",
    },
    {
        "scope": "store/channel/7/order/transaction/created",
        "data": {"type": "transaction", "order_id": "251", "transaction_id": 9},
        "producer": f"stores/{STORE}",
    },
    {
        "scope": "store/hook/deliveryException",
        "data": {"type": "hook", "id": 9, "error_code": 90001, "error_message": "no"},
        "producer": f"stores/{STORE}",
    },
]
REGISTERED = {
    "data": [
        {
            "id": 7,
            "scope": "store/order/*",
            "destination": "https://a.example/hooks",
            "is_active": True,
            "headers": {"X-Shared": SECRET},
            "created_at": 1_700_000_000,
            "updated_at": 1_700_000_000,
        }
    ],
    "meta": {"pagination": {"total": 1, "total_pages": 1}},
}
BLOCKED = {"data": {"blocked_domains": [{"destination": "https://a.example", "time_left": 60}]}}
REFUSED = {"status": 422, "title": "No.", "errors": {"destination": "taken"}}


def parsers(samples: Samples) -> list[Parser]:
    """Those parsers."""
    statuses = st.sampled_from((200, 200, 201, 204, 301, 401, 403, 404, 422))
    return [
        Parser("hook", octets(HOOKS), _hook),
        Parser("receiver", _requests(), _Receiver(samples), secrets=(SECRET,), most_seconds=3),
        Parser(
            "hooks api",
            st.tuples(statuses, octets([REGISTERED, BLOCKED, REFUSED])),
            _Api(),
            (WebhooksError,),
            (SECRET,),
        ),
    ]


def _hook(body: bytes) -> None:
    read = hook.read(body, STORE)
    if read.order_id is None and not read.ignored:
        raise Unexpected("lost hook: neither an order nor a reason")
    if len(read.scope) > 200:  # noqa: PLR2004 - it goes into a row and a log
        raise Unexpected("long scope")


def _requests() -> SearchStrategy[tuple[list[tuple[bytes, bytes]], bytes, bool]]:
    """Headers and a body; the last says whether the signature is of our own."""
    value = st.binary(max_size=40) | st.sampled_from(
        [text.encode("utf-8", "surrogatepass")[:200] for text in ODD_TEXTS]
    )
    now = str(int(datetime.now(UTC).timestamp())).encode()
    header = st.one_of(
        st.tuples(st.just(b"webhook-id"), st.just(b"msg_1") | value),
        st.tuples(st.just(b"webhook-timestamp"), st.sampled_from([now, b"0", b"9" * 11]) | value),
        st.tuples(st.just(b"webhook-signature"), value | st.just(b"v1,AAAA v2, v1")),
        st.tuples(st.binary(min_size=1, max_size=10).map(bytes.lower), value),
    )
    return st.tuples(st.lists(header, max_size=6), octets(HOOKS), st.booleans())


class _Receiver:
    """Hands a request to the receiver, without a server; its inbox is a real one."""

    def __init__(self, samples: Samples) -> None:
        url = f"sqlite:///{samples.home}/inbox.sqlite"
        settings = Settings(store_hash=STORE, client_secret=SECRET, inbox_url=url)
        assembly = Assembly(settings, {})
        self._receiver = assembly.receiver(
            Inbox(Database(url, STORE), assembly.collapse), Metrics()
        )
        self._receiver.writer.start()
        self._application = application(self._receiver, 1)

    def __call__(self, example: tuple[list[tuple[bytes, bytes]], bytes, bool]) -> None:
        headers, body, is_signed = example
        named = dict(headers)
        if is_signed:
            webhook_id = named.get(b"webhook-id", b"msg_1").decode("latin-1").encode()
            stamp = named.get(b"webhook-timestamp", b"1700000000")
            content = webhook_id + b"." + stamp.decode("latin-1").encode() + b"." + body
            digest = base64.b64encode(hmac.digest(SECRET.encode(), content, "sha256"))
            headers = [
                (b"webhook-id", named.get(b"webhook-id", b"msg_1")),
                (b"webhook-timestamp", stamp),
                (b"webhook-signature", b"v1," + digest),
            ]
        status = asyncio.run(self._answer(headers, body))
        if status not in ANSWERED:
            raise Unexpected(f"status {status}")

    async def _answer(self, headers: list[tuple[bytes, bytes]], body: bytes) -> int:
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": self._receiver.settings.hook_path,
            "raw_path": b"/",
            "query_string": b"",
            "headers": headers,
            "server": ("127.0.0.1", 2),
            "client": ("127.0.0.1", 3),
            "scheme": "http",
            "root_path": "",
        }
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's own
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await self._application(scope, receive, send)
        return statuses[0]


class _Api:
    """Asks the hooks API, which answers every request with the same."""

    def __init__(self) -> None:
        self._api = HooksApi("https://api.example", STORE, SECRET, sleep=lambda _: None)
        self._api._session = self  # type: ignore[assignment]  # noqa: SLF001 - instead of a server
        self._status, self._body = 200, b""

    def request(self, method: str, url: str, **_: object) -> requests.Response:
        """As a session does."""
        response = requests.Response()
        response.status_code, response._content = self._status, self._body  # noqa: SLF001 - as said
        response.request = requests.Request(method, url).prepare()
        return response

    def __call__(self, example: tuple[int, bytes]) -> None:
        self._status, self._body = example
        for ask in (
            self._api.hooks,
            self._api.blocked_domains,
            lambda: self._api.create("store/order/*", "https://a.example", {}),
            lambda: self._api.update(7, {}),
            lambda: self._api.delete(7),
        ):
            try:
                ask()
            except WebhooksError as error:
                if SECRET in str(error) or not str(error).strip():
                    raise Unexpected("secret in the sentence") from None
