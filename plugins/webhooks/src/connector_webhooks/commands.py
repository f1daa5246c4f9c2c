"""What each command does. Each returns a document to print and an exit code."""

from __future__ import annotations

import logging
import signal
import uuid
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from connector_webhooks import registration
from connector_webhooks.assembly import clock
from connector_webhooks.checkup import examine, recent_notices
from connector_webhooks.dispatch import Cycle
from connector_webhooks.errors import WebhooksError
from connector_webhooks.inbox import State
from connector_webhooks.keys import need_secrets, need_store
from connector_webhooks.metrics import Metrics
from connector_webhooks.serve import serve as serve_forever
from connector_webhooks.signature import signer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector_webhooks.assembly import Assembly
    from connector_webhooks.inbox import Inbox, OpenOrder

log = logging.getLogger(__name__)

BUSY_LOOK_SECONDS = 0.5
TEST_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command has to say.

    Attributes:
        document: For ``--json``.
        lines: For people.
        code: Exit code: 0 all well, 1 something needs a person or another try.
    """

    document: dict[str, Any]
    lines: tuple[str, ...]
    code: int = 0


def serve(assembly: Assembly, *, dispatch: bool) -> None:
    """Receive, and dispatch unless another process does."""
    inbox = assembly.inbox()
    metrics = Metrics()
    try:
        receiver = assembly.receiver(inbox, metrics)
        loop = assembly.loop(inbox, metrics) if dispatch else None
        serve_forever(receiver, loop, stopping=assembly.stopping, hurry=assembly.hurrying.set)
    finally:
        inbox.database.close()


def drain(assembly: Assembly, *, wait_seconds: int) -> Answer:
    """Run everything that is due now, then end.

    Hooks within their collapse window count as due: nobody wants to wait two seconds for more.

    Args:
        assembly: The parts.
        wait_seconds: How long to wait while another dispatcher is at work.
    """

    def on_signal(_number: int, _frame: object) -> None:
        if assembly.stopping.is_set():
            assembly.hurrying.set()
        assembly.stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    inbox = assembly.inbox()
    try:
        dispatcher, _ = assembly.dispatcher(inbox, None)
        give_up_at = clock() + timedelta(seconds=wait_seconds)
        total = Cycle()
        while not assembly.stopping.is_set():
            cycle = dispatcher.cycle(assembly.collapse)
            if cycle.busy:
                if clock() >= give_up_at:
                    raise WebhooksError(
                        f"Another dispatcher has been at work for {wait_seconds} s; nothing is "
                        "lost, it delivers what waits."
                    )
                assembly.stopping.wait(BUSY_LOOK_SECONDS)
                continue
            if not cycle.worked:
                break
            total += cycle
        assembly.prune(inbox)
    finally:
        inbox.database.close()
    document = {
        "delivered": total.delivered,
        "failed": total.failed,
        "postponed": total.postponed,
    }
    line = (
        f"{total.delivered} orders delivered, {total.failed} runs of an order failed, "
        f"{total.postponed} orders postponed."
    )
    code = 1 if total.failed or total.postponed or assembly.stopping.is_set() else 0
    return Answer(document, (line,), code)


def register(assembly: Assembly, *, allow_insecure: bool) -> Answer:
    """Make the wanted hooks exist and be active; doing it again changes nothing."""
    want = registration.wanted(assembly.settings, allow_insecure=allow_insecure)
    headers = registration.shared_headers(assembly.settings)
    with assembly.api() as api:
        difference = registration.compare(want, api.hooks(), headers)
        mending = registration.mend(api, difference, headers)
    document = {
        "created": list(mending.created),
        "activated": list(mending.activated),
        "headers_set": list(mending.headed),
        "unchanged": [hook.scope for hook in difference.good],
        "refused": list(mending.refused),
    }
    lines = [f"{name}: {', '.join(rows)}" for name, rows in document.items() if rows]
    if mending.created:
        lines.append("A new hook may need a minute until BigCommerce sends it.")
    return Answer(document, tuple(lines), 1 if mending.refused else 0)


def list_hooks(assembly: Assembly) -> Answer:
    """All hooks of the API account; the values of their headers are not shown."""
    with assembly.api() as api:
        found = api.hooks()
    rows = [
        {
            "id": hook.id,
            "scope": hook.scope,
            "destination": hook.destination,
            "is_active": hook.is_active,
            "headers": sorted(hook.headers),
        }
        for hook in found
    ]
    lines = [
        f"{hook.id:>10}  {'active' if hook.is_active else 'OFF':6}  {hook.scope:36} "
        f"{hook.destination}"
        for hook in found
    ]
    return Answer({"hooks": rows}, tuple(lines or ["No hook is registered by this API account."]))


def check(assembly: Assembly, *, allow_insecure: bool) -> Answer:
    """Mend the hooks, and say what a program cannot mend."""
    settings = assembly.settings
    want = registration.wanted(settings, allow_insecure=allow_insecure)
    headers = registration.shared_headers(settings)
    with assembly.api() as api:
        difference = registration.compare(want, api.hooks(), headers)
        mending = registration.mend(api, difference, headers)
        blocked = api.blocked_domains()
    now = clock()
    inbox = assembly.inbox()
    try:
        found = examine(
            mending=mending,
            hooks=(*difference.good, *difference.other_headers, *difference.switched_off),
            blocked=blocked,
            census=inbox.census(),
            orders=inbox.open_orders(),
            notices=recent_notices(inbox, now),
            silent_hours=settings.silent_hours,
            now=now,
        )
    finally:
        inbox.database.close()
    document = {
        "mended": list(found.mended),
        "remarks": list(found.remarks),
        "problems": list(found.problems),
    }
    lines = [
        *(f"mended: {text}" for text in found.mended),
        *(f"remark: {text}" for text in found.remarks),
        *(f"PROBLEM: {text}" for text in found.problems),
    ]
    return Answer(document, tuple(lines or ["All is well."]), 1 if found.problems else 0)


def status(assembly: Assembly) -> Answer:
    """The inbox: figures, and each order that waits or was given up, with its reason."""
    inbox = assembly.inbox()
    try:
        return _status(inbox)
    finally:
        inbox.database.close()


def _status(inbox: Inbox) -> Answer:
    census, orders = inbox.census(), inbox.open_orders()
    notices = recent_notices(inbox, clock())
    document: dict[str, Any] = {
        "hooks": {state.value: number for state, number in census.hooks.items()},
        "orders_waiting": census.orders_waiting,
        "orders_failed": census.orders_failed,
        "last_received": census.last_received.isoformat() if census.last_received else None,
        "orders": [
            {
                "order_id": order.order_id,
                "state": order.state.value,
                "running": order.running,
                "hooks": order.hooks,
                "attempts": order.attempts,
                "reason": order.reason,
                "first_received": order.first_received_at.isoformat(),
                "due": order.due_at.isoformat(),
            }
            for order in orders
        ],
        "delivery_exceptions": [
            {"received": at.isoformat(), "reason": reason} for at, reason in notices
        ],
    }
    counts = ", ".join(f"{number} {state.value}" for state, number in census.hooks.items())
    lines = [
        f"Hooks: {counts}. Last one: {document['last_received'] or 'never'}.",
        *map(_line_of, orders),
        *(f"BigCommerce complained {at.isoformat()}: {reason}" for at, reason in notices),
    ]
    return Answer(document, tuple(lines))


def _line_of(order: OpenOrder) -> str:
    if order.state is State.FAILED:
        fate = f"GIVEN UP; `webhooks retry {order.order_id}` once mended"
    elif order.running:
        fate = "running"
    else:
        fate = f"due {order.due_at.isoformat(timespec='seconds')}"
    why = f" {order.reason}" if order.reason else ""
    return f"order {order.order_id}: {fate}; {order.hooks} hooks, {order.attempts} failed.{why}"


def retry(assembly: Assembly, order_ids: Sequence[int]) -> Answer:
    """Make failed orders due at once; all of them when none is named."""
    inbox = assembly.inbox()
    try:
        touched = inbox.retry(clock(), order_ids or None)
    finally:
        inbox.database.close()
    return Answer({"hooks": touched}, (f"{touched} hooks are due again.",))


def send_test(assembly: Assembly, order_id: int, url: str) -> Answer:
    """Send a signed hook, as BigCommerce would, to the receiver or through the proxy before it."""
    import requests  # noqa: PLC0415 - slow to load, and only here
    from connector_credentials.deadline import new_session  # noqa: PLC0415

    settings = assembly.settings
    now = clock()
    webhook_id = f"test_{uuid.uuid4().hex}"
    body = (
        f'{{"scope":"store/order/updated","store_id":"0","data":{{"type":"order","id":{order_id}}},'
        f'"hash":"{uuid.uuid4().hex}","created_at":{int(now.timestamp())},'
        f'"producer":"stores/{need_store(settings)}"}}'
    )
    headers = {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signer(need_secrets(assembly.keys())[0]).sign(webhook_id, now, body),
        **registration.shared_headers(settings),
    }
    target = url or f"http://{settings.host}:{settings.port}{settings.hook_path}"
    try:
        with new_session() as session:
            response = session.post(
                target,
                data=body.encode(),
                headers=headers,
                timeout=TEST_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
    except requests.RequestException as error:
        raise WebhooksError(f"{target} could not be reached: {type(error).__name__}.") from error
    words = f"{target} answered {response.status_code}."
    document = {"url": target, "status": response.status_code, "webhook_id": webhook_id}
    return Answer(
        document, (words,), 0 if response.status_code < HTTPStatus.MULTIPLE_CHOICES else 1
    )
