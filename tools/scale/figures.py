"""The figures that docs/scale.md is worked out from: measured ones, and what is assumed beside.

Requests per order are read where they are told, in docs/performance.md, so that this page follows
when they change. What `python -m scale measure` has measured is in measured.json beside this file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
PERFORMANCE = ROOT / "docs" / "performance.md"
MEASURED = Path(__file__).with_name("measured.json")


class Absent(LookupError):  # noqa: N818 - the word says it
    """A figure stands no more where it is read."""


@dataclass(frozen=True)
class Told:
    """What docs/performance.md tells: requests, quotas, processor seconds of an order."""

    taxed_order: Decimal
    known_client: Decimal
    new_client: Decimal
    shop_per_minute: Decimal
    books_per_minute: Decimal
    order_cpu: Decimal

    @classmethod
    def read(cls, page: str | None = None) -> Self:
        """Find them on the page.

        Raises:
            Absent: One of them is not there.
        """
        text = PERFORMANCE.read_text(encoding="utf-8") if page is None else page

        def found(pattern: str) -> Decimal:
            match = re.search(pattern, text)
            if match is None:
                raise Absent(f"docs/performance.md has nothing like {pattern!r}: mend tools/scale.")
            return Decimal(match[1])

        windows = found(r"with `quota_percent` 90 that is ([\d.]+) requests a second")
        return cls(
            taxed_order=found(r"\| tap, taxed order \| ([\d.]+) \|"),
            known_client=found(r"\| new order of a known client: [^|]*\| ([\d.]+) \|"),
            new_client=found(r"\| the same of a new client [^|]*\| ([\d.]+) \|"),
            shop_per_minute=windows * 60,
            books_per_minute=found(r"at (\d+) requests a minute"),
            order_cpu=found(r"processor\*\*: \d+ to (\d+) ms an order") / 1000,
        )


@dataclass(frozen=True)
class Measured:
    """What one machine needed.

    Attributes:
        machine: Which, and when.
        idle_shop, idle_books: Requests of a run with nothing new.
        idle_cpu: Processor seconds of such a run: Meltano, tap and target.
        megabytes: Peaks of Meltano, tap and target together.
        order_bytes: The ledger's growth an order, on SQLite.
        body_bytes: Of these, what is dropped after `ledger_retention_days`.
    """

    machine: str
    idle_shop: Decimal
    idle_books: Decimal
    idle_cpu: Decimal
    megabytes: Decimal
    order_bytes: Decimal
    body_bytes: Decimal

    @classmethod
    def read(cls) -> Self:
        """Read what was measured last."""
        stored = json.loads(MEASURED.read_text(encoding="utf-8"), parse_float=Decimal)
        machine = str(stored.pop("machine"))
        return cls(machine, **{name: Decimal(value) for name, value in stored.items()})


@dataclass(frozen=True)
class Assumed:
    """What is nobody's measurement; docs/scale.md names each."""

    runs: int = 97  # a day: sync each quarter of an hour, deep at night
    deep_days: int = 7
    retention_days: int = 90
    new_clients: Decimal = Decimal("0.5")  # of orders
    busy_hours: int = 10  # in which all orders of a day are placed
    answer: Decimal = Decimal("0.3")  # seconds until either API answers
    concurrency: int = 4  # orders posted at once
    overhead: Decimal = Decimal(6)  # seconds of a task until tap and target ask, and after
    deep_hours: int = 4  # in which all stores' deep runs are to be over
    use: Decimal = Decimal("0.5")  # the part of slots and cores that is planned for
