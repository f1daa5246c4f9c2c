"""The tap beside other taps of BigCommerce, on one shop in one run.

Each is installed, as released, into an environment of its own, and is sent to the sandbox. They
read unlike things, so two figures stand beside each other: whole orders a second, and rows a
second, whatever a row is of.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector_sandbox import constants

from bench import growth, programs
from bench.tables import row
from demo.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.programs import Run
    from bench.scene import Scene
    from bench.tables import Row

ENVIRONMENTS = ROOT / "out" / "peers"
REDIRECTED = Path(__file__).with_name("redirected.py")
START = "2015-01-01T00:00:00Z"
QUOTA, WINDOW_SECONDS = 150, 5
LIMIT_SECONDS = 300
MORE_AT_ONCE = 32
"""Requests at once where the shop sets no quota, beside the setting's default."""
ENOUGH = 1_000_000
"""A quota that is never met; one of the peers cannot do without the headers that tell of it."""
HEADINGS = (
    "tap",
    "reads",
    "orders a second",
    "rows a second",
    "requests an order",
    "429",
    "rows a second, of ours",
)
OURS = "tap-bigcommerce-orders"
EVERYTHING = "everything of an order; customers, products"


@dataclass(frozen=True, slots=True)
class Peer:
    """Another tap.

    Attributes:
        package: Its name and version, and what else has to be installed for it.
        python: The version of Python it runs on; none for the one that runs this.
        entry: Its function, as `module:function`.
        reads: What it reads of an order here.
        arguments: Its words for a folder where its files are to be.
    """

    package: tuple[str, ...]
    python: str
    entry: str
    reads: str
    arguments: Callable[[Path, list[str]], list[str]]

    @property
    def name(self) -> str:
        """Its name and version."""
        return self.package[0].replace("==", " ")

    def command(self, scene: Scene) -> list[str]:
        """The words that start it on a sandbox; it is installed if it is not yet.

        Raises:
            subprocess.CalledProcessError: It cannot be installed.
            FileNotFoundError: Its Python is not here.
        """
        place = ENVIRONMENTS / self.package[0].replace("==", "-")
        python = place / "bin" / "python"
        if not (place / ".whole").exists():
            for words in (
                [interpreter(self.python), "-m", "venv", "--clear", str(place)],
                [str(python), "-m", "pip", "install", "--quiet", *self.package],
            ):
                subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
            (place / ".whole").touch()
        start = [str(python), str(REDIRECTED), scene.sandbox.url, self.entry]
        return [*start, *self.arguments(scene.home, start)]


def interpreter(version: str) -> str:
    """Where Python of a version is; pyenv's are looked for too, which PATH may not show.

    Raises:
        FileNotFoundError: It is not here.
    """
    if not version:
        return sys.executable
    name = f"python{version}"
    elsewhere = Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}")
    for place in (shutil.which(name), *map(str, elsewhere)):
        if (
            place
            and subprocess.run([place, "-c", ""], check=False, capture_output=True).returncode == 0
        ):
            return place
    raise FileNotFoundError(name)


def _singer(home: Path, start: list[str]) -> list[str]:
    """What a tap of the first Singer specification wants: a catalog with what is selected."""
    config = programs.private(
        home / "peer.json",
        {
            "client_id": "bench",
            "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
            "store_hash": constants.STORE_HASH,
            "start_date": START,
        },
    )
    words = [*start, "--config", str(config)]
    discovery = subprocess.run(
        [*words, "--discover"], check=True, stdout=subprocess.PIPE, text=True
    )
    catalog = json.loads(discovery.stdout)
    for stream in catalog["streams"]:
        selected = stream["tap_stream_id"] in {"orders", "products"}
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = selected
    chosen = programs.private(home / "peer-catalog.json", catalog)
    return ["--config", str(config), "--catalog", str(chosen)]


def _airbyte(home: Path, _start: list[str]) -> list[str]:
    """What an Airbyte source wants: a configured catalog."""
    config = programs.private(
        home / "peer.json",
        {
            "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
            "store_hash": constants.STORE_HASH,
            "start_date": START[:10],
        },
    )
    streams = ("orders", "order_products", "products")
    catalog = programs.private(
        home / "peer-catalog.json",
        {
            "streams": [
                {
                    "stream": {
                        "name": name,
                        "json_schema": {},
                        "supported_sync_modes": ["full_refresh"],
                    },
                    "sync_mode": "full_refresh",
                    "destination_sync_mode": "append",
                }
                for name in streams
            ]
        },
    )
    return ["read", "--config", str(config), "--catalog", str(catalog)]


PEERS = (
    Peer(
        ("tap-bigcommerce==1.1.3", "setuptools<81"),
        "",
        "tap_bigcommerce:main",
        "orders with lines, coupons, addresses; products",
        _singer,
    ),
    Peer(
        ("airbyte-source-bigcommerce==0.2.22",),
        "3.10",  # with the CDK that it pins, it does not start on 3.11
        "source_bigcommerce.run:run",
        "orders and their lines; products",
        _airbyte,
    ),
)


def measure(scene: Scene, orders: int, delays: Sequence[int]) -> Iterator[Row]:
    """A row for each tap at each delay in milliseconds, without a quota and with one."""
    scene.month(orders)
    for delay in delays:
        for quota in (ENOUGH, QUOTA):
            scene.switch(bc__plan_quota=quota, bc__quota_window_seconds=WINDOW_SECONDS)
            yield from _side_by_side(scene, delay, quota)
    scene.switch(bc__plan_quota=0)


def _side_by_side(scene: Scene, delay: int, quota: int) -> Iterator[Row]:
    when = f"{delay} ms" + (f", {quota} in {WINDOW_SECONDS} s" if quota != ENOUGH else "")
    kept = scene.home / "kept.jsonl"
    if delay:
        late = {"side": "bigcommerce", "kind": "slow", "delay_ms": delay, "times": None}
        scene.sandbox.tell("POST", "faults", late)
    ours = growth.tap_run(scene, kept)
    base = rows(kept) / ours.seconds
    yield _row(f"{OURS}, {when}", EVERYTHING, ours, kept, base)
    if delay and quota == ENOUGH:
        wider = growth.tap_run(scene, kept, max_concurrency=MORE_AT_ONCE)
        words = f"{OURS} with max_concurrency {MORE_AT_ONCE}, {when}"
        yield _row(words, EVERYTHING, wider, kept, base)
    for peer in PEERS:
        try:
            command = peer.command(scene)
            done = programs.run(scene, command, kept=kept, limit_seconds=LIMIT_SECONDS)
        except (subprocess.CalledProcessError, OSError, RuntimeError) as failure:
            yield row(f"{peer.name}, {when}", f"not measured: {str(failure).splitlines()[0]}")
            continue
        yield _row(f"{peer.name}, {when}", peer.reads, done, kept, base)
    scene.sandbox.tell("DELETE", "faults")


def _row(what: str, reads: str, done: Run, kept: Path, base: float) -> Row:
    whole, every = len(orders(kept)), rows(kept)
    return row(
        what,
        reads,
        f"{whole / done.seconds:.1f}",
        f"{every / done.seconds:.1f}",
        f"{done.requests / whole:.2f}",
        str(done.refused),
        f"{every / done.seconds / base:.2f}",
    )


def _records(kept: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Stream and record of each message of that kind, whichever protocol it is in."""
    with kept.open(encoding="utf-8") as file:
        for line in file:
            message = json.loads(line)
            if message["type"] == "RECORD":
                inner = message["record"]
                if isinstance(inner, dict) and set(inner) >= {"stream", "data"}:
                    yield inner["stream"], inner["data"]
                else:
                    yield message["stream"], inner


def orders(kept: Path) -> set[object]:
    """The numbers of the orders in a tap's output."""
    return {record["id"] for stream, record in _records(kept) if stream == "orders"}


def rows(kept: Path) -> int:
    """Records, and the objects with a number that stand in lists inside them."""
    return sum(_objects(record) for _, record in _records(kept))


def _objects(record: dict[str, Any]) -> int:
    inside = [value for value in record.values() if isinstance(value, list)]
    own = (one for values in inside for one in values if isinstance(one, dict) and "id" in one)
    return 1 + sum(_objects(one) for one in own)
