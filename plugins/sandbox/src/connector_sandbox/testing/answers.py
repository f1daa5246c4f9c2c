"""An HTTP server of a test's own that answers as the test says, whole or spoilt."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RESET, HANG, TRUNCATE, DRIP, DRIP_HEADERS = "reset", "hang", "truncate", "drip", "drip headers"
HANG_SECONDS = 10
DRIP_SECONDS = 0.2


@dataclass
class Reply:
    """What to answer: a document, or raw bytes, or a way to spoil the connection."""

    document: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    spoil: str | None = None


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; `port` tells connections apart."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    port: int

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def raw_query(self) -> str:
        """The query as it was written."""
        return urlsplit(self.target).query

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's pairs."""
        return parse_qsl(self.raw_query, keep_blank_values=True)

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The body's document."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body's form."""
        return dict(parse_qsl(self.body.decode()))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    answer: Callable[[Asked], Reply]
    released: threading.Event

    def handle_error(self, *_: object) -> None:
        """A connection that was spoilt on purpose, or that a client left, is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two sends: the second would wait 40 ms
    timeout = 20
    server: _Server

    def log_message(self, *_: object) -> None:
        """What was asked is the test's to tell."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers, port = dict(self.headers), self.client_address[1]
        reply = self.server.answer(Asked(self.command, self.path, headers, body, port))
        if reply.spoil == HANG:
            self.server.released.wait(HANG_SECONDS)
            self.close_connection = True
        elif reply.spoil == RESET:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
        elif reply.spoil == DRIP_HEADERS:
            self.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Endless: yes\r\n" * 50)
        else:
            self.give(reply)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the library's names

    def give(self, reply: Reply) -> None:
        body = json.dumps(reply.document).encode() if reply.body is None else reply.body
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if reply.spoil == DRIP:
            self.drip(body)
        elif reply.spoil == TRUNCATE:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(body)

    def drip(self, text: bytes) -> None:
        for byte in text:
            self.wfile.write(bytes([byte]))
            if self.server.released.wait(DRIP_SECONDS):
                break


@contextmanager
def answering(answer: Callable[[Asked], Reply], certificate: Path | None = None) -> Iterator[str]:
    """Answer requests, several at once, with a certificate over TLS; the server's address."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    server.answer, server.released = answer, threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
