"""The ledger: inbox, orders, links, intents, audit journal and lease in one database.

Read `ledger.py` for what it can do, `tables.py` for what it holds, `audit.py` for how the journal
is chained, `lease.py` for how runs keep out of each other's way.
"""

from target_freshbooks.ledger.audit.chain import AuditRow, ChainVerdict
from target_freshbooks.ledger.errors import (
    AnotherAccount,
    AnotherStore,
    IntentNotOpen,
    LeaseHeld,
    LeaseLost,
    LedgerError,
    LedgerTooNew,
    LedgerUnavailable,
)
from target_freshbooks.ledger.inbox.records import Record, StoredFacts
from target_freshbooks.ledger.intents import Intent, Outcome
from target_freshbooks.ledger.lease import Lease
from target_freshbooks.ledger.ledger import Ledger
from target_freshbooks.ledger.links import Link, LinkKind
from target_freshbooks.ledger.orders import OrderRow, OrderState
from target_freshbooks.ledger.ownership import PinnedAccount
from target_freshbooks.ledger.runs import RunRow
from target_freshbooks.ledger.scratch import ScratchLedger
from target_freshbooks.ledger.terms import Terms

__all__ = [
    "AnotherAccount",
    "AnotherStore",
    "AuditRow",
    "ChainVerdict",
    "Intent",
    "IntentNotOpen",
    "Lease",
    "LeaseHeld",
    "LeaseLost",
    "Ledger",
    "LedgerError",
    "LedgerTooNew",
    "LedgerUnavailable",
    "Link",
    "LinkKind",
    "OrderRow",
    "OrderState",
    "Outcome",
    "PinnedAccount",
    "Record",
    "RunRow",
    "ScratchLedger",
    "StoredFacts",
    "Terms",
]
