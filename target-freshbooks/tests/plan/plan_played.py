"""Plays a row: step after step, each with FreshBooks' answer, to the end of the plan."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plan_notation import CLIENT, ORDER, lines_in_words, scene_of
from target_freshbooks.books.policy import Policy
from target_freshbooks.freshbooks.observed import ObservedCreditNote, ObservedPayment
from target_freshbooks.ledger import utc_now
from target_freshbooks.posting.apply.effects import (
    advance,
    after,
    asked_link,
    links_of,
)
from target_freshbooks.posting.apply.fence import Fence
from target_freshbooks.posting.apply.parts import load_recorded
from target_freshbooks.posting.dryrun.simulator import Simulator
from target_freshbooks.posting.identity import part_key
from target_freshbooks.posting.plan.next_step import next_step
from target_freshbooks.posting.plan.steps import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plan_notation import Row
    from target_freshbooks.ledger import Link
    from target_freshbooks.posting.state import Observed

MOST = 25
OPEN = Fence(Policy(), utc_now, lambda: "America/Chicago")


class Remembered:
    """The links of the row's order, as a ledger has them."""

    def __init__(self, links: list[Link]) -> None:
        self.links = self
        self._links = {(link.kind, link.key): link for link in links}

    def of_order(self, order_id: int) -> list[Link]:
        return [link for link in self._links.values() if link.order_id == order_id]

    def get(self, kind: str, key: str) -> Link | None:
        return self._links.get((kind, key))

    def put(self, link: Link) -> None:
        self._links[link.kind, link.key] = link


def played(row: Row) -> Iterator[str]:
    """The row's steps as they come out, in the words of the notation."""
    scene, expected = scene_of(row), row["steps"]
    ledger = Remembered(scene.links)
    simulator = Simulator(None, None, None, OPEN)  # type: ignore[arg-type]
    observed, progress = scene.observed, scene.progress
    for position in range(MOST):
        context = replace(scene.context, recorded=load_recorded(ledger, ORDER))  # type: ignore[arg-type]
        said = expected[position] if position < len(expected) else ""
        if said == "...":
            yield said
            return
        step = next_step(context, observed, progress)
        if not isinstance(step, Step):
            yield "done" if step is None else f"park {step.reason.value}"
            return
        answered = said.partition(" => ")[2]
        yield said_of(step) + (f" => {answered}" if answered else "")
        known = ledger.links.get("payment", part_key(ORDER, step.key))
        if (
            known is not None
            and known.remote_id == step.remote_id
            and step.kind.record == "payment"
        ):
            found = next((row for row in observed.payments if row.id == step.remote_id), None)
            known = asked_link(known, step, found)
            ledger.links.put(known)
        simulator._observed = observed
        answer = answer_to(step, simulator, answered)
        for link in links_of(context, step, answer, known):
            ledger.links.put(link)
        observed, progress = after(observed, step, answer), advance(progress, step)
        if " and a credit " in answered:
            observed = with_rest(observed, step, answer)
    yield f"no end after {MOST} steps"


def answer_to(step: Step, simulator: Simulator, answered: str) -> Any:
    """FreshBooks' answer: the foreseen one, or the amount the row says."""
    answer = simulator.write(
        kind=step.kind, key=step.key, body=step.body, order_id=ORDER, remote_id=step.remote_id
    )
    if not answered:
        return answer
    amount, _, credit = answered.partition(" and a credit ")
    answer = replace(answer, amount=Decimal(amount))
    if step.kind.record == "invoice":
        return replace(answer, outstanding=answer.amount - answer.paid)
    return replace(answer, overpayment_id=int(credit)) if credit else answer


def with_rest(observed: Observed, step: Step, answer: ObservedPayment) -> Observed:
    """FreshBooks made a credit of what it did not book of a payment; the reconciler looks it up."""
    rest = Decimal(step.body["amount"]["amount"]) - answer.amount
    own = answer.overpayment_id or 0
    credit = ObservedCreditNote(own, CLIENT, "", rest, answer.currency, "")
    return replace(observed, overpayments={**observed.overpayments, step.key: credit})


def said_of(step: Step) -> str:
    """A step in the words of the notation."""
    body: Any = step.body
    kind = step.kind
    if kind is StepKind.CREATE_INVOICE:
        return f"create {lines_in_words(body)}"
    if kind is StepKind.UPDATE_INVOICE:
        day = f" on {body['create_date']}" if "create_date" in body else ""
        return f"write {lines_in_words(body)}{day}"
    if kind is StepKind.UPDATE_HEAD:
        return "head " + ", ".join(f"{name} {value}" for name, value in body.items())
    if kind in {StepKind.CREATE_PAYMENT, StepKind.UPDATE_PAYMENT}:
        verb = "pay" if kind is StepKind.CREATE_PAYMENT else "set"
        return f"{verb} {step.key} {body['amount']['amount']}"
    if kind is StepKind.CREATE_CREDIT_NOTE:
        return f"credit {step.key} {body['credit_number']}: {lines_in_words(body)}"
    verbs = {
        StepKind.MARK_SENT: "send",
        StepKind.ARCHIVE_INVOICE: "archive",
        StepKind.DELETE_PAYMENT: f"unpay {step.key}",
        StepKind.DELETE_CREDIT_NOTE: f"uncredit {step.key}",
        StepKind.DELETE_OVERPAYMENT: f"drop overpayment {step.key}",
    }
    return verbs[kind]
