"""Alembic's entry: runs the steps on the connection that `migrate.py` has opened and locked."""

from alembic import context

from target_freshbooks.ledger.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=context.config.attributes["version_table"],
)
with context.begin_transaction():
    context.run_migrations()
