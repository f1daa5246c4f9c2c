"""A small HTTP server that answers as a test tells it, and FreshBooks clients that talk to it."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from target_freshbooks.freshbooks import FreshBooks, Pacer, RequestRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RESET, HANG, TRUNCATE, DRIP = "reset", "hang", "truncate", "drip"
DRIP_HEADERS = "drip headers"


@dataclass
class Reply:
    """What to answer: a document, raw bytes, or a way to spoil the connection."""

    document: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    spoil: str | None = None


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    raw_query: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    port: int = 0

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    protocol_version = "HTTP/1.1"
    timeout = 20
    server: Server

    def do_GET(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        query = parse_qsl(parts.query, keep_blank_values=True)
        body = self.rfile.read(size)
        headers = dict(self.headers)
        self.give(
            self.server.scripted.next_reply(
                Asked(
                    self.command,
                    parts.path,
                    parts.query,
                    query,
                    headers,
                    body,
                    self.client_address[1],
                )
            )
        )

    do_POST = do_PUT = do_GET  # noqa: N815 - the library's names

    def give(self, reply: Reply) -> None:
        if reply.spoil == HANG:
            self.server.scripted.released.wait(10)
            self.close_connection = True
            return
        if reply.spoil == RESET:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
            return
        if reply.spoil == DRIP_HEADERS:
            self.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Endless: yes\r\n" * 50)
            return
        body = json.dumps(reply.document).encode() if reply.body is None else reply.body
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if reply.spoil == TRUNCATE:
            body = body[: len(body) // 2]
            self.close_connection = True
        if reply.spoil == DRIP:
            self.drip(body)
            return
        self.wfile.write(body)

    def drip(self, text: bytes) -> None:
        for byte in text:
            self.wfile.write(bytes([byte]))
            if self.server.scripted.released.wait(0.2):
                break


class Server(ThreadingHTTPServer):
    """The listening end."""

    daemon_threads = True
    scripted: Scripted

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was spoilt on purpose is no news."""


class Scripted:
    """The server: replies in the order given; the last one is repeated."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: list[Reply] = []
        self.answer: Callable[[Asked], Reply] | None = None
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.scripted = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def next_reply(self, asked: Asked) -> Reply:
        with self.lock:
            self.asked.append(asked)
            if self.answer is not None:
                return self.answer(asked)
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def script(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def stop(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Clock:
    """A clock that only sleeping moves. Thread-safe."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
        self.slept: list[float] = []
        self.lock = threading.Lock()

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.slept.append(seconds)
            self.now += timedelta(seconds=seconds)


class FixedTokens:
    """Tokens that are always there; a rejected one gets a number more."""

    def __init__(self) -> None:
        self.token = "token-0"
        self.rejected: list[str] = []

    def access_token(self) -> str:
        return self.token

    def refresh(self, rejected: str) -> str:
        self.rejected.append(rejected)
        self.token = f"token-{len(self.rejected)}"
        return self.token


@dataclass
class Bench:
    """A client with all that stands around it."""

    server: Scripted
    clock: Clock
    tokens: FixedTokens
    records: list[RequestRecord]
    client: FreshBooks

    def say(self, *replies: Reply) -> None:
        self.server.script(*replies)


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.stop()


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seed() -> int:
    """Printed with a failure, so that it can be run again."""
    value = random.SystemRandom().randrange(10**6)
    print(f"seed {value}")
    return value


@pytest.fixture
def bench(server: Scripted, clock: Clock, seed: int) -> Bench:
    tokens, records = FixedTokens(), []
    rng = random.Random(seed)  # noqa: S311 - jitter
    client = FreshBooks(
        api_url=server.url,
        account_id="ACM123",
        tokens=tokens,
        user_agent="target-freshbooks/test",
        request_timeout=1,
        max_retry_seconds=60,
        pacer=Pacer(clock=clock, sleep=clock.sleep, random=rng),
        random=rng,
        clock=clock,
        sleep=clock.sleep,
        on_request=records.append,
    )
    return Bench(server, clock, tokens, records, client)


@pytest.fixture
def recorded() -> Callable[[str], Any]:
    """An answer recorded from FreshBooks by its SDKs' authors, where the files are at hand."""
    folder = Path(__file__).parents[4] / "shared" / "reference" / "freshbooks" / "fixtures"

    def _recorded(name: str) -> Any:
        path = folder / name
        if not path.is_file():
            pytest.skip("the recorded answers of FreshBooks' SDKs are not beside this clone")
        return json.loads(path.read_text())

    return _recorded
