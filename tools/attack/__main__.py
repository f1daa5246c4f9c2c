"""Attacks all programs from outside and prints what held; exits 1 if something did not.

make attack                                                       all of it
PYTHONPATH=tools .venv/bin/python -m attack --quick                    fewer connections, less time
PYTHONPATH=tools .venv/bin/python -m attack receiver                                       one part
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from attack import answers, logins, orders
from attack.bounds import Findings
from demo import sandbox as sandboxes
from demo.project import ROOT

LOAD = ROOT / "plugins" / "webhooks" / "bench" / "load.py"
PARTS = ("receiver", "logins", "orders", "answers")
MOST_P99_MILLISECONDS = 5_000  # BigCommerce waits ten seconds
MOST_RECEIVER_MEBIBYTES = 200


def receiver(findings: Findings, *, quick: bool) -> None:
    """Send hooks while others' connections hang, each ended one coming again."""
    hanging, seconds = (700, 5) if quick else (2_000, 60)
    command = [sys.executable, str(LOAD), "--rate", "20", "--seconds", str(seconds)]
    ended = subprocess.run(
        [*command, "--hanging", str(hanging)], stdout=subprocess.PIPE, text=True, check=False
    )
    figures = json.loads(ended.stdout)
    what = f"receiver, {hanging} connections hang"
    answered = f"{figures['statuses'].get('200', 0)} of {figures['hooks']}"
    findings.held(f"{what}: hooks answered", is_held=ended.returncode == 0, figure=answered)
    p99 = figures["p99_milliseconds"]
    findings.measured(f"{what}: p99", p99, "ms", MOST_P99_MILLISECONDS)
    memory = figures["receiver_mebibytes"]
    findings.measured(f"{what}: memory", memory, "MiB", MOST_RECEIVER_MEBIBYTES)


def main() -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(prog="make attack", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a sample")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    asked = parser.parse_args()
    parts = asked.parts or PARTS
    findings = Findings()
    if "receiver" in parts:
        receiver(findings, quick=asked.quick)
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        home = Path(folder)
        with sandboxes.up(home / "sandbox") as sandbox:
            if "logins" in parts:
                logins.attack(findings, sandbox)
            if "orders" in parts:
                orders.attack(findings, sandbox, quick=asked.quick)
            if "answers" in parts:
                sandbox.tell("POST", "reset", {"seed": False})
                orders.place(sandbox, "Mug")
                lines = orders.messages(sandbox, home).output.decode().splitlines()
                given = "\n".join(line for line in lines if line.startswith("{"))
                answers.attack(findings, given, quick=asked.quick)
    print(f"{len(findings.missed)} missed")
    return 1 if findings.missed else 0


if __name__ == "__main__":
    sys.exit(main())
