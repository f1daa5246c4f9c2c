"""Keeps what is run for the sandbox apart from what is real.

In Meltano `.env` and variables win over what `meltano.yml` says of an environment, so a run with
`--environment=sandbox` can be handed a real API, or the ledger of the real books. Every program
asks here once its settings are known and before it opens a socket or a database. The rule:

- an address is the sandbox's if its host is this machine's loopback;
- a database is the sandbox's if it is a SQLite file in a folder named `sandbox`, links resolved.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from .addresses import host, is_local
from .settings import SettingError

VARIABLE = "MELTANO_ENVIRONMENT"
SANDBOX = "sandbox"


def keep_apart(
    environment: Mapping[str, str],
    *,
    addresses: Mapping[str, str | None],
    databases: Mapping[str, str | None],
    others: Sequence[str] = (),
) -> None:
    """Stop a run for the sandbox that was handed something real; let every other one pass.

    Args:
        environment: The process' environment; Meltano names its own in it.
        addresses: URLs that the program may contact, by the variable that sets each.
        databases: SQLAlchemy URLs that it may open, likewise. What is not set is passed over.
        others: What else leads out of the sandbox, as parts of a sentence.

    Raises:
        SettingError: Names each variable, without user names and passwords of its value.
    """
    if environment.get(VARIABLE) != SANDBOX:
        return
    wrong = [
        f"{name} leads to {host(address) or 'no host'}, which is not this machine's loopback"
        for name, address in addresses.items()
        if address and not is_local(address)
    ]
    wrong += [
        f"{name} leads to {place}, which is no SQLite file in a folder named {SANDBOX}"
        for name, url in databases.items()
        if url and (place := _real_place(url)) is not None
    ]
    wrong += others
    if wrong:
        raise SettingError(
            f"This run is for the sandbox ({VARIABLE}={SANDBOX}), but {'; '.join(wrong)}. Nothing"
            " was read or written. In Meltano .env and variables win over meltano.yml: take these"
            " out of them, or name another file (meltano --env-file=sandbox.env"
            " --environment=sandbox ...)."
        )


def _real_place(url: str) -> str | None:
    """Where a database is, in words; None if it is the sandbox's."""
    # Only where it is asked: a tap needs no database, and half its start would go on this.
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return "no database at all"
    if parsed.get_backend_name() != "sqlite":
        return f"a {parsed.get_backend_name()} database"
    if not parsed.database or parsed.database.startswith((":memory:", "file:")):
        return "no file"
    try:
        file = Path(parsed.database).expanduser().resolve()
    except (OSError, RuntimeError):  # no such home; links in a circle
        return "nowhere"
    return None if file.parent.name == SANDBOX else str(file)
