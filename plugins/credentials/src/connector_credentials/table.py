"""The table of the store's entries, and what can be done to it without a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from . import database
from .errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Collection

PURPOSE = database.Purpose(
    name="credentials store",
    setting="credentials_url",
    package="connector-credentials",
    error=CredentialError,
    busy_seconds=30,
)

metadata = sa.MetaData()
credentials = sa.Table(
    "credentials",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
)


def open_table(url: str) -> sa.Engine:
    """The database at the URL; the table is made where it is missing."""
    # Used rarely, so no connection is kept that could go stale or be left open.
    engine = database.open_engine(url, PURPOSE, poolclass=sa.NullPool)
    with database.explained(engine, PURPOSE), engine.connect() as connection:
        with connection.begin():
            there = sa.inspect(connection).has_table(credentials.name)
        if not there:
            with database.writing(connection):
                database.wait_for_turn(connection, "(setup)")
                metadata.create_all(connection)
    return engine


def names(engine: sa.Engine) -> list[str]:
    """The names stored, sorted."""
    with database.explained(engine, PURPOSE), engine.begin() as connection:
        return list(connection.scalars(sa.select(credentials.c.name).order_by("name")))


def delete(engine: sa.Engine, gone: Collection[str]) -> None:
    """Forget documents; no key is needed, for this is the way out when the key is lost."""
    with (
        database.explained(engine, PURPOSE),
        engine.connect() as connection,
        database.writing(connection),
    ):
        connection.execute(sa.delete(credentials).where(credentials.c.name.in_(gone)))


def insert(connection: sa.Connection, values: dict[str, Any]) -> None:
    """Insert a row; of two first writers under PostgreSQL the second one's value wins."""
    changes = {key: values[key] for key in ("document", "updated_at")}
    connection.execute(
        database.insert(connection.dialect.name, credentials)
        .values(**values)
        .on_conflict_do_update(index_elements=["name"], set_=changes)
    )
