"""Bringing a ledger to this version's schema, or refusing it when it comes from a later version.

The steps live in `migrations/` inside the package, so an installed wheel migrates by itself. Each
runs under a lock of the whole database and in one transaction: of several processes that open a
fresh ledger together one makes the tables and the others wait, and a killed one leaves nothing.
"""

import logging

from connector_credentials.database import wait_for_turn
from sqlalchemy import Connection, inspect, text

from target_freshbooks.ledger.errors import LedgerError, LedgerTooNew
from target_freshbooks.ledger.storage.database import Database

SCHEMA_VERSION = "0008"
"""The newest step in `migrations/versions`; known here so that alembic loads only when needed."""

VERSION_TABLE = "ledger_version"
SCRIPTS = "target_freshbooks.ledger.storage:migrations"


def migrate(database: Database, target: str = SCHEMA_VERSION) -> None:
    """Bring the ledger to a version of the schema.

    Raises:
        LedgerTooNew: If the ledger has a version this code does not know.
        LedgerError: If it has one of before 0.1, from which no step leads here.
    """
    with database.read() as connection:
        if stored_version(connection) == target:
            return
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # (set before the import, which tells things by itself; none of it is of use in a run)
    from alembic import command  # noqa: PLC0415 - slow to load, and seldom needed
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    config.attributes["version_table"] = VERSION_TABLE
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    with database.write() as connection:
        wait_for_turn(connection, "(ledger)")
        version = stored_version(connection)  # again, now that nobody else can change it
        if version is not None and version not in known:
            late = version > SCHEMA_VERSION
            raise _too_new(database, version) if late else _too_old(database, version)
        config.attributes["connection"] = connection
        command.upgrade(config, target)


def check_version(database: Database) -> bool:
    """See whether there is a ledger that this version reads, as it is or once migrated.

    Raises:
        LedgerTooNew: If the ledger has a version this code does not know.
    """
    with database.read() as connection:
        version = stored_version(connection)
    if version is not None and version > SCHEMA_VERSION:
        raise _too_new(database, version)
    return version is not None


def _too_new(database: Database, version: str) -> LedgerTooNew:
    return LedgerTooNew(
        f"The ledger {database.name} has schema {version}, which is newer than this"
        f" version of target-freshbooks knows ({SCHEMA_VERSION}). It was left untouched."
        " Install the version that wrote it, or a later one."
    )


def _too_old(database: Database, version: str) -> LedgerError:
    return LedgerError(
        f"The ledger {database.name} has schema {version}, of a version before 0.1, which this"
        " version of target-freshbooks cannot bring up to date. It was left untouched. Move it"
        " aside and log in again: a new ledger finds in FreshBooks what stands there."
    )


def stored_version(connection: Connection) -> str | None:
    """Tell the schema version of the database, None for one without a ledger."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant
    return None if version is None else str(version)
