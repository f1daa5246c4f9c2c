"""Checks of the full depth: invoices that are sent and paid, payments, credits."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from target_freshbooks.freshbooks import ObservedInvoice, ObservedPayment, Refused
from target_freshbooks.freshbooks.observed import DELETED, DRAFT
from target_freshbooks.probe.bench import Bench
from target_freshbooks.probe.finding import (
    Answer,
    Check,
    Depth,
    Untold,
    client_of,
    refusal,
    shows_fresh,
    taken,
    unique,
)
from target_freshbooks.probe.lengths import longest

MARK_SENT = {"action_mark_as_sent": True}
PRICE = Decimal(10)
CREDIT_NUMBER, NOTE = 20, 255
"""More characters than a credit note's number has, and than are sent in a payment's note."""


def sent_of(bench: Bench) -> ObservedInvoice:
    """The probe's invoice of 10.00 that was sent, as it stands.

    Raises:
        Untold: There is none.
    """
    if bench.sent is None:
        raise Untold("the probe could send no invoice")
    return bench.books.invoices.get(bench.sent.id)


def create_status(bench: Bench) -> Answer:
    """Make an invoice as sent; if it is a Draft, mark it."""
    client_of(bench)
    made = bench.attempt(lambda: bench.invoice(bench.number(1), [bench.line()], status=2))
    answer = taken(made)
    if isinstance(made, Refused):
        made = bench.invoice(bench.number(1), [bench.line()])
    elif made.status == DRAFT:
        answer = Answer("ignored")
    else:
        answer = Answer("honoured")
    if made.status == DRAFT:
        made = bench.alter("invoice", made.id, MARK_SENT)
    bench.sent = made
    return answer


def draft_payment(bench: Bench) -> Answer:
    """Pay a Draft."""
    client_of(bench)
    draft = bench.invoice(bench.number(2), [bench.line()])
    made = bench.attempt(lambda: bench.pay(draft, "10.00"))
    if isinstance(made, Refused):
        return taken(made)
    stays = bench.books.invoices.get(draft.id).status == DRAFT
    return Answer("stays a Draft" if stays else "is paid")


def _odd_payment(much: str, **more: object) -> Callable[[Bench], Answer]:
    """A payment as none should be, taken back if it was taken."""

    def find(bench: Bench) -> Answer:
        sent = sent_of(bench)
        made = bench.attempt(lambda: bench.pay(sent, much, **more))
        answer = taken(made)
        if isinstance(made, ObservedPayment):
            answer = Answer("accepted", {"amount": str(made.amount), "type": made.type})
            _take_back(bench, made)
        return answer

    return find


def payment_currency(bench: Bench) -> Answer:
    """Pay in another currency than the invoice's."""
    other = "EUR" if bench.currency != "EUR" else "USD"
    find = _odd_payment("1.00", amount={"amount": "1.00", "code": other})
    return find(bench)


def _take_back(bench: Bench, payment: ObservedPayment) -> Any:  # noqa: ANN401 - or a refusal
    return bench.attempt(lambda: bench.alter("payment", payment.id, {"vis_state": DELETED}))


def _pay_in_full(bench: Bench) -> ObservedPayment:
    sent = sent_of(bench)
    paid = bench.attempt(lambda: bench.pay(sent, str(sent.outstanding)))
    if isinstance(paid, Refused):
        raise Untold(f"an invoice cannot be paid: {paid.words}")
    bench.payment = paid
    return bench.payment


def payment_less(bench: Bench) -> Answer:
    """Pay the invoice, and lower the payment."""
    paid = _pay_in_full(bench)
    less = _amount("4.00", paid)
    made = bench.attempt(lambda: bench.alter("payment", paid.id, less))
    answer = taken(made)
    if not isinstance(made, Refused):
        outstanding = sent_of(bench).outstanding
        answer = Answer("accepted", {"outstanding": str(outstanding)})
    return answer


def payment_to_zero(bench: Bench) -> Answer:
    """Lower the payment to 0."""
    paid = _payment_of(bench)
    return taken(bench.attempt(lambda: bench.alter("payment", paid.id, _amount("0.00", paid))))


def _amount(amount: str, of: ObservedPayment) -> dict[str, Any]:
    return {"amount": {"amount": amount, "code": of.currency}}


def _payment_of(bench: Bench) -> ObservedPayment:
    if bench.payment is None:
        raise Untold("the probe could pay no invoice")
    return bench.payment


def payment_note_length(bench: Bench) -> Answer:
    """Give the payment a long note."""
    paid = _payment_of(bench)

    def attempt(length: int) -> tuple[Any, bool]:
        note = bench.tag.ljust(length, "p")
        made = bench.attempt(lambda: bench.alter("payment", paid.id, {"note": note}))
        return made, not isinstance(made, Refused) and made.note == note

    return longest(attempt, NOTE, len(bench.tag))


def lines_of_paid(bench: Bench) -> Answer:
    """Pay the invoice again, and change a line of it."""
    paid, sent = _payment_of(bench), sent_of(bench)
    bench.attempt(lambda: bench.alter("payment", paid.id, _amount("10.00", paid)))
    if not sent_of(bench).paid:
        raise Untold("the payment could not be restored")
    lines = [bench.line() | {"description": "PROBE"}]
    return taken(bench.attempt(lambda: bench.alter("invoice", sent.id, {"lines": lines})))


def negative_line_paid(bench: Bench) -> Answer:
    """Give the paid invoice a negative line that leaves its total."""
    sent = sent_of(bench)
    if not sent.paid or not bench.negatives:
        raise Untold("the invoice is not paid, or no negative line is taken")
    plain = bench.attempt(lambda: bench.alter("invoice", sent.id, {"lines": [bench.line()]}))
    if isinstance(plain, Refused):
        raise Untold(f"the lines of a paid invoice cannot be changed: {plain.words}")
    lines = [bench.line("11.00"), bench.line("-1.00")]
    return taken(bench.attempt(lambda: bench.alter("invoice", sent.id, {"lines": lines})))


def client_of_sent(bench: Bench) -> Answer:
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
    return Answer("accepted" if moved else "ignored")


def total_below_paid(bench: Bench) -> Answer:
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
    return Answer(value, evidence)


def delete_paid(bench: Bench) -> Answer:
    """Delete an invoice that is paid."""
    client_of(bench)
    number = bench.number(4)
    own = bench.invoice(number, [bench.line()])
    bench.alter("invoice", own.id, MARK_SENT)
    paid = bench.attempt(lambda: bench.pay(own, "10.00"))
    if isinstance(paid, Refused):
        raise Untold(f"an invoice cannot be paid: {paid.words}")
    return taken(bench.attempt(lambda: bench.alter("invoice", own.id, {"vis_state": DELETED})))


def deleted_payment(bench: Bench) -> Answer:
    """Delete the payment."""
    paid, before = _payment_of(bench), sent_of(bench).paid
    if not bench.books.payments.get(paid.id).amount:
        raise Untold("the payment has no amount left")
    gone = _take_back(bench, paid)
    if isinstance(gone, Refused):
        return taken(gone)
    return Answer("reopens" if sent_of(bench).paid < before else "still counts")


def overpayment(bench: Bench) -> Answer:
    """Pay more than is outstanding."""
    client = client_of(bench)
    own = bench.invoice(bench.number(5), [bench.line()])
    bench.alter("invoice", own.id, MARK_SENT)
    paid = bench.attempt(lambda: bench.pay(own, "12.00"))
    if isinstance(paid, Refused):
        return taken(paid)
    bench.overpaid = paid
    shows_fresh(bench)
    given = [
        note
        for note in bench.books.credit_notes.of_client(client.id)
        if paid.overpayment_id in {note.id, note.credit_id}
    ]
    evidence = {"kept": str(paid.amount), "credits": [str(note.amount) for note in given]}
    if not paid.overpayment_id:
        return Answer("kept whole" if paid.amount > PRICE else "cut", evidence)
    same = any(note.id == paid.overpayment_id == note.credit_id for note in given)
    return Answer("credit, one id" if same else "credit, two ids", evidence)


def overpayment_deleted(bench: Bench) -> Answer:
    """Delete the payment that was too much."""
    paid = bench.overpaid
    if paid is None or not paid.overpayment_id:
        raise Untold("no payment became a credit")
    gone = _take_back(bench, paid)
    if isinstance(gone, Refused):
        return taken(gone)
    client = client_of(bench)
    shows_fresh(bench)
    note = bench.books.credit_notes.overpayment(paid.overpayment_id, client.id)
    return Answer("credit goes" if note is None else "credit stays")


def overpayment_credit(bench: Bench) -> Answer:
    """Delete the credit that was made of what was too much."""
    paid, client = bench.overpaid, client_of(bench)
    if paid is None or not paid.overpayment_id:
        raise Untold("no payment became a credit")
    note = bench.books.credit_notes.overpayment(paid.overpayment_id, client.id)
    if note is None:
        raise Untold("the credit went with its payment")
    return taken(bench.attempt(lambda: bench.alter("credit_note", note.id, {"vis_state": DELETED})))


def zero_invoice(bench: Bench) -> Answer:
    """Send an invoice of 0.00 in which a negative line takes back tax."""
    client_of(bench)
    tax = ("PROBE A", "10")
    lines = [bench.line("11.00"), bench.line("-10.00", "1", tax)]
    made = bench.attempt(lambda: bench.invoice(bench.number(6), lines))
    if isinstance(made, Refused):
        return taken(made)
    sent = bench.attempt(lambda: bench.alter("invoice", made.id, MARK_SENT))
    if isinstance(sent, Refused):
        return Answer("refused", refusal(sent))
    now = bench.books.invoices.get(made.id)
    told = {"total": str(now.amount), "status": now.status, "payment_status": now.payment_status}
    return Answer("accepted", told)


def credit_note(bench: Bench) -> Answer:
    """Give the client a credit note, and another one of its number."""
    client_of(bench)
    number = bench.tag.removeprefix("PROBE-")
    first = bench.attempt(lambda: bench.credit(number))
    if isinstance(first, Refused):
        raise Untold(f"no credit note could be made: {first.words}")
    bench.note = first
    return unique(bench.attempt(lambda: bench.credit(number)))


def credit_number_length(bench: Bench) -> Answer:
    """Give the credit note longer numbers."""
    note = bench.note
    if note is None:
        raise Untold("the probe could make no credit note")

    def attempt(length: int) -> tuple[Any, bool]:
        number = note.number.ljust(length, "0")
        body = {"credit_number": number}
        made = bench.attempt(lambda: bench.alter("credit_note", note.id, body))
        return made, not isinstance(made, Refused) and made.number == number

    return longest(attempt, CREDIT_NUMBER, len(note.number))


def _check(
    name: str,
    assumed: str,
    find: Callable[[Bench], Answer],
    *switches: str,
    **changes: str,
) -> Check:
    return Check(name, assumed, changes, find, switches, Depth.FULL)


CHECKS = (
    _check(
        "create_status",
        "a status given to a new invoice may be ignored; it is marked as sent on its own",
        create_status,
        "fb.create_status",
    ),
    _check(
        "draft_payment",
        "a Draft is not paid: it is sent first",
        draft_payment,
        "fb.draft_payment",
    ),
    _check(
        "payment_zero",
        "a payment of 0 is refused, so none is made",
        _odd_payment("0.00"),
        "fb.payment_zero",
    ),
    _check(
        "payment_negative",
        "a negative payment is refused; money that goes back lowers a payment",
        _odd_payment("-1.00"),
        "fb.payment_negative",
    ),
    _check(
        "payment_type",
        "an unknown type of payment is refused, so it is sent as Other",
        _odd_payment("1.00", type="Barter"),
        "fb.payment_unknown_type",
    ),
    _check(
        "payment_currency",
        "a payment in another currency than its invoice is refused, so none is made",
        payment_currency,
        "fb.payment_currency",
    ),
    _check(
        "payment_less",
        "a payment can be lowered when money goes back",
        payment_less,
        refused="refunds are parked; book them by hand, or set refund_mode to credit_note",
    ),
    _check(
        "payment_note_length",
        f"a payment's note may have {NOTE} characters",
        payment_note_length,
        "fb.payment_note_max",
    ),
    _check(
        "payment_to_zero",
        "a payment can be lowered to 0; if not it is deleted",
        payment_to_zero,
        "fb.payment_put_zero",
    ),
    _check(
        "lines_of_paid",
        "the lines of a paid invoice can be changed",
        lines_of_paid,
        "fb.edit_paid",
        refused="refunds and edits of paid orders are parked; book them by hand",
    ),
    _check(
        "negative_line_paid",
        "an invoice that is paid takes a negative line",
        negative_line_paid,
        "fb.negative_line_paid",
        refused="refunds are parked; book them by hand, or set refund_mode to credit_note",
    ),
    _check(
        "client_of_sent",
        "the client of a sent invoice may be fixed; what differs is told",
        client_of_sent,
        "fb.move_invoice",
    ),
    _check(
        "total_below_paid",
        "what is paid above a lowered total may become a credit, so the payment is lowered first",
        total_below_paid,
        "fb.overpaid_after_line",
    ),
    _check(
        "deleted_payment",
        "an invoice opens again when its payment is deleted",
        deleted_payment,
        "fb.deleted_payment",
        **{"still counts": "a payment that is to go is lowered to 0, not deleted"},
    ),
    _check(
        "delete_paid",
        "a paid invoice may not be deleted; its payments go first",
        delete_paid,
        "fb.delete_paid_invoice",
    ),
    _check(
        "overpayment",
        "what is paid above what is outstanding becomes a credit, so no more is paid",
        overpayment,
        "fb.credit_ids",
    ),
    _check(
        "overpayment_deleted",
        "the credit may outlive the payment; it is looked for and deleted",
        overpayment_deleted,
        "fb.overpayment_deleted",
    ),
    _check(
        "overpayment_credit",
        "such a credit can be deleted",
        overpayment_credit,
        "fb.overpayment_credit",
        refused="a credit that a race makes is named, and has to be deleted by hand",
    ),
    _check(
        "zero_invoice",
        "an invoice of 0.00 that takes back tax can be sent",
        zero_invoice,
        refused="refunds of closed months are parked: leave closed_refunds at park",
    ),
    _check(
        "credit_note",
        "another credit note may have the same number",
        credit_note,
        "fb.credit_number_unique",
    ),
    _check(
        "credit_number_length",
        "a credit note's number has at most 10 characters",
        credit_number_length,
        "fb.credit_number_max",
    ),
)
