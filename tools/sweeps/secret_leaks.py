"""Secrets are looked for in everything that a run leaves behind: none may stand there in clear.

Runs tap and target at debug log level, in runs that succeed and in runs that fail in every way,
then searches outputs, logs, state, ledger, credential store and process arguments for each secret,
and the logs for what customers are called and where they live.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector_sandbox import constants
from connector_sandbox.settings import tap_settings, target_settings
from cryptography.fernet import Fernet

from demo import sandbox as sandboxes
from demo.sandbox import BIN
from sweeps.runner import say

if TYPE_CHECKING:
    from demo.sandbox import Sandbox

RUN_SECONDS = 120
BUYER = {
    "first_name": "Quillibeth",
    "last_name": "Vandersnoot",
    "company": "Vandersnoot Widgetry",
    "street_1": "77 Flumpington Crescent",
    "city": "Zorbleton",
    "zip": "99887",
    "phone": "555-0199-7766",
    "email": "quillibeth@vandersnoot.example",
}
PERSONAL = ("Quillibeth", "Vandersnoot", "Flumpington", "Zorbleton", "555-0199-7766")
NOTIFY_PASSWORD = "canary-notify-password-2c9e"  # noqa: S105 - as below
NOTIFY_TOKEN = "canary-notify-token-5d77"  # noqa: S105 - as below
SHOP_TOKEN = "canary-shop-token-6b1f"  # noqa: S105 - a canary
ILL = {"side": "freshbooks", "kind": "status", "times": None}
FAULTS: dict[str, list[dict[str, Any]]] = {
    "FreshBooks answers 401": [{**ILL, "path": "^/accounting/", "status": 401}],
    "the token endpoint answers 400": [{**ILL, "path": "oauth/token", "status": 400}],
    "the token endpoint answers HTML": [
        {**ILL, "path": "oauth/token", "kind": "html", "status": 200}
    ],
    "the token endpoint breaks off": [{**ILL, "path": "oauth/token", "kind": "truncate"}],
    "FreshBooks answers 422 to invoices": [
        {**ILL, "method": "POST", "path": "/invoices/invoices$", "status": 422}
    ],
    "FreshBooks resets connections": [{**ILL, "path": "^/accounting/", "kind": "reset_before"}],
    "the shop answers 401": [{**ILL, "side": "bigcommerce", "status": 401}],
    "the shop resets connections": [{**ILL, "side": "bigcommerce", "kind": "reset_before"}],
}


@dataclass(slots=True)
class Watch:
    """What is searched for, and where it was found."""

    home: Path
    sandbox: Sandbox
    secrets: dict[str, str]
    outputs: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    searched: int = 0

    def run(self, name: str, program: str, *arguments: str, given: str = "") -> str:
        """Run a program at debug level and keep what it said; returns its stdout."""
        command = [str(BIN / program), *arguments]
        environment = {**os.environ, "LOGLEVEL": "DEBUG", "NO_COLOR": "1"}
        process = subprocess.Popen(
            command,
            cwd=self.home,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        arguments_seen = ""
        while not arguments_seen and process.poll() is None:
            arguments_seen = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
        out, err = process.communicate(given, RUN_SECONDS)
        self.outputs[f"arguments of {name}"] = arguments_seen
        self.outputs[f"stderr of {name}"] = err
        if program == "target-freshbooks":
            self.outputs[f"stdout of {name}"] = out
        self._learn()
        return out

    def _learn(self) -> None:
        """Whatever tokens there are by now are secrets."""
        told = self.sandbox.ask("freshbooks/tokens")
        for number, token in enumerate(told["living_refresh_tokens"]):
            self.secrets[f"refresh token {number} {token[-4:]}"] = token
        with closing(sqlite3.connect(self.sandbox.data / "sandbox.sqlite")) as database:
            for table, column in _token_columns(database):
                rows = database.execute(f"SELECT {column} FROM {table}")  # noqa: S608 - found there
                for (token,) in rows:
                    if token and len(str(token)) >= len("sandbox-refresh-0"):
                        self.secrets[f"{table} {str(token)[-4:]}"] = str(token)

    def search(self) -> None:
        """Look through outputs and every file; personal data only in what is logged."""
        own = {self.home / "tap.json", self.home / "target.json"}  # the operator's own files
        texts = {name: text.encode() for name, text in self.outputs.items()}
        texts |= {
            str(path.relative_to(self.home)): path.read_bytes()
            for path in self.home.rglob("*")
            if path.is_file() and path not in own
        }
        self.searched = len(texts)
        for name, text in texts.items():
            for secret, value in self.secrets.items():
                forms = (value.encode(), base64.b64encode(value.encode()))
                if any(form in text for form in forms):
                    self.found.append(f"{secret} in {name}")
        for name, said in self.outputs.items():
            self.found += [f"{word} in {name}" for word in PERSONAL if word.lower() in said.lower()]


def _token_columns(database: sqlite3.Connection) -> list[tuple[str, str]]:
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [
        (table, row[1])
        for (table,) in tables
        if table.startswith("fb_")
        for row in database.execute(f"PRAGMA table_info({table})")
        if row[1] in {"token", "access_token", "refresh_token"}
    ]


def sweep(home: Path, *, faults: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Run well, fail in each way, search."""
    with sandboxes.up(home / "sandbox", "--empty", "--switch", "fb.rate_limit=0") as sandbox:
        line = {"name": "Mug", "sku": "MUG", "price": "12.50", "quantity": 2}
        sandbox.tell("POST", "shop/customers", BUYER)
        sandbox.tell("POST", "shop/orders", [{"lines": [line], "billing": BUYER}] * 2)
        scopes = ["store_v2_orders_read_only", "store_v2_transactions_read_only"]
        scopes += ["store_v2_customers_read_only", "store_v2_products_read_only"]
        scopes += ["store_v2_information_read_only"]
        sandbox.tell("POST", "shop/tokens", {"token": SHOP_TOKEN, "scopes": scopes})
        work = home / "work"
        work.mkdir()
        key = Fernet.generate_key().decode()
        seed = sandbox.tell("POST", "freshbooks/tokens/grant")["refresh_token"]
        secrets = {
            "shop token": SHOP_TOKEN,
            "client secret": constants.FRESHBOOKS_CLIENT_SECRET,
            "encryption key": key,
            "seed token": seed,
            "password of a notify URL": NOTIFY_PASSWORD,
            "token of a notify URL": NOTIFY_TOKEN,
        }
        watch = Watch(work, sandbox, secrets)
        _configure(watch, key, seed)
        _rehearse(watch, faults)
        watch.search()
    shutil.rmtree(work)
    say(
        f"canaries: {len(watch.secrets)} secrets looked for in {watch.searched} outputs and files"
        f" of {1 + len(faults)} scenes: {len(watch.found)} found"
    )
    return watch.found


def _configure(watch: Watch, key: str, seed: str) -> None:
    url = watch.sandbox.url
    tap = tap_settings(url, access_token=SHOP_TOKEN, max_retry_seconds=2)
    given = {
        "refresh_token": seed,
        "account_id": constants.FRESHBOOKS_ACCOUNT_ID,
        "encryption_key": key,
        "max_retry_seconds": 2,
        "settle_seconds": 0,
        # Nobody is there: each run tries to tell, and fails.
        "notify_urls": [
            f"json://me:{NOTIFY_PASSWORD}@127.0.0.1:9/{NOTIFY_TOKEN}?token={NOTIFY_TOKEN}"
        ],
    }
    target = target_settings(url, watch.home, **given)
    (watch.home / "tap.json").write_text(json.dumps(tap), encoding="utf-8")
    (watch.home / "target.json").write_text(json.dumps(target), encoding="utf-8")


def _rehearse(watch: Watch, faults: dict[str, list[dict[str, Any]]]) -> None:
    tap = ("tap-bigcommerce-orders", "--config", "tap.json")
    target = ("target-freshbooks", "--config", "target.json")
    said = watch.run("the tap", *tap)
    watch.run("the target", *target, given=said)
    for name, rules in faults.items():
        watch.sandbox.tell("POST", "freshbooks/tokens/expire")
        watch.sandbox.tell("POST", "faults", rules)
        watch.sandbox.tell(
            "POST",
            "shop/orders",
            {"lines": [{"name": name, "price": "1.00"}], "billing": BUYER},
        )
        again = watch.run(f"the tap while {name}", *tap)
        watch.sandbox.tell("DELETE", "faults")
        said = again if '"orders"' in again else watch.run(f"the tap after {name}", *tap)
        watch.sandbox.tell("POST", "faults", rules)
        watch.run(f"the target while {name}", *target, given=said)
        watch.sandbox.tell("DELETE", "faults")
    half = said[: len(said) * 2 // 3]
    watch.run("the target on half a line", *target, given=half)
    no_schema = "".join(line for line in said.splitlines(True) if '"SCHEMA"' not in line)
    watch.run("the target without schemas", *target, given=no_schema)
    _break_ledger(watch)
    watch.run("the target on a broken ledger", *target, given=said)


def _break_ledger(watch: Watch) -> None:
    """A table that is not there: the driver's own error would quote the statement's values."""
    with closing(sqlite3.connect(watch.home / "ledger.sqlite")) as database:
        database.execute("ALTER TABLE ledger_inbox RENAME TO gone")
        database.commit()
