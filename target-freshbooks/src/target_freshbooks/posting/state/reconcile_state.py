"""Reconcile state: where the reconciling of an order stands between two steps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from target_freshbooks.freshbooks.observed import DRAFT
from target_freshbooks.posting.plan.steps import AttemptState, Step, StepKind

if TYPE_CHECKING:
    from datetime import date

    from target_freshbooks.books.desired import Parked
    from target_freshbooks.posting.apply.retry import RetriesExhausted
    from target_freshbooks.posting.context import OrderContext
    from target_freshbooks.posting.results import OrderResult
    from target_freshbooks.posting.state.observed import Observed


@dataclass(frozen=True, slots=True)
class ReconcileState:
    """Where an order's posting stands between two steps.

    Attributes:
        context: The order's case.
        observed: What FreshBooks holds.
        progress: What this attempt has learnt.
        writes: How many writes it has made.
        conflicts: How often another request was changing the same record.
        throttled: How often FreshBooks' quota kept a payment waiting.
        looked: When the invoice was last looked at, on the monotonic clock.
        unfulfilled: The steps that FreshBooks answered but did not do.
        blocked: How the order comes out once what was lowered is put back.
        given_up: The same where a write was given up.
        follow_up: What a person has to see to once all is done.
        locked: The days that FreshBooks refused as locked, over all steps of the attempt.
    """

    context: OrderContext
    observed: Observed
    progress: AttemptState
    writes: int = 0
    conflicts: int = 0
    throttled: int = 0
    looked: float = 0.0
    unfulfilled: frozenset[str] = frozenset()
    blocked: OrderResult | None = None
    given_up: RetriesExhausted | None = None
    follow_up: Parked | None = None
    locked: set[date] = field(default_factory=set)


def put_back(at: ReconcileState, step: Step, result: OrderResult) -> ReconcileState | OrderResult:
    """Where the sale cannot be reworded, what was lowered for it is raised again first."""
    invoice = at.observed.invoice
    if at.blocked is not None or invoice is None or invoice.status == DRAFT:
        return at.blocked or result
    if step.kind is not StepKind.UPDATE_INVOICE or step.refund_id is not None:
        return result
    blocked = replace(at.progress, rewrite_blocked=True)
    return replace(at, progress=blocked, blocked=result)
