"""Loader: reads from the ledger what it knows of an order's records in FreshBooks."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from target_freshbooks.posting.state.recorded import Recorded

if TYPE_CHECKING:
    from target_freshbooks.ledger import Ledger, Link


def load_recorded(ledger: Ledger, order_id: int) -> Recorded:
    """What the ledger knows of the order's records in FreshBooks."""
    links = ledger.links_of(order_id)
    invoice = next((link for link in links if link.kind == "invoice"), None)
    payments = {_own(link): link for link in links if link.kind == "payment"}
    notes = {int(_own(link)): link for link in links if link.kind == "credit_note"}
    standing = {key: link for key, link in payments.items() if not link.deleted}
    given = {key: link for key, link in notes.items() if not link.deleted}
    extra = invoice.extra if invoice else {}
    return Recorded(
        known=invoice is not None,
        invoice_id=invoice.remote_id if invoice else None,
        fingerprint=invoice.fingerprint if invoice else None,
        content=invoice.content_hash if invoice else None,
        invoice_extra=extra,
        head=extra.get("head", {}),
        left=tuple(extra.get("left", ())),
        archived=bool(extra.get("archived")),
        payments={key: link.remote_id for key, link in standing.items()},
        payment_amounts={
            key: frozenset(map(Decimal, (link.fingerprint, *link.extra.get("asked", ()))))
            for key, link in standing.items()
            if link.fingerprint is not None
        },
        payments_asked={
            key: (Decimal(link.extra["wanted"][0]), Decimal(link.extra["wanted"][1]))
            for key, link in standing.items()
            if "wanted" in link.extra
        },
        overpayments={
            key: int(link.extra["overpayment"])
            for key, link in payments.items()
            if link.extra.get("overpayment") is not None
        },
        deleted_payments=frozenset(payments.keys() - standing.keys()),
        credit_notes={key: link.remote_id for key, link in given.items()},
        credit_amounts={
            key: Decimal(link.fingerprint)
            for key, link in given.items()
            if link.fingerprint is not None
        },
        credit_expressions={
            key: int(link.extra.get("expression", -1)) for key, link in notes.items()
        },
    )


def _own(link: Link) -> str:
    """The part of the link's key that tells it from the order's other links."""
    return link.key.partition(":")[2]
