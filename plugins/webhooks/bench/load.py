# ruff: noqa: INP001 - a programme by itself, no package
"""Load on the receiver: so many signed hooks a second for so many seconds, on loopback.

The receiver is a process of its own with its dispatcher on, whose runs hang for ever, as if
FreshBooks did: that must not be felt by the sender. With --sandbox it is the real tap and target
that run, and a sandbox's FreshBooks that never answers. Hooks are sent on time whatever the answers
take (an open loop), over kept-alive connections, as a delivery service does. Latency counts from
the moment a hook should have been sent, so a stall cannot hide behind fewer requests.

    python bench/load.py [--rate 100] [--seconds 60] [--sandbox] [--hanging 2000]

With --hanging so many connections of others, from eight addresses, say half a header each and come
again when they are ended; each hook then comes over a connection of its own.

Prints one JSON document, with the machine's load average beside the figures; exits 1 if an answer
was not 2xx, or if the inbox does not hold exactly the hooks that were sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from connector_credentials.output import json_lines, say
from connector_webhooks.signature import signer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STORE = "bench"
SECRET = "bench-client-secret"  # noqa: S105 - made up, for a receiver of our own
CONNECTIONS = 8
HALF_A_HEADER = b"POST /webhooks HTTP/1.1\r\nHost: hooks\r\nX-"
ADDRESSES = [f"127.0.0.{last}" for last in range(2, 10)]
RETURN_SECONDS = 5
PATH = "/webhooks"
_FRESHBOOKS_KEYS = ("client_id", "client_secret", "redirect_uri", "refresh_token")


@dataclass
class Tally:
    """What the sender saw.

    Attributes:
        latencies: Seconds from the due time of each hook to its answer.
        statuses: Answers by status.
        ids: Of all hooks sent.
    """

    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)

    def add(self, webhook_id: str, status: int, seconds: float) -> None:
        """Note an answer; status 0 where none came."""
        self.latencies.append(seconds)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.ids.add(webhook_id)


def request_of(order_id: int) -> tuple[str, bytes]:
    """A signed hook as the bytes of an HTTP request, with its id."""
    webhook_id = f"msg_{uuid.uuid4().hex}"
    now = datetime.now(UTC)
    body = json.dumps(
        {
            "scope": "store/order/updated",
            "store_id": "1",
            "data": {"type": "order", "id": order_id},
            "hash": uuid.uuid4().hex,
            "created_at": int(now.timestamp()),
            "producer": f"stores/{STORE}",
        }
    )
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nwebhook-id: {webhook_id}\r\n"
        f"webhook-timestamp: {int(now.timestamp())}\r\n"
        f"webhook-signature: {signer(SECRET).sign(webhook_id, now, body)}\r\n\r\n"
    )
    return webhook_id, (head + body).encode()


async def connection(
    origin: str, due: asyncio.Queue[tuple[float, int] | None], tally: Tally
) -> None:
    """Send what is due over one kept-alive connection."""
    place = urlsplit(origin)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    while (job := await due.get()) is not None:
        at, order_id = job
        webhook_id, request = request_of(order_id)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        tally.add(webhook_id, int(head.split(b" ", 2)[1]), time.perf_counter() - at)
    writer.close()


async def connections(
    origin: str, due: asyncio.Queue[tuple[float, int] | None], tally: Tally
) -> None:
    """Send what is due, each hook over a connection of its own."""
    place = urlsplit(origin)
    while (job := await due.get()) is not None:
        at, order_id = job
        webhook_id, request = request_of(order_id)
        status = 0
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
            with closing(writer):
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                status = int(head.split(b" ", 2)[1])
        tally.add(webhook_id, status, time.perf_counter() - at)


def hang(origin: str, number: int) -> None:
    """Hold so many connections, in a process of their own."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    async def hold_all() -> None:
        await asyncio.gather(*(hold(origin, ADDRESSES[n % len(ADDRESSES)]) for n in range(number)))

    asyncio.run(hold_all())


async def hold(origin: str, address: str) -> None:
    """Say half a header and wait; when the connection is ended, come again."""
    place = urlsplit(origin)
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(
                place.hostname, place.port, local_addr=(address, 0)
            )
            with closing(writer):
                writer.write(HALF_A_HEADER)
                await reader.read()
        await asyncio.sleep(RETURN_SECONDS)


async def send(
    origin: str, rate: int, seconds: int, order_ids: Sequence[int], hanging: int
) -> Tally:
    """Send ``rate`` hooks a second, each at its time, for these orders in turn."""
    tally = Tally()
    due: asyncio.Queue[tuple[float, int] | None] = asyncio.Queue()
    others = multiprocessing.Process(target=hang, args=(origin, hanging), daemon=True)
    if hanging:
        others.start()
        await asyncio.sleep(RETURN_SECONDS)  # all of them have come once
    sender = connections if hanging else connection
    senders = [asyncio.create_task(sender(origin, due, tally)) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for number in range(rate * seconds):
        at = began + number / rate
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        due.put_nowait((at, order_ids[number % len(order_ids)]))
    for _ in senders:
        due.put_nowait(None)
    await asyncio.gather(*senders)
    if hanging:
        others.kill()
    return tally


def high_water(process: int) -> float:
    """Mebibytes of memory at most; 0 where the system does not tell."""
    status = Path(f"/proc/{process}/status")
    rows = status.read_text(encoding="ascii", errors="replace").splitlines()
    return next((int(row.split()[1]) / 1024 for row in rows if row.startswith("VmHWM:")), 0.0)


def inbox_of(file: Path) -> tuple[list[str], int]:
    """The ids in the inbox and the hooks counted in its orders, read past the product's code."""
    with sqlite3.connect(file) as database:
        ids = [row[0] for row in database.execute("SELECT webhook_id FROM webhook_hooks")]
        waiting = database.execute("SELECT coalesce(sum(seen), 0) FROM webhook_orders").fetchone()
    database.close()
    return ids, int(waiting[0])


@contextmanager
def hanging_books() -> Iterator[tuple[dict[str, str], list[int]]]:
    """A sandbox whose FreshBooks never answers: settings of a run on it, and its orders."""
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="webhooks-load-books-") as folder:
        command = [str(programs / "sandbox"), "up", "--port", "0", "--data", f"{folder}/sandbox"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - the program beside us
            try:
                url = json.loads(process.stdout.readline() if process.stdout else "{}")["url"]
                fault = {"side": "freshbooks", "kind": "timeout", "times": None}
                httpx.post(f"{url}/_sandbox/faults", json=fault).raise_for_status()
                rows = httpx.get(f"{url}/_sandbox/truth").raise_for_status().json()["orders"]
                keys = httpx.get(f"{url}/_sandbox/inspect").raise_for_status().json()
                yield _run_on(url, folder, keys), [row["order_id"] for row in rows]
            finally:
                process.terminate()


def _run_on(url: str, folder: str, keys: dict[str, dict[str, str]]) -> dict[str, str]:
    """The environment in which tap and target run on a sandbox."""
    programs = Path(sys.executable).parent
    tap = {"api_url": url}
    tap |= {name: keys["bigcommerce"][name] for name in ("store_hash", "access_token")}
    target = {"api_url": url, "auth_url": url, "ledger_url": f"sqlite:///{folder}/ledger.sqlite"}
    target |= {name: keys["freshbooks"][name] for name in _FRESHBOOKS_KEYS}
    return {
        "WEBHOOKS_RUN_COMMAND": f"{programs}/tap-bigcommerce-orders --config=ENV | "
        f"{programs}/target-freshbooks --config=ENV",
        **{f"TAP_BIGCOMMERCE_ORDERS_{name.upper()}": value for name, value in tap.items()},
        **{f"TARGET_FRESHBOOKS_{name.upper()}": value for name, value in target.items()},
    }


@contextmanager
def hanging_command() -> Iterator[tuple[dict[str, str], list[int]]]:
    """A run that never ends, and made-up orders."""
    yield {"WEBHOOKS_RUN_COMMAND": "exec sleep 100000"}, list(range(1, 501))


def measure(rate: int, seconds: int, *, sandbox: bool, hanging: int) -> dict[str, Any]:
    """Start a receiver, load it, and say what came of it."""
    runs = hanging_books if sandbox else hanging_command
    with (
        tempfile.TemporaryDirectory(prefix="webhooks-load-") as folder,
        runs() as (run, order_ids),
    ):
        inbox = Path(folder) / "inbox.sqlite"
        environment = {
            **os.environ,
            "WEBHOOKS_STORE_HASH": STORE,
            "WEBHOOKS_CLIENT_SECRET": SECRET,
            "WEBHOOKS_INBOX_URL": f"sqlite:///{inbox}",
            "WEBHOOKS_SHUTDOWN_SECONDS": "0",
            "WEBHOOKS_LOG_LEVEL": "WARNING",
            **run,
        }
        command = [sys.executable, "-m", "connector_webhooks", "serve", "--port", "0"]
        server = subprocess.Popen(  # noqa: S603 - the program beside us
            command, env=environment, stdout=subprocess.PIPE, text=True
        )
        with server:
            try:
                origin = json.loads(server.stdout.readline() if server.stdout else "{}")["url"]
                tally = asyncio.run(send(origin, rate, seconds, order_ids, hanging))
                load, memory = os.getloadavg()[0], high_water(server.pid)
            finally:
                server.terminate()
        ids, waiting = inbox_of(inbox)
    ordered = sorted(tally.latencies)
    return {
        "hooks": len(ordered),
        "rate": rate,
        "seconds": seconds,
        "statuses": {str(status): number for status, number in sorted(tally.statuses.items())},
        "p50_milliseconds": round(1000 * ordered[len(ordered) // 2], 1),
        "p99_milliseconds": round(1000 * ordered[len(ordered) * 99 // 100], 1),
        "max_milliseconds": round(1000 * ordered[-1], 1),
        "inbox_hooks": len(ids),
        "waiting_hooks": waiting,
        "load_average": round(load, 1),
        "receiver_mebibytes": round(memory, 1),
        "every_answer_2xx": all(200 <= status < 300 for status in tally.statuses),  # noqa: PLR2004
        "inbox_equals_sent": sorted(ids) == sorted(tally.ids) and waiting == len(ids),
    }


def main() -> int:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description="Load a receiver on loopback.")
    parser.add_argument("--rate", type=int, default=100, help="hooks a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument(
        "--sandbox", action="store_true", help="run tap and target on a FreshBooks that hangs"
    )
    parser.add_argument("--hanging", type=int, default=0, help="connections of others that hang")
    options = parser.parse_args()
    found = measure(options.rate, options.seconds, sandbox=options.sandbox, hanging=options.hanging)
    say(*json_lines(found))
    return 0 if found["every_answer_2xx"] and found["inbox_equals_sent"] else 1


if __name__ == "__main__":
    sys.exit(main())
