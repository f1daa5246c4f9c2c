"""Whether FreshBooks did what a step asked for, by its answer.

An answer of 200 proves nothing: FreshBooks caps a payment at what is outstanding, and may leave out
fields that it will not change. A step that was not fulfilled is not made again in the same attempt.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_freshbooks.freshbooks.observed import DELETED, DRAFT
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.head import CLIENT, holds
from target_freshbooks.posting.plan.steps import DELETIONS, StepKind

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_fulfilled(kind: StepKind, body: Mapping[str, Any], answer: Any) -> bool:  # noqa: ANN401 - the Observed record of the kind
    """Whether the answer shows what a write of the body was to bring about."""
    if kind in DELETIONS:
        return bool(answer.vis_state == DELETED)
    if kind in {StepKind.MARK_SENT, StepKind.SEND_CORRECTION}:
        return bool(answer.status != DRAFT)
    if kind.record in {"payment", "expense"}:
        return bool(answer.amount == Decimal(body["amount"]["amount"]))
    creates = kind in {StepKind.CREATE_INVOICE, StepKind.CREATE_CORRECTION}
    if creates and answer.number != body["invoice_number"]:
        return False
    if creates and answer.customer_id != body[CLIENT]:
        return False
    if kind is StepKind.UPDATE_HEAD:
        return holds(answer, body)
    if "lines" in body and kind.record in {"invoice", "correction"}:
        return wire.agree(wire.from_body(body), wire.standing(answer))
    return True
