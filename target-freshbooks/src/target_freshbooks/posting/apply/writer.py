"""Writer: the only place that writes to FreshBooks; an intent is committed before each write.

Before that the fence is asked, so that nothing of a closed day is created or changed.

A write that ends in an unknown outcome leaves its intent open: `resolve` looks what came of it
before anything is written again. What is certain (done, refused, never sent) closes it at once,
in one transaction with the link to the new record.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from target_freshbooks.books import email_key
from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.errors import (
    AuthError,
    Conflict,
    Forbidden,
    Outage,
    Refused,
    Throttled,
    UnknownOutcome,
)
from target_freshbooks.freshbooks.observed import (
    ObservedClient,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedItem,
    ObservedPayment,
)
from target_freshbooks.ledger import AccountLock, Intent, Ledger, Link
from target_freshbooks.posting.apply.fence import Dated, Fence
from target_freshbooks.posting.digests import request_digest
from target_freshbooks.posting.plan.steps import RESTS_ON_LOOK, StepKind

Answer = ObservedClient | ObservedItem | ObservedInvoice | ObservedPayment | ObservedCreditNote


BUSY_PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds before each new try of what another request is changing."""

MOST_THROTTLED = 20
"""How often a write waits for FreshBooks' quota, and is looked at again, in one attempt."""


class OutcomeUnknown(Exception):  # noqa: N818 - it names what is known, and it is no failure yet
    """A write whose answer never came; its intent is open since it was last under way.

    Attributes:
        intent: What was about to be written.
        answered: Whether the request is known not to be carried out later.
    """

    def __init__(self, intent: Intent, *, answered: bool = False) -> None:
        super().__init__(f"no answer to {intent.kind} (intent {intent.id})")
        self.intent = intent
        self.answered = answered


class Patience:
    """How often one write is tried again that rests on a look at its record."""

    def __init__(self) -> None:
        self._pauses = iter(BUSY_PAUSES)
        self._throttled = 0

    def pause_after(self, busy: Conflict | Throttled) -> float:
        """Seconds until the next look, while another request is at the record.

        Where FreshBooks' quota kept the write waiting, the look waits for it by itself.

        Raises:
            Conflict, Throttled: It was tried often enough.
        """
        if isinstance(busy, Throttled):
            self._throttled += 1
            if self._throttled > MOST_THROTTLED:
                raise busy
            return 0
        pause = next(self._pauses, None)
        if pause is None:
            raise busy
        return pause


class Writer:
    """Writes to FreshBooks on behalf of one run."""

    def __init__(
        self,
        freshbooks: FreshBooks,
        ledger: Ledger,
        lock: AccountLock,
        run_id: str,
        fence: Fence,
        on_answer: Callable[[int | None, str, str, float], None] = lambda *_: None,
        pin: Callable[[], None] = lambda: None,
    ) -> None:
        self.freshbooks = freshbooks
        self.ledger = ledger
        self.run_id = run_id
        self.fence = fence
        self._lock = lock
        self._on_answer = on_answer
        self._pin = pin

    def write(
        self,
        *,
        kind: StepKind,
        key: str,
        body: Mapping[str, Any],
        order_id: int | None,
        remote_id: int | None = None,
        content: str | None = None,
        expression: int | None = None,
        why: str = "",
        standing: Dated | None = None,
        waits: bool = False,
        links: Callable[[Any], list[Link]] = lambda _: [],
    ) -> Any:  # noqa: ANN401 - one of the Observed records, by kind
        """Carry out one write and return what FreshBooks answered.

        Args:
            kind: What to write.
            key: Our own name of the thing.
            body: What goes inside FreshBooks' singular key.
            order_id: The order it is for.
            remote_id: FreshBooks' id of the record to change.
            content: Digest of the content that the write puts there: an order's, a customer's, a
                product's.
            expression: Which wording of a credit note it is about, if of any.
            why: The sentence a plan shows for it.
            standing: The record that is changed, if it is at hand; else it is read.
            waits: Whether it may wait for FreshBooks' quota though its kind rests on a look.
            links: Makes the links to remember from the answer; may read what the answer lacks.

        Raises:
            Refused: Nothing was written; ClosedDay: nor asked for.
            Throttled: Nothing was written: what was looked at would be old by then.
            OutcomeUnknown: It may have been written, or was and `links` could not read what it
                left; the intent stays open.
            Outage, AuthError, Forbidden, LockLost: Nothing was written; the run cannot go on.
        """
        del why
        if standing is None and remote_id is not None and self.fence.asks_for(kind):
            standing = self.freshbooks.collections[kind.record].standing(remote_id)
        month = self.fence.check(kind, body, standing)
        self.pin()
        intent = self.ledger.intents.open(
            lock=self._lock,
            order_id=order_id,
            kind=kind.value,
            key=key,
            request_hash=request_digest(body),
            payload={"remote_id": remote_id, "body": dict(body), "content": content}
            | ({} if expression is None else {"expression": expression}),
            run_id=self.run_id,
            month=month,
        )
        began = time.monotonic()
        try:
            answer = self._send(
                kind, remote_id, body, impatient=kind in RESTS_ON_LOOK and not waits
            )
        except Refused as refused:
            self.ledger.intents.close(
                intent,
                "refused",
                answer={"status": refused.status, "errno": refused.errno, "field": refused.field},
            )
            raise
        except UnknownOutcome as unknown:
            raise OutcomeUnknown(intent, answered=unknown.answered) from unknown
        except (Outage, AuthError, Forbidden) as failure:
            self.ledger.intents.close(intent, "not_sent", answer={"why": type(failure).__name__})
            raise
        try:
            made = links(answer)
        except Refused as unread:
            # The write was carried out: what cannot be read of it is looked for like what of a
            # write without an answer, and never taken for a refusal of the write.
            raise OutcomeUnknown(intent, answered=True) from unread
        self.ledger.intents.close(
            intent, "done", answer=summary(answer), links=made, at_once=order_id is None
        )
        self._on_answer(order_id, kind.value, key, began)
        return answer

    def pin(self) -> None:
        """Make the ledger the account's, before anything that was found there is remembered."""
        self._pin()

    def _send(
        self, kind: StepKind, remote_id: int | None, body: Mapping[str, Any], *, impatient: bool
    ) -> Any:  # noqa: ANN401 - as above
        records = self.freshbooks.collections[kind.record]
        if remote_id is None:
            return records.create(body, impatient=impatient)
        return records.update(remote_id, body, impatient=impatient)


def summary(answer: Answer) -> dict[str, Any]:
    """What the audit trail keeps of an answer: ids, numbers, amounts, states; no personal data."""
    kept: dict[str, Any] = {"id": answer.id, "vis_state": answer.vis_state}
    for name in ("number", "amount", "paid", "outstanding", "currency", "status", "invoice_id"):
        value = getattr(answer, name, None)
        if value is not None:
            kept[name] = value if isinstance(value, int) else str(value)
    return kept


def client_links(ledger: Ledger, own: Link, email: str) -> list[Link]:
    """The links to a client: under its own key, and under its e-mail if that leads to none yet.

    Args:
        ledger: Tells whether the e-mail leads to a client.
        own: The link under its own key.
        email: The e-mail it is known by; a guest may order with it before FreshBooks' searches
            show the client. That link does not say that it was made for the guest.
    """
    key = email_key(email) if email else own.key
    if key == own.key or ledger.links.get("client", key) is not None:
        return [own]
    return [own, Link("client", key, own.remote_id)]


def sku_key(sku: str) -> str:
    """The ledger key of the item that bears the SKU, whichever product it was made for."""
    return f"sku:{sku}"


def item_links(
    item: ObservedItem,
    *,
    key: str,
    sku: str,
    content: str | None,
    extra: Mapping[str, Any] | None = None,
) -> list[Link]:
    """The links to an item: under its own key, and under its SKU, by which others may share it."""
    named = {"name": item.name}
    own = Link("item", key, item.id, content_hash=content, extra={**(extra or {}), **named})
    if not sku or sku_key(sku) == key:
        return [own]
    return [own, Link("item", sku_key(sku), item.id, extra=named)]
