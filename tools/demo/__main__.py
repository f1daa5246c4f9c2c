"""Runs the main job twice on a fresh sandbox and shows what it did.

Exit code 0 only if everything posted agrees with the shop to the cent, every other order has its
reason, nothing is there twice and the second run wrote nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from connector_sandbox.constants import DEFAULT_HOST, DEFAULT_PORT
from connector_sandbox.seed import DEFAULT_MONTH as MONTH
from connector_sandbox.seed.marketplaces import DEMO

from demo import books, ledger, show
from demo import sandbox as sandboxes
from demo.folder import begin, command, shown
from demo.login import LoginFailed, log_in
from demo.project import Project

if TYPE_CHECKING:
    from rich.console import Console

    from demo.sandbox import Sandbox

LOG_TAIL_LINES = 25
LOCAL = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"


def main() -> int:
    """Run the demonstration; its data stay under `--out` (default `out/demo`) to look at."""
    parser = command("demo", __doc__.splitlines()[0])
    parser.add_argument("--picture", type=Path, help="SVG file to draw the screen into")
    asked = parser.parse_args()
    home = begin(asked.out)
    screen = show.console(drawn=asked.picture is not None)
    screen.print("[bold]1. A sandbox with both APIs and a month of orders")
    with sandboxes.up(home / "sandbox") as sandbox:
        placed = {"TARGET_FRESHBOOKS_MARKETPLACE_SOURCES": json.dumps(DEMO)}
        project = Project(home=home, url=sandbox.url, settings=placed)
        try:
            code = _story(screen, sandbox, project)
        except LoginFailed as failure:
            screen.print(f"login failed:\n{failure}", markup=False)
            return 1
    if asked.picture is not None:
        screen.save_svg(str(asked.picture), title="make demo")
    return code


def _story(screen: Console, sandbox: Sandbox, project: Project) -> int:
    placed = [f"{name}:{treatment}" for name, treatment in DEMO.items()]
    truth = sandbox.ask("truth", placed=placed)["orders"]
    screen.print(
        f"   {sandbox.url}: {len(truth)} orders; request quota as on a large plan "
        f"({sandboxes.PLAN_QUOTA} in 30 s)"
    )
    screen.print("[bold]2. Log in to FreshBooks (OAuth, as `target-freshbooks-ctl login` does it)")
    for line in log_in(project).splitlines():
        if line.startswith(("Connected", "Books go to")):
            screen.print("   " + line, markup=False)

    screen.print("[bold]3. meltano run sync")
    sandbox.count_anew()
    if not _run(screen, project, "first", len(truth)):
        return 1
    held = sandbox.ask("books")
    standings = ledger.standings(project.ledger)
    parked = {number for number, one in standings.items() if one.state == "parked"}
    outcome = books.compare(truth, held, parked)
    special = books.kinds(truth, outcome.posted)
    show.month(screen, outcome, books.documents(held), special)
    silent = show.left_out(screen, outcome, standings, sandbox.archived)
    wrong = _faults(outcome, silent)

    screen.print("[bold]4. meltano run sync, again")
    sandbox.count_anew()
    if not _run(screen, project, "second", len(truth)):
        return 1
    writes = sandbox.writes()
    screen.print("   " + ", ".join(f"{count} {method}" for method, count in writes.items()))
    if any(writes.values()):
        wrong.append("the second run wrote to FreshBooks")
    for sentence in wrong:
        screen.print(f"[red]wrong: {sentence}")
    if not wrong:
        screen.print(
            f"[green]{len(outcome.posted)} orders posted, difference 0.00; {len(outcome.left)} "
            "listed with their reason; the second run wrote nothing."
        )
    reported = _report(screen, project)
    _what_next(screen, project)
    return 1 if wrong or not reported else 0


def _report(screen: Console, project: Project) -> bool:
    """Write the month's report while the sandbox is there to be asked, and say where it lies."""
    screen.print("[bold]5. target-freshbooks-ctl report")
    command = project.program(
        "target-freshbooks-ctl", "--json", "report", "--month", MONTH, "--output", str(project.home)
    )
    done = subprocess.run(
        command,
        cwd=project.home,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        screen.print(done.stderr, markup=False)
        screen.print(f"[red]report ended with {done.returncode}")
        return False
    told = json.loads(done.stdout)
    screen.print(f"   {told['headline']}", markup=False)
    screen.print(f"   open it in a browser: {shown(Path(told['html']))}", soft_wrap=True)
    tables = " and ".join(str(shown(Path(told[name]))) for name in ("csv", "payments_csv"))
    screen.print(f"   for a spreadsheet: {tables}", soft_wrap=True)
    return True


def _run(screen: Console, project: Project, name: str, expected: int) -> bool:
    log = project.home / f"{name}-run.log"
    began = time.monotonic()
    look = show.Watch(screen, lambda: ledger.glance(project.ledger), expected)
    with log.open("w", encoding="utf-8") as output, look:
        code = project.meltano("run", "sync", output=output, watch=look)
    if code == 0:
        screen.print(f"   done in {time.monotonic() - began:.0f} s; its log: {shown(log)}")
        return True
    tail = log.read_text(encoding="utf-8").splitlines()[-LOG_TAIL_LINES:]
    screen.print("\n".join(tail), markup=False)
    screen.print(f"[red]meltano run sync ended with {code}; the whole log: {shown(log)}")
    return False


def _faults(outcome: books.Comparison, silent: list[int]) -> list[str]:
    wrong = [f"order {number}: {words}" for number, words in sorted(outcome.differing.items())]
    wrong += [f"invoice {number} exists more than once" for number in outcome.doubled]
    wrong += [f"order {number} was neither posted nor given a reason" for number in silent]
    if not outcome.posted:
        wrong.append("nothing was posted")
    return wrong


def _what_next(screen: Console, project: Project) -> None:
    settings = project.home / "target.json"
    given = {**project.target(LOCAL), "marketplace_sources": DEMO}
    settings.write_text(json.dumps(given, indent=2) + "\n", encoding="utf-8")
    settings.chmod(0o600)
    ctl = f".venv/bin/target-freshbooks-ctl --config {shown(settings)}"
    screen.print("[bold]Look further")
    for line in (
        f"{ctl} status",
        f"{ctl} audit ORDER",
        f".venv/bin/sandbox up --data {shown(project.home / 'sandbox')}   # for the next two",
        f"{ctl} plan ORDER",
        f"{ctl} verify",
    ):
        screen.print("   " + line, markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
