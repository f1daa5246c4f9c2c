"""`replay`: orders planned and posted anew, whatever their standing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from target_freshbooks.ctl.context import Context
    from target_freshbooks.ledger import Ledger


def post_again(
    context: Context,
    orders: tuple[int, ...],
    *,
    parked: bool,
    since: date | None,
    overwrite: bool,
) -> int:
    """Post the orders again; returns the exit code (2 with `on_parked: fail` if any is parked)."""
    if not orders and not parked and since is None:
        raise click.UsageError("Name orders, or say --parked or --since YYYY-MM-DD.")
    with context.run() as run:
        wanted = sorted({*orders, *chosen(run.ledger, parked=parked, since=since)})
        for order_id in wanted:
            run.ledger.audit(
                event="replayed",
                order_id=order_id,
                run_id=run.run_id,
                data={"overwrite": overwrite},
            )
        run.service.post_again(wanted, overwrite=overwrite)
        tally, writes = run.service.tally, run.service.writes
    document = {
        "replayed": len(wanted),
        "posted": tally.posted,
        "waiting": tally.waiting,
        "parked": [
            {"order_id": order, "reason": reason} for order, reason in sorted(tally.parked.items())
        ],
        "writes": writes,
    }
    text = (
        f"{len(wanted)} orders replayed: {tally.posted} agree, {tally.waiting} waiting,"
        f" {len(tally.parked)} parked; {writes} writes."
    )
    for order, reason in sorted(tally.parked.items()):
        text += f"\n  {order} is parked: {reason}"
    context.show(document, text)
    return 2 if tally.parked and context.settings.on_parked == "fail" else 0


def chosen(ledger: Ledger, *, parked: bool, since: date | None) -> Iterator[int]:
    """The ids of the orders a wish means."""
    if parked:
        yield from (row.order_id for row in ledger.orders(state="parked", since=since))
    elif since is not None:
        yield from (row.order_id for row in ledger.orders(since=since))
