"""Whose the ledger is (stores, account), the terms of each order, and what retention asks for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of stores, of the account and of terms, and what orders keep of them."""
    op.create_table(
        "ledger_stores",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("store_hash", sa.Text(), nullable=False, unique=True),
        sa.Column("bound_at", sa.Text(), nullable=False),
    )
    op.create_table(
        "ledger_account",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("business_name", sa.Text(), nullable=False),
        sa.Column("pinned_at", sa.Text(), nullable=False),
    )
    op.create_table(
        "ledger_profile",
        sa.Column("trait", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("learnt_at", sa.Text(), nullable=False),
    )
    op.create_table(
        "ledger_terms",
        sa.Column("hash", sa.Text(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.Text(), nullable=False),
    )
    op.add_column("ledger_orders", sa.Column("terms", sa.Text()))
    op.add_column("ledger_orders", sa.Column("invoice_day", sa.Text()))
    op.add_column("ledger_orders", sa.Column("notice", sa.Text()))
    op.add_column("ledger_orders", sa.Column("refunded", sa.Text()))
    op.add_column("ledger_orders", sa.Column("redeemed", sa.Text()))
    op.add_column("ledger_orders", sa.Column("payment_method", sa.Text()))
    op.add_column("ledger_orders", sa.Column("left_open", sa.Boolean()))
    op.add_column("ledger_orders", sa.Column("unpaid", sa.Boolean()))
    op.add_column("ledger_orders", sa.Column("paid_day", sa.Text()))
    op.add_column("ledger_orders", sa.Column("paid_by_hand", sa.Text()))
    op.add_column("ledger_orders", sa.Column("booking_day", sa.Text()))
    op.add_column("ledger_orders", sa.Column("worked_out", sa.Text()))
    op.add_column("ledger_intents", sa.Column("month", sa.Text()))
    op.create_index("ledger_intents_month", "ledger_intents", ["source", "month"])
    op.add_column("ledger_inbox", sa.Column("customer_id", sa.BigInteger()))
    op.create_index("ledger_inbox_customer", "ledger_inbox", ["source", "customer_id"])
