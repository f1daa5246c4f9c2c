"""Checks of the full depth: invoices that are sent and paid, and their payments."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from target_freshbooks.freshbooks import ObservedInvoice, ObservedPayment, Refused
from target_freshbooks.freshbooks.observed import DELETED, DRAFT
from target_freshbooks.probe.bench import Bench
from target_freshbooks.probe.finding import (
    Check,
    Depth,
    Measurement,
    Untold,
    client_of,
    taken,
)
from target_freshbooks.probe.lengths import longest

MARK_SENT = {"action_mark_as_sent": True}
PRICE = Decimal(10)
NOTE = 255
"""More characters than are sent in a payment's note."""


def sent_of(bench: Bench) -> ObservedInvoice:
    """The probe's invoice of 10.00 that was sent, as it stands.

    Raises:
        Untold: There is none.
    """
    if bench.sent is None:
        raise Untold("the probe could send no invoice")
    return bench.books.invoices.get(bench.sent.id)


def create_status(bench: Bench) -> Measurement:
    """Make an invoice as sent; if it is a Draft, mark it."""
    client_of(bench)
    made = bench.attempt(lambda: bench.invoice(bench.number(1), [bench.line()], status=2))
    answer = taken(made)
    if isinstance(made, Refused):
        made = bench.invoice(bench.number(1), [bench.line()])
    elif made.status == DRAFT:
        answer = Measurement("ignored")
    else:
        answer = Measurement("honoured")
    if made.status == DRAFT:
        made = bench.alter("invoice", made.id, MARK_SENT)
    bench.sent = made
    return answer


def draft_payment(bench: Bench) -> Measurement:
    """Pay a Draft."""
    client_of(bench)
    draft = bench.invoice(bench.number(2), [bench.line()])
    made = bench.attempt(lambda: bench.pay(draft, "10.00"))
    if isinstance(made, Refused):
        return taken(made)
    stays = bench.books.invoices.get(draft.id).status == DRAFT
    return Measurement("stays a Draft" if stays else "is paid")


def _odd_payment(much: str, **more: object) -> Callable[[Bench], Measurement]:
    """A payment as none should be, taken back if it was taken."""

    def find(bench: Bench) -> Measurement:
        sent = sent_of(bench)
        made = bench.attempt(lambda: bench.pay(sent, much, **more))
        answer = taken(made)
        if isinstance(made, ObservedPayment):
            answer = Measurement("accepted", {"amount": str(made.amount), "type": made.type})
            take_back(bench, made)
        return answer

    return find


def payment_currency(bench: Bench) -> Measurement:
    """Pay in another currency than the invoice's."""
    other = "EUR" if bench.currency != "EUR" else "USD"
    find = _odd_payment("1.00", amount={"amount": "1.00", "code": other})
    return find(bench)


def take_back(bench: Bench, payment: ObservedPayment) -> Any:  # noqa: ANN401 - or a refusal
    """Delete a payment."""
    return bench.attempt(lambda: bench.alter("payment", payment.id, {"vis_state": DELETED}))


def _pay_in_full(bench: Bench) -> ObservedPayment:
    sent = sent_of(bench)
    paid = bench.attempt(lambda: bench.pay(sent, str(sent.outstanding)))
    if isinstance(paid, Refused):
        raise Untold(f"an invoice cannot be paid: {paid.words}")
    bench.payment = paid
    return bench.payment


def payment_less(bench: Bench) -> Measurement:
    """Pay the invoice, and lower the payment."""
    paid = _pay_in_full(bench)
    less = _amount("4.00", paid)
    made = bench.attempt(lambda: bench.alter("payment", paid.id, less))
    answer = taken(made)
    if not isinstance(made, Refused):
        outstanding = sent_of(bench).outstanding
        answer = Measurement("accepted", {"outstanding": str(outstanding)})
    return answer


def payment_to_zero(bench: Bench) -> Measurement:
    """Lower the payment to 0."""
    paid = payment_of(bench)
    return taken(bench.attempt(lambda: bench.alter("payment", paid.id, _amount("0.00", paid))))


def _amount(amount: str, of: ObservedPayment) -> dict[str, Any]:
    return {"amount": {"amount": amount, "code": of.currency}}


def payment_of(bench: Bench) -> ObservedPayment:
    """What was paid on the invoice that was sent.

    Raises:
        Untold: Nothing.
    """
    if bench.payment is None:
        raise Untold("the probe could pay no invoice")
    return bench.payment


def payment_note_length(bench: Bench) -> Measurement:
    """Give the payment a long note."""
    paid = payment_of(bench)

    def attempt(length: int) -> tuple[Any, bool]:
        note = bench.tag.ljust(length, "p")
        made = bench.attempt(lambda: bench.alter("payment", paid.id, {"note": note}))
        return made, not isinstance(made, Refused) and made.note == note

    return longest(attempt, NOTE, len(bench.tag))


def lines_of_paid(bench: Bench) -> Measurement:
    """Pay the invoice again, and change a line of it."""
    paid, sent = payment_of(bench), sent_of(bench)
    bench.attempt(lambda: bench.alter("payment", paid.id, _amount("10.00", paid)))
    if not sent_of(bench).paid:
        raise Untold("the payment could not be restored")
    lines = [bench.line() | {"description": "PROBE"}]
    return taken(bench.attempt(lambda: bench.alter("invoice", sent.id, {"lines": lines})))


def negative_line_paid(bench: Bench) -> Measurement:
    """Give the paid invoice a negative line that leaves its total."""
    sent = sent_of(bench)
    if not sent.paid or not bench.negatives:
        raise Untold("the invoice is not paid, or no negative line is taken")
    plain = bench.attempt(lambda: bench.alter("invoice", sent.id, {"lines": [bench.line()]}))
    if isinstance(plain, Refused):
        raise Untold(f"the lines of a paid invoice cannot be changed: {plain.words}")
    lines = [bench.line("11.00"), bench.line("-1.00")]
    return taken(bench.attempt(lambda: bench.alter("invoice", sent.id, {"lines": lines})))


def client_of_sent(bench: Bench) -> Measurement:
    """Give the sent invoice another client of the probe's."""
    sent = sent_of(bench)
    email = f"third-{bench.email.lower()}"
    body = {"email": email, "organization": bench.number(3)}
    other = bench.attempt(lambda: bench.make("client", email, body))
    if isinstance(other, Refused):
        raise Untold(f"no other client could be made: {other.words}")
    made = bench.attempt(lambda: bench.alter("invoice", sent.id, {"customerid": other.id}))
    if isinstance(made, Refused):
        return taken(made)
    moved = bench.books.invoices.get(sent.id).customer_id == other.id
    if moved:
        bench.alter("invoice", sent.id, {"customerid": sent.customer_id})
    return Measurement("accepted" if moved else "ignored")


def total_below_paid(bench: Bench) -> Measurement:
    """Lower the paid invoice's total below what was paid."""
    sent = sent_of(bench)
    if sent.paid != PRICE:
        raise Untold("the invoice is not paid")
    made = bench.attempt(lambda: bench.alter("invoice", sent.id, {"lines": [bench.line("9.00")]}))
    if isinstance(made, Refused):
        raise Untold(f"the lines of a paid invoice cannot be changed: {made.words}")
    now = bench.books.invoices.get(sent.id)
    evidence = {"paid": str(now.paid), "outstanding": str(now.outstanding)}
    value = "stays paid above it" if now.outstanding < 0 else "becomes a credit"
    bench.attempt(lambda: bench.alter("invoice", sent.id, {"lines": [bench.line()]}))
    return Measurement(value, evidence)


def full(
    name: str,
    assumed: str,
    find: Callable[[Bench], Measurement],
    *switches: str,
    **changes: str,
) -> Check:
    """A check of the full depth."""
    return Check(name, assumed, changes, find, switches, Depth.FULL)


CHECKS = (
    full(
        "create_status",
        "a status given to a new invoice may be ignored; it is marked as sent on its own",
        create_status,
        "fb.create_status",
    ),
    full(
        "draft_payment",
        "a Draft is not paid: it is sent first",
        draft_payment,
        "fb.draft_payment",
    ),
    full(
        "payment_zero",
        "a payment of 0 is refused, so none is made",
        _odd_payment("0.00"),
        "fb.payment_zero",
    ),
    full(
        "payment_negative",
        "a negative payment is refused; money that goes back lowers a payment",
        _odd_payment("-1.00"),
        "fb.payment_negative",
    ),
    full(
        "payment_type",
        "an unknown type of payment is refused, so it is sent as Other",
        _odd_payment("1.00", type="Barter"),
        "fb.payment_unknown_type",
    ),
    full(
        "payment_currency",
        "a payment in another currency than its invoice is refused, so none is made",
        payment_currency,
        "fb.payment_currency",
    ),
    full(
        "payment_less",
        "a payment can be lowered when money goes back",
        payment_less,
        refused="refunds are parked; book them by hand, or set refund_mode to credit_note",
    ),
    full(
        "payment_note_length",
        f"a payment's note may have {NOTE} characters",
        payment_note_length,
        "fb.payment_note_max",
    ),
    full(
        "payment_to_zero",
        "a payment can be lowered to 0; if not it is deleted",
        payment_to_zero,
        "fb.payment_put_zero",
    ),
    full(
        "lines_of_paid",
        "the lines of a paid invoice can be changed",
        lines_of_paid,
        "fb.edit_paid",
        refused="refunds and edits of paid orders are parked; book them by hand",
    ),
    full(
        "negative_line_paid",
        "an invoice that is paid takes a negative line",
        negative_line_paid,
        "fb.negative_line_paid",
        refused="refunds are parked; book them by hand, or set refund_mode to credit_note",
    ),
    full(
        "client_of_sent",
        "the client of a sent invoice may be fixed; what differs is told",
        client_of_sent,
        "fb.move_invoice",
    ),
    full(
        "total_below_paid",
        "what is paid above a lowered total may become a credit, so the payment is lowered first",
        total_below_paid,
        "fb.overpaid_after_line",
    ),
)
