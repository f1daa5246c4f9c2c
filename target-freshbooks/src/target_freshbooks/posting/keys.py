"""The ledger's keys of an order's records."""

from __future__ import annotations

import re

_REFUND_NUMBER = re.compile(r"-R\d+(-\d+)?$")


def invoice_key(order_id: int) -> str:
    """Key of the link to an order's invoice."""
    return str(order_id)


def payment_key(order_id: int, key: str) -> str:
    """Key of the link to a payment: `<order>:transaction:<id>` and so on."""
    return f"{order_id}:{key}"


def credit_note_key(order_id: int, refund_id: int | str) -> str:
    """Key of the link to a refund's credit note."""
    return f"{order_id}:{refund_id}"


def is_anothers_credit_number(number: str, invoice_number: str) -> bool:
    """Whether a credit note is numbered as of a refund on another invoice than ours.

    Two shops may have orders of one number and clients in common; their prefixes differ.
    """
    return invoice_number_of(number) not in (number, invoice_number)


def invoice_number_of(credit_number: str) -> str:
    """The number of the invoice that a credit note's number was made from."""
    return _REFUND_NUMBER.sub("", credit_number)
