"""Bookkeeping day: a moment seen on the shop's own calendar.

An order placed at 23:30 in Chicago belongs to that day, although it is 05:30 of the next in UTC,
and the distance changes with daylight saving. Days are therefore taken in the store's time zone (or
in the one the bookkeeper sets) and travel as plain dates from there on. Where neither is known
there is no day: another zone's, such as UTC's, would now and then be in another month.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from target_freshbooks.books.policy import Policy
from target_freshbooks.shop.facts import OrderFacts


class UnknownZone(LookupError):  # noqa: N818 - it names the situation
    """A time zone that is not known here, or that nobody named."""


def bookkeeping_day(moment: datetime, facts: OrderFacts, policy: Policy) -> date:
    """The day of the moment in the bookkeeper's zone, else the store's."""
    return moment.astimezone(zone(policy.timezone or facts.store_timezone)).date()


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name; no zone is taken where there is no name.

    Raises:
        UnknownZone: There is no such zone, or no name; the setting `timezone` can give one.
    """
    if not name:
        raise UnknownZone(
            "The store's time zone is not known, so no order has a day: select the stream `store`"
            " in the tap, or set `timezone` to an IANA name such as America/Chicago."
        )
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(
            f"{name!r} is no time zone known here; set `timezone` to an IANA name such as"
            " America/Chicago."
        ) from error
