"""Telling a genuine hook from a forged one, and a fresh one from a late one.

BigCommerce signs by the Standard Webhooks specification ("HTTPS webhook overview", 2025): HMAC
SHA-256 over ``id.timestamp.raw body``; the key is the client secret, given to the Standard
Webhooks library in base64. The library makes signatures here; to check them it is not used, because
it signs text where a body may be any bytes, drops every hook older than five minutes by its own
clock, and fails on header entries of versions it does not know. What age means is decided here
(see docs/webhooks.md).
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from standardwebhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = "v1"
MOST_SIGNATURES = 16
"""Entries of our version that are looked at: there is one for each secret in use."""

_UNIX_SECONDS = re.compile(r"[0-9]{1,11}\Z")


class Age(StrEnum):
    """How the time of a genuine signature stands to our clock."""

    FRESH = "fresh"
    LATE = "late"
    """Outside the tolerance, either way; still a hint worth following."""
    EXPIRED = "expired"
    """So far outside that the scheduled poll has read the order long since."""


@dataclass(frozen=True, slots=True)
class VerifiedHook:
    """A hook that the holder of a client secret signed."""

    webhook_id: str
    signed_at: datetime
    age: Age


class Verifier:
    """Checks signatures against the client secrets in use.

    Args:
        client_secrets: One, or several while one replaces another.
        tolerance: Up to this distance from now a signature is fresh.
        late_limit: Up to this distance it is late, beyond it expired.
    """

    def __init__(
        self, client_secrets: Iterable[str], *, tolerance: timedelta, late_limit: timedelta
    ) -> None:
        self._keys = tuple(secret.encode() for secret in client_secrets)
        self._tolerance = tolerance
        self._late_limit = max(late_limit, tolerance)

    def verify(
        self, webhook_id: str, timestamp: str, signatures: str, body: bytes, now: datetime
    ) -> VerifiedHook | None:
        """Return what the signature proves, or None where it proves nothing.

        Args:
            webhook_id: Header ``webhook-id``; the same for each attempt at one event.
            timestamp: Header ``webhook-timestamp``: Unix seconds of the attempt.
            signatures: Header ``webhook-signature``: ``version,base64`` parted by spaces.
            body: The request's bytes as they came.
            now: Our time, aware.
        """
        claimed = tuple(_claimed(signatures))
        if not webhook_id or not claimed or not _UNIX_SECONDS.match(timestamp):
            return None
        content = f"{webhook_id}.{timestamp}.".encode() + body
        digests = [hmac.digest(key, content, "sha256") for key in self._keys]
        matches = [hmac.compare_digest(ours, theirs) for ours in digests for theirs in claimed]
        if not any(matches):
            return None
        signed_at = datetime.fromtimestamp(int(timestamp), tz=UTC)
        return VerifiedHook(webhook_id, signed_at, self._age(abs(now - signed_at)))

    def _age(self, distance: timedelta) -> Age:
        if distance <= self._tolerance:
            return Age.FRESH
        return Age.LATE if distance <= self._late_limit else Age.EXPIRED


def signer(client_secret: str) -> Webhook:
    """Return the library's signer whose HMAC key is the client secret's own bytes."""
    return Webhook(base64.b64encode(client_secret.encode()).decode())


def _claimed(signatures: str) -> Iterable[bytes]:
    """Yield the digests of the version we know; other versions and broken entries prove nothing."""
    entries = (entry.partition(",") for entry in signatures.split())
    known = (encoded for version, _, encoded in entries if version == VERSION)
    for encoded in islice(known, MOST_SIGNATURES):
        try:
            yield base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
