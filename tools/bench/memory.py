"""Peak memory of tap and target, as real processes, for few and for many orders.

What counts is the ratio: memory must not grow with the number of orders. The peak is the kernel's
own (`VmHWM`), so this is measured on Linux only.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector_sandbox import constants

from bench.scene import line
from demo.project import BIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.scene import Scene

LOOK_SECONDS = 0.05
BILLABLE, PENDING = 11, 1


@dataclass(frozen=True, slots=True)
class Peak:
    """What a program needed."""

    megabytes: float
    seconds: float


def is_measurable() -> bool:
    """Whether this system tells a process's peak."""
    return Path("/proc/self/status").exists()


def measure(scene: Scene, few: int, many: int) -> None:
    """Print the peaks for both numbers of orders and their ratio."""
    if not is_measurable():
        line("memory", "not measured: there is no /proc here")
        return
    scene.month(60)
    sample = scene.read().text.splitlines()
    scene.post(scene.read())  # clients and items are known
    show(
        "target, orders that wait",
        few,
        many,
        [target_peak(scene, messages(sample, n, PENDING)) for n in (few, many)],
    )
    fewer, more = few // 10, many // 10
    show(
        "target, orders that are posted",
        fewer,
        more,
        [target_peak(scene, messages(sample, n, BILLABLE)) for n in (fewer, more)],
    )
    peaks = []
    for orders in (few, many):
        scene.month(orders)
        peaks.append(tap_peak(scene))
    show("tap", few, many, peaks)


def show(what: str, few: int, many: int, peaks: list[Peak]) -> None:
    """Print one line."""
    low, high = peaks
    line(
        f"memory, {what}, {few} and {many}",
        f"{low.megabytes:.1f} MB, {high.megabytes:.1f} MB",
        f"ratio {high.megabytes / low.megabytes:.2f}",
        f"({low.seconds:.0f} s, {high.seconds:.0f} s)",
    )


def messages(sample: list[str], orders: int, status_id: int) -> Iterator[str]:
    """Make a stream of so many orders, all like one of a sample, a state every 100.

    Args:
        sample: The tap's messages of some shop.
        orders: How many.
        status_id: The status of all of them.
    """
    said = [json.loads(text) for text in sample]
    model = next(
        message
        for message in said
        if message["type"] == "RECORD"
        and message["stream"] == "orders"
        and message["record"]["status_id"] == BILLABLE
        and message["record"]["customer_id"]
    )
    order_id = model["record"]["id"]
    parts = [
        message
        for message in said
        if message["type"] == "RECORD" and message["record"].get("order_id") == order_id
    ]
    yield from (text for text, one in zip(sample, said, strict=True) if one["type"] == "SCHEMA")
    yield from (
        text
        for text, one in zip(sample, said, strict=True)
        if one["type"] == "RECORD" and one["stream"] in {"store", "customers"}
    )
    for number in range(1, orders + 1):
        for part in parts:
            own = {"id": 900_000_000 + number * 100 + part["record"]["id"] % 100}
            record = {**part["record"], **own, "order_id": 900_000 + number}
            yield json.dumps({**part, "record": record})
        record = {**model["record"], "id": 900_000 + number, "status_id": status_id}
        yield json.dumps({**model, "record": record})
        if number % 100 == 0:
            yield json.dumps({"type": "STATE", "value": {"at": number}})


def tap_peak(scene: Scene) -> Peak:
    """Let the tap read the whole shop into a file."""
    config = {
        "api_url": scene.sandbox.url,
        "store_hash": constants.STORE_HASH,
        "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
    }
    return _peak(scene.home, "tap-bigcommerce-orders", config, Path("/dev/null"))


def target_peak(scene: Scene, said: Iterator[str]) -> Peak:
    """Let the target read messages from a file."""
    given = scene.home / "messages.jsonl"
    with given.open("w", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in said)
    scene.lose_ledger()
    label = f"M{time.monotonic_ns()}-"
    return _peak(scene.home, "target-freshbooks", scene.settings(label), given)


def _peak(home: Path, program: str, config: dict[str, Any], given: Path) -> Peak:
    path = home / f"{program}.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    path.chmod(0o600)
    started, highest = time.perf_counter(), 0
    log = home / f"{program}.log"
    with given.open("rb") as messages_in, log.open("wb") as logged:
        process = subprocess.Popen(
            [str(BIN / program), "--config", str(path)],
            stdin=messages_in,
            stdout=subprocess.DEVNULL,
            stderr=logged,
            cwd=home,
        )
        while process.poll() is None:
            highest = max(highest, _high_water(process.pid))
            time.sleep(LOOK_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{program} ended with {process.returncode}; see {log}")
    return Peak(highest / 1024, time.perf_counter() - started)


def _high_water(pid: int) -> int:
    """Kilobytes; 0 when the process is just gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = [row for row in status.splitlines() if row.startswith("VmHWM:")]
    return int(found[0].split()[1]) if found else 0
