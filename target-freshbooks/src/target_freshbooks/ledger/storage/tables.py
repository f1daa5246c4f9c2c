"""The ledger's tables, as SQLAlchemy Core sees them.

All names begin with `ledger_`, because the database may be shared with the credentials store and
with Meltano's own tables. Migrations under `migrations/` make these tables; a test compares both.
Times are ISO text in UTC with microseconds, so they sort as text and hash the same everywhere.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

from connector_credentials.locks import fence_table
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

from target_freshbooks.ledger.storage.canonical import from_text, to_text

T = TypeVar("T")

metadata = MetaData()

ROW_ID = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only columns declared INTEGER."""


def time_text(moment: datetime) -> str:
    """Write an aware time as `2026-11-01T10:00:00.000000Z`."""
    if moment.tzinfo is None:
        raise ValueError("The ledger stores aware times only; this one has no zone.")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def plain(text: str) -> str:
    """Write NUL (refused by PostgreSQL) and lone surrogates (no UTF-8) as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


class AsText(TypeDecorator[T]):
    """A value that is stored as text.

    Args:
        write: Gives the text.
        read: Reads it back.
    """

    impl = Text
    cache_ok = True

    def __init__(self, write: Callable[[T], str], read: Callable[[str], T]) -> None:
        super().__init__()
        self.write = write
        self.read = read

    def process_bind_param(self, value: T | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write the value; None stays None."""
        return None if value is None else self.write(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> T | None:  # noqa: ARG002
        """Read the value back."""
        return None if value is None else self.read(value)


PlainText = AsText(plain, str)
"""Text that both databases accept."""

Instant = AsText(time_text, datetime.fromisoformat)
"""An aware time, stored in UTC."""

Day = AsText(date.isoformat, date.fromisoformat)
"""A calendar day."""

Digits = AsText(str, Decimal)
"""An amount, of which no digit is lost."""

Document = AsText(to_text, from_text)
"""A JSON document, of which nothing is hashed."""


inbox = Table(
    "ledger_inbox",
    metadata,
    Column("source", PlainText, primary_key=True),
    Column("stream", PlainText, primary_key=True),
    Column("key", PlainText, primary_key=True),
    Column("order_id", BigInteger),
    Column("body", Text),
    Column("hash", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("modified", Instant),
    Column("customer_id", BigInteger),
    Index("ledger_inbox_order", "source", "order_id"),
    Index("ledger_inbox_customer", "source", "customer_id"),
)

orders = Table(
    "ledger_orders",
    metadata,
    Column("source", PlainText, primary_key=True),
    Column("order_id", BigInteger, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", PlainText),
    Column("detail", PlainText),
    Column("words", PlainText),
    Column("next_step", PlainText),
    Column("facts_hash", Text),
    Column("policy_hash", Text),
    Column("desired_hash", Text),
    Column("invoice_number", PlainText),
    Column("order_total", Digits),
    Column("currency", PlainText),
    Column("order_date", Day),
    Column("posted_at", Instant),
    Column("updated_at", Instant, nullable=False),
    Column("run_id", PlainText),
    Column("terms", Text),
    Column("invoice_day", Day),
    Column("notice", Text),
    Column("refunded", Digits),
    Column("redeemed", Digits),
    Column("payment_method", PlainText),
    Column("left_open", Boolean),
    Column("unpaid", Boolean),
    Column("paid_day", Day),
    Column("paid_by_hand", Digits),
    Column("booking_day", Day),
    Column("worked_out", PlainText),
    Column("locked_day", Day),
    Index("ledger_orders_state", "source", "state"),
)

links = Table(
    "ledger_links",
    metadata,
    Column("source", PlainText, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", PlainText, primary_key=True),
    Column("remote_id", BigInteger, nullable=False),
    Column("fingerprint", PlainText),
    Column("content_hash", PlainText),
    Column("amount", Digits),
    Column("day", Day),
    Column("order_id", BigInteger),
    Column("deleted", Boolean, nullable=False),
    Column("extra", Document, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ledger_links_order", "source", "order_id", "kind", "key"),
    Index("ledger_links_remote", "source", "kind", "remote_id"),
)

intents = Table(
    "ledger_intents",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("source", PlainText, nullable=False),
    Column("order_id", BigInteger),
    Column("kind", Text, nullable=False),
    Column("key", PlainText, nullable=False),
    Column("request_hash", Text, nullable=False),
    Column("payload", Document),
    Column("run_id", PlainText, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("outcome", Text),
    Column("closed_at", Instant),
    Column("month", Text),
    Index("ledger_intents_month", "source", "month"),
    Index("ledger_intents_open", "source", "outcome", "order_id"),
    sqlite_autoincrement=True,
)

runs = Table(
    "ledger_runs",
    metadata,
    Column("run_id", PlainText, primary_key=True),
    Column("source", PlainText, nullable=False),
    Column("code_version", PlainText, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", PlainText),
    Column("counts", Document),
    Column("heard", Boolean),
    Column("figures", Document),
    Index("ledger_runs_started", "source", "started_at"),
)

failures = Table(
    "ledger_failures",
    metadata,
    Column("source", PlainText, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
)

told = Table(
    "ledger_told",
    metadata,
    Column("source", PlainText, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", PlainText, primary_key=True),
    Column("told_at", Instant, nullable=False),
)

audit = Table(
    "ledger_audit",
    metadata,
    Column("seq", ROW_ID, primary_key=True, autoincrement=False),
    Column("source", PlainText, nullable=False),
    Column("at", Text, nullable=False),
    Column("event", PlainText, nullable=False),
    Column("order_id", BigInteger),
    Column("run_id", PlainText, nullable=False),
    Column("who", PlainText, nullable=False),
    Column("data", Text, nullable=False),
    Column("prev_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ledger_audit_order", "source", "order_id", "seq"),
)

audit_head = Table(
    "ledger_audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

stores = Table(
    "ledger_stores",
    metadata,
    Column("source", PlainText, primary_key=True),
    Column("store_hash", PlainText, nullable=False, unique=True),
    Column("bound_at", Instant, nullable=False),
)

account = Table(
    "ledger_account",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("account_id", PlainText, nullable=False),
    Column("business_name", PlainText, nullable=False),
    Column("pinned_at", Instant, nullable=False),
)

profile = Table(
    "ledger_profile",
    metadata,
    Column("trait", Text, primary_key=True),
    Column("value", Document, nullable=False),
    Column("learnt_at", Instant, nullable=False),
)

probe = Table(
    "ledger_probe",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("record", Text, nullable=False),
    Column("key", PlainText, nullable=False),
    Column("remote_id", BigInteger),
    Column("state", Text, nullable=False),
    Column("run_id", PlainText, nullable=False),
    Column("opened_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

terms = Table(
    "ledger_terms",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("kept_at", Instant, nullable=False),
)

locks = fence_table("ledger_locks", metadata)
