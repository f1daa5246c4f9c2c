"""Seconds from the first hook of an order to its payment in the books, by webhook alone.

PYTHONPATH=tools .venv/bin/python tools/bench/hook_to_books.py [--times 5] [--before CHECKOUT]

Each way (the ordinary `meltano run`, and `run_command` with tap and target alone) has a sandbox and
a receiver of its own. The first order makes the client and the item, and is not counted. With
`--before` the same is measured with another checkout's programs first, on the same machine, and
the ratio is printed. Seconds mean something on a quiet machine only; its load stands beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from connector_sandbox import constants

from demo import sandbox as sandboxes
from demo.project import Project
from demo.receiver import PIPE, environment_of, serving

if TYPE_CHECKING:
    from demo.receiver import Receiver
    from demo.sandbox import Sandbox

LIMIT_SECONDS = 300
MOST_SECONDS = {"meltano run": 5.0, "run_command": 3.0}
ORDER = {
    "lines": [{"name": "Mug", "sku": "MUG", "quantity": 1, "price": "14.50"}],
    "billing": {"first_name": "Ada", "last_name": "Moreau", "email": "ada@example.com"},
    "pay": "stripe",
}


def main() -> None:
    """Print the median of each way, in seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=5, help="orders of each way")
    parser.add_argument("--before", type=Path, help="another checkout, set up, to compare with")
    parser.add_argument("--json", action="store_true", help="print the seconds alone")
    asked = parser.parse_args()
    before = _of_another(asked.before, asked.times) if asked.before else {}
    measured = {way: _measured(way, asked.times) for way in MOST_SECONDS}
    if asked.json:
        print(json.dumps(measured))
        return
    for way, seconds in measured.items():
        ratio = f", {median(seconds) / median(before[way]):.2f} of before" if before else ""
        print(
            f"from hook to books, {way}: {median(seconds):.1f} s at the median of {len(seconds)}"
            f" ({min(seconds):.1f} to {max(seconds):.1f}; at most {MOST_SECONDS[way]:.0f} where it"
            f" is quiet){ratio}; load {os.getloadavg()[0]:.1f}"
        )


def _of_another(checkout: Path, times: int) -> dict[str, list[float]]:
    """Measure with the programs of another checkout."""
    place = checkout.resolve()
    done = subprocess.run(
        [place / ".venv/bin/python", Path(__file__).resolve(), "--json", "--times", str(times)],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place / "tools")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def _measured(way: str, times: int) -> list[float]:
    with tempfile.TemporaryDirectory(prefix="hooks-") as folder:
        home = Path(folder)
        token = {"TARGET_FRESHBOOKS_REFRESH_TOKEN": constants.FRESHBOOKS_REFRESH_TOKEN}
        settings = {} if way == "meltano run" else {"run_command": PIPE}
        with sandboxes.up(home / "sandbox", "--empty") as sandbox:
            environment = environment_of(Project(home, sandbox.url, token), home, **settings)
            with serving(environment, home) as receiver:
                receiver.call("register", "--allow-insecure")
                return [_once(sandbox, receiver) for _ in range(times + 1)][1:]


def _once(sandbox: Sandbox, receiver: Receiver) -> float:
    """Have a shopper pay; seconds from the first hook's arrival until the payment was booked."""
    known = len(_payments(sandbox))
    number = int(sandbox.tell("POST", "shop/orders", ORDER)["id"])
    give_up_at = time.monotonic() + LIMIT_SECONDS
    while len(booked := _payments(sandbox)) == known:
        if time.monotonic() > give_up_at:
            sys.exit(f"Order {number} was not in the books after {LIMIT_SECONDS} s.")
        time.sleep(0.2)
    arrived = min(row["received_at"] for row in receiver.hooks() if row["order_id"] == number)
    while receiver.waiting():  # the run ends, and another one that a late hook has caused
        time.sleep(0.2)
    return float(booked[-1].timestamp() - arrived / 1000)


def _payments(sandbox: Sandbox) -> list[datetime]:
    """When each payment was booked."""
    history: list[dict[str, Any]] = sandbox.ask("history", side="freshbooks")["history"]
    made = (row for row in history if row["method"] == "POST" and "/payments/" in row["path"])
    return [datetime.fromisoformat(row["at"]) for row in made]


if __name__ == "__main__":
    main()
