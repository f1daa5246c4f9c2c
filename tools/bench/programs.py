"""Tap, target and other taps as real processes, with their time, their peak memory and requests.

The peak is the kernel's own (`VmHWM`), so it is known on Linux only.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.project import BIN

if TYPE_CHECKING:
    from bench.scene import Scene

LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """What a program needed.

    Attributes:
        seconds: From its start to its end.
        megabytes: The most memory it held; 0 where the system does not tell.
        requests: Those that both APIs got.
        refused: Those of them that were answered with 429.
    """

    seconds: float
    megabytes: float
    requests: int
    refused: int


def is_peak_known() -> bool:
    """Whether this system tells a process's peak."""
    return Path("/proc/self/status").exists()


def run(
    scene: Scene,
    command: list[str],
    *,
    given: Path | None = None,
    kept: Path | None = None,
    limit_seconds: float = 7200,
) -> Run:
    """Run a program to its end.

    Args:
        scene: Whose sandbox counts its requests.
        command: Its words.
        given: What it reads.
        kept: Where what it says goes; by default it is lost.
        limit_seconds: After which it is ended.

    Raises:
        TimeoutError: It did not end within the limit.
        RuntimeError: It failed; the message has the end of its log.
    """
    scene.sandbox.count_anew()
    log = scene.home / "program.log"
    highest, started = 0, time.perf_counter()
    with ExitStack() as files:
        process = subprocess.Popen(
            command,
            stdin=files.enter_context((given or Path(os.devnull)).open("rb")),
            stdout=files.enter_context((kept or Path(os.devnull)).open("wb")),
            stderr=files.enter_context(log.open("wb")),
            cwd=scene.home,
        )
        while process.poll() is None:
            if time.perf_counter() - started > limit_seconds:
                process.kill()
                process.wait()
                raise TimeoutError(f"it did not end within {limit_seconds} s")
            highest = max(highest, _high_water(process.pid))
            time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - started
    if process.returncode:
        end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{end}")
    rows = scene.sandbox.ask("requests")["requests"]
    return Run(
        seconds,
        highest / 1024,
        sum(row["count"] for row in rows),
        sum(row["statuses"].get("429", 0) for row in rows),
    )


def configured(scene: Scene, program: str, config: dict[str, Any]) -> list[str]:
    """The words that start one of our programs with these settings."""
    path = private(scene.home / f"{program}.json", config)
    return [str(BIN / program), "--config", str(path)]


def private(path: Path, content: object) -> Path:
    """Write a JSON file that nobody else can read."""
    path.write_text(json.dumps(content), encoding="utf-8")
    path.chmod(0o600)
    return path


def _high_water(process: int) -> int:
    """Kilobytes; 0 when the process is just gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = [row for row in status.splitlines() if row.startswith("VmHWM:")]
    return int(found[0].split()[1]) if found else 0
