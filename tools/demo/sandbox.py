"""The sandbox as a process of its own, and its control routes."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from connector_sandbox.app import create_context
from connector_sandbox.constants import BIGCOMMERCE_ACCESS_TOKEN, DEFAULT_SEED, STORE_HASH
from connector_sandbox.seed import DEFAULT_MONTH, seed_shop

if TYPE_CHECKING:
    from collections.abc import Iterator

BIN = Path(__file__).resolve().parents[2] / ".venv" / "bin"
STOP_SECONDS = 15
TLS = False  # nobody speaks it on this machine, and its certificates take 40 ms a call to load
# With the quota of most plans, 150 requests in 30 s, a month's orders take minutes to read. Shops
# on larger plans have more; a trial takes this much.
PLAN_QUOTA = 20_000


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: both APIs at `url`, its data in `data`."""

    url: str
    data: Path
    process: subprocess.Popen[str]

    def ask(self, path: str, **query: str | int | list[str]) -> Any:  # noqa: ANN401 - JSON
        """GET a control route, as `ask("truth")`."""
        answer = httpx.get(f"{self.url}/_sandbox/{path}", params=query, timeout=120, verify=TLS)
        return answer.raise_for_status().json()

    def tell(self, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401 - JSON
        """Change something through a control route, as `tell("POST", "faults", {...})`."""
        url = f"{self.url}/_sandbox/{path}"
        return (
            httpx.request(method, url, json=body, timeout=120, verify=TLS).raise_for_status().json()
        )

    def archived(self, order_id: int) -> bool:
        """Ask the shop for one order by its number: is it archived, so that lists leave it out?"""
        answer = httpx.get(
            f"{self.url}/stores/{STORE_HASH}/v2/orders/{order_id}",
            headers={"X-Auth-Token": BIGCOMMERCE_ACCESS_TOKEN, "Accept": "application/json"},
            timeout=60,
        )
        return bool(answer.raise_for_status().json()["is_deleted"])

    def count_anew(self) -> None:
        """Set the request counters to zero."""
        self.tell("POST", "requests/reset")

    def requests(self, side: str, method: str | None = None) -> int:
        """Say how many requests a side (`bigcommerce`, `freshbooks`) got since `count_anew`.

        The FreshBooks side's counts include OAuth; `writes` leaves it out.
        """
        rows = self.ask("requests")["requests"]
        return sum(
            row["count"]
            for row in rows
            if row["side"] == side and (method is None or row["method"] == method)
        )

    def writes(self) -> dict[str, int]:
        """Count the POST, PUT and DELETE requests that FreshBooks' accounting API got."""
        counts = {"POST": 0, "PUT": 0, "DELETE": 0}
        for row in self.ask("requests")["requests"]:
            if row["path"].startswith("/accounting/") and row["method"] in counts:
                counts[row["method"]] += row["count"]
        return counts


def plant(data: Path, *, orders: int) -> None:
    """Fill a new sandbox with fewer orders than its usual month, all of common kinds."""
    data.mkdir(parents=True)
    context, _ = create_context(data)
    seed_shop(context, orders=orders, seed=DEFAULT_SEED, month=DEFAULT_MONTH)
    context.store.close()


@contextmanager
def up(data: Path, *options: str) -> Iterator[Sandbox]:
    """Start a sandbox on a free port with its data under `data`; stop it at the end.

    Args:
        data: made if missing; what is in it is kept.
        options: further ones of `sandbox up`, such as `--switch bc.plan_quota=150`.

    Raises:
        RuntimeError: It ended before it was ready; its own words are on stderr.
    """
    data.mkdir(parents=True, exist_ok=True)
    command = [str(BIN / "sandbox"), "up", "--port", "0", "--data", str(data)]
    quotas = [f"bc.plan_quota={PLAN_QUOTA}", f"fb.rate_limit={PLAN_QUOTA}"]
    command += [word for quota in quotas for word in ("--switch", quota)] + list(options)
    # A session of its own: the terminal's Ctrl-C is for us, and we end the sandbox ourselves.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it was asked for with PIPE
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the sandbox did not start (exit code {process.wait()})")
            yield Sandbox(url=json.loads(line)["url"], data=data, process=process)
        finally:
            stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """End a process that we started: ask, then insist."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
