"""A sandbox in a process of its own; tap and target in this one, so that their work can be timed.

What the tap says is kept as text: the same text is posted as often as a comparison needs it.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector_sandbox.settings import tap_settings, target_settings
from tap_bigcommerce_orders.tap import TapBigCommerceOrders
from target_freshbooks.ledger import Ledger
from target_freshbooks.target import TargetFreshBooks

from demo import sandbox as sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.sandbox import Sandbox

JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
MUG = {"name": "Mug", "sku": "MUG", "price": "10.00"}
TAX = {"name": "State Tax", "percent": "10"}


@dataclass(frozen=True, slots=True)
class Said:
    """What the tap said of the shop."""

    text: str
    seconds: float

    def records(self, stream: str) -> list[dict[str, Any]]:
        """The records of a stream."""
        messages = (json.loads(line) for line in self.text.splitlines())
        return [m["record"] for m in messages if m["type"] == "RECORD" and m["stream"] == stream]

    @property
    def state(self) -> dict[str, Any]:
        """The last state."""
        messages = (json.loads(line) for line in self.text.splitlines())
        value: dict[str, Any] = [m["value"] for m in messages if m["type"] == "STATE"][-1]
        return value


@dataclass(frozen=True, slots=True)
class Posted:
    """How long the target worked, and on how many orders."""

    orders: int
    posted: int
    unchanged: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Orders a second."""
        return self.orders / self.seconds


@dataclass
class Scene:
    """A sandbox with the connector in front of it.

    `label` makes invoice numbers and a ledger of their own, so that the same orders can be posted
    again as new ones.
    """

    sandbox: Sandbox
    home: Path

    def switch(self, **switches: Any) -> None:  # noqa: ANN401 - switch values
        """Set switches, with `__` for the dot."""
        self.sandbox.tell(
            "PUT", "switches", {name.replace("__", "."): value for name, value in switches.items()}
        )

    def empty(self) -> None:
        """Start with an empty shop and empty books."""
        self.sandbox.tell("POST", "reset", {"seed": False})
        self.lose_ledger()
        for file in self.home.glob("credentials.sqlite*"):
            file.unlink()

    def lose_ledger(self) -> None:
        """Forget all that was posted, under every label."""
        for file in self.home.glob("ledger*.sqlite*"):
            file.unlink()

    def month(self, orders: int) -> None:
        """Start with a seeded month of orders and empty books."""
        self.empty()
        self.sandbox.tell("POST", "shop/seed", {"orders": orders})

    def place(self, **order: Any) -> int:  # noqa: ANN401 - the sandbox's order document
        """Place an order; by default one taxed mug for Jane, paid by card."""
        document = {"lines": [{**MUG, "taxes": [TAX]}], "billing": JANE, **order}
        return int(self.sandbox.tell("POST", "shop/orders", document)["id"])

    def read(
        self,
        state: dict[str, Any] | None = None,
        **settings: Any,  # noqa: ANN401 - settings of the tap
    ) -> Said:
        """Let the tap read the shop."""
        config = tap_settings(self.sandbox.url, **settings)
        out = io.StringIO()
        tap = TapBigCommerceOrders(config=config, state=state)
        started = time.perf_counter()
        with contextlib.redirect_stdout(out):
            tap.sync_all()
        seconds = time.perf_counter() - started
        tap.connection.close()
        return Said(out.getvalue(), seconds)

    def ledger(self, label: str = "") -> Ledger:
        """The target's ledger."""
        settings = self.settings(label)
        return Ledger.open(settings["ledger_url"], source="bigcommerce")

    def settings(self, label: str = "", **settings: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
        """The target's configuration."""
        return target_settings(
            self.sandbox.url,
            self.home,
            ledger_url=f"sqlite:///{self.home}/ledger{label}.sqlite",
            invoice_number_prefix=label,
            **settings,
        )

    def post(self, said: Said, label: str = "", **settings: Any) -> Posted:  # noqa: ANN401 - as above
        """Let the target post what the tap said."""
        target = TargetFreshBooks(config=self.settings(label, **settings))
        try:
            started, cpu = time.perf_counter(), time.process_time()
            with contextlib.redirect_stdout(io.StringIO()):
                target.listen(io.StringIO(said.text))
            seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        finally:
            target.close()
        tally = target.tally
        assert tally is not None  # noqa: S101 - there was a stream of the shop
        return Posted(tally.received, tally.posted, tally.unchanged, seconds, cpu)

    def accounting(self) -> Counter[str]:
        """Requests to FreshBooks' accounting API since `count_anew`, as `POST invoices`."""
        counts: Counter[str] = Counter()
        for row in self.sandbox.ask("requests")["requests"]:
            if row["path"].startswith("/accounting/"):
                parts = row["path"].split("/")
                kind = next(part for part in reversed(parts) if part.isalpha() or "_" in part)
                counts[f"{row['method']} {kind}"] += row["count"]
        return counts

    def shop_requests(self) -> Counter[str]:
        """Requests to BigCommerce since `count_anew`, by path."""
        counts: Counter[str] = Counter()
        for row in self.sandbox.ask("requests")["requests"]:
            if row["side"] == "bigcommerce":
                counts[row["path"]] += row["count"]
        return counts


@contextmanager
def scene(home: Path) -> Iterator[Scene]:
    """A scene without quotas, its files under `home`."""
    home.mkdir(parents=True, exist_ok=True)
    with sandboxes.up(home / "sandbox", "--switch", "fb.rate_limit=0") as sandbox:
        yield Scene(sandbox, home)


def line(what: str, *figures: str) -> None:
    """Print one line of figures at once."""
    print(f"{what:<58} {'  '.join(figures)}", flush=True)
