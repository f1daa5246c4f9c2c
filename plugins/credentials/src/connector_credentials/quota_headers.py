"""What answers say of the quota and of waiting, in headers that may be missing or make no sense."""

from collections.abc import Mapping

LONGEST_WINDOW = 60.0
"""Seconds until a window's end that are believed: twice BigCommerce's window of 30 s."""


def header_number(headers: Mapping[str, str], name: str) -> float | None:
    """A header's number, None if it is missing, negative or no number."""
    try:
        value = float(headers.get(name) or "")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def bigcommerce_reset(headers: Mapping[str, str]) -> float | None:
    """Seconds until BigCommerce's window ends, as far as that can be believed; None if not said."""
    reset_ms = header_number(headers, "X-Rate-Limit-Time-Reset-Ms")
    return None if reset_ms is None else min(reset_ms / 1000, LONGEST_WINDOW)


def seconds_asked(headers: Mapping[str, str], reset: float | None) -> float | None:
    """How long a 429 asks us to wait: the longest that it says, None if it says nothing.

    Args:
        headers: Those of the answer.
        reset: Seconds until its window ends, None if that is not said.
    """
    waits = (
        reset,
        header_number(headers, "X-Retry-After"),
        header_number(headers, "Retry-After"),
    )
    return max((wait for wait in waits if wait is not None), default=None)
