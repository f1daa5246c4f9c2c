"""Checks of the full depth: what is taken back, and the credits and invoices that do it."""

from typing import Any

from target_freshbooks.freshbooks import Refused
from target_freshbooks.freshbooks.observed import DELETED
from target_freshbooks.probe.bench import Bench
from target_freshbooks.probe.finding import (
    Measurement,
    Untold,
    client_of,
    refusal,
    shows_fresh,
    taken,
    unique,
)
from target_freshbooks.probe.lengths import longest
from target_freshbooks.probe.money import MARK_SENT, PRICE, full, payment_of, sent_of, take_back

CREDIT_NUMBER = 20
"""More characters than a credit note's number has."""


def deleted_payment(bench: Bench) -> Measurement:
    """Delete the payment."""
    paid, before = payment_of(bench), sent_of(bench).paid
    if not bench.books.payments.get(paid.id).amount:
        raise Untold("the payment has no amount left")
    gone = take_back(bench, paid)
    if isinstance(gone, Refused):
        return taken(gone)
    return Measurement("reopens" if sent_of(bench).paid < before else "still counts")


def delete_paid(bench: Bench) -> Measurement:
    """Delete an invoice that is paid."""
    client_of(bench)
    number = bench.number(4)
    own = bench.invoice(number, [bench.line()])
    bench.alter("invoice", own.id, MARK_SENT)
    paid = bench.attempt(lambda: bench.pay(own, "10.00"))
    if isinstance(paid, Refused):
        raise Untold(f"an invoice cannot be paid: {paid.words}")
    return taken(bench.attempt(lambda: bench.alter("invoice", own.id, {"vis_state": DELETED})))


def overpayment(bench: Bench) -> Measurement:
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
        return Measurement("kept whole" if paid.amount > PRICE else "cut", evidence)
    same = any(note.id == paid.overpayment_id == note.credit_id for note in given)
    return Measurement("credit, one id" if same else "credit, two ids", evidence)


def overpayment_deleted(bench: Bench) -> Measurement:
    """Delete the payment that was too much."""
    paid = bench.overpaid
    if paid is None or not paid.overpayment_id:
        raise Untold("no payment became a credit")
    gone = take_back(bench, paid)
    if isinstance(gone, Refused):
        return taken(gone)
    client = client_of(bench)
    shows_fresh(bench)
    note = bench.books.credit_notes.overpayment(paid.overpayment_id, client.id)
    return Measurement("credit goes" if note is None else "credit stays")


def overpayment_credit(bench: Bench) -> Measurement:
    """Delete the credit that was made of what was too much."""
    paid, client = bench.overpaid, client_of(bench)
    if paid is None or not paid.overpayment_id:
        raise Untold("no payment became a credit")
    note = bench.books.credit_notes.overpayment(paid.overpayment_id, client.id)
    if note is None:
        raise Untold("the credit went with its payment")
    return taken(bench.attempt(lambda: bench.alter("credit_note", note.id, {"vis_state": DELETED})))


def zero_invoice(bench: Bench) -> Measurement:
    """Send an invoice of 0.00 in which a negative line takes back tax."""
    client_of(bench)
    tax = ("PROBE A", "10")
    lines = [bench.line("11.00"), bench.line("-10.00", "1", tax)]
    made = bench.attempt(lambda: bench.invoice(bench.number(6), lines))
    if isinstance(made, Refused):
        return taken(made)
    sent = bench.attempt(lambda: bench.alter("invoice", made.id, MARK_SENT))
    if isinstance(sent, Refused):
        return Measurement("refused", refusal(sent))
    now = bench.books.invoices.get(made.id)
    evidence = {
        "total": str(now.amount),
        "status": now.status,
        "payment_status": now.payment_status,
    }
    return Measurement("accepted", evidence)


def credit_note(bench: Bench) -> Measurement:
    """Give the client a credit note, and another one of its number."""
    client_of(bench)
    number = bench.tag.removeprefix("PROBE-")
    first = bench.attempt(lambda: bench.credit(number))
    if isinstance(first, Refused):
        raise Untold(f"no credit note could be made: {first.words}")
    bench.note = first
    return unique(bench.attempt(lambda: bench.credit(number)))


def credit_number_length(bench: Bench) -> Measurement:
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


CHECKS = (
    full(
        "deleted_payment",
        "an invoice opens again when its payment is deleted",
        deleted_payment,
        "fb.deleted_payment",
        **{"still counts": "a payment that is to go is lowered to 0, not deleted"},
    ),
    full(
        "delete_paid",
        "a paid invoice may not be deleted; its payments go first",
        delete_paid,
        "fb.delete_paid_invoice",
    ),
    full(
        "overpayment",
        "what is paid above what is outstanding becomes a credit, so no more is paid",
        overpayment,
        "fb.credit_ids",
    ),
    full(
        "overpayment_deleted",
        "the credit may outlive the payment; it is looked for and deleted",
        overpayment_deleted,
        "fb.overpayment_deleted",
    ),
    full(
        "overpayment_credit",
        "such a credit can be deleted",
        overpayment_credit,
        "fb.overpayment_credit",
        refused="a credit that a race makes is named, and has to be deleted by hand",
    ),
    full(
        "zero_invoice",
        "an invoice of 0.00 that takes back tax can be sent",
        zero_invoice,
        refused="refunds of closed months are parked: leave closed_refunds at park",
    ),
    full(
        "credit_note",
        "another credit note may have the same number",
        credit_note,
        "fb.credit_number_unique",
    ),
    full(
        "credit_number_length",
        "a credit note's number has at most 10 characters",
        credit_number_length,
        "fb.credit_number_max",
    ),
)
