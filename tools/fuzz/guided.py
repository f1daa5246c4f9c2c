"""Another engine for parsers of bytes: atheris, which follows what of the code an example reaches.

It is used where it is installed (`pip install atheris`; there are wheels for some Pythons only).
Each parser runs in a process of its own, for it ends as the engine does.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from fuzz.engine import Figures, Finding, Parser
from fuzz.mutation import written

PACKAGES = ("connector_credentials", "connector_webhooks", "target_freshbooks")
LONGEST = 4_096
KEPT_WORDS = 4_000


def fuzz(name: str, seconds: float, seed: int) -> Figures:
    """Feed one of `PARSERS` for some seconds, in a process of its own.

    Raises:
        SystemExit: The engine is not installed, or does not start.
    """
    with tempfile.TemporaryDirectory(prefix="guided-") as folder:
        command = [sys.executable, "-m", "fuzz.guided", name, str(int(seconds)), str(seed), folder]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    told = ended.stderr + ended.stdout
    tried = re.search(r"stat::number_of_executed_units: (\d+)", told)
    if tried is None:
        sys.exit(f"atheris did not run:\n{told[-KEPT_WORDS:]}")
    figures = Figures(examples=int(tried[1]), seconds=seconds)
    if slowest := re.search(r"stat::slowest_unit_time_sec: +(\d+)", told):
        figures.slowest = 1000.0 * int(slowest[1])
    if ended.returncode:
        example = re.search(r"^Base64: .*$", told, re.MULTILINE)
        figures.findings["atheris"] = Finding(told[-KEPT_WORDS:], example[0] if example else "")
    return figures


def _run(name: str, seconds: str, seed: str, folder: str) -> None:
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=list(PACKAGES)):
        from fuzz.byte_parsers import PARSERS, SEEDS  # noqa: PLC0415 - under its eyes

    parser: Parser = PARSERS[name]
    for number, document in enumerate(SEEDS):
        Path(folder, str(number)).write_text(written(document))
    options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={LONGEST}"]
    options += ["-rss_limit_mb=2048", "-timeout=30", "-print_final_stats=1"]
    options.append(f"-artifact_prefix={folder}/")

    def attempt(body: bytes) -> None:
        with suppress(*parser.expected):  # what takes long is the engine's to tell
            parser.read(body)

    atheris.Setup([name, *options, folder], attempt)
    atheris.Fuzz()


if __name__ == "__main__":
    _run(*sys.argv[1:])
