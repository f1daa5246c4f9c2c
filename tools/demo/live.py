"""Shows an order that is paid in the shop appearing in the books, by webhook alone.

Sandbox and receiver run as processes of their own; nothing polls. Exit code 0 only if the order,
and no other, is in the books, equal to the shop's figures.
"""

from __future__ import annotations

import json
import re
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from demo import books, ledger, show
from demo import sandbox as sandboxes
from demo.folder import begin, command, shown
from demo.login import LoginFailed, log_in
from demo.project import Project
from demo.receiver import environment_of, log_of, serving

if TYPE_CHECKING:
    from rich.console import Console

    from demo.receiver import Receiver
    from demo.sandbox import Sandbox

LIMIT_SECONDS = 120
LOOK_SECONDS = 0.1
LOG_TAIL_LINES = 25
ORDER = {
    "lines": [
        {
            "name": "Enamel mug",
            "sku": "MUG-ENAMEL",
            "quantity": 2,
            "price": "14.50",
            "taxes": [{"name": "NY State Tax", "percent": "4"}],
        }
    ],
    "billing": {"first_name": "Ada", "last_name": "Moreau", "email": "ada@example.com"},
    "pay": "stripe",
}


def main() -> int:
    """Run the demonstration; its data stay under `--out` (default `out/demo-live`)."""
    home = begin(command("demo-live", __doc__.splitlines()[0]).parse_args().out)
    screen = show.console()
    try:
        screen.print("[bold]1. A sandbox with both APIs, and the login to FreshBooks")
        with sandboxes.up(home / "sandbox") as sandbox:
            project = Project(home=home, url=sandbox.url, settings={})
            log_in(project)
            count = len(sandbox.ask("truth")["orders"])
            screen.print(f"   {sandbox.url}: {count} orders in the shop, nothing in the books")
            screen.print("[bold]2. webhooks serve, webhooks register")
            with serving(environment_of(project, home), home) as receiver:
                code = _story(screen, sandbox, project, receiver)
                ended = receiver.stop()
    except (LoginFailed, RuntimeError) as failure:
        screen.print(str(failure), markup=False)
        return 1
    if ended:
        screen.print(f"[red]the receiver ended with {ended}")
    return code or ended


def _story(screen: Console, sandbox: Sandbox, project: Project, receiver: Receiver) -> int:
    made = json.loads(receiver.call("register", "--allow-insecure", "--json"))["created"]
    screen.print(f"   {receiver.url} takes {len(made)} kinds of hooks; no poll is scheduled")

    screen.print("[bold]3. A shopper pays")
    command = (
        f"curl -X POST {sandbox.url}/_sandbox/shop/orders -d '{json.dumps(ORDER, indent=None)}'"
    )
    screen.print("   " + command, markup=False, soft_wrap=True)
    began = time.monotonic()
    at = datetime.now(UTC)
    number = int(sandbox.tell("POST", "shop/orders", ORDER)["id"])
    wanted = sandbox.ask("truth", order_id=number)["orders"]
    seconds = _wait_for(sandbox, wanted, began)
    if seconds is None:
        tail = receiver.log.splitlines()[-LOG_TAIL_LINES:]
        screen.print("\n".join(tail), markup=False)
        screen.print(f"[red]order {number} was not in the books after {LIMIT_SECONDS} s")
        return 1

    screen.print(f"[bold]4. Order {number} is in the books after {seconds:.1f} s")
    _when(screen, sandbox, receiver, number, at)
    screen.print("   by this command alone, which the receiver started:")
    for line in _runs(receiver):
        screen.print("   " + line, markup=False, soft_wrap=True)
    receiver.stop()  # lets the run end and put down its last words
    outcome = _compared(sandbox, wanted, project)
    held = books.documents(sandbox.ask("books"))
    wrong = list(outcome.differing.values())
    if held["invoices"] != 1:
        wrong.append(f"{held['invoices']} invoices are in the books")
    if not outcome.posted:
        wrong.append("the ledger does not have it as posted")
    for sentence in wrong:
        screen.print(f"[red]wrong: {sentence}")
    if not wrong:
        sums = outcome.totals[wanted[0]["currency"]]
        screen.print(
            f"[green]Order {sums.shop} {wanted[0]['currency']}, invoice {sums.invoiced}, paid "
            f"{sums.paid}: difference 0.00; nothing else was brought over."
        )
    screen.print(f"   The receiver's log: {shown(log_of(receiver.home))}", markup=False)
    return 1 if wrong else 0


def _wait_for(sandbox: Sandbox, wanted: list[dict[str, Any]], began: float) -> float | None:
    """Look until the order is invoiced and paid in full; return the seconds since it was paid."""
    while (passed := time.monotonic() - began) < LIMIT_SECONDS:
        outcome = books.compare(wanted, sandbox.ask("books"))
        if outcome.posted and not outcome.differing:
            return passed
        time.sleep(LOOK_SECONDS)
    return None


def _compared(sandbox: Sandbox, wanted: list[dict[str, Any]], project: Project) -> books.Comparison:
    standings = ledger.standings(project.ledger)
    unsettled = {number for number, one in standings.items() if one.state != "posted"}
    return books.compare(wanted, sandbox.ask("books"), unsettled)


def _when(
    screen: Console, sandbox: Sandbox, receiver: Receiver, number: int, began: datetime
) -> None:
    """Show when what happened, in seconds since the order was paid."""

    def after(moment: datetime) -> str:
        return f"{(moment - began).total_seconds():5.1f} s"

    rows = [row for row in receiver.hooks() if row["order_id"] == number]
    arrived = [datetime.fromtimestamp(row["received_at"] / 1000, UTC) for row in rows]
    steps = [(min(arrived), f"the first of {len(rows)} hooks proven, kept and answered")]
    steps += [(moment, "the run of this order starts") for moment in _started(receiver)]
    words = {
        ("POST", "invoices"): "invoice created as a Draft, its total equal to the order's",
        ("PUT", "invoices"): "invoice marked as sent",
        ("POST", "payments"): "payment booked",
    }
    for write in sandbox.ask("history", side="freshbooks")["history"]:
        kind = re.search(r"/(invoices|payments)/", write["path"])
        if kind and (write["method"], kind[1]) in words:
            steps.append((datetime.fromisoformat(write["at"]), words[write["method"], kind[1]]))
    for moment, what in sorted(steps):
        screen.print(f"   {after(moment)}  {what}")


def _started(receiver: Receiver) -> list[datetime]:
    starts = re.findall(r"^(\S+ \S+),(\d{3}) .*: Run \S+ starts", receiver.log, re.MULTILINE)
    return [
        datetime.fromisoformat(f"{second}.{thousandth}").astimezone(UTC)
        for second, thousandth in starts
    ]


def _runs(receiver: Receiver) -> list[str]:
    return re.findall(r"(TAP_BIGCOMMERCE_ORDERS_ORDER_IDS='.*)", receiver.log)


if __name__ == "__main__":
    sys.exit(main())
