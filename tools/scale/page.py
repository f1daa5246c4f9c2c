"""The tables of docs/scale.md, between two marks each, so that they are never typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scale.figures import ROOT, Assumed, Measured, Told
from scale.needs import Needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = ROOT / "docs" / "scale.md"
STORES = (1, 20, 200)
ORDERS = (100, 1000)
MARKED = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

ROWS: dict[str, Callable[[Needs], str]] = {
    "Airflow slots": lambda needs: f"{needs.slots}",
    "memory of these tasks": lambda needs: f"{needs.megabytes / 1000:.1f} GB",
    "cores, in busy hours": lambda needs: f"{needs.cores:.1f}",
    "all ledgers, after a year": lambda needs: (
        f"{needs.ledger_megabytes_a_year * needs.stores / 1000:.1f} GB"
    ),
    "runs of the DAGs' tasks a day": lambda needs: f"{needs.stores * needs.assumed.runs:,}",
    "BigCommerce, requests a store and day": lambda needs: f"{needs.shop_requests:,.0f}",
    "… of its quota": lambda needs: f"{needs.shop_share:.1%}",
    "FreshBooks, requests an account and day": lambda needs: f"{needs.books_requests:,.0f}",
    "… of its limit": lambda needs: f"{needs.books_share:.1%}",
    "a sync in a busy quarter of an hour": lambda needs: f"{needs.busy_seconds:.0f} s",
    "the nightly deep run of a store": lambda needs: f"{needs.deep_seconds / 60:.0f} min",
}


def needs_of(stores: int, orders: int) -> Needs:
    """By the figures of this repository."""
    return Needs(Told.read(), Measured.read(), Assumed(), stores, orders)


def table(header: list[str], rows: Iterator[list[str]]) -> str:
    """A table as the pages have it."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def needs_table() -> str:
    """What stores need, by their number and their orders."""
    cases = [needs_of(stores, orders) for orders in ORDERS for stores in STORES]
    header = ["", *(_case(one) for one in cases)]
    return table(header, ([name, *map(cell, cases)] for name, cell in ROWS.items()))


def _case(needs: Needs) -> str:
    return f"{needs.stores} of {needs.orders:,}"


def figures_table() -> str:
    """What the above is worked out from."""
    told, measured, case = Told.read(), Measured.read(), needs_of(1, 1)
    here, there = "`python -m scale measure`", "[performance.md](performance.md)"
    rows = [
        ["BigCommerce, requests a taxed order", f"{told.taxed_order}", there],
        [
            "FreshBooks, requests a new order of a known client / of a new one",
            f"{told.known_client} / {told.new_client}",
            there,
        ],
        ["BigCommerce's quota, 90 % of it", f"{told.shop_per_minute:.0f} a minute", there],
        [
            "FreshBooks' limit, by example; each account is told its own",
            f"{told.books_per_minute:.0f} a minute",
            there,
        ],
        [
            "a run with nothing new, requests to BigCommerce / FreshBooks",
            f"{measured.idle_shop} / {measured.idle_books}",
            here,
        ],
        ["… processor, Meltano, tap and target", f"{measured.idle_cpu} s", here],
        ["a further order, processor", f"{told.order_cpu * 1000:.0f} ms", there],
        ["peak memory of the three", f"{measured.megabytes} MB", here],
        [
            "ledger on SQLite, an order / of it dropped after 90 days",
            f"{measured.order_bytes / 1000:.1f} / {measured.body_bytes / 1000:.1f} kB",
            here,
        ],
        [
            "most orders a day of one store, by its nightly run",
            f"{case.most_orders:,}",
            "worked out",
        ],
    ]
    return table(["figure", "value", "from"], iter(rows))


TABLES: dict[str, Callable[[], str]] = {"needs": needs_table, "figures": figures_table}


def filled(text: str) -> str:
    """The page with its tables anew."""
    return MARKED.sub(lambda mark: f"{mark[1]}{TABLES[mark[2]]()}{mark[3]}", text)
