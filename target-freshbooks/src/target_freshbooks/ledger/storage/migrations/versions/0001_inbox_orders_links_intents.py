"""What the shop said, where each order stands, what is linked, what is being written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the inbox, orders, links, intents and runs."""
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "ledger_inbox",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("stream", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("order_id", sa.BigInteger()),
        sa.Column("body", sa.Text()),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("received_at", sa.Text(), nullable=False),
    )
    op.create_index("ledger_inbox_order", "ledger_inbox", ["source", "order_id"])
    op.create_table(
        "ledger_orders",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("order_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("detail", sa.Text()),
        sa.Column("words", sa.Text()),
        sa.Column("next_step", sa.Text()),
        sa.Column("facts_hash", sa.Text()),
        sa.Column("policy_hash", sa.Text()),
        sa.Column("desired_hash", sa.Text()),
        sa.Column("invoice_number", sa.Text()),
        sa.Column("order_total", sa.Text()),
        sa.Column("currency", sa.Text()),
        sa.Column("order_date", sa.Text()),
        sa.Column("posted_at", sa.Text()),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text()),
    )
    op.create_index("ledger_orders_state", "ledger_orders", ["source", "state"])
    op.create_table(
        "ledger_links",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("remote_id", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.Text()),
        sa.Column("content_hash", sa.Text()),
        sa.Column("amount", sa.Text()),
        sa.Column("day", sa.Text()),
        sa.Column("order_id", sa.BigInteger()),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("extra", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
    )
    op.create_index("ledger_links_order", "ledger_links", ["source", "order_id"])
    op.create_table(
        "ledger_intents",
        sa.Column("id", row_id, primary_key=True, autoincrement=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text()),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("closed_at", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ledger_intents_open", "ledger_intents", ["source", "outcome", "order_id"])
    op.create_table(
        "ledger_runs",
        sa.Column("run_id", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.Column("counts", sa.Text()),
    )
    op.create_index("ledger_runs_started", "ledger_runs", ["source", "started_at"])
