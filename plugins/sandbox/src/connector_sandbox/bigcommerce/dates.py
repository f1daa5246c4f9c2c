"""The forms BigCommerce gives and takes moments in.

v2 answers are RFC 2822 and always `+0000`; v3 answers are ISO 8601. Filters take both, and one
that cannot be read is no filter at all.
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

_DAY_ONLY = re.compile(r"^\d{4}-\d{2}-\d{2}$")


def rfc2822(moment: datetime) -> str:
    """`Tue, 05 Mar 2019 21:40:11 +0000`."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0))


def iso(moment: datetime) -> str:
    """`2018-05-08T15:06:12+00:00`."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def epoch(moment: datetime) -> int:
    """Whole Unix seconds: the resolution everything has."""
    return int(moment.timestamp())


def read(text: str) -> datetime | None:
    """A filter's moment, or None when it cannot be read (a raw `+` became a space, say)."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def is_day_only(text: str) -> bool:
    """Whether the filter names a day without a time."""
    return bool(_DAY_ONLY.match(text))
