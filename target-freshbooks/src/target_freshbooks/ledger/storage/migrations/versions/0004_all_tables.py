"""All tables of the ledger, as the first release has them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"  # counted on from steps that no release had
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the head of the audit chain before its first row."""
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
        sa.Column("customer_id", sa.BigInteger()),
        sa.Column("modified", sa.Text()),
        sa.Index("ledger_inbox_order", "source", "order_id"),
        sa.Index("ledger_inbox_customer", "source", "customer_id"),
    )
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
        sa.Column("terms", sa.Text()),
        sa.Column("invoice_day", sa.Text()),
        sa.Column("notice", sa.Text()),
        sa.Column("refunded", sa.Text()),
        sa.Column("redeemed", sa.Text()),
        sa.Column("payment_method", sa.Text()),
        sa.Column("left_open", sa.Boolean()),
        sa.Column("unpaid", sa.Boolean()),
        sa.Column("paid_day", sa.Text()),
        sa.Column("paid_by_hand", sa.Text()),
        sa.Column("booking_day", sa.Text()),
        sa.Column("worked_out", sa.Text()),
        sa.Index("ledger_orders_state", "source", "state"),
    )
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
        sa.Index("ledger_links_order", "source", "order_id"),
    )
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
        sa.Column("month", sa.Text()),
        sa.Index("ledger_intents_open", "source", "outcome", "order_id"),
        sa.Index("ledger_intents_month", "source", "month"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ledger_runs",
        sa.Column("run_id", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.Column("counts", sa.Text()),
        sa.Index("ledger_runs_started", "source", "started_at"),
    )
    op.create_table(
        "ledger_audit",
        sa.Column("seq", row_id, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger()),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Index("ledger_audit_order", "source", "order_id", "seq"),
    )
    head = op.create_table(
        "ledger_audit_head",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64}])
    op.create_table(
        "ledger_locks",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
    )
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
