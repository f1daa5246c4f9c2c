"""What anybody who reaches the port may try, while hooks of the shop go on being taken."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from connector_sandbox.testing import until

if TYPE_CHECKING:
    from collections.abc import Iterator

Make = Any
UNFINISHED = b"POST /webhooks HTTP/1.1\r\nHost: hooks\r\nX-"
HALF_A_BODY = (
    b"POST /webhooks HTTP/1.1\r\nHost: hooks\r\nContent-Length: 2\r\nwebhook-id: msg_1\r\n"
    b"webhook-timestamp: %d\r\nwebhook-signature: v1,AAAA\r\n\r\n{" % time.time()
)
PIPELINED = 3_000 * b"GET /healthz HTTP/1.1\r\nHost: hooks\r\n\r\n"
PIPELINED_BODIES = 1_000 * (HALF_A_BODY + b"}")


@contextlib.contextmanager
def hanging(
    origin: str, number: int, said: bytes = UNFINISHED, address: str = "127.0.0.1"
) -> Iterator[list[socket.socket]]:
    """Connections that say this, or as much of it as is taken at once, and then nothing."""
    place = urlsplit(origin)
    connections = []
    try:
        for _ in range(number):
            to = (str(place.hostname), place.port)
            connections.append(socket.create_connection(to, 30, (address, 0)))
            with contextlib.suppress(OSError):
                connections[-1].send(said, socket.MSG_DONTWAIT)
        yield connections
    finally:
        for one in connections:
            one.close()


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side ended the connection; waits for it, up to the time-out."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def memory_of(process: int) -> int:
    """Resident memory in bytes at its highest."""
    status = Path(f"/proc/{process}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@pytest.mark.more
@pytest.mark.parametrize(
    "said",
    [b"", UNFINISHED, HALF_A_BODY, PIPELINED, PIPELINED_BODIES],
    ids=["nothing", "half a header", "half a body", "many requests", "many bodies"],
)
def test_hooks_are_answered_while_more_connections_hang_than_there_may_be(
    program: Make, start: Make, signed: Make, said: bytes
) -> None:
    ours = program(max_connections=20, header_timeout_seconds=600, request_timeout_seconds=600)
    server = start(ours, "--no-dispatch")
    dropped = 'webhooks_connections_dropped_total{reason="limit"}'
    with hanging(server.origin, 40, said):
        until(lambda: server.figure(dropped) >= 20)
        assert server.figure(dropped) >= 20  # by now it has read what each of them said
        for order in range(1, 11):
            assert server.send(signed(order)).status_code == 200
        assert server.internal.get("/readyz").status_code == 200
    assert len(ours.hooks()) == 10


def test_readiness_and_figures_take_no_place_of_a_hook(program: Make, start: Make) -> None:
    server = start(program(max_connections=1, header_timeout_seconds=600), "--no-dispatch")
    server.client.close()
    with hanging(server.origin, 1) as (slow,):
        assert server.internal.get("/readyz").status_code == 200
        assert server.figure('webhooks_connections_dropped_total{reason="limit"}') == 0
        slow.sendall(b"Y: z\r\nContent-Length: 0\r\n\r\n")
        assert slow.recv(12) == b"HTTP/1.1 401"


def test_one_address_cannot_take_all_connections(program: Make, start: Make, signed: Make) -> None:
    ours = program(max_connections_per_address=5, header_timeout_seconds=600)
    server = start(ours, "--no-dispatch")
    with hanging(server.origin, 8) as connections:
        assert [is_closed(one) for one in connections[:3]] == [True, True, True]
        assert server.send(signed(1)).status_code == 200


def test_whoever_holds_most_connections_makes_room(program: Make, start: Make) -> None:
    server = start(program(max_connections=6, header_timeout_seconds=600), "--no-dispatch")
    with hanging(server.origin, 1) as (slow,), hanging(server.origin, 12, address="127.0.0.2"):
        dropped = 'webhooks_connections_dropped_total{reason="limit"}'
        until(lambda: server.figure(dropped) >= 7)
        slow.sendall(b"Y: z\r\nContent-Length: 0\r\n\r\n")
        assert slow.recv(12) == b"HTTP/1.1 401"


def test_a_request_whose_header_does_not_come_in_time_is_given_up(
    program: Make, start: Make
) -> None:
    server = start(program(header_timeout_seconds=1), "--no-dispatch")
    answered = b"GET /healthz HTTP/1.1\r\nHost: hooks\r\n\r\n"
    with hanging(server.origin, 1) as (first,), hanging(server.origin, 1, answered) as (second,):
        assert second.recv(4096).startswith(b"HTTP/1.1 200")
        second.sendall(b"GET")
        assert is_closed(first)
        while not is_closed(second):  # the rest of the answer to its first request
            pass
    assert server.figure('webhooks_connections_dropped_total{reason="slow_header"}') == 2


def test_a_body_has_time_of_its_own_once_its_header_has_come(program: Make, start: Make) -> None:
    server = start(program(header_timeout_seconds=1), "--no-dispatch")
    with hanging(server.origin, 1, HALF_A_BODY) as (first,), hanging(server.origin, 1) as (second,):
        assert is_closed(second)
        first.sendall(b"}")
        assert first.recv(12) == b"HTTP/1.1 401"


def test_a_header_without_end_is_cut_off_and_nothing_is_logged_of_it(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program()
    server = start(ours, "--no-dispatch")
    for beginning in (b"", UNFINISHED):
        with hanging(server.origin, 1, beginning) as (one,), contextlib.suppress(ConnectionError):
            for _ in range(1_000):
                one.sendall(b"x" * 16_384)
    for _ in range(200):
        with hanging(server.origin, 1, b"\x16\x03\x01 no HTTP\r\n\r\n") as (one,):
            assert one.recv(12) == b"HTTP/1.1 400"
    assert server.send(signed(1)).status_code == 200
    assert memory_of(server.process.pid) < 200 * 1024**2
    assert len(ours.log) < 2_000


@pytest.mark.more
def test_two_thousand_hanging_connections_hold_no_hook_up(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program()
    server = start(ours, "--no-dispatch")
    with hanging(server.origin, 700), hanging(server.origin, 700), hanging(server.origin, 600):
        server.client.close()
        server.client = type(server.client)(base_url=server.origin, timeout=30)
        for order in range(1, 51):
            assert server.send(signed(order)).status_code == 200
    assert memory_of(server.process.pid) < 200 * 1024**2
    assert len(ours.log) < 2_000


def test_figures_readiness_and_description_are_not_for_the_internet(
    program: Make, start: Make, signed: Make
) -> None:
    server = start(program(), "--no-dispatch")
    for path in ("/metrics", "/readyz", "/openapi.json"):
        assert server.client.get(path).status_code == 404
        assert server.client.get(path, headers={"Host": urlsplit(server.internal_origin).netloc})
        assert server.internal.get(path).status_code == 200
    assert server.client.get("/healthz").status_code == 200
    assert server.send(signed(1)).status_code == 200


@pytest.mark.more
def test_readiness_writes_nothing_and_tells_of_a_commit_that_failed(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(request_timeout_seconds=15)
    server = start(ours, "--no-dispatch")
    inbox = ours.inbox()
    with inbox.database.look() as connection:
        before = connection.exec_driver_sql("PRAGMA data_version").scalar()
        assert server.internal.get("/readyz").status_code == 200
        assert connection.exec_driver_sql("PRAGMA data_version").scalar() == before
    with inbox.database.write():  # another writer that does not end
        assert server.send(signed(7)).status_code == 503
        assert server.internal.get("/readyz").status_code == 503
    assert server.send(signed(7)).status_code == 200
    assert server.internal.get("/readyz").status_code == 200
    inbox.database.close()


def test_a_port_that_is_taken_is_named(program: Make, start: Make) -> None:
    taken = urlsplit(start(program(), "--no-dispatch").internal_origin).port
    ended = program(port=1, internal_port=taken).call("serve", "--port", str(taken))
    assert ended.returncode == 1
    assert f"port and internal_port are both {taken}" in ended.stderr
    ended = program(internal_port=1).call("serve", "--port", str(taken))
    assert ended.returncode == 1
    assert f"Cannot listen on 127.0.0.1 port {taken}: Address already in use." in ended.stderr
