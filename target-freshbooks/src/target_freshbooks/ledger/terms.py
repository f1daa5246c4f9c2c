"""Terms: the settings that shaped an order's invoice, kept with the order.

A bookkeeper who changes a setting means the orders to come. What is posted keeps the settings it
was posted under, for its later edits and refunds too, and the day it was dated. Distinct settings
are kept once, however many orders share them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from target_freshbooks.ledger.section import Section
from target_freshbooks.ledger.storage.canonical import from_text, hash_text, to_text
from target_freshbooks.ledger.storage.tables import orders, terms


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order was posted under.

    Attributes:
        settings: The settings that shaped its invoice, as a JSON object.
        invoice_day: The invoice's day.
        posted: Whether the order was posted under them, and not merely begun.
    """

    settings: Mapping[str, Any]
    invoice_day: date
    posted: bool = False


# Made once: building a statement costs more than running it, and each order needs it.
_OF_ORDER = (
    select(terms.c.body, orders.c.invoice_day, orders.c.posted_at)
    .join(terms, terms.c.hash == orders.c.terms)
    .where(orders.c.source == bindparam("of_source"), orders.c.order_id == bindparam("of_order"))
)


class OrderTerms(Section):
    """The terms of one shop's orders."""

    def of(self, order_id: int) -> Terms | None:
        """The order's terms; None if it was never posted."""
        row = self._row(_OF_ORDER, of_source=self._source, of_order=order_id)
        if row is None:
            return None
        return Terms(from_text(row.body), row.invoice_day, posted=row.posted_at is not None)

    def all_settings(self) -> list[Mapping[str, Any]]:
        """The settings that any order was ever posted under, the oldest first."""
        rows = self._rows(select(terms.c.body).order_by(terms.c.kept_at))
        return [from_text(row.body) for row in rows]

    def keep(self, order_id: int, new: Terms) -> None:
        """Keep the settings and the day that an order is posted under from now on.

        They are stored with the thread's next transaction.
        """
        body = to_text(dict(new.settings))
        row = {"hash": hash_text(body), "body": body, "kept_at": self._clock()}

        def store(connection: Connection) -> None:
            self._add(connection, terms, row)
            connection.execute(
                update(orders)
                .where(orders.c.source == self._source, orders.c.order_id == order_id)
                .values(terms=row["hash"], invoice_day=new.invoice_day)
            )

        self._database.put_off(store)
