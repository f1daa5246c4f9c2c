"""Retention: after a while only hashes, ids, figures and links stay of what the shop said.

What an order says of its shopper goes when nothing has happened to the order for so long, whatever
its state: posted, settled, parked, or waiting, as carts do that were never paid. The one exception
is an order that no run has looked at yet. A customer's record goes when no order of theirs is here
any more. Whatever is needed again comes again from the shop with its order, and has the hash that
it had. The records of products and of the store name no shopper, and stay.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, select, update

from target_freshbooks.ledger.inbox.records import CUSTOMERS, ORDERS
from target_freshbooks.ledger.section import Section
from target_freshbooks.ledger.storage.database import PAGE
from target_freshbooks.ledger.storage.tables import inbox, orders

ASK_AGAIN = (
    "The order's records were dropped after ledger_retention_days. First have the tap read it from"
    " BigCommerce again, with the setting order_ids:"
    " TAP_BIGCOMMERCE_ORDERS_ORDER_IDS='[{order_id}]' meltano run tap-bigcommerce-orders"
    " target-freshbooks. Then: "
)
"""What comes before the next step of a parked order whose records are gone."""


class Retention(Section):
    """What of one shop's records is dropped."""

    def prune(self, older_than: timedelta) -> int:
        """Drop the bodies of orders untouched for that long, with their customers and children.

        An order about which anything came in since it was looked at is kept.

        Returns:
            How many orders lost their bodies.
        """
        before = self._clock() - older_than
        total, dropped = 0, PAGE
        while dropped:
            with self._database.write() as connection:  # in portions: others write in between
                dropped = _prune(connection, self._source, before)
            total += dropped
        with self._database.write() as connection:
            _prune_others(connection, self._source, before)
        return total


def _prune(connection: Connection, source: str, before: datetime) -> int:
    """Drop the bodies of some orders untouched since a time; return how many orders."""
    of_order = and_(inbox.c.source == orders.c.source, inbox.c.order_id == orders.c.order_id)
    untouched = connection.execute(
        select(orders.c.order_id, orders.c.state, orders.c.next_step)
        .where(
            orders.c.source == source,
            orders.c.state != "new",
            orders.c.updated_at < before,
            select(inbox.c.key).where(of_order, inbox.c.body.is_not(None)).exists(),
            # What came in after the order was looked at has not been looked at yet.
            ~select(inbox.c.key)
            .where(of_order, inbox.c.received_at > orders.c.updated_at)
            .exists(),
        )
        .order_by(orders.c.order_id)
        .limit(PAGE)
    ).all()
    if untouched:
        known = [row.order_id for row in untouched]
        connection.execute(
            update(inbox)
            .where(inbox.c.source == source, inbox.c.order_id.in_(known))
            .values(body=None)
        )
        # FreshBooks' words may repeat a name or a street.
        connection.execute(
            update(orders)
            .where(orders.c.source == source, orders.c.order_id.in_(known))
            .values(words=None)
        )
        for row in untouched:
            if row.state == "parked":
                _tell_to_ask_again(connection, source, row.order_id, row.next_step or "")
    return len(untouched)


def _prune_others(connection: Connection, source: str, before: datetime) -> None:
    """Drop the customers without an order here, and the parts of orders that never came."""
    order = inbox.alias()
    here = select(order.c.key).where(
        order.c.source == inbox.c.source, order.c.stream == ORDERS, order.c.body.is_not(None)
    )
    old = and_(inbox.c.source == source, inbox.c.body.is_not(None), inbox.c.received_at < before)
    for theirs in (
        and_(
            inbox.c.stream == CUSTOMERS,
            ~here.where(order.c.customer_id == inbox.c.customer_id).exists(),
        ),
        and_(
            inbox.c.order_id.is_not(None),
            inbox.c.stream != ORDERS,
            ~here.where(order.c.order_id == inbox.c.order_id).exists(),
        ),
    ):
        connection.execute(update(inbox).where(old, theirs).values(body=None))


def _tell_to_ask_again(connection: Connection, source: str, order_id: int, next_step: str) -> None:
    first = ASK_AGAIN.format(order_id=order_id)
    if next_step.startswith(first):
        return
    connection.execute(
        update(orders)
        .where(orders.c.source == source, orders.c.order_id == order_id)
        .values(next_step=first + next_step)
    )
