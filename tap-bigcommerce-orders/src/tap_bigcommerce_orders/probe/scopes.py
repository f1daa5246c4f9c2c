"""Which scopes the token has: each is asked for by one request that needs it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.answers import SCOPES, scope_of

if TYPE_CHECKING:
    from tap_bigcommerce_orders.probe.evidence import Evidence

NEEDED = frozenset(scope for _, scope in SCOPES)


def missing_scopes(evidence: Evidence) -> list[str]:
    """The names of the scopes that a request was refused for want of."""
    refused = (path for path, seen in evidence.seen if seen.status == HTTPStatus.FORBIDDEN)
    needed = (path for path in refused if path not in evidence.not_needed)
    return sorted({scope_of(path) for path in needed})
