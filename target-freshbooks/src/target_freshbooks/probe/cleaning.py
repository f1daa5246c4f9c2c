"""Cleaning: what the probe made is found again, if need be, and deleted.

A record whose making was cut off has no id in the ledger. It is looked for by its key, until so
long after its intent that a search would show it. What FreshBooks does not let go is named.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from target_freshbooks.freshbooks import FreshBooks, ObservedPayment, Refused
from target_freshbooks.freshbooks.observed import DELETED
from target_freshbooks.ledger import AccountLock, Ledger
from target_freshbooks.ledger.probe_records import Kind, ProbeRecord

ORDER: tuple[Kind, ...] = ("payment", "credit_note", "invoice", "item", "client")
"""A payment keeps its invoice, an invoice its client."""
LOOK_EVERY = 2.0
"""Seconds between two looks."""


@dataclass(slots=True)
class Cleaned:
    """What came of cleaning.

    Attributes:
        removed: Records deleted now.
        numbers: Invoice numbers that stay used.
        left: What FreshBooks did not let go, with its words.
        strange: Records that are not the probe's, though the ledger has their ids.
    """

    removed: int = 0
    numbers: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cleaning:
    """Removes what the probe made.

    Attributes:
        books: FreshBooks.
        ledger: Where the records are.
        lock: The account's.
        run_id: Who removes them.
        clock: Aware UTC now.
        sleep: Waits between looks.
        settle_seconds: So long after it was made may a record stay unseen.
    """

    books: FreshBooks
    ledger: Ledger
    lock: AccountLock
    run_id: str
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    settle_seconds: float

    def run(self) -> Cleaned:
        """Find and delete all that stands."""
        cleaned = Cleaned()
        rows = self.ledger.probe.standing()
        known = [one for one in map(self._known, rows) if one and self._is_own(one, cleaned)]
        cleaned.numbers = sorted({row.key for row in known if row.record == "invoice"})
        for kind in ORDER:
            if kind == "credit_note":
                self._remove_credits(known, cleaned)
            for row in known:
                if row.record == kind:
                    self._remove(row, cleaned)
        return cleaned

    def _known(self, row: ProbeRecord) -> ProbeRecord | None:
        """The row with FreshBooks' id; None if the record was never made."""
        while row.remote_id is None:
            # Asked first: what was made before this moment must be seen after it.
            is_last = (self.clock() - row.opened_at).total_seconds() >= self.settle_seconds
            record = self._find(row)
            if record is not None:
                self.ledger.probe.close(row.id, "made", self.run_id, remote_id=record.id)
                return ProbeRecord(row.id, row.record, row.key, record.id, "made", row.opened_at)
            if is_last:
                self.ledger.probe.close(row.id, "not_found", self.run_id)
                return None
            self.sleep(LOOK_EVERY)
        return row

    def _find(self, row: ProbeRecord) -> Any:  # noqa: ANN401 - a record of the kind
        """The record of that key, but none that another row stands for."""
        known = {one.remote_id for one in self.ledger.probe.all() if one.record == row.record}
        owner, _, note = row.key.partition(":")
        match row.record:
            case "client":
                candidates: Any = self.books.clients.of_email(row.key)
            case "item":
                self.books.items.forget()
                candidates = self.books.items.named(row.key)
            case "invoice":
                rows = partial(self.books.invoices.exactly, "invoice_number", row.key)
                candidates = [*rows(deleted=False), *rows(deleted=True)]
            case "payment":
                payments = self.books.payments.of_invoice(int(owner))
                candidates = [one for one in payments if one.note == note]
            case "credit_note":
                notes = self.books.credit_notes.of_client(int(owner))
                candidates = [one for one in notes if one.notes == note]
        return next((one for one in candidates if one.id not in known), None)

    def _is_own(self, row: ProbeRecord, cleaned: Cleaned) -> bool:
        """Whether the record of that id, if it stands, is the one that the probe made."""
        assert row.remote_id is not None  # noqa: S101 - `_known` has found it
        standing = self.books.collections[row.record].standing(row.remote_id)
        if standing is None or _bears_key(standing, row):
            return True
        cleaned.strange.append(f"{row.record} {row.remote_id}")
        return False

    def _remove(self, row: ProbeRecord, cleaned: Cleaned) -> None:
        assert row.remote_id is not None  # noqa: S101 - `_known` has found it
        collection = self.books.collections[row.record]
        standing = collection.standing(row.remote_id)
        if standing is not None:
            try:
                if isinstance(standing, ObservedPayment):
                    self._lower(standing)
                if row.record == "invoice" and standing.number != row.key:
                    self._write(row.record, row.remote_id, {"invoice_number": row.key})
                self._write(row.record, row.remote_id, {"vis_state": DELETED})
            except Refused as refused:
                cleaned.left.append(f"{row.record} {row.key}: {refused.words}")
                return
        if collection.standing(row.remote_id) is not None:
            cleaned.left.append(f"{row.record} {row.key}: it still stands after it was deleted")
            return
        self.ledger.probe.close(row.id, "removed", self.run_id)
        cleaned.removed += 1

    def _lower(self, payment: ObservedPayment) -> None:
        """Lower a payment to 0: a deleted one may count on, and keep its invoice from going."""
        nothing = {"amount": {"amount": "0.00", "code": payment.currency}}
        # Refused, it is deleted as it is: what that keeps from going is named in its own turn.
        with suppress(Refused):
            self._write("payment", payment.id, nothing)

    def _remove_credits(self, rows: list[ProbeRecord], cleaned: Cleaned) -> None:
        """Delete the credits that FreshBooks gave the probe's clients for what was overpaid."""
        clients = [row.remote_id for row in rows if row.record == "client" and row.remote_id]
        paid = [row.opened_at for row in self.ledger.probe.all() if row.record == "payment"]
        if not paid or not clients:
            return
        since = (self.clock() - max(paid)).total_seconds()
        self.sleep(max(0.0, self.settle_seconds - since))
        for note in chain.from_iterable(map(self.books.credit_notes.of_client, clients)):
            if note.credit_type != "overpayment":
                continue
            try:
                self._write("credit_note", note.id, {"vis_state": DELETED})
            except Refused as refused:
                cleaned.left.append(f"credit {note.number} of {note.amount}: {refused.words}")

    def _write(self, record: Kind, id: int, body: dict[str, Any]) -> None:  # noqa: A002
        self.ledger.probe.change(self.lock, record, id, body, self.run_id)
        self.books.collections[record].update(id, body)


def _bears_key(standing: Any, row: ProbeRecord) -> bool:  # noqa: ANN401 - a record of the kind
    """Whether the record bears the row's key, which a probe may have lengthened."""
    owner, _, note = row.key.partition(":")
    match row.record:
        case "client":
            return bool(standing.email.casefold() == row.key.casefold())
        case "item":
            return bool(standing.name.startswith(row.key))
        case "invoice":
            return bool(standing.number.startswith(row.key))
        case "payment":
            return bool(standing.invoice_id == int(owner) and standing.note.startswith(note))
        case "credit_note":
            return bool(standing.client_id == int(owner) and standing.notes.startswith(note))
