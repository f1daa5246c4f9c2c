"""`plan`: what would be written for orders, found out by the reconciler itself without writing."""

from __future__ import annotations

import random
import sys
import threading
import time
from typing import TYPE_CHECKING

import click

from target_freshbooks.books import ReadError
from target_freshbooks.ledger import ScratchLedger
from target_freshbooks.posting import reasons
from target_freshbooks.posting.dryrun.planner import Planner
from target_freshbooks.posting.plan.render import Preview
from target_freshbooks.posting.results import OrderResult
from target_freshbooks.wiring import open_account

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from target_freshbooks.ctl.context import Context
    from target_freshbooks.ledger import Ledger
    from target_freshbooks.posting.plan.steps import Asked


def show_plans(context: Context, orders: tuple[int, ...], asked: Asked) -> None:
    """Show the plan of each order; without orders, of all that are new or parked.

    Orders that came in a dry run only count as new: a plan may rest on what it was told.
    """
    with context.ledger() as opened:
        ledger = ScratchLedger.of_last_dry_run(opened)
        wanted = orders or tuple(_unsettled(ledger))
        if not wanted:
            context.show([], "No order is new or parked: there is nothing to plan.")
            return
        previews, unknown = make_plans(context, ledger, wanted, asked)
    if unknown:
        click.echo(not_in_ledger(unknown), err=True)
    context.show(
        [preview.document() for preview in previews],
        "\n\n".join(preview.text() for preview in previews),
    )
    if unknown and not previews:
        sys.exit(1)


def make_plans(
    context: Context, ledger: Ledger, orders: Iterable[int], asked: Asked
) -> tuple[list[Preview], list[int]]:
    """The plans of orders, and the orders whose records are not in the ledger."""
    settings = context.settings
    account = open_account(
        settings,
        sleep=time.sleep,
        rng=random.Random(),  # noqa: S311 - jitter
        ledger=ledger,
    )
    previewer = Planner(account.books, ledger, settings.policy, threading.Event())
    previews: list[Preview] = []
    unknown: list[int] = []
    for order_id in orders:
        row = ledger.order(order_id)
        if row is not None and row.state == "settled":
            previews.append(Preview(order_id, OrderResult("settled", why=row.detail), ()))
            continue
        try:
            preview = previewer.preview(order_id, asked)
        except ReadError as error:
            preview = Preview(order_id, OrderResult("parked", parked=reasons.unreadable(error)), ())
        if preview is None:
            unknown.append(order_id)
        else:
            previews.append(preview)
    return previews, unknown


def not_in_ledger(orders: Collection[int]) -> str:
    """Why nothing can be done for these orders, and what to do."""
    return (
        f"Not in the ledger: {', '.join(map(str, orders))}. The tap has not sent them yet (or their"
        " bodies were dropped by ledger_retention_days): have it read them from BigCommerce, with"
        f" TAP_BIGCOMMERCE_ORDERS_ORDER_IDS='{list(orders)}' meltano run tap-bigcommerce-orders"
        " target-freshbooks (setting order_ids)."
    )


def _unsettled(ledger: ScratchLedger) -> list[int]:
    found = [row.order_id for state in ("new", "parked") for row in ledger.orders(state=state)]
    return sorted([*found, *ledger.unknown_orders()])
