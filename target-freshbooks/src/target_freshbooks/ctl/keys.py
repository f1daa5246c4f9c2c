"""`rotate-key`: the stored credentials encrypted again, noted in the audit journal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from target_freshbooks.ledger import LedgerError
from target_freshbooks.wiring import open_store

if TYPE_CHECKING:
    from target_freshbooks.ctl.context import Context


def rotate(context: Context, variable: str | None) -> None:
    """Encrypt all credentials with a new key.

    Args:
        context: The command line's shared options.
        variable: Environment variable with the new key; None: as `CredentialStore.rotate` says.

    Raises:
        click.ClickException: The variable is empty.
        CredentialError: There is no new key to be had.
    """
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
        with context.ledger() as ledger:
            ledger.audit(event="key_rotated", order_id=None, run_id="ctl", data={"entries": count})
    except LedgerError as error:  # done all the same
        click.echo(f"The rotation could not be noted in the audit journal: {error}", err=True)
    context.show({"reencrypted": count}, f"{count} entries encrypted again. {next_step}".strip())
