"""`settle` and `reopen`: a person takes an order over, and gives it back."""

import uuid
from contextlib import AbstractContextManager, nullcontext

import click
from connector_credentials.commands import ctl

from target_freshbooks.ctl.context import ORDER, Context, command, not_in_ledger, read_again
from target_freshbooks.ledger import Ledger, OrderRow


@command("settle")
@click.argument("order_id", metavar="ORDER", type=ORDER)
@click.option("--note", required=True, help="What you booked by hand, for those who come after.")
def settle(context: Context, *, order_id: int, note: str) -> None:
    """Take an order over: it counts as booked by hand, and no run touches it any more."""
    note = note.strip()
    if not note:
        raise click.ClickException("Say in --note what you booked by hand, so that others know.")
    with context.ledger() as ledger:
        run_id = uuid.uuid4().hex[:12]
        with _nobody_at_work(context, ledger, run_id):
            before = _known(ledger, order_id)
            facts = ledger.inbox.facts_of(order_id)
            ledger.orders.settle_by_hand(
                order_id, note, run_id, facts_hash=facts.hash if facts else None
            )
        document = {"order_id": order_id, "state": "settled", "note": note, "was": before.state}
        text = f"Order {order_id}, {_standing(before)} until now, is settled: {note}"
    left = "No run touches it any more. If it changes in the shop you are told;"
    context.show(document, [text, f"{left} `{ctl('reopen', str(order_id))}` undoes this."])


@command("reopen")
@click.argument("order_id", metavar="ORDER", type=ORDER)
def reopen(context: Context, *, order_id: int) -> None:
    """Give a settled order back: the next run that has its records looks at it."""
    with context.ledger() as ledger:
        run_id = uuid.uuid4().hex[:12]
        with _nobody_at_work(context, ledger, run_id):
            before = _known(ledger, order_id)
            if before.state != "settled":
                raise click.ClickException(
                    f"Order {order_id} is not settled but {_standing(before)}: there is nothing to"
                    " reopen."
                )
            ledger.orders.reopen(order_id, run_id)
        is_here = ledger.inbox.facts_of(order_id) is not None
    replay = ctl("replay", str(order_id))
    comes_next = (
        f"the next run looks at it, or `{replay}` does."
        if is_here
        else f"its records were dropped by ledger_retention_days: {read_again([order_id])}"
    )
    document = {"order_id": order_id, "state": "new"}
    context.show(document, [f"Order {order_id} is open again; {comes_next}"])


def _known(ledger: Ledger, order_id: int) -> OrderRow:
    row = ledger.orders.get(order_id)
    if row is None:
        raise click.ClickException(not_in_ledger([order_id]))
    return row


def _standing(row: OrderRow) -> str:
    return f"{row.state} ({row.reason})" if row.reason else row.state


def _nobody_at_work(
    context: Context, ledger: Ledger, run_id: str
) -> AbstractContextManager[object]:
    """Wait until no run has orders of the account in hand: its verdict would undo this one."""
    account = ledger.ownership.account()
    if account is None:
        return nullcontext()  # nothing was ever written
    return ledger.locks.hold(
        account.account_id,
        f"run {run_id}",
        wait_seconds=context.settings.lease_wait_seconds,
    )
