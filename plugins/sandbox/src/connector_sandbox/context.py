"""What both sides of a sandbox share: one store, clock, history, set of faults and of switches."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector_sandbox.clock import Clock
from connector_sandbox.faults import Faults
from connector_sandbox.history import History, RequestCounts
from connector_sandbox.store import Store
from connector_sandbox.switches import Switches


def _no_shop() -> None:
    """There is nothing to fill where BigCommerce's side is left out."""


@dataclass(slots=True)
class Context:
    """What both sides share.

    Attributes:
        seed: for everything random, so that a run can be repeated.
        resets: called within one write transaction when the sandbox is reset.
        inspections: parts of what ``inspect`` tells, by name.
        startups, shutdowns: run with the server.
        seed_if_empty: fills an empty shop with the seeded month and tells of it.
    """

    data_dir: Path
    store: Store
    clock: Clock
    faults: Faults
    history: History
    switches: Switches
    counts: RequestCounts
    seed: int
    resets: list[Callable[[], None]] = field(default_factory=list)
    inspections: dict[str, Callable[[], Any]] = field(default_factory=dict)
    startups: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    shutdowns: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    seed_if_empty: Callable[[], Any] = _no_shop

    def reset(self) -> None:
        """Empty the sandbox: data, history, counts, faults and switches (not the clock)."""
        self.faults.remove()
        self.switches.clear()
        with self.store.writing():
            for reset in self.resets:
                reset()
            self.history.clear()
        self.counts.clear()
