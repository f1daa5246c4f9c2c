"""The README's recipe for several stores: two stores, one ledger, one FreshBooks account."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from connector_sandbox import constants
from connector_webhooks.database import Database
from connector_webhooks.inbox import Inbox, IncomingHook
from connector_webhooks.orders import Orders

from demo import sandbox as sandboxes
from demo.login import log_in
from demo.project import ROOT, Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.sandbox import Sandbox

pytestmark = pytest.mark.more


NO_WRITES = {"POST": 0, "PUT": 0, "DELETE": 0}
OF_THE_OUTLET = [
    ("invoke", f"target-freshbooks--outlet:{command}") for command in ("notify", "doctor")
]
SHOPPER = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}


def recipe() -> dict[str, Any]:
    """What the README has a second store's owner add to meltano.yml."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"## Several stores\n.*?```yaml\n(.*?)```", page, re.DOTALL)
    assert block is not None
    document: dict[str, Any] = yaml.safe_load(block[1])
    return document


@dataclass(frozen=True)
class Stores:
    """A store with the FreshBooks account, and an outlet, which is another store."""

    main: Sandbox
    outlet: Sandbox
    project: Project

    def meltano(self, *arguments: str) -> tuple[int, str]:
        """Run Meltano to its end."""
        log = self.project.home / "meltano.log"
        with log.open("w", encoding="utf-8") as output:
            code = self.project.meltano(*arguments, output=output)
        return code, log.read_text(encoding="utf-8")

    def invoices(self) -> dict[str, dict[str, Any]]:
        """The invoices by number; no number is there twice."""
        rows = self.main.ask("books")["invoices"]
        found = {row["invoice_number"]: row for row in rows}
        assert len(found) == len(rows)
        return found


@pytest.fixture
def stores(folder: Path, tmp_path: Path) -> Iterator[Stores]:
    """Both stores, of one order each, and the project with the recipe in its meltano.yml."""
    added = recipe()
    path = folder / "meltano.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for kind, plugins in added["plugins"].items():
        document["plugins"][kind] += plugins
    for kind in ("jobs", "schedules"):
        document[kind] += added[kind]
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (folder / ".meltano" / "utilities").symlink_to(ROOT / ".meltano" / "utilities")
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    store_hash = added["plugins"]["extractors"][0]["config"]["store_hash"]
    with (
        sandboxes.up(tmp_path / "main", "--empty") as main,
        sandboxes.up(
            tmp_path / "outlet", "--empty", "--switch", f"bc.store_hash={store_hash}"
        ) as outlet,
    ):
        settings = {"TAP_BIGCOMMERCE_ORDERS__OUTLET_API_URL": outlet.url}
        home = tmp_path / "project"
        home.mkdir()
        project = Project(home=home, url=main.url, settings=settings, folder=folder)
        log_in(project)
        yield Stores(main, outlet, project)


def place(store: Sandbox, price: str, **billing: str) -> int:
    lines = [{"name": "Mug", "sku": "MUG", "price": price}]
    order = {"lines": lines, "billing": {**SHOPPER, **billing}}
    return int(store.tell("POST", "shop/orders", order)["id"])


def hook(inbox_url: str, store_hash: str, order_id: int) -> None:
    """Have a receiver's inbox hold a hook of an order."""
    now = datetime.now(UTC)
    database = Database(inbox_url, store_hash)
    incoming = IncomingHook("msg_1", "store/order/updated", order_id, "", now, now)
    Inbox(database, timedelta(seconds=2)).store([incoming])
    database.close()


def waiting(inbox_url: str, store_hash: str) -> dict[int, str]:
    """The orders that wait in an inbox, with the reason why."""
    database = Database(inbox_url, store_hash)
    found = {one.order_id: one.reason for one in Orders(database).waiting()}
    database.close()
    return found


def amount(invoice: dict[str, Any]) -> Decimal:
    return Decimal(invoice["amount"]["amount"])


def test_orders_of_one_number_in_two_stores_are_two_invoices_and_neither_touches_the_other(
    stores: Stores,
) -> None:
    first = place(stores.main, "10.00")
    assert place(stores.outlet, "7.00", first_name="Janet", company="Outlet") == first
    code, log = stores.meltano("run", "sync", "sync-outlet")
    assert code == 0, log[-4000:]

    before = stores.invoices()
    main, outlet = before[str(first)], before[f"OUT-{first}"]
    assert len(before) == 2
    assert (amount(main), amount(outlet)) == (Decimal(10), Decimal(7))
    assert main["po_number"] == f"BigCommerce order {first} (store sandbox)"
    assert outlet["po_number"] == f"BigCommerce order {first} (store def456)"
    (client,) = stores.main.ask("books")["clients"]
    assert (client["fname"], client["organization"]) == ("Jane", "Jane Doe")
    for command in (("run", "deep-outlet"), *OF_THE_OUTLET):
        code, log = stores.meltano(*command)
        assert code == 0, log[-4000:]
    assert stores.invoices() == before

    # The outlet's order is refunded and another placed; the main store's stays as it is.
    stores.outlet.tell("POST", f"shop/orders/{first}/refund", {"order_amount": "2.00"})
    second = place(stores.outlet, "3.00")
    code, log = stores.meltano("run", "sync", "sync-outlet")
    assert code == 0, log[-4000:]
    after = stores.invoices()
    assert set(after) == {str(first), f"OUT-{first}", f"OUT-{second}"}
    assert after[str(first)] == main
    assert amount(after[f"OUT-{first}"]) == Decimal(5)
    assert stores.main.ask("books")["clients"] == [client]

    code, log = stores.meltano("invoke", "target-freshbooks--outlet:status")
    assert code == 0, log
    assert "posted: 2\n" in log
    code, log = stores.meltano("invoke", "target-freshbooks--outlet:verify")
    assert code == 0, log
    code, log = stores.meltano("invoke", "target-freshbooks:verify")
    assert code == 0, log


def test_a_store_hash_that_was_changed_stops_tap_and_target_and_writes_nothing(
    stores: Stores,
) -> None:
    first = place(stores.main, "10.00")
    code, log = stores.meltano("run", "sync")
    assert code == 0, log[-4000:]
    assert place(stores.outlet, "7.00", first_name="Mallory") == first
    kept = stores.main.ask("books")

    changed = {
        "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": "def456",
        "TAP_BIGCOMMERCE_ORDERS_API_URL": stores.outlet.url,
    }
    project = stores.project
    other = Stores(
        stores.main,
        stores.outlet,
        Project(project.home, project.url, {**project.settings, **changed}, project.folder),
    )
    stores.main.count_anew()
    stores.outlet.count_anew()
    code, log = other.meltano("run", "sync")
    assert code == 1
    assert "is of store sandbox, but store_hash is def456" in log
    assert stores.outlet.requests("bigcommerce") == 0

    # Without the bookmark the tap has nothing against it, but the target has.
    code, log = other.meltano("run", "--full-refresh", "sync")
    assert code == 1
    told = "source 'bigcommerce' belongs to store sandbox, but a record of store def456 came in"
    assert told in log
    assert "Traceback" not in log
    assert stores.main.writes() == NO_WRITES
    assert stores.main.ask("books") == kept


def test_each_store_s_receiver_runs_its_own_store_and_no_tap_reads_another_s_orders(
    stores: Stores,
) -> None:
    first = place(stores.main, "10.00")
    assert place(stores.outlet, "7.00", first_name="Janet") == first
    inboxes = stores.project.home / "sandbox"
    inboxes.mkdir(exist_ok=True)
    inbox_url = f"sqlite:///{inboxes / 'webhooks-outlet.sqlite'}"
    secret = constants.BIGCOMMERCE_CLIENT_SECRET
    by_recipe = {
        "WEBHOOKS__OUTLET_INBOX_URL": inbox_url,
        "WEBHOOKS__OUTLET_CLIENT_SECRET": secret,
        "WEBHOOKS__OUTLET_API_URL": stores.outlet.url,
    }
    astray = {
        "WEBHOOKS_STORE_HASH": "def456",
        "WEBHOOKS_INBOX_URL": inbox_url,
        "WEBHOOKS_CLIENT_SECRET": secret,
        "WEBHOOKS_API_URL": stores.main.url,
    }
    project = stores.project

    def drain(receiver: str, more: dict[str, str]) -> tuple[int, str]:
        settings = {**project.settings, **more}
        other = Project(project.home, project.url, settings, project.folder)
        return Stores(stores.main, stores.outlet, other).meltano("invoke", f"{receiver}:drain")

    hook(inbox_url, "def456", first)
    stores.main.count_anew()
    code, log = drain("webhooks", astray)
    assert code == 1, log[-4000:]
    assert "hooks of another store than sandbox" in waiting(inbox_url, "def456")[first]
    assert stores.main.requests("bigcommerce") == 0
    assert stores.invoices() == {}

    database = Database(inbox_url, "def456")
    Orders(database).retry([])
    database.close()
    code, log = drain("webhooks--outlet", by_recipe)
    assert code == 0, log[-4000:]
    assert waiting(inbox_url, "def456") == {}
    assert {number: amount(row) for number, row in stores.invoices().items()} == {
        f"OUT-{first}": Decimal(7)
    }
