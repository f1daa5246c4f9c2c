"""Measures what a run needs, on the sandbox: processor, memory, requests, ledger.

The peak of memory is the kernel's own (`VmHWM`), so this is measured on Linux only.
"""

from __future__ import annotations

import os
import platform
import resource
import sqlite3
import tempfile
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connector_sandbox import constants

from demo import sandbox as sandboxes
from demo.project import Project

FEW = 10
PROGRAMS = ("tap-bigcommerce-orders", "target-freshbooks", "meltano")


def measure(ledger: Path) -> dict[str, Any]:
    """Run `sync` on a few orders, then with nothing new: what `Measured` holds.

    Args:
        ledger: A month's, as `make demo` leaves it, for its size.

    Raises:
        RuntimeError: A run did not end well.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sandboxes.plant(Path(folder) / "both", orders=FEW)
        sandbox = stack.enter_context(sandboxes.up(Path(folder) / "both"))
        home = Path(folder) / "project"
        home.mkdir()
        login = {"TARGET_FRESHBOOKS_REFRESH_TOKEN": constants.FRESHBOOKS_REFRESH_TOKEN}
        project = Project(home=home, url=sandbox.url, settings=login)
        peaks: dict[str, int] = {}
        _run(project, peaks)
        sandbox.count_anew()
        idle = _run(project, peaks)
        orders, size, bodies = _sizes(ledger)
        return {
            "machine": f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} {platform.machine()} cores,"
            f" Python {platform.python_version()}, a ledger of {orders} orders",
            "idle_shop": sandbox.requests("bigcommerce"),
            "idle_books": sandbox.requests("freshbooks"),
            "idle_cpu": round(idle, 1),
            "megabytes": round(sum(peaks.values()) / 1000),
            "order_bytes": round(size / orders),
            "body_bytes": round(bodies / orders),
        }


def _sizes(ledger: Path) -> tuple[int, int, int]:
    """Orders of a ledger, its bytes, and those of what its orders' records say."""
    uri = f"{ledger.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as database:
        (orders,) = database.execute("SELECT count(*) FROM ledger_orders").fetchone()
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
        (bodies,) = database.execute(
            "SELECT sum(length(body)) FROM ledger_inbox WHERE order_id IS NOT NULL"
        ).fetchone()
    return orders, pages * size, bodies


def _run(project: Project, peaks: dict[str, int]) -> float:
    """Processor seconds of a run with all that it started; the peaks, in kB, become higher."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    log = project.home / "meltano.log"
    with log.open("w", encoding="utf-8") as output:
        code = project.meltano("run", "sync", output=output, watch=lambda: _look(project, peaks))
    if code != 0:
        raise RuntimeError(f"sync ended with {code}: {log.read_text(encoding='utf-8')[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _look(project: Project, peaks: dict[str, int]) -> None:
    """Note the peaks so far of the project's programs."""
    mark = f"XDG_STATE_HOME={project.home}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark not in (process / "environ").read_bytes():
                continue
            words = (process / "cmdline").read_text(encoding="utf-8").split("\0")[:2]
            status = (process / "status").read_text(encoding="utf-8")
        except OSError:
            continue  # it has ended, or is another user's
        names = {Path(word).name for word in words}
        for name in (one for one in PROGRAMS if one in names):
            peak = int(status.partition("VmHWM:")[2].split()[0])
            peaks[name] = max(peaks.get(name, 0), peak)
