"""The audit journal: rows that are only ever added, each sealed with the hash of the one before.

A row's hash covers every column of it and the previous row's hash. The head row keeps the last
number and hash, so rows taken off the end are noticed as well. Appending locks the head, so that
all appenders, of all sources, form one chain.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update

from target_freshbooks.ledger.canonical import from_text, to_text
from target_freshbooks.ledger.tables import audit, audit_head, plain, time_text

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

PAGE = 1000

GENESIS = "0" * 64
"""The hash before the first row."""

# Made once: every write appends a row, and building a statement costs more than running it.
_HEAD = select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.id == 1)
_HEAD_LOCKED = _HEAD.with_for_update()
_ADD = audit.insert()
_MOVE_HEAD = (
    update(audit_head)
    .where(audit_head.c.id == 1)
    .values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One event of the journal.

    Attributes:
        seq: Its number, from 1, without gaps over all sources.
        source: The shop.
        at: When, aware UTC.
        event: What: `intended`, `done`, `posted`, `parked`, ...
        order_id: The order, if any.
        run_id: The run.
        who: User and machine the run worked as.
        data: Figures and ids; no personal data.
        prev_hash: Hash of the row before.
        hash: Hash of this row.
    """

    seq: int
    source: str
    at: datetime
    event: str
    order_id: int | None
    run_id: str
    who: str
    data: dict[str, Any] = field(repr=False)
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """What a walk along the chain found.

    Attributes:
        ok: Whether every row is as it was written.
        rows: Rows that are, from the first on.
        head_hash: Hash of the last of them; note it elsewhere to notice a rewritten chain.
        broken_seq: Number of the first row that is altered, missing or out of place.
        problem: What is wrong with it, as a sentence.
    """

    ok: bool
    rows: int
    head_hash: str
    broken_seq: int | None = None
    problem: str | None = None


def append(
    connection: Connection,
    *,
    source: str,
    at: datetime,
    event: str,
    order_id: int | None,
    run_id: str,
    who: str,
    data: dict[str, Any],
) -> None:
    """Add a row behind the head; must run in a write transaction, as its last step.

    Last, because the head is locked until the commit: whoever takes other locks after it could
    wait for one who waits for the head.
    """
    head = connection.execute(_HEAD_LOCKED).one()
    row = {
        "seq": head.seq + 1,
        "source": plain(source),
        "at": time_text(at),
        "event": plain(event),
        "order_id": order_id,
        "run_id": plain(run_id),
        "who": plain(who),
        "data": to_text(data),
        "prev_hash": head.hash,
    }
    row["hash"] = _seal(row)
    connection.execute(_ADD, row)
    connection.execute(_MOVE_HEAD, {"new_seq": row["seq"], "new_hash": row["hash"]})


def page(connection: Connection, source: str, after: int, order_id: int | None) -> list[AuditRow]:
    """Read the next rows behind a number, of one order or of all."""
    statement = select(audit).where(audit.c.source == source, audit.c.seq > after)
    if order_id is not None:
        statement = statement.where(audit.c.order_id == order_id)
    rows = connection.execute(statement.order_by(audit.c.seq).limit(PAGE))
    return [_audit_row(row) for row in rows]


def verify(connection: Connection) -> ChainVerdict:
    """Walk the chain from its first row to the head, in one unchanging view."""
    head = connection.execute(_HEAD).one_or_none()
    seq, last, after = 0, GENESIS, -(2**62)
    while True:
        rows = connection.execute(
            select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(PAGE)
        ).all()
        if not rows:
            break
        for row in rows:
            problem = _problem_of(row, seq + 1, last)
            if problem is None and (head is None or row.seq > head.seq):
                problem = "stands behind the journal's head: it was not written by the ledger"
            if problem is not None:
                broken = min(row.seq, seq + 1)
                return ChainVerdict(False, seq, last, broken, f"Audit row {broken} {problem}.")
            seq, last = row.seq, row.hash
        after = seq
    if head is None:
        return ChainVerdict(False, seq, last, seq + 1, "The head of the audit journal is missing.")
    if head.seq > seq:
        problem = f"is missing: the journal was cut off at the end (it had {head.seq} rows)"
        return ChainVerdict(False, seq, last, seq + 1, f"Audit row {seq + 1} {problem}.")
    if head.hash != last:
        problem = "is not the one that was written last: its hash differs from the head's"
        return ChainVerdict(False, seq - 1, last, seq, f"Audit row {seq} {problem}.")
    return ChainVerdict(True, seq, last)


def _problem_of(row: Row[Any], expected_seq: int, prev_hash: str) -> str | None:
    if row.seq > expected_seq:
        return f"is missing: after row {expected_seq - 1} comes row {row.seq}"
    if row.seq < expected_seq:
        return f"has a number below the first ({expected_seq})"
    if row.prev_hash != prev_hash:
        return f"does not follow row {expected_seq - 1}: one of the two was written anew"
    try:
        sealed = _seal(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name for it
    except TypeError:  # SQLite lets anybody put bytes where text was
        sealed = ""
    return None if row.hash == sealed else "was altered: its content does not match its hash"


def _seal(row: dict[str, Any]) -> str:
    content = to_text([row[column.name] for column in audit.c if column.name != "hash"])
    return hashlib.sha256(content.encode()).hexdigest()


def _audit_row(row: Row[Any]) -> AuditRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values["at"] = datetime.fromisoformat(values["at"])
    values["data"] = from_text(values["data"])
    return AuditRow(**values)
