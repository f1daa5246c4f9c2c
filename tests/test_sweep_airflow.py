"""Stores at once in a real Airflow: a worker killed, a login revoked, an account that two share.

Airflow's metadata, Meltano's bookmarks and all ledgers are in PostgreSQL. The stores come from a
variable of Airflow's, and so do their secrets, but for a ledger that is a connection. It takes ten
minutes, most of which is Meltano's lock of the killed run, which nobody shortens here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import orders_into_freshbooks_stores as listed
import psycopg
import pytest
import yaml
from connector_sandbox import constants
from connector_sandbox.settings import KEY
from connector_sandbox.testing import Asked, Reply, answering, new_database

from demo import books
from demo import sandbox as sandboxes
from demo.project import BIN, ROOT
from sweeps.airflow import PROGRAM, Airflow, airflow, kill_worker, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.books import Comparison
    from demo.sandbox import Sandbox

pytestmark = pytest.mark.sweep

ORDERS = 40
SLOW_MS = 400  # of a write, so that a run has a middle to be killed in
LOCKED_SECONDS = 1200  # the heartbeat that ends, Meltano's lock, the second try
ACCOUNTS = {"north": "north", "south": "acme", "outlet": "acme", "west": "west"}
TASKS = {
    "north": ("meltano_run_north", 0),
    "south": ("meltano_run_acme", 0),
    "outlet": ("meltano_run_acme", 1),
    "west": ("meltano_run_west", 0),
}
UNHARMED = ("north", "south", "outlet")
SECRETS = {
    "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN": constants.BIGCOMMERCE_ACCESS_TOKEN,
    "TARGET_FRESHBOOKS_CLIENT_SECRET": constants.FRESHBOOKS_CLIENT_SECRET,
    "TARGET_FRESHBOOKS_REFRESH_TOKEN": constants.FRESHBOOKS_REFRESH_TOKEN,
    "TARGET_FRESHBOOKS_ENCRYPTION_KEY": KEY,
}


@dataclass(frozen=True)
class Shops:
    """A sandbox for each store, databases, and who is told what."""

    sandboxes: dict[str, Sandbox]
    ledgers: dict[str, str]
    told: list[tuple[str, str]]
    notify_url: str

    def entry(self, store: str) -> dict[str, Any]:
        """The store as it stands in the list."""
        account = ACCOUNTS[store]
        bookkeeper = self.sandboxes["south" if account == "acme" else store]
        return {
            "name": store,
            "account": account,
            "env": {
                "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": f"hash{store}",
                "TAP_BIGCOMMERCE_ORDERS_API_URL": self.sandboxes[store].url,
                "TARGET_FRESHBOOKS_API_URL": bookkeeper.url,
                "TARGET_FRESHBOOKS_AUTH_URL": bookkeeper.url,
                "TARGET_FRESHBOOKS_INVOICE_NUMBER_PREFIX": "O-" if store == "outlet" else "",
                "TARGET_FRESHBOOKS_INVOICE_START_DATE": "2026-01-01",
            },
            "secrets": {
                "TARGET_FRESHBOOKS_LEDGER_URL": "connection:ledger_north"
                if store == "north"
                else f"variable:ledger_{account}",
                "TARGET_FRESHBOOKS_NOTIFY_URLS": f"variable:notify_{store}",
                **{name: f"variable:{name.lower()}" for name in SECRETS},
            },
        }

    def variables(self) -> dict[str, str]:
        """What Airflow keeps: the list of stores, and their secrets."""
        return {
            "our_stores": yaml.safe_dump([self.entry(store) for store in ACCOUNTS]),
            **{name.lower(): value for name, value in SECRETS.items()},
            **{f"ledger_{name}": listed.sqlalchemy_url(url) for name, url in self.ledgers.items()},
            **{f"notify_{name}": json.dumps([f"{self.notify_url}/{name}"]) for name in ACCOUNTS},
        }

    def connection(self) -> dict[str, Any]:
        """The ledger of `north` as a connection."""
        parts = urlsplit(self.ledgers["north"])
        return {
            "connection_id": "ledger_north",
            "conn_type": "postgres",
            "login": parts.username,
            "schema": parts.path.removeprefix("/"),
            "extra": json.dumps(dict(parse_qsl(parts.query))),
        }

    def orders(self, store: str, state: str) -> set[int]:
        """The orders that a store's ledger has in a state."""
        query = "SELECT order_id FROM ledger_orders WHERE source = %s AND state = %s"
        with psycopg.connect(self.ledgers[ACCOUNTS[store]]) as connection:
            try:
                return {int(row[0]) for row in connection.execute(query, (store, state))}
            except psycopg.errors.UndefinedTable:
                return set()

    def compared(self, store: str) -> Comparison:
        """Both sides of a store, the invoices by the numbers of its orders."""
        entry = self.entry(store)
        prefix = entry["env"]["TARGET_FRESHBOOKS_INVOICE_NUMBER_PREFIX"]
        held = self.sandboxes["south" if store == "outlet" else store].ask("books")
        number = "invoice_number"
        held["invoices"] = [
            {**one, number: one[number].removeprefix(prefix)}
            for one in held["invoices"]
            if one[number].startswith(prefix)
        ]
        truth = self.sandboxes[store].ask("truth")["orders"]
        return books.compare(truth, held, self.orders(store, "parked"))

    def revoke(self, store: str) -> None:
        """End a store's login at FreshBooks, as its user may at any time."""
        answer = httpx.post(
            f"{self.sandboxes[store].url}/service/auth/oauth/revoke",
            data={
                "client_id": constants.FRESHBOOKS_CLIENT_ID,
                "client_secret": constants.FRESHBOOKS_CLIENT_SECRET,
                "token": constants.FRESHBOOKS_REFRESH_TOKEN,
            },
        )
        answer.raise_for_status()


@pytest.fixture
def shops(tmp_path: Path, postgresql_server: str) -> Iterator[Shops]:
    told: list[tuple[str, str]] = []

    def take(asked: Asked) -> Reply:
        told.append((asked.path.removeprefix("/"), asked.json["message"]))
        return Reply({})

    with ExitStack() as stack:
        running = {}
        for store in ACCOUNTS:
            sandboxes.plant(tmp_path / store, orders=ORDERS)
            switch = f"bc.store_hash=hash{store}"
            running[store] = stack.enter_context(sandboxes.up(tmp_path / store, "--switch", switch))
        address = stack.enter_context(answering(take)).removeprefix("http://")
        ledgers = {account: new_database(postgresql_server) for account in {*ACCOUNTS.values()}}
        yield Shops(running, ledgers, told, f"json://{address}")


def set_up(service: Airflow, shops: Shops) -> None:
    """Start all parts, and give Airflow what it is to know."""
    service.serve()
    for key, value in shops.variables().items():
        service.ask("POST", "variables", {"key": key, "value": value})
    service.ask("POST", "connections", shops.connection())
    stores = listed.read(shops.variables()["our_stores"])
    file = service.home / "pools.json"
    file.write_text(json.dumps(listed.pools(stores)), encoding="utf-8")
    command = [str(PROGRAM), "pools", "import", str(file)]
    subprocess.run(command, env=service.environment, cwd=service.home, check=True)
    service.schedule("sync", "notify", "verify")


def tasks_of(*stores: str) -> tuple[tuple[str, int], ...]:
    return tuple(TASKS[store] for store in stores)


@pytest.mark.timeout(3600)
def test_a_killed_worker_and_a_revoked_login_leave_the_other_stores_alone(
    folder: Path, shops: Shops, tmp_path: Path, postgresql_server: str
) -> None:
    (folder / ".meltano" / "utilities").symlink_to(ROOT / ".meltano" / "utilities")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    shutil.copytree(ROOT / "plugins" / "airflow", folder / "plugins" / "airflow")
    slow = {"kind": "slow", "side": "freshbooks", "method": "POST|PUT", "delay_ms": SLOW_MS}
    for one in shops.sandboxes.values():
        one.tell("POST", "faults", slow)
    shops.revoke("west")
    bookmarks = listed.sqlalchemy_url(new_database(postgresql_server))
    settings = {
        "MELTANO_PROJECT_ROOT": str(folder),
        "MELTANO_DATABASE_URI": bookmarks,
        "ORDERS_INTO_FRESHBOOKS_STORES": "variable:our_stores",
        "TARGET_FRESHBOOKS_CLIENT_ID": constants.FRESHBOOKS_CLIENT_ID,
        "TARGET_FRESHBOOKS_REDIRECT_URI": constants.FRESHBOOKS_REDIRECT_URI,
    }
    metadata = listed.sqlalchemy_url(new_database(postgresql_server))
    dags = folder / "plugins" / "airflow" / "dags"
    with airflow(tmp_path / "airflow", metadata, dags, **settings) as service:
        # As the README says: Meltano makes its tables at its first start, and only one may.
        first = [str(BIN / "meltano"), "state", "list"]
        subprocess.run(first, env=service.environment, cwd=folder, check=True)
        set_up(service, shops)
        run = service.trigger("sync")
        until(lambda: len(shops.orders("north", "posted")) >= 5, "orders of north are posted")
        began = time.monotonic()
        killed = kill_worker(service, "MELTANO_RUN_STATE_ID_SUFFIX=north")
        assert killed >= 4, "tap, target, Meltano and Airflow's own"
        assert 5 <= len(shops.orders("north", "posted")) < ORDERS

        south, outlet = service.until("sync", run, tasks_of("south", "outlet"))
        assert [south["state"], outlet["state"]] == ["success"] * 2, service.told()
        # That a worker is gone shows by its heart, which beats no more; then Meltano's lock holds.
        service.until("sync", run, tasks_of("north"), ("up_for_retry",))
        (north,) = service.until("sync", run, tasks_of("north"), seconds=LOCKED_SECONDS)
        print(f"north ended {time.monotonic() - began:.0f} s after its worker was killed")
        assert north["state"] == "success", service.told()
        tries = [one["try_number"] for one in (north, south, outlet)]
        assert tries == [2, 1, 1]
        # South and outlet share an account: one has waited for the other, and neither in vain.
        first, second = sorted((one["start_date"], one["end_date"]) for one in (south, outlet))
        assert first[1] <= second[0]
        waits = ("up_for_retry", "failed", "running", "queued")
        (west,) = service.until("sync", run, tasks_of("west"), waits)
        print(f"west is {west['state']}, try {west['try_number']}")
        logins = [store for store, message in shops.told if "(login)" in message]
        assert logins == ["west"], shops.told

        for job in ("notify", "verify"):
            tasks = service.until(job, service.trigger(job), tasks_of(*UNHARMED))
            assert [one["state"] for one in tasks] == ["success"] * 3, service.told()
        assert [store for store, message in shops.told if "(login)" in message] == ["west"]
        text = "".join(log.read_text("utf-8") for log in (tmp_path / "airflow").rglob("*.log"))
        assert "target-freshbooks" in text
        assert not [name for name, value in SECRETS.items() if value in text]

    compared = {store: shops.compared(store) for store in UNHARMED}
    for store, comparison in compared.items():
        assert comparison.posted, store
        assert comparison.posted == compared["south"].posted, store
        assert comparison.doubled == [], store
        assert comparison.differing == {}, store
    assert shops.sandboxes["west"].ask("books")["invoices"] == []
