-- Meltano's bookmark, beside the ledger; both have a table of their own named alembic_version.
CREATE DATABASE meltano;
