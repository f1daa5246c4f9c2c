"""HTTP adapter of `requests` with a deadline and a largest size for the whole answer.

The time-out of `requests` is for each read from the connection, so that a server which sends a
byte now and then holds its client for ever. Here every read, of the status line on, also ends at
the deadline; what follows is the `ReadTimeout` or `ReadTimeoutError` of any other silence.

A body is counted as it is unpacked: a mebibyte of gzip can hold a gibibyte.
"""

import http.client
import io
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import (
    BaseHTTPResponse,
    HTTPConnectionPool,
    HTTPSConnectionPool,
    PoolManager,
    ProxyManager,
)
from urllib3.connection import HTTPConnection, HTTPSConnection

WHOLE_ANSWER = 2
"""Times the time-out of a read: what a whole answer may take."""
MOST_BYTES = 32 * 1024**2
"""Of a body, unpacked; real lines of orders have 1.0 to 2.5 kB, so that a page of 250 orders of 50
lines each may come close to it: a smaller `page_size` then."""


class AnswerTooLarge(requests.RequestException):
    """An answer's body has more than `MOST_BYTES`."""

    def __init__(self) -> None:
        super().__init__(f"the answer has more than {MOST_BYTES // 1024**2} MiB")


def new_session(pool_maxsize: int = 10) -> requests.Session:
    """A session whose answers all end, and that keeps nothing but its open connections."""
    session = requests.Session()
    # Several threads may share it, so one's answer must not change another's request.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, DeadlineAdapter(pool_maxsize=pool_maxsize))
    return session


class DeadlineAdapter(HTTPAdapter):
    """Transport adapter: an answer ends within `WHOLE_ANSWER` times the time-out of a request."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as in requests
        """Make the pool of connections."""
        super().init_poolmanager(*args, **kwargs)
        _with_deadlines(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:  # noqa: ANN401 - as above
        """Make the pool of connections to a proxy."""
        manager: ProxyManager = super().proxy_manager_for(*args, **kwargs)
        _with_deadlines(manager)
        return manager

    def build_response(
        self, request: requests.PreparedRequest, answer: BaseHTTPResponse
    ) -> requests.Response:
        """Make the response; reading its body ends at `MOST_BYTES`."""
        answer.stream = partial(_bounded, answer, answer.stream)  # type: ignore[method-assign]
        return super().build_response(request, answer)


def _bounded(
    answer: BaseHTTPResponse,
    stream: Callable[..., Iterator[bytes]],
    *args: Any,  # noqa: ANN401 - as in urllib3
    **kwargs: Any,  # noqa: ANN401
) -> Iterator[bytes]:
    size = 0
    for part in stream(*args, **kwargs):
        size += len(part)
        if size > MOST_BYTES:
            answer.close()
            raise AnswerTooLarge
        yield part


class _Reader(io.RawIOBase):
    """Reads from a connection until a deadline."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket) -> None:
        self._raw = raw
        self._connection = connection
        self._timeout = connection.gettimeout()
        seconds = self._timeout
        self._deadline = None if seconds is None else time.monotonic() + WHOLE_ANSWER * seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - a writable buffer
        """Read what has arrived, or wait for it.

        Raises:
            TimeoutError: The time-out of a read, or the deadline, is over.
        """
        if self._timeout is not None and self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no whole answer in time")
            self._connection.settimeout(min(self._timeout, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer that is read until a deadline."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def _with_deadlines(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
