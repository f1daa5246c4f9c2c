"""Which of two versions of a record is the later one: the shop's own date of change tells.

What a tap has read may wait before it is stored: for another run's end, in a pipe, in a file that
is fed in once more. Meanwhile somebody else may have stored a later version, and the older one must
not take its place. Only dates that BigCommerce gave are compared, never our clock. Of two versions
of one date (its resolution is the second), and if a date is missing, the one that comes last is
taken for the later one.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, bindparam, select

from target_freshbooks.ledger.storage.canonical import from_text
from target_freshbooks.ledger.storage.tables import inbox

if TYPE_CHECKING:
    from target_freshbooks.ledger.inbox.records import Record

logger = logging.getLogger(__name__)

Given = tuple["Record", dict[str, Any]]
"""A record and its row in the inbox."""

Place = tuple[str, str]
"""Where a record is kept: its stream and the text of its key."""

DATED = frozenset({"orders", "customers", "products"})
"""Streams whose records bear `date_modified`."""

COMPARED = DATED | {"store"}

PORTION = 500
"""Keys asked for at once: databases take only so many parameters."""


class Version(NamedTuple):
    """A record as it is known.

    Attributes:
        hash: Of its body.
        text: Its body as canonical JSON; None if retention has dropped it.
        modified: When the shop last changed it, if it says so; retention leaves it.
    """

    hash: str
    text: str | None
    modified: datetime | None

    def body(self) -> dict[str, Any]:
        """The record; empty if it has been dropped."""
        return {} if self.text is None else dict(from_text(self.text))


def read(
    connection: Connection, source: str, rows: Iterable[Mapping[str, Any]]
) -> dict[Place, Version]:
    """Read what is known of the rows' records in the streams that are compared."""
    wanted: dict[str, set[str]] = {}
    for row in rows:
        if row["stream"] in COMPARED:
            wanted.setdefault(row["stream"], set()).add(row["key"])
    return {
        (stream, row.key): Version(row.hash, row.body, row.modified)
        for stream, keys in wanted.items()
        for some in portions(keys)
        for row in connection.execute(
            _KNOWN, {"of_source": source, "of_stream": stream, "of_keys": some}
        )
    }


# Made once: it is asked for each order that comes, changed or not.
_KNOWN = select(inbox.c.key, inbox.c.hash, inbox.c.body, inbox.c.modified).where(
    inbox.c.source == bindparam("of_source"),
    inbox.c.stream == bindparam("of_stream"),
    inbox.c.key.in_(bindparam("of_keys", expanding=True)),
)


def latest(
    records: Iterable[Given], before: Mapping[Place, Version]
) -> tuple[list[Given], frozenset[int]]:
    """Leave out the records older than what is known of them, or than another of the batch.

    Returns:
        The others, and the orders of which only an older version was given.
    """
    known = dict(before)
    taken: list[Given] = []
    outdated: set[int] = set()
    current: set[int] = set()
    for record, row in records:
        place = (record.stream, row["key"])
        order_id = record.order_id if record.stream == "orders" else None
        if record.stream in DATED:
            dates = _dates_if_older(row, known.get(place))
            if dates is not None:
                logger.info(
                    "An older version of %s %s came in late, of %s: the known one of %s stays",
                    record.stream,
                    record.key[0],
                    *(date.isoformat() for date in dates),
                )
                if order_id is not None:
                    outdated.add(order_id)
                continue
            known[place] = Version(row["hash"], row["body"], row["modified"])
        if order_id is not None:
            current.add(order_id)
        taken.append((record, row))
    return taken, frozenset(outdated - current)


def additions(
    connection: Connection,
    source: str,
    records: Iterable[Given],
    outdated: Collection[int],
    complete: Collection[str],
) -> list[Given]:
    """Of the parts that came with an older version of their order, leave what can only add.

    A transaction or refund has no date of change, so it is as old as the order it came with: it
    may say "authorised" of what is captured by now, or "ok" of a refund that was declined since.
    One that is known stays as it is. One that is not known contradicts nothing, and money that
    moved is never unsaid, so it is stored. Rows of `complete` streams are not: a later edit of the
    order has replaced them.
    """
    known: dict[Place, str] = {}
    for some in portions(outdated):
        rows = connection.execute(
            select(inbox.c.stream, inbox.c.key, inbox.c.hash).where(
                inbox.c.source == source, inbox.c.order_id.in_(some)
            )
        )
        known |= {(row.stream, row.key): row.hash for row in rows}
    return [
        (record, row)
        for record, row in records
        if record.order_id not in outdated
        or (
            record.stream not in complete
            # Equal content is let through: it may bring back a body that retention dropped.
            and known.get((record.stream, row["key"]), row["hash"]) == row["hash"]
        )
    ]


def portions(values: Collection[Any]) -> Iterator[list[Any]]:
    """Cut values into lists that a statement can take as parameters."""
    ordered = sorted(values)
    for start in range(0, len(ordered), PORTION):
        yield ordered[start : start + PORTION]


def modified(body: Mapping[str, Any]) -> datetime | None:
    """When the shop last changed the record, aware; None if that is not said in words we know.

    A time without an offset is in UTC, as everywhere in the API.
    """
    written = body.get("date_modified")
    if not isinstance(written, str):
        return None
    try:
        moment = _parsed(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _parsed(written: str) -> datetime:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return parsedate_to_datetime(written)


def _dates_if_older(
    row: Mapping[str, Any], known: Version | None
) -> tuple[datetime, datetime] | None:
    """The dates of the row and of its record's known version, if that one is the later."""
    new: datetime | None = row["modified"]
    if known is None or new is None or known.hash == row["hash"]:
        return None
    # Stored by a version that did not keep the date apart, the body tells it.
    date = known.modified or modified(known.body())
    return (new, date) if date is not None and new < date else None
