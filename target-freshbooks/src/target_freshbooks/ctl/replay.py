"""`replay`: orders planned and posted anew, whatever their standing."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import click

from target_freshbooks.ctl.context import ORDER, SETTINGS, SINCE, Context, command, not_in_ledger
from target_freshbooks.ctl.plan import make_plans
from target_freshbooks.ctl.status import drafts as kept_drafts
from target_freshbooks.ledger import Ledger, ScratchLedger
from target_freshbooks.posting.apply.fence import Fence
from target_freshbooks.posting.facts import fence_of
from target_freshbooks.posting.plan.steps import Asked
from target_freshbooks.progress import shown
from target_freshbooks.report.plans import paragraphs

_Posted = tuple[dict[str, Any], list[str], bool]
"""The answer as JSON and as lines, and whether any order is parked."""


@command("replay")
@click.argument("orders", nargs=-1, type=ORDER)
@click.option("--parked", is_flag=True, help="All parked orders.")
@SINCE
@click.option("--overwrite", is_flag=True, help="Let the order win over edits in FreshBooks.")
@click.option(
    "--send", is_flag=True, help="Send what post_as: draft kept; without ORDERS, all of it."
)
@click.option(
    "--accept-changes",
    is_flag=True,
    help="Rewrite more invoices of earlier runs than max_rewritten_invoices allows.",
)
@click.option(
    "--date",
    "booked_on",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Book what of ORDERS belongs on closed days on this open one; kept with the orders.",
)
@SETTINGS
def replay(
    context: Context,
    *,
    orders: tuple[int, ...],
    parked: bool,
    since: datetime | None,
    overwrite: bool,
    send: bool,
    accept_changes: bool,
    booked_on: datetime | None,
    settings: str,
) -> None:
    """Plan and post orders again; if the books agree nothing is written."""
    chosen = booked_on.date() if booked_on else None
    if chosen and (parked or since or not orders):
        raise click.UsageError(
            "--date is for orders that are named, so not beside --parked or --since."
        )
    asked = Asked(overwrite, settings == "current", accept_changes, send, chosen)
    day = since.date() if since else None
    sys.exit(_replayed(context, orders, parked=parked, since=day, asked=asked))


def _replayed(
    context: Context,
    orders: tuple[int, ...],
    *,
    parked: bool,
    since: date | None,
    asked: Asked,
) -> int:
    """Post the orders again; with `dry_run`, show what would be written.

    Returns:
        The exit code: 1 if an order that was named is settled or not in the ledger, else 2 with
        `on_parked: fail` if any is parked.
    """
    every_draft = asked.send and not orders and not parked and since is None
    if not (orders or parked or since or every_draft):
        raise click.UsageError("Name orders, or say --parked, --since YYYY-MM-DD or --send.")
    with context.ledger() as opened:
        dry_run = context.settings.dry_run
        ledger = ScratchLedger.of_last_dry_run(opened) if dry_run else opened
        drafts = (one["order_id"] for one in kept_drafts(ledger)) if every_draft else ()
        wanted = sorted({*orders, *chosen(ledger, parked=parked, since=since), *drafts})
        settled = [order_id for order_id in wanted if _is_settled(ledger, order_id)]
        known: list[int] = []
        unknown: list[int] = []
        for order_id in sorted(set(wanted) - set(settled)):
            here = ledger.inbox.body("orders", (order_id,)) is not None
            (known if here else unknown).append(order_id)
        left = {"not_in_ledger": unknown, "settled": settled}
        in_vain = bool({*unknown, *settled} & set(orders))
        if dry_run:
            _show_plans(context, ledger, known, left, asked)
            return 1 if in_vain else 0
    document, lines, any_parked = _post(context, known, asked)
    context.show({**document, **left}, [*lines, *_told(left)])
    if in_vain:
        return 1
    return 2 if any_parked and context.settings.on_parked == "fail" else 0


def _post(context: Context, wanted: list[int], asked: Asked) -> _Posted:
    if not wanted:
        nothing = {"replayed": 0, "posted": 0, "waiting": 0, "parked": [], "writes": 0}
        return nothing, ["No order was replayed."], False
    with context.run(accept_changes=asked.accept_changes) as run:
        if asked.day is not None:
            check_open(asked.day, fence_of(run.ledger, context.settings.policy))
        for order_id in wanted:
            if asked.day is not None:
                run.ledger.orders.choose_day(order_id, asked.day, run.run_id)
            run.ledger.audit.add(
                event="replayed",
                order_id=order_id,
                run_id=run.run_id,
                data={name: value for name, value in asdict(asked).items() if name != "day"},
            )
        with shown(run.outcomes.tally, expected=len(wanted)):
            run.service.post_again(wanted, asked)
        tally, writes = run.outcomes.tally, run.breaker.writes
    document = {
        "replayed": len(wanted),
        "posted": tally.posted,
        "waiting": tally.waiting,
        "parked": [
            {"order_id": order, "reason": reason} for order, reason in sorted(tally.parked.items())
        ],
        "writes": writes,
        "audit_head": str(run.head),
    }
    text = (
        f"{len(wanted)} orders replayed: {tally.posted} agree, {tally.waiting} waiting,"
        f" {len(tally.parked)} parked; {writes} writes."
    )
    lines = [
        text,
        *(f"  {order} is parked: {reason}" for order, reason in sorted(tally.parked.items())),
        f"Head of the audit journal: {run.head}",
    ]
    return document, lines, bool(tally.parked)


def check_open(day: date, fence: Fence) -> None:
    """Refuse a day that nothing may be booked on.

    Raises:
        click.UsageError: It is closed, or has not come yet.
    """
    if day in fence.closed():
        raise click.UsageError(f"{day} is closed as well: name an open day.")
    if day > fence.today:
        raise click.UsageError(f"{day} has not come yet: name today or an open day before it.")


def _is_settled(ledger: Ledger, order_id: int) -> bool:
    row = ledger.orders.get(order_id)
    return row is not None and row.state == "settled"


def _show_plans(
    context: Context,
    ledger: Ledger,
    known: list[int],
    left: dict[str, list[int]],
    asked: Asked,
) -> None:
    if asked.day is not None:
        check_open(asked.day, fence_of(ledger, context.settings.policy))
    plans, _ = make_plans(context, ledger, known, asked)
    writes, rewritten = sum(len(plan.steps) for plan in plans), sum(plan.rewrites for plan in plans)
    document = {
        "dry_run": True,
        "replayed": 0,
        "plans": [plan.document() for plan in plans],
        "planned_writes": writes,
        "rewritten_invoices": rewritten,
        "writes": 0,
        **left,
    }
    text = (
        f"Dry run (setting dry_run): nothing was written. {len(plans)} orders looked at;"
        f" {writes} writes would be made, and {rewritten} invoices of earlier runs be rewritten or"
        " deleted."
    )
    context.show(document, paragraphs([text], *(plan.lines() for plan in plans), _told(left)))


def _told(left: dict[str, list[int]]) -> list[str]:
    """Why orders were not looked at."""
    unknown, settled = left["not_in_ledger"], left["settled"]
    sentences = [not_in_ledger(unknown)] if unknown else []
    if settled:
        sentences.append(
            f"Settled by hand, so left alone: {', '.join(map(str, settled))}. To have one booked"
            " again, reopen it first."
        )
    return sentences


def chosen(ledger: Ledger, *, parked: bool, since: date | None) -> Iterator[int]:
    """The ids of the orders a wish means."""
    if parked:
        yield from (row.order_id for row in ledger.orders.all(state="parked", since=since))
    elif since is not None:
        yield from (row.order_id for row in ledger.orders.all(since=since))
