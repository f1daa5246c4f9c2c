"""The ledger's schema through time, as alembic revisions that travel inside the package."""
