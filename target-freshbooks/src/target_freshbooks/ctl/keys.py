"""`rotate-key`: the stored credentials encrypted again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from cryptography.fernet import Fernet

from target_freshbooks.ledger import LedgerError
from target_freshbooks.wiring import open_store

if TYPE_CHECKING:
    from target_freshbooks.ctl.context import Context


def rotate(context: Context, variable: str | None) -> None:
    """Encrypt all credentials with a new key.

    Args:
        context: The command line's shared options.
        variable: Environment variable with the new key; None: with the first of `encryption_key`,
            or a fresh key written to the key file where the setting is not used.

    Raises:
        click.ClickException: There is no new key to be had.
    """
    settings = context.settings
    store = open_store(settings)
    if variable is not None:
        keys = os.environ.get(variable)
        if not keys:
            raise click.ClickException(f"The environment variable {variable} is empty.")
        count = store.reencrypt(keys)
        where = f"Set TARGET_FRESHBOOKS_ENCRYPTION_KEY to the value of {variable} now."
    elif settings.encryption_key:
        if "," not in settings.encryption_key:
            raise click.ClickException(
                "Put the new key first and keep the old one behind it, separated by a comma:"
                " TARGET_FRESHBOOKS_ENCRYPTION_KEY=NEW,OLD. A new key, for instance:"
                " python -c 'from cryptography.fernet import Fernet;"
                " print(Fernet.generate_key().decode())'"
            )
        count = store.reencrypt(settings.encryption_key)
        where = "The keys behind the first one may be dropped from the setting now."
    else:
        count = store.reencrypt(Fernet.generate_key().decode())
        where = "The key file holds the new key."
    _note(context, count)
    context.show({"reencrypted": count}, f"{count} entries encrypted again. {where}")


def _note(context: Context, count: int) -> None:
    try:
        with context.ledger() as ledger:
            ledger.audit(event="key_rotated", order_id=None, run_id="ctl", data={"entries": count})
    except LedgerError as error:
        click.echo(f"The rotation could not be noted in the audit journal: {error}", err=True)
