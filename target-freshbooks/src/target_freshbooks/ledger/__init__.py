"""The ledger: inbox, orders, links, intents, audit journal and lock in one database.

Read `ledger.py` for its sections, `storage/tables.py` for what they hold, `audit/journal.py` for
how the journal is chained, `lock.py` for how runs keep out of each other's way.
"""

from target_freshbooks.ledger.audit.chain import AuditHead, ChainVerdict
from target_freshbooks.ledger.audit.journal import AuditRow
from target_freshbooks.ledger.errors import (
    AnotherAccount,
    AnotherStore,
    IntentNotOpen,
    LedgerError,
    LedgerTooNew,
    LedgerUnavailable,
    LockHeld,
    LockLost,
)
from target_freshbooks.ledger.inbox.records import Record, StoredFacts
from target_freshbooks.ledger.intents import EarlierMonth, Intent, Outcome
from target_freshbooks.ledger.ledger import Ledger
from target_freshbooks.ledger.link import Link, LinkKind
from target_freshbooks.ledger.lock import AccountLock
from target_freshbooks.ledger.order_row import OrderRow, OrderState
from target_freshbooks.ledger.ownership import PinnedAccount
from target_freshbooks.ledger.runs import RunRow
from target_freshbooks.ledger.scratch import ScratchLedger
from target_freshbooks.ledger.section import utc_now
from target_freshbooks.ledger.terms import Terms
from target_freshbooks.ledger.told import RUNS, RunFailure, Telling

__all__ = [
    "RUNS",
    "AccountLock",
    "AnotherAccount",
    "AnotherStore",
    "AuditHead",
    "AuditRow",
    "ChainVerdict",
    "EarlierMonth",
    "Intent",
    "IntentNotOpen",
    "Ledger",
    "LedgerError",
    "LedgerTooNew",
    "LedgerUnavailable",
    "Link",
    "LinkKind",
    "LockHeld",
    "LockLost",
    "OrderRow",
    "OrderState",
    "Outcome",
    "PinnedAccount",
    "Record",
    "RunFailure",
    "RunRow",
    "ScratchLedger",
    "StoredFacts",
    "Telling",
    "Terms",
    "utc_now",
]
