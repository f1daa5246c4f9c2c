"""The screen: progress where a person looks on, plain lines elsewhere, tables at the end."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from demo.ledger import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from demo.books import Comparison, Kind
    from demo.ledger import Glance

PLAIN_WIDTH = 120
MOST_NUMBERS = 8


def console(*, drawn: bool = False) -> Console:
    """Give the screen; a file, a pipe or what is drawn gets a fixed width and no progress."""
    screen = Console(highlight=False)
    if screen.is_terminal and not drawn:
        return screen
    return Console(width=PLAIN_WIDTH, highlight=False, force_terminal=False, record=drawn)


class Watch:
    """Progress of one run: orders read, posted, parked, settled per second, and the time left."""

    def __init__(self, screen: Console, look: Callable[[], Glance], expected: int) -> None:
        self._look = look
        self._expected = expected
        self._before = look().settled
        self._began = time.monotonic()
        self._bar = Progress(
            TextColumn("  [bold]{task.description}"),
            BarColumn(bar_width=28),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            console=screen,
            transient=True,
            disable=not screen.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=expected)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self) -> None:
        """Look once and show it."""
        seen = self._look()
        passed = time.monotonic() - self._began
        rate = (seen.settled - self._before) / passed if passed else 0.0
        words = f"read {seen.read}  posted {seen.posted}  parked {seen.parked}"
        if rate:
            words += f"  {rate:.1f}/s  {(self._expected - seen.settled) / rate:.0f} s left"
        self._bar.update(self._task, completed=seen.settled, description=words)


def month(
    screen: Console,
    outcome: Comparison,
    documents: Mapping[str, int],
    kinds: Mapping[str, Kind],
) -> None:
    """Show what is in the books, both sides' totals by currency, and what is booked specially."""
    held = Table(title="In FreshBooks", title_justify="left")
    for name in documents:
        held.add_column(name, justify="right")
    held.add_row(*(str(count) for count in documents.values()))
    screen.print(held)

    sides = Table(title="Posted orders, shop and books", title_justify="left")
    for name in (
        "currency",
        "orders",
        "shop",
        "invoiced",
        "difference",
        "received",
        "paid",
        "difference",
        "open receivables",
    ):
        sides.add_column(name, justify="left" if name == "currency" else "right")
    for currency, sums in sorted(outcome.totals.items()):
        sides.add_row(
            currency,
            str(sums.orders),
            *map(amount, (sums.shop, sums.invoiced, sums.difference)),
            *map(amount, (sums.shop_paid, sums.paid, sums.paid_difference, sums.receivable)),
        )
    screen.print(sides)

    special = Table(title="Among them", title_justify="left")
    for name in ("kind", "orders", "amount"):
        special.add_column(name, justify="left" if name == "kind" else "right")
    for kind, one in kinds.items():
        told = (f"{amount(value)} {currency}" for currency, value in sorted(one.sums.items()))
        special.add_row(kind, str(one.orders), ", ".join(told))
    screen.print(special)


def left_out(
    screen: Console,
    outcome: Comparison,
    standings: Mapping[int, Standing],
    archived: Callable[[int], bool],
) -> list[int]:
    """List every order that was not posted, by reason; return those that have none.

    An order that the ledger never heard of may be `archived`: the shop's lists leave it out.
    """
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    steps: dict[tuple[str, str], str] = {}
    silent: list[int] = []
    for number, order in sorted(outcome.left.items()):
        standing = standings.get(number)
        if standing is None and archived(number):
            standing = Standing("not listed", "archived in the shop", None)
        if standing is None or (standing.state == "parked" and not standing.reason):
            silent.append(number)
            continue
        reason = standing.reason or f"not to be invoiced: order status {order['status_id']}"
        key = (standing.state, reason)
        groups[key].append(number)
        steps[key] = standing.next_step or ""
    table = Table(title="Not posted", title_justify="left")
    for name in ("state", "reason", "orders", "numbers"):
        table.add_column(name, justify="right" if name == "orders" else "left", overflow="fold")
    for (state, reason), numbers in sorted(groups.items()):
        shown = " ".join(map(str, numbers[:MOST_NUMBERS]))
        more = len(numbers) - MOST_NUMBERS
        shown += f" and {more} more" if more > 0 else ""
        table.add_row(state, reason, str(len(numbers)), shown)
    screen.print(table)
    for (_, reason), step in sorted(steps.items()):
        if step:
            screen.print(f"   {reason}: {step}", markup=False)
    return silent


def amount(value: Decimal) -> str:
    """Write a sum with two decimals and thousands set apart."""
    return f"{value:,.2f}"
