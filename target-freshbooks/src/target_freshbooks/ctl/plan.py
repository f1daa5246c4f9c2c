"""`plan`: what would be written for orders, found out by the reconciler itself without writing."""

import sys
import threading
import time
from collections.abc import Collection
from functools import partial

import click
from connector_credentials.output import say, say_aside

from target_freshbooks.access import open_account
from target_freshbooks.books.desired import Reason
from target_freshbooks.ctl.context import ORDER, SETTINGS, Context, command, not_in_ledger
from target_freshbooks.freshbooks.errors import Failing
from target_freshbooks.ledger import Ledger, ScratchLedger
from target_freshbooks.posting.apply.circuit_breaker import READ, CircuitBreaker, Failure
from target_freshbooks.posting.dryrun.simulator import Planner
from target_freshbooks.posting.plan.render import Plan
from target_freshbooks.posting.plan.steps import Asked
from target_freshbooks.posting.results import OrderResult, failing
from target_freshbooks.report.plans import FORMS, summary_of, write_plans
from target_freshbooks.settings import plan_file_of


@command("plan")
@click.argument("orders", nargs=-1, type=ORDER)
@click.option("--overwrite", is_flag=True, help="As if edits made in FreshBooks did not count.")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMS)),
    default="text",
    help="For a terminal, a program, a spreadsheet or a browser.",
)
@click.option("--plan", "file", metavar="FILE", help="Write them into a file, .html or .csv.")
@SETTINGS
def plan(
    context: Context,
    *,
    orders: tuple[int, ...],
    overwrite: bool,
    form: str,
    file: str | None,
    settings: str,
) -> None:
    """Show the invoice of each order and the steps that would be taken; nothing is written.

    Without ORDERS: all that are new or parked.
    """
    asked = Asked(overwrite, settings == "current")
    path = plan_file_of(file) or context.settings.plan_file
    with context.ledger() as opened:
        ledger = ScratchLedger.of_last_dry_run(opened)
        wanted = orders or tuple(_unsettled(ledger))
        plans, unknown = make_plans(context, ledger, wanted, asked)
    if unknown:
        say_aside(not_in_ledger(unknown))
    if path is not None:
        write_plans(path, [plan.document() for plan in plans], summary_of(plans))
        say_aside(
            f"The plans of {len(plans)} orders are in {path}; nothing was written to FreshBooks."
        )
    nothing = [] if unknown else ["No order is new or parked: there is nothing to plan."]
    say(*(FORMS["json" if context.as_json else form](plans) or nothing))
    if {*unknown} & {*orders} or (unknown and not plans):
        sys.exit(1)


def make_plans(
    context: Context, ledger: Ledger, orders: Collection[int], asked: Asked
) -> tuple[list[Plan], list[int]]:
    """The plans of orders, and the orders whose records are not in the ledger.

    Raises:
        FreshBooksFails: FreshBooks shows none of them.
    """
    if not orders:
        return [], []
    settings = context.settings
    account = open_account(settings, ledger=ledger)
    planner = Planner(account.books, ledger, settings.policy, threading.Event())
    breaker = CircuitBreaker(account.books)
    plans = dict[int, Plan | None].fromkeys(orders)

    def make(order_id: int) -> None:
        began, row = time.monotonic(), ledger.orders.get(order_id)
        blamed = row is not None and row.reason == Reason.FRESHBOOKS_ERROR
        retry, name = partial(make, order_id), f"order {order_id}"
        try:
            plan = plans[order_id] = planner.plan(order_id, asked)
        except Failing as failure:
            since = failure.since
            breaker.record_failure(
                Failure(name, READ, since, retry, order_id, blamed_before=blamed)
            )
            return
        if plan is not None and plan.result.desired is not None:
            breaker.record_success(READ, began)

    for order_id in plans:
        make(order_id)
    for failure in breaker.evaluate(lambda: None):
        assert failure.order_id is not None  # noqa: S101 - of orders only, as above
        parked = OrderResult("parked", parked=failing(failure.kind))
        plans[failure.order_id] = Plan(failure.order_id, parked)
    unknown = [order_id for order_id, plan in plans.items() if plan is None]
    return [plan for plan in plans.values() if plan is not None], unknown


def _unsettled(ledger: ScratchLedger) -> list[int]:
    order_ids = [
        row.order_id for state in ("new", "parked") for row in ledger.orders.all(state=state)
    ]
    return sorted([*order_ids, *ledger.inbox.unknown_orders()])
