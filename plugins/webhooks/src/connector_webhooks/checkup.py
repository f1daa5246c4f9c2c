"""The scheduled check: are the hooks alive, do they arrive, does what arrives get through?

What a program can mend is mended (hooks that are missing, switched off, or without the shared
header). What remains is for a person, in one sentence each, and makes the command exit 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connector_webhooks.hook import DELIVERY_EXCEPTION
from connector_webhooks.inbox import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector_webhooks.bigcommerce import BlockedDomain, RegisteredHook
    from connector_webhooks.inbox import Census, Inbox, OpenOrder
    from connector_webhooks.registration import Mending

# BigCommerce gives up on a hook after about two days: older complaints are history.
NOTICES_SINCE = timedelta(hours=48)
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Checkup:
    """What the check found.

    Attributes:
        mended: Done by the check itself.
        remarks: Good to know; no action needed.
        problems: Needs a person.
    """

    mended: tuple[str, ...]
    remarks: tuple[str, ...]
    problems: tuple[str, ...]


def examine(
    *,
    mending: Mending,
    hooks: Sequence[RegisteredHook],
    blocked: Sequence[BlockedDomain],
    census: Census,
    orders: Sequence[OpenOrder],
    notices: Sequence[tuple[datetime, str]],
    silent_hours: int,
    now: datetime,
) -> Checkup:
    """Judge what was found. Pure.

    Args:
        mending: What was just mended.
        hooks: Our hooks as registered before the mending.
        blocked: Domains BigCommerce sends nothing to.
        census: The inbox in figures.
        orders: Orders that wait or failed.
        notices: Recent delivery exceptions.
        silent_hours: Longest time without a hook; 0 for any.
        now: Our time.
    """
    mended = [
        *(f"created {scope}" for scope in mending.created),
        *(f"switched on again {scope}" for scope in mending.activated),
        *(f"set the shared header of {scope}" for scope in mending.headed),
    ]
    problems = list(mending.refused)
    problems += [
        f"BigCommerce blocks {domain.destination} for {domain.seconds_left} s more: too many hooks "
        "failed. Look at the receiver's log and /metrics."
        for domain in blocked
    ]
    problems += _failed(orders)
    if silence := _silence(hooks, census, silent_hours, now):
        problems.append(silence)
    remarks = [f"{at.isoformat()}: {reason}" for at, reason in notices[:MOST_NAMED]]
    if census.orders_waiting:
        oldest = census.oldest_waiting.isoformat() if census.oldest_waiting else "?"
        remarks.append(f"{census.orders_waiting} orders wait, the longest since {oldest}.")
    return Checkup(tuple(mended), tuple(remarks), tuple(problems))


def recent_notices(inbox: Inbox, now: datetime) -> list[tuple[datetime, str]]:
    """BigCommerce's own complaints of the last two days."""
    return inbox.notices(now - NOTICES_SINCE, DELIVERY_EXCEPTION)


def _failed(orders: Sequence[OpenOrder]) -> list[str]:
    failed = [order for order in orders if order.state is State.FAILED]
    named = [
        f"Order {order.order_id} was given up after {order.attempts} runs: {order.reason} "
        f"Mend the cause, then `webhooks retry {order.order_id}`."
        for order in failed[:MOST_NAMED]
    ]
    if len(failed) > MOST_NAMED:
        named.append(f"{len(failed) - MOST_NAMED} more orders were given up: `webhooks status`.")
    return named


def _silence(
    hooks: Sequence[RegisteredHook], census: Census, silent_hours: int, now: datetime
) -> str:
    """Complain when nothing came for long, counted from the hooks' own last change at earliest."""
    changed = [datetime.fromtimestamp(hook.updated_at, tz=UTC) for hook in hooks if hook.updated_at]
    heard = [moment for moment in (census.last_received, max(changed, default=None)) if moment]
    if not silent_hours or not heard or now - max(heard) < timedelta(hours=silent_hours):
        return ""
    last = census.last_received.isoformat() if census.last_received else "never"
    return (
        f"No hook arrived for {silent_hours} hours (last: {last}). If the shop had orders, test "
        "the way in: `webhooks send-test ORDER --url DESTINATION`, the proxy's log, /metrics."
    )
