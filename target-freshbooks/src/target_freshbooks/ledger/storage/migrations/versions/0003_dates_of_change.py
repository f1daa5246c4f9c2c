"""When the shop last changed a record, kept beside its body, which retention drops."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the date; if it is not filled, the body tells it."""
    op.add_column("ledger_inbox", sa.Column("modified", sa.Text()))


def downgrade() -> None:
    """Drop the date again."""
    op.drop_column("ledger_inbox", "modified")
