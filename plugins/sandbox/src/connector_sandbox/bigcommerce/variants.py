"""How unconfirmed things look: each value of a switch that changes finished documents.

Documents are made in one form; the table says what a value of a switch makes of one of a kind.
"""

import html
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector_sandbox.seed.money import stored
from connector_sandbox.switches import Switches, SwitchValue

Document = dict[str, Any]

_OF_CODE = (
    "bc.fees_in_subtotal",
    "bc.fee_tax_rows",
    "bc.refund_tax_rows",
    "bc.tax_detail_ids",
    "bc.empty_texts",
    "bc.discount_tax",
    "bc.subtotal_tax",
    "bc.included_lines",
    "bc.consignment_structure",
)
"""Switches that the makers of documents read themselves."""


def money(amount: Decimal) -> str:
    """`"361.9500"`."""
    return format(stored(amount), "f")


def _as_text(document: Document) -> Document:
    return {k: money(v) if isinstance(v, Decimal) else v for k, v in document.items()}


def _with_entities(document: Document) -> Document:
    """The texts that people enter, as a page would hold them: `Smith &amp; Sons`."""
    return {
        name: html.escape(value) if name in _ENTERED and isinstance(value, str) else value
        for name, value in document.items()
    }


def _said(order: Document, status: str, told: str) -> Document:
    """The order with another word for its payment, where that is the status."""
    return order | {"payment_status": told} if order["payment_status"] == status else order


def _void(made: Document, told: Document) -> Document:
    return made | told if made["event"] == "void" else made


_ENTERED = frozenset(
    {"first_name", "last_name", "company", "street_1", "street_2", "city", "state", "name"}
    | {"name_customer", "name_merchant", "staff_notes", "customer_message", "wrapping_name"}
)

_TABLE: dict[str, dict[tuple[str, SwitchValue], Callable[[Document], Document]]] = {
    "order": {
        ("bc.default_currency", "null"): lambda order: order | {"default_currency_code": None},
        ("bc.default_currency", "empty"): lambda order: order | {"default_currency_code": ""},
        ("bc.authorized_says", "captured"): lambda order: _said(order, "authorized", "captured"),
        ("bc.texts", "entities"): lambda order: (
            _with_entities(order) | {"billing_address": _with_entities(order["billing_address"])}
        ),
    },
    "address": {("bc.texts", "entities"): _with_entities},
    "line": {
        ("bc.product_options", "object"): lambda line: (
            line | {"product_options": {str(o["id"]): o for o in line["product_options"]}}
        ),
        ("bc.texts", "entities"): _with_entities,
    },
    "fee": {("bc.fee_money", "text"): _as_text},
    "listed fee": {
        ("bc.fees_form", "misspelt"): lambda fee: {
            ("cost_exc_tax" if name == "cost_ex_tax" else name): value
            for name, value in fee.items()
        }
    },
    "coupon": {("bc.coupon_money", "text"): _as_text},
    "tax row": {
        ("bc.tax_line_ids", "text"): lambda row: (
            row | {"order_product_id": row["order_product_id"] and str(row["order_product_id"])}
        )
    },
    "transaction": {
        ("bc.failed_amount", "null"): lambda made: (
            made if made["status"] == "ok" else made | {"amount": None}
        ),
        ("bc.void_rows", "no_amount"): lambda made: _void(made, {"amount": 0}),
        ("bc.void_rows", "unnamed"): lambda made: _void(
            made, {"amount": 0, "reference_transaction_id": None}
        ),
    },
}
_READ = sorted({*_OF_CODE} | {switch for kind in _TABLE.values() for switch, _ in kind})


@dataclass(frozen=True, slots=True)
class Variants:
    """What the switches say of documents; `base` is `https://host/stores/hash/v2`."""

    base: str
    chosen: frozenset[tuple[str, SwitchValue]]

    def apply(self, kind: str, document: Document) -> Document:
        """The document of a kind as the switches have it."""
        for choice, change in _TABLE[kind].items():
            if choice in self.chosen:
                document = change(document)
        return document


def variants_of(switches: Switches, base: str) -> Variants:
    """What is switched on now."""
    return Variants(base, frozenset((name, switches[name]) for name in _READ))
