"""Links found by order, in the order they are read in, and by what they lead to."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both indexes; the former one of an order's links was passed over by SQLite."""
    op.drop_index("ledger_links_order", "ledger_links")
    op.create_index("ledger_links_order", "ledger_links", ["source", "order_id", "kind", "key"])
    op.create_index("ledger_links_remote", "ledger_links", ["source", "kind", "remote_id"])


def downgrade() -> None:
    """Go back to the former one."""
    op.drop_index("ledger_links_remote", "ledger_links")
    op.drop_index("ledger_links_order", "ledger_links")
    op.create_index("ledger_links_order", "ledger_links", ["source", "order_id"])
