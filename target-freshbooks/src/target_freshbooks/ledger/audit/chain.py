"""The audit chain: every row as it was written, in its place, and none missing.

Each row's hash covers every column of it and the previous row's hash. The head row keeps the last
number and hash, so rows taken off the end are noticed as well; if the head was rewritten with them,
the intents tell what rows there were. Appending locks the head, so that all appenders, of all
sources, form one chain.
"""

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
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

from target_freshbooks.ledger.storage.canonical import to_text
from target_freshbooks.ledger.storage.database import paged
from target_freshbooks.ledger.storage.tables import audit, audit_head, intents, plain, time_text

if TYPE_CHECKING:
    from target_freshbooks.ledger.section import Scope

_HEAD_TEXT = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")

GENESIS = "0" * 64
"""The hash before the first row."""

DAMAGED = (TypeError, ValueError, RecursionError)
"""What reading a row raises that somebody changed: SQLite takes any type in any column."""

EVENTS_OF_INTENTS = ("intended", "done", "refused", "not_sent", "found", "not_found")
"""Rows that are written with an intent: when it is opened, and when it is closed."""

# Made once: every write appends a row, and building a statement costs more than running it.
HEAD = select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.id == 1)
_HEAD_LOCKED = HEAD.with_for_update()
_ADD = audit.insert()
_MOVE_HEAD = (
    update(audit_head)
    .where(audit_head.c.id == 1)
    .values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
)


@dataclass(frozen=True, slots=True)
class AuditHead:
    """Where the chain ended at some moment; as text `1042:` and the hash.

    Whoever owns the database can write the whole chain anew, fitting hashes and all. A head that
    was noted elsewhere shows it: no other chain up to there ends with its hash.

    Attributes:
        seq: Number of its last row then; 0 before the first.
        hash: Hash of that row.
    """

    seq: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """From its text.

        Raises:
            ValueError: It is none.
        """
        match = _HEAD_TEXT.fullmatch(text.strip())
        if match is None:
            raise ValueError("write a head as `audit-head` prints it: a number, a colon, 64 digits")
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """What a walk along the chain found.

    Attributes:
        ok: Whether every row is as it was written.
        rows: Rows that are, from the first on.
        head_hash: Hash of the last of them.
        broken_seq: Number of the first row that is altered, missing or out of place; None if that
            is not known.
        problem: What is wrong with it, as a sentence.
    """

    ok: bool
    rows: int
    head_hash: str
    broken_seq: int | None = None
    problem: str | None = None


class Entry(NamedTuple):
    """What a row of the journal is to say."""

    scope: "Scope"
    event: str
    order_id: int | None
    run_id: str
    data: Mapping[str, Any]


def append(connection: Connection, entries: Iterable[Entry]) -> None:
    """Add rows behind the head; must run at the end of a write transaction."""
    head = connection.execute(_HEAD_LOCKED).one()
    seq, last, rows = head.seq, head.hash, list[dict[str, Any]]()
    for scope, event, order_id, run_id, data in entries:
        row = {
            "seq": seq + 1,
            "source": plain(scope.source),
            "at": time_text(scope.clock()),
            "event": plain(event),
            "order_id": order_id,
            "run_id": plain(run_id),
            "who": plain(scope.who),
            "data": to_text(dict(data)),
            "prev_hash": last,
        }
        row["hash"] = last = seal(row)
        seq += 1
        rows.append(row)
    connection.execute(_ADD, rows)
    connection.execute(_MOVE_HEAD, {"new_seq": seq, "new_hash": last})


def verify(connection: Connection, noted: AuditHead | None = None) -> ChainVerdict:
    """Walk the chain from its first row to the head, in one unchanging view.

    Args:
        connection: To the ledger.
        noted: The head of an earlier moment, which has to stand in the chain.
    """
    with any_text(connection):
        verdict = _walk(connection)
        if not verdict.ok:
            return verdict
        problem = _intent_without_row(connection) or _lacking(connection, noted)
    if problem is None:
        return verdict
    return ChainVerdict(False, verdict.rows, verdict.head_hash, None, problem)


def _walk(connection: Connection) -> ChainVerdict:
    head = connection.execute(HEAD).one_or_none()
    missing = "The head of the audit journal is missing."
    if head is not None and not isinstance(head.seq, int):
        head, missing = None, "The head of the audit journal was altered: it holds no row's number."
    seq, last = 0, GENESIS
    for row in paged(lambda page: connection.execute(page).all(), select(audit), audit.c.seq):
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
    intent = connection.execute(
        select(lacking.c.event, intents.c.id, intents.c.kind, intents.c.order_id)
        .join(intents, intents.c.id == lacking.c.id)
        .order_by(intents.c.id, lacking.c.event != "intended")
        .limit(1)
    ).one_or_none()
    if intent is None:
        return None
    whose = "" if intent.order_id is None else f" of order {intent.order_id}"
    return (
        f"The row {intent.event!r} of intent {intent.id} ({intent.kind}{whose}) is missing: the"
        " journal was cut off at the end, or written anew without it."
    )


def _lacking(connection: Connection, noted: AuditHead | None) -> str | None:
    """Tell that a chain whose rows are all in order is not the one that had the head."""
    if noted is None or noted == AuditHead(0, GENESIS):
        return None
    standing = connection.execute(select(audit.c.hash).where(audit.c.seq == noted.seq)).scalar()
    if standing == noted.hash:
        return None
    now = "there is no such row" if standing is None else "that row has another hash"
    return (
        f"The head {noted} does not stand in this journal: {now}. Since the head was noted the"
        " journal was cut off or written anew, or the head is another ledger's."
    )


def _problem_of(row: Row[Any], expected_seq: int, prev_hash: str) -> str | None:
    if row.seq > expected_seq:
        return f"is missing: after row {expected_seq - 1} comes row {row.seq}"
    if row.seq < expected_seq:
        return f"has a number below the first ({expected_seq})"
    if row.prev_hash != prev_hash:
        return f"does not follow row {expected_seq - 1}: one of the two was written anew"
    if is_altered(dict(row._mapping)):  # noqa: SLF001 - SQLAlchemy's public name for it
        return "was altered: its content does not match its hash"
    return None


def is_altered(row: dict[str, Any]) -> bool:
    """Whether the row was changed since it was written: its hash does not fit."""
    try:
        return bool(row["hash"] != seal(row))
    except DAMAGED:
        return True


def seal(row: dict[str, Any]) -> str:
    """The hash of a row's columns, its own hash apart."""
    content = to_text([row[column.name] for column in audit.c if column.name != "hash"])
    return hashlib.sha256(content.encode()).hexdigest()


@contextmanager
def any_text(connection: Connection) -> Iterator[None]:
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
