"""What an order's commits cost a ledger, by the database it lies in."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector_sandbox.testing import postgresql
from target_freshbooks.ledger import AccountLock, Ledger, Link, OrderRow, Record

from bench.tables import row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.scene import Scene
    from bench.tables import Row

STEPS = ("create_invoice", "mark_sent", "create_payment")
ORDERS = 60
MEMORY_FOLDER = Path("/dev/shm")  # nosec B108 # noqa: S108 - a file system that never waits for a disk


def measure(scene: Scene) -> Iterator[Row]:
    """The ledger's work for an order alone: received, three writes, settled; five commits."""
    with _places(scene.home) as places:
        best: dict[str, tuple[float, float]] = {}
        for _ in range(3):
            for name, url in places.items():
                found = _ledger_seconds(url)
                best[name] = min(best.get(name, found), found)
    base = next(iter(best.values()))[0]
    for name, (seconds, cpu) in best.items():
        yield row(
            f"ledger, an order's commits, {name}",
            f"{seconds * 1000:.1f} ms",
            f"ratio {seconds / base:.2f}",
            f"{cpu * 1000:.1f} ms of processor",
        )


@contextmanager
def _places(home: Path) -> Iterator[dict[str, str]]:
    """Where a ledger can lie, as URLs; what this machine does not have is left out."""
    with ExitStack() as stack:
        places = {"SQLite on disk": f"sqlite:///{home}/alone.sqlite"}
        if MEMORY_FOLDER.is_dir():
            kept = stack.enter_context(tempfile.TemporaryDirectory(dir=MEMORY_FOLDER))
            places["SQLite in memory, never waiting for a disk"] = f"sqlite:///{kept}/a.sqlite"
        places["PostgreSQL on the same machine"] = stack.enter_context(postgresql())
        yield places


def _ledger_seconds(url: str) -> tuple[float, float]:
    """Seconds and seconds of processor that the ledger needs for an order."""
    body = {"id": 1, "lines": [{"name": f"Line {n}", "price": "10.0000"} for n in range(12)]}
    with (
        Ledger.open(url, source=f"bench {time.monotonic_ns()}") as ledger,
        ledger.locks.hold("bench", "bench", wait_seconds=0) as lock,
    ):
        for number in range(-3, ORDERS):
            if number == 0:  # the first ones prepare the statements
                started, cpu = time.perf_counter(), time.process_time()
            _book(ledger, lock, number, body)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    return seconds / ORDERS, cpu / ORDERS


def _book(ledger: Ledger, lock: AccountLock, order_id: int, body: dict[str, Any]) -> None:
    records = [
        Record("transactions", (order_id,), order_id, {"id": order_id, "amount": "10.00"}),
        Record("orders", (order_id,), order_id, body),
    ]
    ledger.inbox.receive(records, complete={"order_taxes"})
    for kind in STEPS:
        intent = ledger.intents.open(
            lock=lock,
            order_id=order_id,
            kind=kind,
            key=str(order_id),
            request_hash="0" * 64,
            payload={"body": body},
            run_id="bench",
        )
        link = Link(kind="invoice", key=f"order:{order_id}", remote_id=order_id, order_id=order_id)
        ledger.intents.close(intent, "done", answer={"id": order_id}, links=[link], at_once=False)
    done = OrderRow(order_id, "posted", facts_hash="0" * 64, policy_hash="0" * 64, run_id="bench")
    ledger.orders.record(done, event="posted", data={"writes": len(STEPS)})
