"""A shop with a month of orders, and what the books should hold of it.

`model`, `totals` and `changes` are pure: an order as entered, BigCommerce's arithmetic over it,
and what can happen to it. `cases` and `month` make the orders. `truth` says, from the shop's side
alone, what should stand in the books.
"""

from collections.abc import Collection
from random import Random
from typing import Any

from connector_sandbox.context import Context
from connector_sandbox.seed import catalog
from connector_sandbox.seed.month import bounds, simulate_month
from connector_sandbox.seed.truth import Rules, expected

DEFAULT_ORDERS = 440
DEFAULT_MONTH = "2026-10"


def seed_shop(
    ctx: Context, *, orders: int, seed: int, month: str, only: Collection[str] = ()
) -> None:
    """Fill an empty shop.

    Args:
        ctx: the sandbox.
        orders: how many; all named cases are among them when there is room.
        seed: of the random generator: equal seeds give equal shops.
        month: `YYYY-MM` in the store's zone.
        only: the named cases that are wanted, in place of all.

    Raises:
        ValueError: The shop has orders already.
    """
    # The BigCommerce side renders what the seed makes, so it is imported here and not above.
    from connector_sandbox.bigcommerce import customers_api, products_api, repository  # noqa: PLC0415

    customers = catalog.customers(Random(seed))  # noqa: S311  not for secrets
    made = simulate_month(orders=orders, seed=seed, month=month, customers=customers, only=only)
    opened, _ = bounds(month)
    with ctx.store.writing() as connection:
        if connection.execute("SELECT 1 FROM bc_orders LIMIT 1").fetchone():
            raise ValueError("The shop has orders already; reset the sandbox first.")
        for customer in customers:
            document = customers_api.customer_document(customer, opened)
            repository.put_record(connection, "customer", document)
        for product in catalog.products():
            document = products_api.product_document(product, opened)
            repository.put_record(connection, "product", document)
        repository.put_orders(connection, made.orders)
        connection.executemany(
            "INSERT OR REPLACE INTO bc_counters VALUES(?,?)", made.upcoming.items()
        )


def seed_if_empty(ctx: Context) -> dict[str, Any]:
    """Fill the shop with the default month; a shop that has orders is left as it is."""
    count = ctx.store.connect().execute("SELECT count(*) FROM bc_orders").fetchone()[0]
    if not count:
        seed_shop(ctx, orders=DEFAULT_ORDERS, seed=ctx.seed, month=DEFAULT_MONTH)
    rows = truth(ctx)
    return {
        "orders": len(rows),
        "month": DEFAULT_MONTH,
        "expected": {
            outcome: sum(row["expect"] == outcome for row in rows)
            for outcome in ("posted", "parked", "waiting")
        },
    }


def truth(ctx: Context, rules: Rules | None = None) -> list[dict[str, Any]]:
    """What the books should hold for each order, by order id; see `seed.truth.expected`."""
    from connector_sandbox.bigcommerce import repository  # noqa: PLC0415  as above

    orders = repository.orders_where(ctx.store.connect(), tail="ORDER BY id")
    return [expected(order, rules=rules) for order in orders]
