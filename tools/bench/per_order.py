"""Requests per order, by kind of order: the figure that the quotas turn into time."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, event

from bench.scene import MUG, TAX
from bench.tables import row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.scene import Scene
    from bench.tables import Row

MOST_UNTAXED, MOST_TAXED = Decimal("1.1"), Decimal("2.1")
MOST_IDLE = 8
FEW = 10
MANY = 60


def measure(scene: Scene, orders: int) -> Iterator[Row]:
    """The requests per order of tap and target."""
    yield from _tap(scene, orders)
    yield from _month(scene)
    for what, per_order in target_requests(scene).items():
        yield row(f"target, requests per order: {what}", f"{per_order:.2f}")
    for what, per_order in batch_requests(scene).items():
        yield row(f"target, requests per order, {MANY} at a time: {what}", f"{per_order:.2f}")
    yield row("target, ledger commits of a new order", f"{order_commits(scene):.2f}")


def tap_requests(scene: Scene) -> tuple[Decimal, Decimal, int]:
    """Read the shop once.

    Returns:
        Requests per untaxed order, per taxed order (both with their share of the lists), and the
        requests of a second run that finds nothing new.
    """
    scene.sandbox.count_anew()
    said = scene.read(lookback_seconds=0)
    rows = said.records("orders")
    taxed = sum(Decimal(row["total_tax"] or 0) != 0 for row in rows)
    requests = scene.shop_requests()
    of_taxes = sum(count for path, count in requests.items() if path.endswith("/taxes"))
    untaxed = Decimal(requests.total() - of_taxes) / len(rows)
    scene.sandbox.count_anew()
    scene.read(said.state, lookback_seconds=0)
    return untaxed, untaxed + Decimal(of_taxes) / taxed, scene.shop_requests().total()


def _tap(scene: Scene, orders: int) -> Iterator[Row]:
    scene.month(orders)
    untaxed, with_tax, nothing_new = tap_requests(scene)
    yield row("tap, requests per untaxed order", f"{untaxed:.3f}", f"(at most {MOST_UNTAXED})")
    yield row("tap, requests per taxed order", f"{with_tax:.3f}", f"(at most {MOST_TAXED})")
    idle = f"(at most {MOST_IDLE})"
    yield row("tap, requests of a run that finds nothing new", str(nothing_new), idle)


def _month(scene: Scene) -> Iterator[Row]:
    said = scene.read()
    scene.sandbox.count_anew()
    first = scene.post(said)
    counts = scene.accounting()
    parts = ", ".join(f"{count / first.posted:.2f} {kind}" for kind, count in counts.most_common())
    yield row(
        f"target, requests per posted order, first month ({first.posted})",
        f"{counts.total() / first.posted:.2f}",
        f"({parts})",
    )
    scene.sandbox.count_anew()
    scene.post(said)
    yield row("target, requests of the same month again", str(scene.accounting().total()))


def target_requests(scene: Scene, few: int = FEW) -> dict[str, Decimal]:
    """Requests of the target per order, by kind of order.

    Args:
        scene: It is emptied first.
        few: How many orders of each kind.
    """
    scene.empty()
    scene.place()
    scene.post(scene.read())  # Jane and the mug are known from now on
    known: list[int] = []

    kinds: dict[str, Callable[[int], object]] = {
        "new, client and items known": lambda _: known.append(scene.place()),
        "unchanged, but touched in the shop": lambda n: _change(scene, known[n], "touch"),
        "new, paid offline": lambda _: scene.place(pay="offline"),
        "new, of a new client": lambda n: scene.place(billing=_stranger(n)),
        "new, with a new item": lambda n: scene.place(lines=[_cup(n)]),
        "refunded after it was posted": lambda n: _refund(scene, known[n]),
        "new, refunded already": lambda _: _refund(scene, scene.place()),
    }
    found: dict[str, Decimal] = {}
    for what, happen in kinds.items():
        for number in range(few):
            happen(number)
        found[what] = _asked(scene) / few
    scene.lose_ledger()
    found["posted already, and the ledger lost"] = _asked(scene) / (1 + 5 * few)
    return found


def batch_requests(scene: Scene, many: int = MANY) -> dict[str, Decimal]:
    """Requests of the target per order of many that come at a time, of a known client and item.

    Args:
        scene: It is emptied first.
        many: How many orders come at a time.
    """
    scene.empty()
    scene.place()
    scene.post(scene.read())
    requests = {"new": _placed(scene, many) / many}
    with scene.ledger() as ledger:
        ledger.profile.learn("refuses_taken_numbers", value=True)
    requests["new, and a number that is taken is known to be refused"] = _placed(scene, many) / many
    requests["unchanged"] = _asked(scene) / many
    scene.lose_ledger()
    requests["posted already, and the ledger lost"] = _asked(scene) / (1 + 2 * many)
    return requests


def order_commits(scene: Scene) -> Decimal:
    """Transactions of the ledger that a new order of a known client and item takes."""
    scene.place()
    scene.post(scene.read())  # the marks in the books are all read by a ledger's first runs
    counts: list[int] = []
    for many in (FEW, 3 * FEW):
        for _ in range(many):
            scene.place()
        said, commits = scene.read(), list[Connection]()

        def count(connection: Connection, commits: list[Connection] = commits) -> None:
            if connection.get_execution_options().get("writing"):
                commits.append(connection)

        event.listen(Engine, "commit", count)
        try:
            scene.post(said)
        finally:
            event.remove(Engine, "commit", count)
        counts.append(len(commits))
    # What came before comes again with each reading, and is taken in again.
    return Decimal(counts[1] - counts[0] - FEW) / (2 * FEW)


def _placed(scene: Scene, many: int) -> Decimal:
    for _ in range(many):
        scene.place()
    return _asked(scene)


def _stranger(number: int) -> dict[str, str]:
    return {"first_name": "New", "email": f"new{number}@shop.example"}


def _cup(number: int) -> dict[str, object]:
    return {**MUG, "name": f"Cup {number}", "sku": f"CUP-{number}", "taxes": [TAX]}


def _refund(scene: Scene, order: int) -> None:
    _change(scene, order, "refund", order_amount="4.00")


def _change(scene: Scene, order: int, what: str, **document: str) -> None:
    scene.sandbox.tell("POST", f"shop/orders/{order}/{what}", document)


def _asked(scene: Scene) -> Decimal:
    said = scene.read()
    scene.sandbox.count_anew()
    scene.post(said)
    return Decimal(scene.accounting().total())
