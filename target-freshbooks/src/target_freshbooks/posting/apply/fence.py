"""Fence: the one place that every write to FreshBooks passes, and none on a closed day does.

Plans know of closed days too, and say what a person is to do. But whatever a plan says, or fails to
say, nothing goes out that is dated on a closed day or changes what is: the writer asks here, right
before each request, by the day inside the body and the day of the record as it stands.

A Draft is in nobody's books: it may be moved to an open day, and only that.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from target_freshbooks.books.calendar import zone
from target_freshbooks.books.closed import ClosedDays, last_closed_day
from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.books.policy import Policy
from target_freshbooks.freshbooks.errors import ApiError, Refused
from target_freshbooks.freshbooks.observed import (
    DRAFT,
    ObservedCreditNote,
    ObservedExpense,
    ObservedInvoice,
    ObservedPayment,
)
from target_freshbooks.posting.plan.closed import BY_HAND
from target_freshbooks.posting.plan.steps import StepKind

Dated = ObservedInvoice | ObservedPayment | ObservedCreditNote | ObservedExpense
"""What has a day in FreshBooks."""

UNDATED = frozenset({"client", "item"})


class ClosedDay(Refused):
    """The write was not sent: its day, or the day of what it would change, is closed."""

    def __init__(self, kind: StepKind, day: date, *, locked: bool) -> None:
        super().__init__(
            kind.value, 0, (ApiError(None, "", f"{day} is in a closed period", kind.record),)
        )
        self.day = day
        self.locked = locked

    def parked(self, what: str) -> Parked:
        """The order is parked since the write was not sent."""
        return Parked(
            Reason.CLOSED_PERIOD,
            f"The {what.replace('_', ' ')} was not sent to FreshBooks: {self.day} is closed.",
            BY_HAND,
            self.day if self.locked else None,
        )


class Fence:
    """The closed days of one run, and the earlier months that are changed in it. Thread-safe.

    Args:
        policy: For `closed_through` and the zone.
        clock: Tells the time.
        store_zone: The store's zone, as far as it is known.
    """

    def __init__(
        self, policy: Policy, clock: Callable[[], datetime], store_zone: Callable[[], str]
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._store_zone = store_zone
        self._locked: frozenset[date] = frozenset()
        self._guard = threading.Lock()

    @property
    def today(self) -> date:
        """The day it is in the bookkeeper's zone, else the store's.

        Raises:
            UnknownZone: Neither is known.
        """
        return self._clock().astimezone(zone(self._policy.timezone or self._store_zone())).date()

    def closed(self, chosen: date | None = None) -> ClosedDays:
        """The days that are closed now.

        Args:
            chosen: The open day that a person chose for an order.
        """
        return replace(self._days(), chosen=chosen)

    def lock(self, day: date) -> None:
        """FreshBooks has refused something of this day as locked: the rest of the run spares it."""
        with self._guard:
            self._locked |= {day}

    def check(self, kind: StepKind, body: Mapping[str, Any], standing: Dated | None) -> str | None:
        """Let a write pass, or not.

        Args:
            kind: What is written.
            body: What goes inside FreshBooks' singular key.
            standing: The record that is changed, as FreshBooks has it.

        Returns:
            The earlier month that the write changes, such as `2026-10`, if no days are closed by
            the setting; else None.

        Raises:
            ClosedDay: It must not be sent.
        """
        if kind.record in UNDATED:
            return None
        days, closed = days_of(body, standing), self._days()
        for day in days:
            if day in closed:
                raise ClosedDay(kind, day, locked=day in closed.locked)
        if self._policy.closed_through is not None or not days:
            return None
        month = f"{min(days):%Y-%m}"
        return month if month < f"{self.today:%Y-%m}" else None

    def _days(self) -> ClosedDays:
        setting = self._policy.closed_through
        through = last_closed_day(setting, self.today) if setting == "auto" else setting
        return ClosedDays(through, self._locked)

    def asks_for(self, kind: StepKind) -> bool:
        """Whether it matters what day the changed record has."""
        some_closed = self._policy.closed_through is not None or bool(self._locked)
        return some_closed and kind.record not in UNDATED


def days_of(body: Mapping[str, Any], standing: Dated | None) -> list[date]:
    """The days in which a write changes something: that of the record, and that it gets."""
    new = [date.fromisoformat(body[name]) for name in ("create_date", "date") if name in body]
    match standing:
        case ObservedInvoice(status=status, create_date=day) if not (new and status == DRAFT):
            return [day, *new]
        case ObservedPayment(date=day) | ObservedExpense(date=day):
            return [day, *new]
        case ObservedCreditNote(day=date() as day):
            return [day, *new]
        case _:
            return new
