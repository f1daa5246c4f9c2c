"""Probe records: what the probe of an account makes there, committed before it is made.

A probe that was killed leaves its rows behind; `probe --clean` finds by them what is to be removed.
They are the account's, whichever shop's ledger it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, update

from target_freshbooks.ledger.audit import redaction
from target_freshbooks.ledger.lock import AccountLock
from target_freshbooks.ledger.section import Section, columns_of
from target_freshbooks.ledger.storage.tables import probe

Kind = Literal["client", "item", "invoice", "payment", "credit_note"]
State = Literal["intended", "made", "refused", "not_found", "removed"]
"""About to be made, or perhaps made; there; declined; looked for in vain; deleted again."""


@dataclass(frozen=True, slots=True)
class ProbeRecord:
    """A record of the probe's.

    Attributes:
        id: Number of the row.
        record: What it is in FreshBooks.
        key: By which it is found there: e-mail, name, number; `ID:note` for what belongs to another
            record of that id.
        remote_id: FreshBooks' id; None as long as no answer told it.
        state: How it stands.
        opened_at: When it was about to be made.
    """

    id: int
    record: Kind
    key: str
    remote_id: int | None
    state: State
    opened_at: datetime


class ProbeRecords(Section):
    """The records of all probes of the ledger's account."""

    def intend(
        self, lock: AccountLock, record: Kind, key: str, body: Mapping[str, Any], run_id: str
    ) -> int:
        """Commit that a record is about to be made, with its audit row; the row's number.

        Raises:
            LockLost: Another run took the account.
        """
        row = {"record": record, "key": key, "state": "intended", "run_id": run_id}
        with self._database.write() as connection:
            lock.prove(connection)
            insert = probe.insert().returning(probe.c.id)
            number = int(
                connection.execute(insert, row | {"opened_at": self._clock()}).scalar_one()
            )
            data = {"record": record, "probe": number, "payload": redaction.of_write(dict(body))}
            self._note(connection, "probe_creates", None, run_id, data)
        return number

    def change(
        self,
        lock: AccountLock,
        record: Kind,
        remote_id: int,
        body: Mapping[str, Any],
        run_id: str,
    ) -> None:
        """Commit to the audit journal that one of them is about to be changed.

        Raises:
            LockLost: Another run took the account.
        """
        with self._database.write() as connection:
            lock.prove(connection)
            payload = redaction.of_write(dict(body))
            data = {"record": record, "remote_id": remote_id, "payload": payload}
            self._note(connection, "probe_changes", None, run_id, data)

    def close(
        self, number: int, state: State, run_id: str, *, remote_id: int | None = None
    ) -> None:
        """Note how a record stands from now on, and its id if that became known."""
        values: dict[str, Any] = {"state": state}
        if remote_id is not None:
            values["remote_id"] = remote_id
        with self._database.write() as connection:
            connection.execute(update(probe).where(probe.c.id == number).values(**values))
            self._note(connection, f"probe_{state}", None, run_id, {"probe": number, **values})

    def standing(self) -> list[ProbeRecord]:
        """Those that are, or may be, in FreshBooks; in the order they were made in."""
        return [row for row in self.all() if row.state in {"intended", "made"}]

    def all(self) -> list[ProbeRecord]:
        """All that ever were intended, oldest first."""
        statement = select(*columns_of(probe, ProbeRecord)).order_by(probe.c.id)
        return [ProbeRecord(*row) for row in self._rows(statement)]
