"""What follows a refusal: never the same step again in one attempt."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.freshbooks.errors import ApiError, Conflict, Refused
from target_freshbooks.posting.apply import refused_step
from target_freshbooks.posting.apply.parts import ReconcileState
from target_freshbooks.posting.apply.refused_step import (
    MOST_CONFLICTS,
    after_refusal,
    is_to_be_put_back,
)
from target_freshbooks.posting.plan.steps import AttemptState, Step, StepKind
from target_freshbooks.posting.results import OrderResult
from target_freshbooks.posting.state import Observed, Recorded

OF_NO_CLIENT_OR_ITEM = [kind for kind in StepKind if kind.record not in {"client", "item"}]


def parts() -> Any:
    return SimpleNamespace(
        look_again=lambda at: at,
        after_refused_refund=lambda at, *_: at,
        ledger=SimpleNamespace(links=SimpleNamespace(get=lambda *_: None)),
        stop=threading.Event(),
    )


def refused(kind: type[Refused], step: Step) -> Refused:
    return kind(f"PUT {step.key}", 422, (ApiError(None, "", "Being changed.", ""),))


def states(kind: type[Refused], step: Step) -> list[ReconcileState]:
    """Where the order stands after each refusal of the step, until it does not go on."""
    desired: Any = SimpleNamespace(order_id=1, redeemed=None)
    context: Any = SimpleNamespace(desired=desired, unmarked=None)
    seen = [ReconcileState(context, Observed(), AttemptState())]
    for _ in range(3 * MOST_CONFLICTS):
        if step.identity in seen[-1].unfulfilled:
            break
        outcome = after_refusal(parts(), seen[-1], step, refused(kind, step))
        if isinstance(outcome, OrderResult):
            break
        seen.append(outcome)
    return seen


@pytest.mark.parametrize("refund_id", [None, 7])
@pytest.mark.parametrize("kind", OF_NO_CLIENT_OR_ITEM)
def test_a_step_that_was_refused_is_not_made_again_in_the_attempt(
    kind: StepKind, refund_id: int | None
) -> None:
    step = Step(kind, "1", {"amount": {"amount": "0.00"}}, "", refund_id=refund_id)
    assert len(states(Refused, step)) <= 2


@pytest.mark.parametrize("kind", OF_NO_CLIENT_OR_ITEM)
def test_a_step_that_meets_another_request_is_made_again_a_few_times(
    kind: StepKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_step, "CONFLICT_SECONDS", 0)
    step = Step(kind, "1", {"amount": {"amount": "1.00"}}, "")
    assert MOST_CONFLICTS < len(states(Conflict, step)) <= MOST_CONFLICTS + 2


@pytest.mark.parametrize("begun", [False, True])
def test_whatever_stops_a_rewriting_that_is_begun_its_payments_come_back(*, begun: bool) -> None:
    context: Any = SimpleNamespace(recorded=Recorded())
    money = dict.fromkeys(("amount", "paid", "outstanding"), 0)
    invoice: Any = SimpleNamespace(status=2, currency="USD", vis_state=0, **money)
    at = ReconcileState(context, Observed(invoice), AttemptState(rewriting=begun))
    stop = Parked(Reason.EDITED_IN_FRESHBOOKS, "It was changed.", "Look.")
    assert is_to_be_put_back(at, stop) is begun
