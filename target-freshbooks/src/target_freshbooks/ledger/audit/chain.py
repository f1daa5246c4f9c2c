"""The audit journal: rows that are only ever added, each sealed with the hash of the one before.

A row's hash covers every column of it and the previous row's hash. The head row keeps the last
number and hash, so rows taken off the end are noticed as well; where the head was rewritten with
them, the intents tell what rows there were. Appending locks the head, so that all appenders, of
all sources, form one chain.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    bindparam,
    cast,
    except_,
    func,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql

from target_freshbooks.ledger.storage.canonical import from_text, to_text
from target_freshbooks.ledger.storage.tables import audit, audit_head, intents, plain, time_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Row

PAGE = 1000

GENESIS = "0" * 64
"""The hash before the first row."""

DAMAGED = (TypeError, ValueError, RecursionError)
"""What reading a row raises that somebody changed: SQLite takes any type in any column."""

EVENTS_OF_INTENTS = ("intended", "done", "refused", "not_sent", "found", "not_found")
"""Rows that are written with an intent: when it is opened, and when it is closed."""

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
        at: When, aware UTC; None where that was damaged.
        event: What: `intended`, `done`, `posted`, `parked`, ...
        order_id: The order, if any.
        run_id: The run.
        who: User and machine the run worked as.
        data: Figures and ids; no personal data. Empty where it was damaged.
        prev_hash: Hash of the row before.
        hash: Hash of this row.
        altered: Whether the row was changed since it was written: its hash does not fit.
    """

    seq: int
    source: str
    at: datetime | None
    event: str
    order_id: int | None
    run_id: str
    who: str
    data: dict[str, Any] = field(repr=False)
    prev_hash: str
    hash: str
    altered: bool = False


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """What a walk along the chain found.

    Attributes:
        ok: Whether every row is as it was written.
        rows: Rows that are, from the first on.
        head_hash: Hash of the last of them; note it elsewhere to notice a rewritten chain.
        broken_seq: Number of the first row that is altered, missing or out of place; None where a
            row is missing and its number is not known.
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
    with _any_text(connection):
        rows = connection.execute(statement.order_by(audit.c.seq).limit(PAGE)).all()
    return [_audit_row(row) for row in rows]


def verify(connection: Connection) -> ChainVerdict:
    """Walk the chain from its first row to the head, in one unchanging view."""
    with _any_text(connection):
        verdict = _walk(connection)
        if not verdict.ok:
            return verdict
        problem = _intent_without_row(connection)
    if problem is None:
        return verdict
    return ChainVerdict(False, verdict.rows, verdict.head_hash, None, problem)


def _walk(connection: Connection) -> ChainVerdict:
    head = connection.execute(_HEAD).one_or_none()
    missing = "The head of the audit journal is missing."
    if head is not None and not isinstance(head.seq, int):
        head, missing = None, "The head of the audit journal was altered: it holds no row's number."
    seq, last = 0, GENESIS
    for row in _all_rows(connection):
        problem = _problem_of(row, seq + 1, last)
        if problem is None and head is not None and row.seq > head.seq:
            problem = "stands behind the journal's head: it was not written by the ledger"
        if problem is not None:
            broken = min(row.seq, seq + 1)
            return ChainVerdict(False, seq, last, broken, f"Audit row {broken} {problem}.")
        seq, last = row.seq, row.hash
    if head is None:
        return ChainVerdict(False, seq, last, seq + 1, missing)
    if head.seq > seq:
        problem = f"is missing: the journal was cut off at the end (it had {head.seq} rows)"
        return ChainVerdict(False, seq, last, seq + 1, f"Audit row {seq + 1} {problem}.")
    if head.hash != last:
        problem = "is not the one that was written last: its hash differs from the head's"
        return ChainVerdict(False, seq - 1, last, seq, f"Audit row {seq} {problem}.")
    return ChainVerdict(True, seq, last)


def _all_rows(connection: Connection) -> Iterator[Row[Any]]:
    after = -(2**62)
    while True:
        rows = connection.execute(
            select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(PAGE)
        ).all()
        yield from rows
        if not rows:
            return
        after = rows[-1].seq


def _intent_without_row(connection: Connection) -> str | None:
    """Tell the first intent that lacks a row in a journal whose rows are all in order.

    An intent is opened and closed in one transaction with its rows, and no intent is ever dropped.
    """
    opened = literal("intended").label("event")
    closed = select(intents.c.id, intents.c.outcome).where(intents.c.outcome.is_not(None))
    wanted = union_all(select(intents.c.id, opened), closed).subquery()
    number: ColumnElement[Any] = func.json_extract(audit.c.data, "$.intent")
    if connection.dialect.name == "postgresql":
        number = cast(cast(audit.c.data, postgresql.JSON).op("->>")("intent"), BigInteger)
    there = select(number, audit.c.event).where(audit.c.event.in_(EVENTS_OF_INTENTS))
    lacking = except_(select(wanted), there).subquery()
    found = connection.execute(
        select(lacking.c.event, intents.c.id, intents.c.kind, intents.c.order_id)
        .join(intents, intents.c.id == lacking.c.id)
        .order_by(intents.c.id, lacking.c.event != "intended")
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    whose = "" if found.order_id is None else f" of order {found.order_id}"
    return (
        f"The row {found.event!r} of intent {found.id} ({found.kind}{whose}) is missing: the"
        " journal was cut off at the end, or written anew without it."
    )


def _problem_of(row: Row[Any], expected_seq: int, prev_hash: str) -> str | None:
    if row.seq > expected_seq:
        return f"is missing: after row {expected_seq - 1} comes row {row.seq}"
    if row.seq < expected_seq:
        return f"has a number below the first ({expected_seq})"
    if row.prev_hash != prev_hash:
        return f"does not follow row {expected_seq - 1}: one of the two was written anew"
    if _is_altered(dict(row._mapping)):  # noqa: SLF001 - SQLAlchemy's public name for it
        return "was altered: its content does not match its hash"
    return None


def _is_altered(row: dict[str, Any]) -> bool:
    try:
        return bool(row["hash"] != _seal(row))
    except DAMAGED:
        return True


def _seal(row: dict[str, Any]) -> str:
    content = to_text([row[column.name] for column in audit.c if column.name != "hash"])
    return hashlib.sha256(content.encode()).hexdigest()


def _audit_row(row: Row[Any]) -> AuditRow:
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    altered = _is_altered(values)
    at, data = None, None
    with suppress(*DAMAGED):
        at = datetime.fromisoformat(values["at"])
    with suppress(*DAMAGED):
        data = from_text(values["data"])
    values |= {"at": at, "data": data if isinstance(data, dict) else {}}
    return AuditRow(**values, altered=altered)


@contextmanager
def _any_text(connection: Connection) -> Iterator[None]:
    """Read text that is no UTF-8 as escapes; without this a damaged row could not be named."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):  # PostgreSQL takes no such text
        yield
        return
    driver.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
    try:
        yield
    finally:
        driver.text_factory = str
