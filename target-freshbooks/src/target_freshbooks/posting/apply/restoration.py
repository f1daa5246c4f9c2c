"""Restoration: what a cancellation took off an invoice comes back as long as the invoice stands.

An invoice is deleted after its payments, so whatever ends an attempt in between leaves it without
them. Which they were is not for the attempt to know: with the intent of each deletion the ledger
notes that the payment is on its way out, and whoever has the order in hand next reads the note.
"""

import logging
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from target_freshbooks.freshbooks.errors import Conflict, Refused, Throttled
from target_freshbooks.freshbooks.observed import DELETED, ObservedInvoice, ObservedPayment
from target_freshbooks.ledger import Link
from target_freshbooks.money import ZERO, total
from target_freshbooks.posting.apply.parts import Parts, load_recorded
from target_freshbooks.posting.apply.writer import OutcomeUnknown, Patience
from target_freshbooks.posting.identity import part_of
from target_freshbooks.posting.plan.steps import StepKind
from target_freshbooks.posting.state import Recorded

logger = logging.getLogger(__name__)

_TAKEN = "taken"
"""Among what is remembered of a payment: its amount and currency, if a cancellation takes it."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of restoring an order's payments.

    Attributes:
        writes: How many writes were made.
        left: FreshBooks' ids of the payments that are still deleted.
        refused: Why, if FreshBooks refused it; else other money is in their place.
        invoice: The invoice that they belong on, as it stands; None if nothing was to be restored.
    """

    writes: int = 0
    left: tuple[int, ...] = ()
    refused: Refused | None = None
    invoice: ObservedInvoice | None = None


def taken(link: Link, payment: ObservedPayment) -> Link:
    """The link to a payment that a cancellation is about to delete."""
    return replace(
        link, extra={**link.extra, _TAKEN: [str(payment.amount), payment.currency]}, deleted=False
    )


def is_taken(link: Link) -> bool:
    """Whether a cancellation was about to delete the payment, or has deleted it."""
    return _TAKEN in link.extra


def left_to_stand(link: Link) -> Link:
    """The link to a payment whose order is booked after all: no cancellation takes it any more."""
    return replace(
        link, extra={name: value for name, value in link.extra.items() if name != _TAKEN}
    )


def restore_payments(parts: Parts, order_id: int) -> Restored:
    """Restore what a cancellation took off the order's invoice, if the invoice stands.

    Raises:
        RetriesExhausted: FreshBooks keeps failing; the next attempt goes on.
    """
    recorded = load_recorded(parts.ledger, order_id)
    links = [link for link in recorded.payments.values() if is_taken(link)]
    if not links or recorded.invoice_id is None:
        return Restored()
    invoice = parts.books.invoices.standing(recorded.invoice_id)
    restored = Restored(invoice=invoice)
    for link in links if invoice is not None else ():
        try:
            writes = _restore(parts, order_id, recorded.invoice_id, link)
        except Refused as refused:
            restored = replace(restored, left=(*restored.left, link.remote_id), refused=refused)
        else:
            left = restored.left if writes is not None else (*restored.left, link.remote_id)
            restored = replace(restored, writes=restored.writes + (writes or 0), left=left)
    return restored


def _restore(parts: Parts, order_id: int, invoice_id: int, link: Link) -> int | None:
    """Have a payment stand again; how many writes that took, None if it has no place any more.

    An ordinary change of a deleted payment restores it (FreshBooks' published examples).
    """
    amount, currency = link.extra[_TAKEN]
    key, patience = part_of(link), Patience()
    # Its day is all that the fence asks for, and is not shown of a deleted one everywhere.
    gone = (
        ObservedPayment(
            link.remote_id,
            invoice_id,
            Decimal(amount),
            currency,
            link.day,
            "",
            "",
            None,
            vis_state=DELETED,
        )
        if link.day
        else None
    )
    while parts.books.payments.standing(link.remote_id) is None:
        if not _has_place(parts, order_id, invoice_id, Decimal(amount)):
            return None
        try:
            answer = parts.writer.write(
                kind=StepKind.UPDATE_PAYMENT,
                key=key,
                body={"amount": {"amount": amount, "code": currency}},
                order_id=order_id,
                remote_id=link.remote_id,
                why=f"restore the payment of {amount} {currency} ({key}): its invoice stands",
                standing=gone,
                links=partial(_if_restored, link),
            )
        except OutcomeUnknown as unknown:
            parts.settle_unknown(unknown)
        except (Throttled, Conflict) as busy:
            pause = patience.pause_after(busy)
            logger.warning("%s; looking again before it is restored", busy)
            parts.stop.wait(pause)
        else:
            return 1 if answer.vis_state != DELETED and answer.amount == Decimal(amount) else None
    parts.ledger.links.put(replace(left_to_stand(link), deleted=False))
    return 0


def _has_place(parts: Parts, order_id: int, invoice_id: int, amount: Decimal) -> bool:
    """Whether the payment can stand on the invoice beside what was paid since it was taken."""
    recorded = load_recorded(parts.ledger, order_id)
    invoice = parts.books.invoices.standing(invoice_id)
    if invoice is None:
        return False
    on_it, _ = payments_on(parts, invoice_id, recorded)
    fits = total(row.amount for row in on_it) + amount <= invoice.amount
    return invoice.outstanding >= amount or (fits and are_all(on_it, invoice, recorded))


def payments_on(
    parts: Parts, invoice_id: int, recorded: Recorded
) -> tuple[list[ObservedPayment], list[ObservedPayment]]:
    """The payments on the invoice, and ours that a person moved to another one.

    Ours are read by their ids, which show them as they are now; a search may be late.
    """
    known = {link.remote_id for link in recorded.payments.values()}
    rows = [row for row in parts.books.payments.of_invoice(invoice_id) if row.id not in known]
    ours = [parts.books.payments.standing(remote_id) for remote_id in sorted(known)]
    rows += [row for row in ours if row is not None]
    return (
        [row for row in rows if row.invoice_id == invoice_id],
        [row for row in rows if row.invoice_id != invoice_id],
    )


def are_all(payments: list[ObservedPayment], invoice: ObservedInvoice, recorded: Recorded) -> bool:
    """Whether the payments make up what FreshBooks says was paid on the invoice.

    Whether it counts a deleted payment is not documented.
    """
    paid = total(row.amount for row in payments)
    return invoice.paid in {paid, paid + _deleted(recorded)}


def bears_other_money(parts: Parts, order_id: int, invoice: ObservedInvoice) -> bool:
    """Whether anything is paid on an invoice whose payments of ours are deleted.

    What a search shows late is in the sum.
    """
    if invoice.paid == ZERO:
        return False
    recorded = load_recorded(parts.ledger, order_id)
    known = {link.remote_id for link in recorded.payments.values()}
    others = [row for row in parts.books.payments.of_invoice(invoice.id) if row.id not in known]
    return bool(others) or not are_all([], invoice, recorded)


def _deleted(recorded: Recorded) -> Decimal:
    """What the payments came to that we deleted."""
    return total(link.amount or ZERO for link in recorded.payments.values() if link.deleted)


def _if_restored(link: Link, answer: ObservedPayment) -> list[Link]:
    return [] if answer.vis_state == DELETED else [_standing_again(link, answer)]


def _standing_again(link: Link, answer: ObservedPayment) -> Link:
    """The link to a payment that stands again.

    As FreshBooks answered it, with the credit that it made of what it had no room for.
    """
    again = replace(left_to_stand(link), deleted=False, amount=answer.amount)
    asked = Decimal(link.extra[_TAKEN][0])
    if answer.overpayment_id is not None and answer.amount < asked:
        again.extra["overpayment"] = answer.overpayment_id
    return again
