"""Which runs were good ones and their figures, how runs fail, and what was told to whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the tables; earlier runs count as ones in which the shop was heard."""
    op.add_column("ledger_runs", sa.Column("heard", sa.Boolean()))
    op.add_column("ledger_runs", sa.Column("figures", sa.Text()))
    op.create_table(
        "ledger_failures",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
    )
    op.create_table(
        "ledger_told",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("service", sa.Text(), primary_key=True),
        sa.Column("order_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("reason", sa.Text(), primary_key=True),
        sa.Column("told_at", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("ledger_told")
    op.drop_table("ledger_failures")
    op.drop_column("ledger_runs", "figures")
    op.drop_column("ledger_runs", "heard")
