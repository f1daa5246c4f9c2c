"""How long the accounting of an order of two hundred lines takes, apart from all requests."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_freshbooks import books, shop
from target_freshbooks.books.breakdown import Breakdown
from target_freshbooks.books.policy import Policy

from bench.tables import row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_freshbooks.shop.facts import OrderFacts

    from bench.tables import Row

LINES, TIMES = 200, 20
RATES = ("20", "19", "7", "5.5", "21", "23")


def measure() -> Iterator[Row]:
    """The time of each part: the best of some, since other work may come between."""
    facts, policy = _order(), Policy()
    parts = books.break_down(facts, policy)
    assert isinstance(parts, Breakdown)  # noqa: S101 - the order has its tax rows
    taken_apart = min(_spent(lambda: books.break_down(facts, policy)) for _ in range(TIMES))
    brought = min(
        _spent(lambda: books.draft_lines(parts, 1, policy, ("EUR", 2))) for _ in range(TIMES)
    )
    yield row(
        f"an order of {LINES} lines at {len(RATES)} rates",
        f"taken apart in {taken_apart * 1000:.1f} ms",
        f"its lines brought to whole cents in {brought * 1000:.1f} ms",
    )


def _spent(work: Any) -> float:  # noqa: ANN401 - whatever it returns
    before = time.process_time()
    work()
    return time.process_time() - before


def _order() -> OrderFacts:
    lines, rows = list[dict[str, Any]](), list[dict[str, Any]]()
    whole = tax = Decimal(0)
    for i in range(LINES):
        rate, price = RATES[i % len(RATES)], Decimal(99 + 37 * i) / 100
        net = (price / (1 + Decimal(rate) / 100)).quantize(Decimal("0.0001"))
        lines.append(
            {
                "id": i + 1,
                "product_id": i + 1,
                "name": f"Thing {i}",
                "type": "physical",
                "quantity": 1,
                "total_ex_tax": str(net),
                "total_inc_tax": str(price),
                "discounted_total_inc_tax": str(price),
            }
        )
        rows.append(
            {
                "name": f"VAT {rate}",
                "rate": rate,
                "priority": 1,
                "line_amount": str(price - net),
                "line_item_type": "item",
                "order_product_id": i + 1,
            }
        )
        whole, tax = whole + price, tax + price - net
    tax = tax.quantize(Decimal("0.01"))
    order = {
        "id": 1,
        "store_hash": "bench",
        "date_created": "2026-11-01T10:00:00Z",
        "status_id": 11,
        "default_currency_code": "EUR",
        "is_tax_inclusive_pricing": True,
        "total_inc_tax": str(whole),
        "total_ex_tax": str(whole - tax),
        "total_tax": str(tax),
        "billing_address": {"email": "jo@example.com"},
        "line_items": lines,
    }
    return shop.read_facts(order, (), (), rows, store={"timezone": {"name": "UTC"}})
