"""Webhooks with real processes: shop, receiver, tap and target; mischief on the way, and kills."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from connector_sandbox import constants
from connector_sandbox.testing import until

from demo import sandbox as sandboxes
from demo.project import BIN, ROOT, Project
from demo.receiver import PIPE, PROGRAM, Receiver, environment_of, inbox_hooks, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.books import Comparison
    from demo.sandbox import Sandbox

pytestmark = pytest.mark.more

SEED = 20261123
LIMIT_SECONDS = 240.0
POLL_SECONDS = 600
# Shorter than the hour by which the sandbox's `old_timestamp` is too old.
LATE_LIMIT_SECONDS = 1800
MISCHIEF = {
    "drop_percent": 20,
    "double_percent": 100,
    "most_copies": 5,
    "forge_percent": 20,
    "late_seconds": 1,
    "shuffle_seconds": 3,
}
BUYERS = [
    {"first_name": name, "last_name": "Probe", "email": f"{name.lower()}@example.com"}
    for name in ("Ada", "Ben", "Cleo", "Dora")
]
TAX = {"name": "NY State Tax", "percent": "4"}


# -- a shop's day


def place(sandbox: Sandbox, number: int, **more: Any) -> int:
    document = {
        "lines": [
            {"name": f"Mug {number % 7}", "sku": f"MUG-{number % 7}", "quantity": 1 + number % 3}
            | {"price": f"{5 + number}.{number % 100:02}", "taxes": [TAX] if number % 2 else []}
        ],
        "billing": BUYERS[number % len(BUYERS)],
        **more,
    }
    return int(sandbox.tell("POST", "shop/orders", document)["id"])


def change(sandbox: Sandbox, order_id: int, what: str, **document: Any) -> None:
    sandbox.tell("POST", f"shop/orders/{order_id}/{what}", document)


def sell(sandbox: Sandbox, orders: int) -> list[int]:
    """Let orders be placed, then captured, refunded, touched; the same ones each time."""
    placed = [
        place(sandbox, number, pay="authorize" if number % 6 in {2, 3} else "stripe")
        for number in range(orders)
    ]
    for number, order_id in enumerate(placed):
        match number % 6:
            case 1:
                change(sandbox, order_id, "refund", everything=True)
            case 2:
                change(sandbox, order_id, "capture")
            case 4:
                change(sandbox, order_id, "touch")
            case 5:
                change(sandbox, order_id, "refund", lines=[{"line": 0, "quantity": 1}])
    return placed


def deliveries(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.ask("shop/deliveries")["deliveries"]
    return found


def genuine(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if not row["forged"]]


# -- what is played on it


@dataclass(frozen=True)
class Played:
    """How a day ended.

    Attributes:
        before_poll: what hooks alone had brought over.
        after_poll: what the books came to.
        books: the same, in figures that two days can be compared by.
        expected: the orders that should be posted.
        rows: the inbox.
        deliveries: what the shop sent, forged ones among them.
        figures: the receiver's metrics.
    """

    before_poll: Comparison
    after_poll: Comparison
    books: dict[str, Any]
    expected: set[int]
    rows: list[dict[str, Any]]
    deliveries: list[dict[str, Any]]
    figures: dict[str, float]


def play(
    home: Path, compared: Any, *, orders: int, mischief: dict[str, int], meltano: bool
) -> Played:
    """A day of a shop whose hooks suffer mischief, and the poll after it."""
    home.mkdir()
    with sandboxes.up(home / "sandbox", "--empty", "--seed", str(SEED)) as sandbox:
        project = project_on(sandbox, home)
        stranger = place(sandbox, 50, pay=None, status_id=7)  # nobody tells of it by a hook
        settings = {} if meltano else {"run_command": PIPE}
        environment = environment_of(
            project,
            home,
            collapse_milliseconds=1000,
            late_limit_seconds=LATE_LIMIT_SECONDS,
            **settings,
        )
        with serving(environment, home) as receiver:
            receiver.call("register", "--allow-insecure")
            sandbox.tell("PUT", "shop/mischief", mischief)
            sell(sandbox, orders)
            for forgery in ("wrong_secret", "unsigned", "tampered", "old_timestamp"):
                sandbox.tell("POST", "shop/forge", {"order_id": stranger, "forgery": forgery})
            until(lambda: not undelivered(sandbox), "all deliveries", LIMIT_SECONDS)
            until(lambda: not receiver.waiting(), "all runs")
            figures = metrics(receiver)
            before = compared(sandbox, project.ledger)
            assert receiver.stop() == 0
        poll(project, home, meltano=meltano)
        truth = sandbox.ask("truth")["orders"]
        return Played(
            before_poll=before,
            after_poll=compared(sandbox, project.ledger),
            books=figures_of(sandbox.ask("books")),
            expected={row["order_id"] for row in truth if row["expect"] == "posted"},
            rows=inbox_hooks(home),
            deliveries=deliveries(sandbox),
            figures=figures,
        )


def project_on(sandbox: Sandbox, home: Path) -> Project:
    # The refresh token seeds the credential store: logging in is another test's matter.
    token = {"TARGET_FRESHBOOKS_REFRESH_TOKEN": constants.FRESHBOOKS_REFRESH_TOKEN}
    return Project(home=home, url=sandbox.url, settings=token)


def undelivered(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [row for row in deliveries(sandbox) if row["state"] == "waiting"]


def poll(project: Project, home: Path, *, meltano: bool) -> None:
    """What the schedule does every 15 minutes."""
    if meltano:
        with (home / "poll.log").open("w", encoding="utf-8") as log:
            code = project.meltano("run", "sync", output=log)
        assert code == 0, (home / "poll.log").read_text(encoding="utf-8")[-3000:]
        return
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", PIPE],
        cwd=home,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=POLL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def metrics(receiver: Receiver) -> dict[str, float]:
    text = httpx.get(f"{receiver.internal_url}/metrics", timeout=30).raise_for_status().text
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def figures_of(books: dict[str, Any]) -> dict[str, Any]:
    """What the books say, by invoice number and without the ids of either day."""
    alive = [row for row in books["invoices"] if row["vis_state"] == 0]
    numbers = {row["id"]: row["invoice_number"] for row in alive}
    paid = Counter(
        (numbers[row["invoiceid"]], row["amount"]["amount"])
        for row in books["payments"]
        if row["vis_state"] == 0
    )
    return {
        row["invoice_number"]: {
            "amount": row["amount"],
            "paid": row["paid"],
            "status": row["v3_status"],
            "lines": sorted((line["name"], line["amount"]["amount"]) for line in row["lines"]),
            "payments": sorted(
                (amount, count)
                for (number, amount), count in paid.items()
                if number == row["invoice_number"]
            ),
        }
        for row in alive
    }


def check_the_books(played: Played) -> None:
    assert played.after_poll.differing == {}
    assert played.after_poll.doubled == []
    assert played.after_poll.posted == played.expected
    assert played.expected


def check_the_forged(played: Played) -> None:
    """Not one forged hook was accepted; an old one signed rightly was answered, not queued."""
    stored = {row["webhook_id"] for row in played.rows}
    forged = [row for row in played.deliveries if row["forged"]]
    old = [row for row in forged if row["last_status"] == 200]
    refused = [row for row in forged if row["last_status"] == 401]
    assert len(refused) >= 3
    assert len(old) + len(refused) == len(forged)
    assert {row["forged"] for row in old} == {3}, "only old_timestamp bears a right signature"
    assert not stored & {row["webhook_id"] for row in forged}
    assert played.figures['webhooks_requests_total{outcome="forged"}'] == len(refused)
    assert played.figures['webhooks_requests_total{outcome="expired"}'] == len(old)


def check_the_mischief(played: Played) -> None:
    """It did happen: some dropped, the others sent two to five times and kept once."""
    sent = genuine(played.deliveries)
    copies = Counter(row["webhook_id"] for row in sent if row["state"] == "delivered")
    assert any(row["state"] == "dropped" for row in sent)
    assert set(copies.values()) <= {2, 3, 4, 5}
    assert {row["webhook_id"] for row in played.rows} == set(copies)
    assert len(played.rows) == len(copies)


def test_through_dropped_doubled_late_forged_and_expired_hooks_the_books_equal_the_model(
    tmp_path: Path, compared: Any
) -> None:
    played = play(tmp_path / "day", compared, orders=12, mischief=MISCHIEF, meltano=False)
    check_the_books(played)
    check_the_forged(played)
    check_the_mischief(played)
    assert played.before_poll.differing.keys() <= played.expected
    assert len(played.before_poll.posted) >= len(played.expected) // 2


@pytest.mark.sweep
def test_a_long_day_of_mischief_and_a_day_without_any_hook_end_in_the_same_books(
    tmp_path: Path, compared: Any
) -> None:
    days = {
        name: play(tmp_path / name, compared, orders=60, mischief=mischief, meltano=True)
        for name, mischief in (("mischief", MISCHIEF), ("silence", {"drop_percent": 100}))
    }
    for name, played in days.items():
        check_the_books(played)
        check_the_forged(played)
        print(
            f"{name}: hooks alone posted {len(played.before_poll.posted)} of "
            f"{len(played.expected)} orders ({len(played.before_poll.differing)} not up to date), "
            f"the poll all; {len(played.rows)} hooks kept of "
            f"{len(played.deliveries)} deliveries"
        )
    check_the_mischief(days["mischief"])
    assert days["silence"].rows == []
    assert days["silence"].before_poll.posted == set()
    assert days["silence"].books == days["mischief"].books


def test_with_every_hook_dropped_the_poll_alone_brings_the_books_to_the_model(
    tmp_path: Path, compared: Any
) -> None:
    nothing_comes = {"drop_percent": 100}
    played = play(tmp_path / "day", compared, orders=6, mischief=nothing_comes, meltano=False)
    assert played.rows == []
    assert played.before_poll.posted == set()
    check_the_books(played)
    check_the_forged(played)


# -- kill -9 between each two steps, with the real tap and target behind

KILLING = ROOT / "plugins" / "webhooks" / "tests" / "killing_webhooks.py"
SAMPLE = ("Inbox.store:after", "worker.start:after")
STEPS = (
    "Inbox.store:before",
    "Inbox.store:within",
    "Inbox.store:after",
    "serve.application:after",
    "Orders.due:before",
    "Orders.due:after",
    "Dispatcher._run:before",
    "ChildWorker.__call__:before",
    "worker.start:after",
    "ChildWorker.__call__:after",
    "Orders.delivered:before",
    "Orders.delivered:within",
    "Orders.delivered:after",
    "Dispatcher._run:after",
)


@dataclass
class Watched:
    """A shop with hooks registered at a receiver that may be dead for a while."""

    sandbox: Sandbox
    project: Project
    home: Path
    environment: dict[str, str]
    port: int
    placed: int = 0

    @contextmanager
    def receiver(self, *killing: str) -> Iterator[Receiver]:
        program = (str(BIN / "python"), str(KILLING), *killing) if killing else PROGRAM
        with serving(self.environment, self.home, program=program, port=self.port) as started:
            yield started

    def pay(self) -> int:
        self.placed += 1
        return place(self.sandbox, self.placed)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    home = tmp_path_factory.mktemp("kills")
    with ExitStack() as stack:
        sandbox = stack.enter_context(sandboxes.up(home / "sandbox", "--empty"))
        project = project_on(sandbox, home)
        environment = environment_of(project, home, run_command=PIPE, collapse_milliseconds=300)
        with socket.socket() as free:  # the hooks name one port, whoever listens there
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        ours = Watched(sandbox, project, home, environment, port)
        with ours.receiver() as receiver:
            receiver.call("register", "--allow-insecure")
        yield ours


@pytest.mark.parametrize(
    "step",
    [pytest.param(step, marks=() if step in SAMPLE else pytest.mark.sweep) for step in STEPS],
)
def test_a_receiver_killed_at_any_step_gets_each_order_posted_exactly_once(
    watched: Watched, step: str
) -> None:
    sandbox = watched.sandbox
    with watched.receiver(step) as dying:
        order_id = watched.pay()
        assert dying.process.wait(120) == -signal.SIGKILL
    known = {row["webhook_id"] for row in inbox_hooks(watched.home)}
    acknowledged = {r["webhook_id"] for r in deliveries(sandbox) if r["state"] == "delivered"}
    assert acknowledged <= known, "a hook that was answered 2xx is gone"

    with watched.receiver() as revived:  # as systemd would

        def delivered() -> bool:
            if not undelivered(sandbox):
                return True
            sandbox.tell("POST", "clock", {"advance_seconds": 60})  # BigCommerce tries again
            return False

        until(delivered, "every hook's acknowledgement", LIMIT_SECONDS)
        until(lambda: not revived.waiting(), "every hook's run")
        assert order_id in {row["order_id"] for row in revived.hooks()}
        assert revived.stop() == 0

    held = sandbox.ask("books")
    invoices = [row for row in held["invoices"] if row["invoice_number"] == str(order_id)]
    assert len(invoices) == 1, "deleted ones count too"
    payments = [row for row in held["payments"] if row["invoiceid"] == invoices[0]["id"]]
    (truth,) = sandbox.ask("truth", order_id=order_id)["orders"]
    assert invoices[0]["amount"]["amount"] == truth["invoice_total"]
    assert [row["amount"]["amount"] for row in payments] == [truth["paid"]]


# -- the demonstration


@pytest.mark.sweep
def test_the_live_demonstration_ends_with_zero_and_leaves_no_process(tmp_path: Path) -> None:
    out = tmp_path / "demo-live"
    done = subprocess.run(
        [sys.executable, "-m", "demo.live", "--out", str(out)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is in the books after" in done.stdout
    assert "meltano run --force tap-bigcommerce-orders--hooks target-freshbooks" in done.stdout
    assert processes_of(out) == []


def processes_of(folder: Path) -> list[str]:
    """Command lines of the processes that know of a folder by argument or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):  # none where there is no /proc
        try:
            command = (process / "cmdline").read_bytes()
            environment = (process / "environ").read_bytes()
        except OSError:  # it has just ended, or is another user's
            continue
        if str(folder).encode() in command + environment:
            found.append(command.decode(errors="replace").replace("\0", " "))
    return found
