"""What each command does. Each returns a document to print and an exit code."""

from __future__ import annotations

import asyncio
import signal
import time
import uuid
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from connector_credentials.addresses import is_local
from connector_credentials.commands import webhooks
from connector_credentials.masking import without_passwords

from connector_webhooks import registration
from connector_webhooks.account import require_client_secrets, require_store
from connector_webhooks.assembly import clock
from connector_webhooks.checkup import Checkup, examine, recent_notices
from connector_webhooks.database import EPOCH
from connector_webhooks.errors import WebhooksError
from connector_webhooks.metrics import Metrics
from connector_webhooks.orders import Orders
from connector_webhooks.serve import origin
from connector_webhooks.serve import serve as serve_forever
from connector_webhooks.signature import signer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector_webhooks.assembly import Assembly
    from connector_webhooks.bigcommerce import HooksApi
    from connector_webhooks.orders import WaitingOrder
    from connector_webhooks.registration import Reconciled

BUSY_LOOK_SECONDS = 0.5
MOST_LISTED = 1_000
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
    lines: Sequence[str]
    code: int = 0


def serve(assembly: Assembly, *, dispatch: bool) -> None:
    """Receive, and dispatch unless another process does."""
    metrics = Metrics()
    with assembly.inbox() as inbox:
        receiver = assembly.receiver(inbox, metrics)
        # Before a hook is taken: what keeps the dispatcher from work ends the command.
        runs = assembly.dispatching(inbox, metrics) if dispatch else None
        stopping, hurry = assembly.stopping, assembly.hurrying.set
        asyncio.run(serve_forever(receiver, runs, stopping=stopping, hurry=hurry))


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
    delivered = 0
    with assembly.inbox() as inbox:
        dispatcher = assembly.dispatcher(inbox)
        give_up_at = time.monotonic() + wait_seconds
        while not assembly.stopping.is_set():
            cycle = dispatcher.cycle(assembly.collapse)
            delivered += cycle.delivered
            if cycle.busy:
                if time.monotonic() >= give_up_at:
                    raise WebhooksError(
                        f"Another dispatcher has been at work for {wait_seconds} s; nothing is "
                        "lost, it delivers what waits."
                    )
                assembly.stopping.wait(BUSY_LOOK_SECONDS)
            elif not cycle.worked:
                break
        assembly.prune(inbox)
        failing = inbox.stats().orders_failing
    line = f"{delivered} orders delivered; {failing} wait whose last run failed."
    document = {"delivered": delivered, "failing": failing}
    return Answer(document, [line], 1 if failing or assembly.stopping.is_set() else 0)


def register(assembly: Assembly, *, allow_insecure: bool) -> Answer:
    """Make the wanted hooks exist and be active; doing it again changes nothing."""
    with assembly.api() as api:
        found = _reconciled(assembly, api, allow_insecure=allow_insecure)
    document = {name: rows for name, rows in asdict(found).items() if name != "registered"}
    lines = [f"{name}: {', '.join(rows)}" for name, rows in document.items() if rows]
    if found.created:
        lines.append("A new hook may need a minute until BigCommerce sends it.")
    return Answer(document, lines, 1 if found.refused else 0)


def _reconciled(assembly: Assembly, api: HooksApi, *, allow_insecure: bool) -> Reconciled:
    want = registration.wanted(assembly.settings, allow_insecure=allow_insecure)
    return registration.reconcile(api, want, registration.shared_headers(assembly.settings))


def unregister(assembly: Assembly, destination: str) -> Answer:
    """Delete the hooks at a destination, such as the one before a move."""
    with assembly.api() as api:
        gone = [hook.scope for hook in registration.unregister(api, destination)]
    line = f"deleted: {', '.join(gone)}" if gone else f"No hook of this account is at {destination}"
    return Answer({"deleted": gone}, [line], 0 if gone else 1)


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
    return Answer({"hooks": rows}, lines or ["No hook is registered by this API account."])


def check(assembly: Assembly, *, allow_insecure: bool) -> Answer:
    """Reconcile the hooks, and say what a program cannot mend."""
    if not assembly.settings.is_set_up:
        line = "No webhooks are set up (WEBHOOKS_DESTINATION and so on): there is nothing to check."
        return Answer(asdict(Checkup([], [line], [])), [line])
    with assembly.api() as api:
        reconciled = _reconciled(assembly, api, allow_insecure=allow_insecure)
        blocked = api.blocked_domains()
    now = clock()
    with assembly.inbox() as inbox:
        found = examine(
            reconciled=reconciled,
            blocked=blocked,
            stats=inbox.stats(),
            waiting=Orders(inbox.database).waiting(),
            notices=recent_notices(inbox, now),
            stuck_after_tries=assembly.settings.stuck_after_tries,
            silent_hours=assembly.settings.silent_hours,
            now=now,
        )
    named = {"mended": found.mended, "remark": found.remarks, "PROBLEM": found.problems}
    lines = [f"{kind}: {text}" for kind, texts in named.items() for text in texts]
    return Answer(asdict(found), lines or ["All is well."], 1 if found.problems else 0)


def status(assembly: Assembly) -> Answer:
    """The inbox: figures, and the orders that wait, with the reason of the last failure."""
    with assembly.inbox() as inbox:
        stats, waiting = inbox.stats(), list(Orders(inbox.database).waiting(MOST_LISTED))
        notices = recent_notices(inbox, clock())
    stuck_after = assembly.settings.stuck_after_tries
    last = stats.last_received.isoformat() if stats.last_received else None
    left_out = max(stats.orders_waiting - MOST_LISTED, 0)
    document: dict[str, Any] = {
        "hooks": stats.hooks,
        "hooks_ignored": stats.hooks_ignored,
        "orders_waiting": stats.orders_waiting,
        "orders_failing": stats.orders_failing,
        "last_received": last,
        "orders": [
            {
                "order_id": order.order_id,
                "stuck": order.tries >= stuck_after,
                "hooks": order.seen,
                "tries": order.tries,
                "reason": order.reason,
                "first_received": order.first_received_at.isoformat(),
                "due": order.due_at.isoformat(),
            }
            for order in waiting
        ],
        "orders_left_out": left_out,
        "delivery_exceptions": [
            {"received": at.isoformat(), "reason": reason} for at, reason in notices
        ],
    }
    figures = (
        f"Orders: {stats.orders_waiting} waiting, {stats.orders_failing} of them failed in their "
        f"last run. Hooks: {stats.hooks} remembered, {stats.hooks_ignored} of them ignored; last "
        f"one: {last or 'never'}."
    )
    lines = [
        figures,
        *(_line_of(order, stuck_after) for order in waiting),
        *([f"{left_out} more orders wait."] if left_out else []),
        *(f"BigCommerce complained {at.isoformat()}: {reason}" for at, reason in notices),
    ]
    return Answer(document, lines)


def _line_of(order: WaitingOrder, stuck_after: int) -> str:
    stuck = "STUCK, " if order.tries >= stuck_after else ""
    due = order.due_at.isoformat(timespec="seconds") if order.due_at > EPOCH else "at once"
    return (
        f"order {order.order_id}: {stuck}due {due}; {order.seen} hooks, failed alone "
        f"{order.tries} times. {order.reason}"
    ).rstrip()


def retry(assembly: Assembly, order_ids: Sequence[int]) -> Answer:
    """Have orders run at once; all that wait when none is named."""
    with assembly.inbox() as inbox:
        due = Orders(inbox.database).retry(order_ids)
    unknown = sorted(set(order_ids) - due)
    lines = [
        f"{len(due)} orders are due at once.",
        *(
            f"Order {order_id} does not wait: it was delivered, or no hook named it. "
            f"`{webhooks('send-test', str(order_id))}` has it read again."
            for order_id in unknown
        ),
    ]
    return Answer({"due": sorted(due), "unknown": unknown}, lines, 1 if unknown else 0)


def send_test(assembly: Assembly, order_id: int, url: str) -> Answer:
    """Send a signed hook, as BigCommerce would, to the receiver or through the proxy before it."""
    # Slow to load, and only here.
    from connector_credentials.deadline import new_session  # noqa: PLC0415
    from connector_credentials.network_failures import (  # noqa: PLC0415
        NO_ANSWER,
        failure_of,
        host_of,
    )

    settings = assembly.settings
    now = clock()
    webhook_id = f"test_{uuid.uuid4().hex}"
    body = (
        f'{{"scope":"store/order/updated","store_id":"0","data":{{"type":"order","id":{order_id}}},'
        f'"hash":"{uuid.uuid4().hex}","created_at":{int(now.timestamp())},'
        f'"producer":"stores/{require_store(settings)}"}}'
    )
    newest = require_client_secrets(assembly.secrets())[0]
    headers = {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signer(newest).sign(webhook_id, now, body),
        **registration.shared_headers(settings),
    }
    target = url or f"{origin(settings.host, settings.port)}{settings.hook_path}"
    here = not url or is_local(url)
    try:
        with new_session() as session:
            response = session.post(
                target,
                data=body.encode(),
                headers=headers,
                timeout=TEST_TIMEOUT_SECONDS,
                proxies={"no_proxy": "*"} if here else None,
                allow_redirects=False,
            )
    except NO_ANSWER as error:
        words = failure_of(error, host_of(target)).words
        raise WebhooksError(f"The hook was not answered: {words}.") from None
    except UnicodeError:
        raise WebhooksError(
            "The hook was not sent: the login in --url, or the shared header, has letters that no"
            " header holds (latin-1)."
        ) from None
    shown = without_passwords(target)
    document = {"url": shown, "status": response.status_code, "webhook_id": webhook_id}
    good = response.status_code < HTTPStatus.MULTIPLE_CHOICES
    return Answer(document, [f"{shown} answered {response.status_code}."], 0 if good else 1)
