"""The day for which FreshBooks' own lock keeps an order waiting."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the day; orders parked before it was kept are heard of by a replay."""
    op.add_column("ledger_orders", sa.Column("locked_day", sa.Text()))


def downgrade() -> None:
    """Drop the day again."""
    op.drop_column("ledger_orders", "locked_day")
