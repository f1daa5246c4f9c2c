"""What the runs of a trial came to: in the books, in the ledger, and in their log."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeps import books

if TYPE_CHECKING:
    from pathlib import Path

    from demo.sandbox import Sandbox
    from sweeps.books import Books


@dataclass(slots=True)
class Outcomes:
    """Where trials take place, as far as one looks only.

    Attributes:
        sandbox: Both APIs.
        home: Folder of the trial's ledger, credentials and logs.
    """

    sandbox: Sandbox
    home: Path

    def books(self) -> Books:
        """The books as they stand."""
        return books.read(self.sandbox.ask("books"))

    def log(self) -> str:
        """What the trial's runs wrote to stderr."""
        return (self.home / "trial" / "target.log").read_text(encoding="utf-8")

    def kinds(self) -> Counter[str]:
        """How often each kind of write was intended since `begin` (or the ledger's loss)."""
        return Counter(kind for (kind,) in self.ledger_rows("SELECT kind FROM ledger_intents"))

    def standings(self) -> dict[int, str]:
        """The orders' states by the ledger."""
        return dict(self.ledger_rows("SELECT order_id, state FROM ledger_orders"))

    def forget_settled(self) -> None:
        """From now on `settled` tells of the orders that have been settled since."""
        self.ledger_rows(
            "UPDATE ledger_orders SET facts_hash = 'read anew', desired_hash = 'read anew'"
        )

    def settled(self) -> set[int]:
        """Orders settled on what the shop says of them now."""
        query = "SELECT order_id FROM ledger_orders WHERE facts_hash <> 'read anew'"
        return {order for (order,) in self.ledger_rows(query + " AND state <> 'new'")}

    def flaws(self) -> list[str]:
        """What is wrong in the ledger by itself: an open intent, a broken chain."""
        from target_freshbooks.ledger import Ledger  # noqa: PLC0415 - heavy, and used here only

        ledger = Ledger.open(f"sqlite:///{self.home}/trial/ledger.sqlite", source="bigcommerce")
        try:
            verdict = ledger.audit.verify_chain()
            found = [f"intent {one.kind} {one.key} is open" for one in ledger.intents.still_open()]
        finally:
            ledger.dispose()
        return found if verdict.ok else [*found, f"the audit chain is broken: {verdict}"]

    def writes(self) -> list[dict[str, Any]]:
        """The accepted writes to the accounting API since `begin`."""
        rows = self.sandbox.ask("history", side="freshbooks")["history"]
        return [row for row in rows if row["path"].startswith("/accounting/")]

    def ledger_rows(self, statement: str) -> list[Any]:
        """Ask the ledger of the trial, or change it."""
        with closing(sqlite3.connect(self.home / "trial" / "ledger.sqlite")) as connection:
            rows = connection.execute(statement).fetchall()
            connection.commit()
        return rows
