"""First contact: whether a server answers at all, without any secret, and what time it has.

Its clock is compared with ours by the `Date` header (RFC 9110, 6.6.1), which has whole seconds and
is of some moment between our sending and its answer's arrival.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import requests

from .deadline import new_session
from .health_checks import Finding, fail, ok, warn
from .network_failures import NO_ANSWER, failure_of, host_of

SECONDS = 10.0
"""How long to wait for the connection, and for each next byte."""

CLOCK_WARNS = timedelta(seconds=10)
CLOCK_FAILS = timedelta(minutes=2)
"""Hooks are refused at five minutes, and a token counts as used up five minutes before its end."""


@dataclass(frozen=True, slots=True)
class Contact:
    """What came of a request.

    Attributes:
        host: Whom it was sent to.
        status: Of the answer; None if none came.
        words: Why none came.
        date: The server's time; None if it does not tell.
        sent: Our time before.
        received: Our time after.
    """

    host: str
    status: int | None
    words: str
    date: datetime | None
    sent: datetime
    received: datetime

    def clock_error(self) -> timedelta | None:
        """How far our clock is ahead (or, negative, behind) at least; None if nobody can tell."""
        if self.date is None:
            return None
        if self.date > self.received:
            return self.received - self.date
        return max(self.sent - self.date - timedelta(seconds=1), timedelta())


def make_contact(url: str, user_agent: str, clock: Callable[[], datetime]) -> Contact:
    """Ask for an address once. No secret is sent, and a redirect is not followed."""
    host, sent = host_of(url), clock()
    with new_session() as session:
        try:
            answer = session.get(
                url,
                headers={"User-Agent": user_agent, "Accept": "application/json"},
                auth=_as_it_is,
                timeout=SECONDS,
                allow_redirects=False,
            )
        except NO_ANSWER as error:
            words = failure_of(error, host).words
            return Contact(host, None, words, None, sent, clock())
    return Contact(host, answer.status_code, "", _date(answer), sent, clock())


def reachability(contact: Contact, setting: str) -> Finding:
    """Say whether the server answers.

    Args:
        contact: What came of asking.
        setting: The one that holds its address.
    """
    if contact.status is None:
        return fail(
            f"{contact.words}.", f"Check the network, its proxy, and the setting {setting}."
        )
    if contact.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return fail(
            f"{contact.host} answers with status {contact.status}.",
            f"Wait until it is well again, and check {setting} if that lasts.",
        )
    if HTTPStatus.MULTIPLE_CHOICES <= contact.status < HTTPStatus.BAD_REQUEST:
        return fail(
            f"{contact.host} sends us elsewhere (status {contact.status}).",
            f"Put the API's own address, with https://, into {setting}.",
        )
    return ok(f"{contact.host} answers.")


def clock_agreement(contact: Contact) -> Finding:
    """Say whether our clock agrees with the server's."""
    error = contact.clock_error()
    if error is None:
        return warn(
            f"{contact.host} does not tell its time, so this machine's clock was not compared.",
            "See that a time service (chrony, systemd-timesyncd) is running here.",
        )
    if abs(error) < CLOCK_WARNS:
        return ok(f"This machine's clock agrees with that of {contact.host}.")
    ahead = "ahead of" if error > timedelta() else "behind"
    level = fail if abs(error) > CLOCK_FAILS else warn
    return level(
        f"This machine's clock is {abs(error).total_seconds():.0f} s {ahead} that of"
        f" {contact.host}.",
        "Set the clock by a time service (chrony, systemd-timesyncd), for tokens and hooks are"
        " judged by it.",
    )


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep `requests` from adding what .netrc says."""
    return request


def _date(answer: requests.Response) -> datetime | None:
    try:
        date = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
