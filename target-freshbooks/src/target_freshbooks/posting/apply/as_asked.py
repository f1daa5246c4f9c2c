"""As asked: links to what a write without an answer made, as it asked for it.

What stands by now may be what a person made of it since. That is no record of what we wrote: it is
to be told like every change by hand, and never overwritten.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from target_freshbooks.books import predict_totals
from target_freshbooks.freshbooks.observed import (
    ACTIVE,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedPayment,
)
from target_freshbooks.ledger import Link
from target_freshbooks.money import decimals_of
from target_freshbooks.posting.apply.effects import asked_first, is_raise_capped
from target_freshbooks.posting.digests import fingerprint
from target_freshbooks.posting.plan import lines as wire

Body = Mapping[str, Any]

FITS_NONE = ""
"""The fingerprint of an invoice that a person changed before we knew how it stood."""


def invoice(link: Link, standing: ObservedInvoice, body: Body) -> Link:
    """The link to an invoice or correction: as it stands, if that is what the body asked for.

    Args:
        link: The link to it as it stands.
        standing: The invoice, perhaps deleted since.
        body: Its lines, and its number and day if these have to be the same.
    """
    stands = {
        "invoice_number": standing.number,
        "create_date": standing.create_date.isoformat(),
    }
    is_same = all(body.get(name, value) == value for name, value in stands.items())
    if is_same and wire.agree(wire.from_body(body), wire.standing(standing)):
        return replace(link, fingerprint=fingerprint(replace(standing, vis_state=ACTIVE)))
    return replace(link, fingerprint=FITS_NONE, amount=None)


def payment(link: Link, standing: ObservedPayment, body: Body) -> Link:
    """The link to a payment just made, of less than was asked for only if FreshBooks capped it."""
    extra = asked_first(body, standing)
    asked = replace(dated(link, body), extra=extra)
    return replace(asked, amount=standing.amount) if "overpayment" in extra else asked


def changed(known: Link, standing: ObservedPayment, body: Body) -> Link:
    """The link to a payment of another amount, and to the credit that FreshBooks made of it."""
    extra = {name: value for name, value in known.extra.items() if name != "asked"}
    if is_raise_capped(known, body, standing):
        extra["overpayment"] = standing.overpayment_id
    return replace(known, amount=standing.amount, extra=extra)


def dated(link: Link, body: Body) -> Link:
    """The link to a payment or an expense just made, of the amount and day of the body."""
    amount, day = Decimal(body["amount"]["amount"]), date.fromisoformat(body["date"])
    return replace(link, amount=amount, day=day)


def credit_note(link: Link, standing: ObservedCreditNote, body: Body) -> Link:
    """The link to a credit note just made, of what FreshBooks may have made of the body's lines."""
    totals = predict_totals(wire.from_body(body), decimals_of(body["currency_code"]))
    return replace(link, amount=standing.amount if standing.amount in totals else min(totals))
