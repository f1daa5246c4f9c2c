"""The scheduled check: are the hooks alive, do they arrive, does what arrives get through?

What a program can mend is mended (hooks that are missing, switched off, or without the shared
header). What remains is for a person, in one sentence each, and makes the command exit 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from connector_credentials.commands import webhooks

from connector_webhooks.hook import DELIVERY_EXCEPTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from connector_webhooks.bigcommerce import BlockedDomain, RegisteredHook
    from connector_webhooks.inbox import Inbox, InboxStats
    from connector_webhooks.orders import WaitingOrder
    from connector_webhooks.registration import Reconciled

# BigCommerce gives up on a hook after about two days: older complaints are history.
NOTICES_SINCE = timedelta(hours=48)
MOST_NAMED = 10
# Twice the usual longest pause, and more: by then a run would have ended well.
LONGEST_WAIT = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Checkup:
    """What the check found.

    Attributes:
        mended: Done by the check itself.
        remarks: Good to know; no action needed.
        problems: Needs a person.
    """

    mended: list[str]
    remarks: list[str]
    problems: list[str]


def examine(
    *,
    reconciled: Reconciled,
    blocked: Sequence[BlockedDomain],
    stats: InboxStats,
    waiting: Iterable[WaitingOrder],
    notices: Sequence[tuple[datetime, str]],
    stuck_after_tries: int,
    silent_hours: int,
    now: datetime,
) -> Checkup:
    """Say what was found. Pure.

    Args:
        reconciled: What was just done about our hooks.
        blocked: Domains BigCommerce sends nothing to.
        stats: The inbox in figures.
        waiting: Orders that wait, each looked at once.
        notices: Recent delivery exceptions.
        stuck_after_tries: From so many failed runs of its own on an order is named.
        silent_hours: Longest time without a hook; 0 for any.
        now: Our time.
    """
    mended = [
        *(f"created {scope}" for scope in reconciled.created),
        *(f"switched on again {scope}" for scope in reconciled.activated),
        *(f"set the shared header of {scope}" for scope in reconciled.headers_set),
    ]
    problems = [
        *reconciled.refused,
        *(
            f"BigCommerce blocks {domain.destination} for {domain.seconds_left} s more: too many "
            "hooks failed. Look at the receiver's log and /metrics."
            for domain in blocked
        ),
        *_waiting(waiting, stats, stuck_after_tries, now),
        *_silence(reconciled.registered, stats, silent_hours, now),
    ]
    remarks = [f"{at.isoformat()}: {reason}" for at, reason in notices[:MOST_NAMED]]
    if stats.oldest_waiting is not None:
        since = stats.oldest_waiting.isoformat()
        remarks.append(f"{stats.orders_waiting} orders wait, the longest since {since}.")
    return Checkup(mended, remarks, problems)


def recent_notices(inbox: Inbox, now: datetime) -> list[tuple[datetime, str]]:
    """BigCommerce's own complaints of the last two days."""
    return inbox.notices(now - NOTICES_SINCE, DELIVERY_EXCEPTION)


def _waiting(
    orders: Iterable[WaitingOrder], stats: InboxStats, stuck_after_tries: int, now: datetime
) -> Iterator[str]:
    """Complain of each that is stuck, and of the one among the others that waits longest."""
    stuck, first, reason = 0, None, ""
    for order in orders:
        if order.tries >= stuck_after_tries:
            stuck += 1
            if stuck <= MOST_NAMED:
                yield _stuck(order)
        else:
            first = min(first or order, order, key=attrgetter("first_received_at"))
            reason = reason or order.reason
    if stuck > MOST_NAMED:
        yield f"{stuck - MOST_NAMED} more orders fail like that: `{webhooks('status')}`."
    if first is not None:
        yield from _late(first, reason or "no run was tried.", stats, now)


def _stuck(order: WaitingOrder) -> str:
    return (
        f"Order {order.order_id} failed in {order.tries} runs of its own: {order.reason} Mend "
        f"the cause; it is tried again and again, at once by "
        f"`{webhooks('retry', str(order.order_id))}`."
    )


def _late(first: WaitingOrder, reason: str, stats: InboxStats, now: datetime) -> Iterator[str]:
    """Complain when runs bring over nothing for long, whichever orders they tried."""
    if now - first.first_received_at >= LONGEST_WAIT:
        yield (
            f"Order {first.order_id} has waited since {first.first_received_at.isoformat()}, of "
            f"{stats.orders_waiting} in all; nothing is lost, the next good run brings it over. "
            f"Is `{webhooks('serve')}` running? The last failure: {reason}"
        )


def _silence(
    hooks: Sequence[RegisteredHook], stats: InboxStats, silent_hours: int, now: datetime
) -> Iterator[str]:
    """Complain when nothing came for long, counted from when the first hook was made at earliest.

    Not from a hook's last change: who switches it on again would put the complaint off.
    """
    made = [datetime.fromtimestamp(hook.created_at, tz=UTC) for hook in hooks if hook.created_at]
    heard = [moment for moment in (stats.last_received, min(made, default=None)) if moment]
    if silent_hours and heard and now - max(heard) >= timedelta(hours=silent_hours):
        last = stats.last_received.isoformat() if stats.last_received else "never"
        yield (
            f"No hook arrived for {silent_hours} hours (last: {last}). If the shop had orders, "
            f"test the way in: `{webhooks('send-test', 'ORDER', '--url', 'DESTINATION')}`, the "
            "proxy's log, /metrics."
        )
