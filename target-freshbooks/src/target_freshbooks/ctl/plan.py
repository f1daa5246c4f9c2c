"""`plan`: what would be written for orders, found out by the poster itself without writing."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

import click

from target_freshbooks.ledger import Rehearsal
from target_freshbooks.posting.previewing import Previewer
from target_freshbooks.wiring import open_account

if TYPE_CHECKING:
    from target_freshbooks.ctl.context import Context


def show_plans(context: Context, orders: tuple[int, ...], *, overwrite: bool) -> None:
    """Show the plan of each order; without orders, of all that are new or parked.

    Orders that came in a dry run only count as new: a plan may rest on what it was told.
    """
    settings = context.settings
    with context.ledger() as opened:
        ledger = Rehearsal(opened)
        wanted = orders or tuple(_unsettled(ledger))
        if not wanted:
            context.show([], "No order is new or parked: there is nothing to plan.")
            return
        account = open_account(settings, sleep=time.sleep, rng=random.Random())  # noqa: S311
        previewer = Previewer(account.books, ledger, settings.policy, threading.Event())
        documents, texts, unknown = [], [], []
        for order_id in wanted:
            preview = previewer.preview(order_id, overwrite=overwrite)
            if preview is None:
                unknown.append(order_id)
                continue
            documents.append(preview.document())
            texts.append(preview.text())
    if unknown:
        listed = ", ".join(map(str, unknown))
        click.echo(
            f"Not in the ledger: {listed}. The tap has not sent them yet (or their bodies were"
            " dropped by ledger_retention_days).",
            err=True,
        )
    context.show(documents, "\n\n".join(texts))
    if unknown and not documents:
        raise click.exceptions.Exit(1)


def _unsettled(ledger: Rehearsal) -> list[int]:
    found = [row.order_id for state in ("new", "parked") for row in ledger.orders(state=state)]
    return sorted([*found, *ledger.unknown_orders()])
