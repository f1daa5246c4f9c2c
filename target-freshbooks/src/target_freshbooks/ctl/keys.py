"""`rotate-key`: the stored credentials encrypted again, noted in the audit journal."""

import os

import click
from connector_credentials.output import say_aside

from target_freshbooks.access import open_store
from target_freshbooks.ctl.context import Context, command
from target_freshbooks.ledger import LedgerError
from target_freshbooks.wiring import open_ledger


@command("rotate-key")
@click.option(
    "--new-key",
    "variable",
    metavar="VAR",
    help="The new keys come from this environment variable.",
)
def rotate_key(context: Context, *, variable: str | None) -> None:
    """Encrypt the stored credentials again with a new key."""
    settings = context.settings
    store = open_store(settings)
    if variable is None:
        count = store.rotate(settings.encryption_key)
        next_step = "Give every program the new key alone." if settings.encryption_key else ""
    elif keys := os.environ.get(variable):
        count = store.reencrypt(keys)
        next_step = f"Give every program the value of {variable} as encryption_key now."
    else:
        raise click.ClickException(f"The environment variable {variable} is empty.")
    try:
        with open_ledger(settings) as ledger:
            data = {"entries": count}
            ledger.audit.add(event="key_rotated", order_id=None, run_id="ctl", data=data)
    except LedgerError as error:  # done all the same
        say_aside(f"The rotation could not be noted in the audit journal: {error}")
    context.show({"reencrypted": count}, [f"{count} entries encrypted again. {next_step}".strip()])
