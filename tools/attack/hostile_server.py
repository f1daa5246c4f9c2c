"""A server whose answers wear down whoever asks it: too slow, too long, too deep, without end."""

from __future__ import annotations

import gzip
import json
import select
import socketserver
import threading
import time
import zlib
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEBIBYTE = 1024**2
DRIP_SECONDS = 0.2
BOMB_MEBIBYTES = 600
VALUES_MEBIBYTES = 31  # as many as are read
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_TOKEN = {"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 43_000}
_ENDLESS = _HEAD + b"Connection: close\r\n\r\n"


def _whole(body: bytes, *headers: bytes) -> bytes:
    length = b"Content-Length: %d" % len(body)
    return _HEAD + b"\r\n".join((length, *headers, b"", body))


def _dripping(head: bytes, piece: bytes) -> Iterator[bytes]:
    yield head
    while True:
        time.sleep(DRIP_SECONDS)
        yield piece


def _dripping_header() -> Iterator[bytes]:
    return _dripping(_HEAD, b"X")


def _dripping_body() -> Iterator[bytes]:
    return _dripping(_HEAD + b"Content-Length: 100000\r\n\r\n[", b" ")


def _silence() -> Iterator[bytes]:
    return _dripping(b"", b"")


def _endless_header() -> Iterator[bytes]:
    yield _HEAD
    while True:
        yield b"X-Endless: yes\r\n" * 4_000


def _endless_body() -> Iterator[bytes]:
    yield _ENDLESS + b"["
    while True:
        yield b"[0]," * 16_000


@cache
def _packed(piece: bytes, mebibytes: int, end: bytes) -> bytes:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)  # as gzip
    part = piece * (MEBIBYTE // len(piece))
    pieces = [packer.compress(part) for _ in range(mebibytes)]
    return b"".join((*pieces, packer.compress(end), packer.flush()))


def _bomb() -> Iterator[bytes]:
    yield _whole(_packed(b" ", BOMB_MEBIBYTES, b"[]"), b"Content-Encoding: gzip")


def _many_values() -> Iterator[bytes]:
    # Its beginning is that of one more: gzip may be told in several parts.
    begun = gzip.compress(b'{"data":[')
    yield _whole(begun + _packed(b"{},", VALUES_MEBIBYTES, b"{}]}"), b"Content-Encoding: gzip")


def _nested() -> Iterator[bytes]:
    yield _whole(b"[" * MEBIBYTE)


def _many_digits() -> Iterator[bytes]:
    yield _whole(b'{"data":' + b"9" * MEBIBYTE + b',"response":1e999999999}')


def _no_json() -> Iterator[bytes]:
    yield _whole(b"<html>\x1b]0;title\x07 \xff\xfe</html>")


SLOW: dict[str, Callable[[], Iterator[bytes]]] = {
    "a dripping body": _dripping_body,
    "a dripping header": _dripping_header,
    "silence": _silence,
}
HEAVY: dict[str, Callable[[], Iterator[bytes]]] = {
    f"a gzip bomb of {BOMB_MEBIBYTES} MiB": _bomb,
    f"gzip of {VALUES_MEBIBYTES} MiB of empty objects": _many_values,
    "a body without end": _endless_body,
    "a header without end": _endless_header,
    "a million brackets": _nested,
    "a number of a million digits": _many_digits,
    "no JSON": _no_json,
}


class HostileServer(socketserver.ThreadingTCPServer):
    """Answers each request in one way.

    Attributes:
        lets_in: Whether a login is answered as it should be.
        given_up: Seconds after which the asker ended each of its requests, in order.
    """

    def __init__(self, answer: Callable[[], Iterator[bytes]], *, lets_in: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lets_in = lets_in
        self.answer = answer
        self.given_up: list[float] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.StreamRequestHandler):
    server: HostileServer

    def handle(self) -> None:
        asked = self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # the rest of the header
        if b"/token" in asked and self.server.lets_in:
            created = {"created_at": int(time.time())}
            self.wfile.write(_whole(json.dumps(_TOKEN | created).encode(), b"Connection: close"))
            return
        started = time.monotonic()
        try:
            for piece in self.server.answer():
                if not piece and self._has_left():
                    break
                self.wfile.write(piece)
        except OSError:
            pass  # the asker gave up, which is what is measured
        self.server.given_up.append(time.monotonic() - started)

    def _has_left(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(65_536)


@contextmanager
def hostile_server(
    answer: Callable[[], Iterator[bytes]], *, lets_in: bool
) -> Iterator[HostileServer]:
    """A server that runs meanwhile."""
    with HostileServer(answer, lets_in=lets_in) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()
