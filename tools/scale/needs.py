"""N stores with M orders a day each: what they need. Pure arithmetic.

>>> from scale.figures import Assumed, Measured, Told
>>> told = Told(*map(Decimal, ("2", "4", "6", "270", "600", "0.1")))
>>> measured = Measured("a test's", *map(Decimal, ("17", "3", "4", "300", "20000", "11000")))
>>> needs = Needs(told, measured, Assumed(), stores=200, orders=200)

The shop is asked 17 times a run, and two times for each order, once on its day and once a night
of the seven that follow:

>>> needs.shop_requests == 97 * 17 + 8 * 200 * 2
True

FreshBooks is asked three times a run and five times for an order, for half of the clients are new:

>>> needs.books_requests == 97 * 3 + 200 * 5
True

A busy quarter of an hour has five orders, each of which takes FreshBooks' limit 0.5 s, the shop's
quota less, and a run takes 6 s and 20 answers of 0.3 s:

>>> needs.busy_seconds == 6 + 20 * Decimal("0.3") + 5 * Decimal("0.5")
True

200 stores that take 14.5 s of each 900 s keep four slots busy, seven with room; their nights, in
which each reads 1,400 orders again at 4.5 requests a second, need nine to be over in four hours:

>>> needs.slots
9

>>> needs.megabytes == needs.slots * 300
True
>>> needs.ledger_megabytes_a_year == 200 * (365 * 9000 + 90 * 11000) / Decimal(10**6)
True
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scale.figures import Assumed, Measured, Told

QUARTER = Decimal(900)
DAY = Decimal(86400)


@dataclass(frozen=True)
class Needs:
    """What so many stores need, each with so many orders a day and an account of its own."""

    told: Told
    measured: Measured
    assumed: Assumed
    stores: int
    orders: int

    @property
    def shop_requests(self) -> Decimal:
        """Requests to BigCommerce a store and day."""
        runs = self.assumed.runs * self.measured.idle_shop
        return runs + self.orders * (1 + self.assumed.deep_days) * self.told.taxed_order

    @property
    def shop_share(self) -> Decimal:
        """Of what the store's quota allows a day."""
        return self.shop_requests / (self.told.shop_per_minute * 1440)

    @property
    def books_order(self) -> Decimal:
        """Requests to FreshBooks an order."""
        new = self.assumed.new_clients
        return new * self.told.new_client + (1 - new) * self.told.known_client

    @property
    def books_requests(self) -> Decimal:
        """Requests to FreshBooks an account and day."""
        return self.assumed.runs * self.measured.idle_books + self.orders * self.books_order

    @property
    def books_share(self) -> Decimal:
        """Of what the account's limit allows a day."""
        return self.books_requests / (self.told.books_per_minute * 1440)

    @property
    def order_seconds(self) -> Decimal:
        """A further order's in a run: what is slowest of both quotas and the answers."""
        return max(
            self.told.taxed_order * 60 / self.told.shop_per_minute,
            self.books_order * 60 / self.told.books_per_minute,
            self.books_order * self.assumed.answer / self.assumed.concurrency,
        )

    @property
    def idle_seconds(self) -> Decimal:
        """A task's that finds nothing new."""
        asked = self.measured.idle_shop + self.measured.idle_books
        return self.assumed.overhead + asked * self.assumed.answer

    @property
    def busy_seconds(self) -> Decimal:
        """A store's task in a busy quarter of an hour."""
        orders = Decimal(self.orders) / (self.assumed.busy_hours * 4)
        return self.idle_seconds + orders * self.order_seconds

    @property
    def deep_seconds(self) -> Decimal:
        """A store's task at night, which reads a week again and writes little."""
        orders = self.orders * self.assumed.deep_days
        return self.idle_seconds + orders * self.told.taxed_order * 60 / self.told.shop_per_minute

    @property
    def slots(self) -> int:
        """Tasks at once: of busy quarters, or of the night where these take more."""
        by_day = self.stores * self.busy_seconds / QUARTER / self.assumed.use
        by_night = self.stores * self.deep_seconds / (self.assumed.deep_hours * 3600)
        return max(ceil(by_day), ceil(by_night), 1)

    @property
    def cores(self) -> Decimal:
        """In a busy quarter, and without Airflow's own."""
        orders = Decimal(self.orders) / (self.assumed.busy_hours * 4)
        store = self.measured.idle_cpu + orders * self.told.order_cpu
        return self.stores * store / QUARTER / self.assumed.use

    @property
    def megabytes(self) -> Decimal:
        """Of tasks at once, without Airflow's own."""
        return self.slots * self.measured.megabytes

    @property
    def ledger_megabytes_a_year(self) -> Decimal:
        """A store's ledger after a year: what stays of each order, and the last days whole."""
        stays = self.measured.order_bytes - self.measured.body_bytes
        whole = self.assumed.retention_days * self.measured.body_bytes
        return self.orders * (365 * stays + whole) / 10**6

    @property
    def most_orders(self) -> int:
        """Orders a day that one store can have: its nightly run has to end within the hours."""
        order = self.assumed.deep_days * self.told.taxed_order * 60 / self.told.shop_per_minute
        return int((self.assumed.deep_hours * 3600 - self.idle_seconds) / order)
