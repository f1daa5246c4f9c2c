"""The command line of `target-freshbooks-ctl`. `--config` and `--json` may stand anywhere."""

from __future__ import annotations

import functools
import sys
from datetime import date, datetime  # noqa: TC003 - click reads the annotations
from typing import TYPE_CHECKING, Any

import click

from target_freshbooks.ctl.context import Context, run_command
from target_freshbooks.posting.plan.steps import Asked
from target_freshbooks.wiring import version

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG = click.option(
    "--config",
    "config",
    multiple=True,
    help="A settings file, or ENV for the environment (the default).",
)
SETTINGS = click.option(
    "--settings",
    "settings",
    type=click.Choice(["kept", "current"]),
    default="kept",
    help="The settings each order was posted under, or those of now.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@click.group()
@CONFIG
@JSON
@click.version_option(version(), prog_name="target-freshbooks-ctl")
@click.pass_context
def cli(ctx: click.Context, config: tuple[str, ...], as_json: bool) -> None:
    """Look after the books: what was posted, what is parked, and why."""
    ctx.obj = Context(config, as_json)


def command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command with the shared options, which may also stand behind its name."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def wrapped(config: tuple[str, ...], as_json: bool, **options: Any) -> None:  # noqa: ANN401
            context = click.get_current_context().find_object(Context) or Context((), False)
            context.sources = (*context.sources, *config)
            context.as_json = context.as_json or as_json
            function(context, **options)

        return cli.command(name)(CONFIG(JSON(wrapped)))

    return decorate


@command("login")
@click.option("--loopback", is_flag=True, help="Wait for the browser on the redirect URI's port.")
@click.option("--code", help="The code, or the whole address the browser landed on.")
@click.option(
    "--switch-account",
    "switch",
    is_flag=True,
    help="Let the login be to another FreshBooks account than the one there was.",
)
def login(context: Context, *, loopback: bool, code: str | None, switch: bool) -> None:
    """Connect to FreshBooks, once: open a page, agree, paste where the browser lands."""
    from target_freshbooks.ctl.login import log_in  # noqa: PLC0415 - commands load what they need

    log_in(context, loopback=loopback, code=code, switch=switch)


@command("logout")
def logout(context: Context) -> None:
    """End the login: FreshBooks no longer accepts it, and it is stored no more."""
    from target_freshbooks.ctl.login import log_out  # noqa: PLC0415

    log_out(context)


@command("whoami")
def whoami(context: Context) -> None:
    """Say which FreshBooks accounts the connected user has, and which one is used."""
    from target_freshbooks.ctl.login import who_am_i  # noqa: PLC0415

    who_am_i(context)


@command("status")
def status(context: Context) -> None:
    """Count orders by state; list the parked ones with reason and next step."""
    from target_freshbooks.ctl.status import show_status  # noqa: PLC0415

    show_status(context)


@command("plan")
@click.argument("orders", nargs=-1, type=int)
@click.option("--overwrite", is_flag=True, help="As if edits made in FreshBooks did not count.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv", "html"]),
    default="text",
    help="For a terminal, a program, a spreadsheet or a browser.",
)
@SETTINGS
def plan(
    context: Context, *, orders: tuple[int, ...], overwrite: bool, form: str, settings: str
) -> None:
    """Show the invoice of each order and the steps that would be taken; nothing is written.

    Without ORDERS: all that are new or parked.
    """
    from target_freshbooks.ctl.plan import show_plans  # noqa: PLC0415

    show_plans(context, orders, Asked(overwrite, settings == "current"), form)


@command("replay")
@click.argument("orders", nargs=-1, type=int)
@click.option("--parked", is_flag=True, help="All parked orders.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="All orders since this day.")
@click.option("--overwrite", is_flag=True, help="Let the order win over edits in FreshBooks.")
@click.option(
    "--send", is_flag=True, help="Send what post_as: draft kept; without ORDERS, all of it."
)
@click.option(
    "--accept-changes",
    is_flag=True,
    help="Rewrite more invoices of earlier runs than max_rewritten_invoices allows.",
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
    settings: str,
) -> None:
    """Plan and post orders again; where the books agree nothing is written."""
    from target_freshbooks.ctl.replay import post_again  # noqa: PLC0415

    day: date | None = since.date() if since else None
    asked = Asked(overwrite, settings == "current", accept_changes, send)
    sys.exit(post_again(context, orders, parked=parked, since=day, asked=asked))


@command("settle")
@click.argument("order", type=int)
@click.option("--note", required=True, help="What you booked by hand, for those who come after.")
def settle(context: Context, *, order: int, note: str) -> None:
    """Take an order over: it counts as booked by hand, and no run touches it any more."""
    from target_freshbooks.ctl.settle import settle_order  # noqa: PLC0415

    settle_order(context, order, note)


@command("reopen")
@click.argument("order", type=int)
def reopen(context: Context, *, order: int) -> None:
    """Give a settled order back: the next run looks at it."""
    from target_freshbooks.ctl.settle import reopen_order  # noqa: PLC0415

    reopen_order(context, order)


@command("audit")
@click.argument("order", type=int)
def audit(context: Context, *, order: int) -> None:
    """Tell an order's story from the audit journal, in plain sentences."""
    from target_freshbooks.ctl.status import show_audit  # noqa: PLC0415

    show_audit(context, order)


@command("verify")
@click.option("--chain-only", is_flag=True, help="Check the audit chain without FreshBooks.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Orders since this day only.")
def verify(context: Context, *, chain_only: bool, since: datetime | None) -> None:
    """Check the audit chain, and the ledger against FreshBooks; exit 1 on any finding."""
    from target_freshbooks.ctl.verify import verify_books  # noqa: PLC0415

    day: date | None = since.date() if since else None
    sys.exit(verify_books(context, chain_only=chain_only, since=day))


@command("report")
@click.option("--month", required=True, help="YYYY-MM")
@click.option("--output", default="output", help="Folder for the HTML and CSV files.")
def report(context: Context, *, month: str, output: str) -> None:
    """Write the month's report: every order, its invoice, payments, refunds, differences."""
    from target_freshbooks.report import write_report  # noqa: PLC0415

    write_report(context, month, output)


@command("rotate-key")
@click.option("--new-key", help="The new keys come from this environment variable.", metavar="VAR")
def rotate_key(context: Context, *, new_key: str | None) -> None:
    """Encrypt the stored credentials again with a new key."""
    from target_freshbooks.ctl.keys import rotate  # noqa: PLC0415

    rotate(context, new_key)


def main() -> None:
    """Entry point."""
    sys.exit(run_command(cli))
