"""How an invoice is known to be ours: the marker in its notes or purchase order number."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_freshbooks.freshbooks.observed import ObservedInvoice

DRAFT = 1
"""FreshBooks' invoice status of a Draft."""

DELETED = 1
"""FreshBooks' `vis_state` of a deleted record."""


def marker(order_id: int) -> str:
    """What our invoice of the order says in its notes and purchase order number."""
    return f"BigCommerce order {order_id}"


def is_marked(invoice: ObservedInvoice, mark: str) -> bool:
    """Whether the invoice bears the order's marker, not merely one that begins like it.

    "BigCommerce order 12" must not be found in the notes of order 123.
    """
    return any(_says(text, mark) for text in (invoice.notes, invoice.po_number))


def _says(text: str, mark: str) -> bool:
    start = text.find(mark)
    while start >= 0:
        end = start + len(mark)
        if end == len(text) or not text[end].isalnum():
            return True
        start = text.find(mark, start + 1)
    return False
