"""What the ledger remembers of an order's records in FreshBooks."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from target_freshbooks.posting.memory import Memory

if TYPE_CHECKING:
    from target_freshbooks.ledger import Ledger, Link
    from target_freshbooks.posting.simulate import LedgerOverlay


def recall(ledger: Ledger | LedgerOverlay, order_id: int) -> Memory:
    """What the ledger knows of the order's records in FreshBooks."""
    invoice: Link | None = None
    payments: dict[str, int] = {}
    paid: dict[str, frozenset[Decimal]] = {}
    deleted: set[str] = set()
    notes: dict[int, int] = {}
    amounts: dict[int, Decimal] = {}
    expressions: dict[int, int] = {}
    for link in ledger.links_of(order_id):
        own = link.key.partition(":")[2]
        if link.kind == "invoice":
            invoice = link
        elif link.kind == "payment" and link.deleted:
            deleted.add(own)
        elif link.kind == "payment":
            payments[own] = link.remote_id
            if link.fingerprint is not None:
                asked = link.extra.get("asked", ())
                paid[own] = frozenset(map(Decimal, (link.fingerprint, *asked)))
        elif link.kind == "credit_note":
            expressions[int(own)] = int(link.extra.get("expression", -1))
            if not link.deleted:
                notes[int(own)] = link.remote_id
                if link.fingerprint is not None:
                    amounts[int(own)] = Decimal(link.fingerprint)
    return Memory(
        known=invoice is not None,
        invoice_id=invoice.remote_id if invoice else None,
        fingerprint=invoice.fingerprint if invoice else None,
        content=invoice.content_hash if invoice else None,
        payments=payments,
        payment_amounts=paid,
        deleted_payments=frozenset(deleted),
        credit_notes=notes,
        credit_amounts=amounts,
        credit_expressions=expressions,
    )
