"""Digests that tell change from noise, each over an explicit list of what counts.

What is not listed may change its name, its form or its value without making a posted order look
changed. The lists bear a version: whoever changes one changes that too, and knows that every posted
order is looked at once more.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from target_freshbooks.books.desired import Desired
from target_freshbooks.books.eligibility import BEFORE_START_DATE
from target_freshbooks.books.money_witnesses import REFUNDED_STATUSES
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.stored_value import redeemed
from target_freshbooks.freshbooks.observed import DELETED, ObservedInvoice
from target_freshbooks.ledger.storage.canonical import hash_of
from target_freshbooks.shop.facts import Address, Cost, OrderFacts, OrderLine, OrderStatus

CONTENT_VERSION = 2
DESIRED_VERSION = 1
FINGERPRINT_VERSION = 1

_DECIDED_BY_MONEY = REFUNDED_STATUSES | {OrderStatus.TO_VERIFY, OrderStatus.DISPUTED}
"""Settings tell which methods of payment mean money."""


def earlier_digests(facts: OrderFacts, *, void: bool = False) -> frozenset[str]:
    """What earlier versions of the list made of the same facts; their ledgers have these."""
    versions = range(1, CONTENT_VERSION)
    return frozenset(content_digest(facts, void=void, version=version) for version in versions)


def content_digest(facts: OrderFacts, *, void: bool = False, version: int = CONTENT_VERSION) -> str:
    """What the invoice's own lines follow from: not status, dates, payments or refunds.

    Nor the amounts of tax rows, which a refund may lower, as version 1 had them: their names and
    rates, and the order's totals, tell of the sale. It is taken from the shop's facts and not from
    the lines, so that a newer version of the accounting rules never rewrites an invoice that is
    already sent. With `void` the lines stand at no price, since the order was cancelled.
    """
    order = facts.order
    spent = redeemed(facts)
    return hash_of(
        {
            "version": version,
            **({"void": True} if void else {}),
            "currency": order.currency,
            "tax_inclusive": order.tax_inclusive,
            "lines": [_line(line) for line in order.lines],
            "fees": [[fee.id, fee.name, *_charge(fee.cost)] for fee in order.fees],
            "shipping": _charge(order.shipping),
            "handling": _charge(order.handling),
            "wrapping": _charge(order.wrapping),
            "addresses": [
                [one.id, *_charge(one.shipping), *_charge(one.handling)] for one in order.addresses
            ],
            "totals": _amounts(order.total_ex_tax, order.total_inc_tax, order.total_tax),
            "discounts": _amounts(order.discount_amount, order.coupon_discount),
            "taxes": sorted(
                [
                    row.name,
                    row.tax_class,
                    *_amounts(row.rate, *([row.amount] if version == 1 else [])),
                    row.item_type,
                    str(row.line_id),
                    str(row.address_id),
                ]
                for row in facts.taxes
            ),
        }
        | ({"redeemed": _amounts(*spent.values())} if any(spent.values()) else {})
    )


def _line(line: OrderLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "product": [line.product_id, line.variant_id],
        "name": line.name,
        "sku": line.sku,
        "type": line.type,
        "quantity": _plain(line.quantity),
        "totals": _amounts(line.total_ex_tax, line.total_inc_tax, line.total_tax),
        "discounted": None
        if line.discounted_total_inc_tax is None
        else _plain(line.discounted_total_inc_tax),
        "discounts": _amounts(*line.discounts),
        "options": [list(option) for option in line.options],
        "wrapping": None
        if line.wrapping is None
        else [line.wrapping_name, *_charge(line.wrapping)],
    }


def _charge(charge: Cost) -> list[str]:
    return _amounts(charge.ex_tax, charge.inc_tax, charge.tax)


def _amounts(*amounts: Decimal) -> list[str]:
    return [_plain(amount) for amount in amounts]


def _plain(amount: Decimal) -> str:
    """The amount without trailing zeros: 5.00 and 5 are one amount."""
    return format(amount.normalize() + Decimal(0), "f")


def desired_digest(desired: Desired, content: str) -> str:
    """Changes when something would have to be written; equal digests need no request at all."""
    invoice = desired.invoice
    return hash_of(
        {
            "version": DESIRED_VERSION,
            "content": content,
            "number": invoice.number,
            "total": _plain(invoice.total),
            "client": [desired.client.key, desired.client.email],
            "billing": _address(invoice.billing),
            "payments": [[payment.key, _plain(payment.amount)] for payment in desired.payments],
            "refunds": [
                [
                    entry.refund_id,
                    _plain(entry.money),
                    [[key, _plain(amount)] for key, amount in entry.payments_after],
                    None if entry.credit_note is None else _plain(entry.credit_note.total),
                    *([_plain(entry.stored)] if entry.stored else []),
                ]
                for entry in desired.refunds
            ],
            "flag": None if desired.flag is None else desired.flag.reason.value,
            "hold": desired.hold,
        }
    )


def _address(address: Address) -> list[str]:
    return [
        address.first_name,
        address.last_name,
        address.company,
        address.street_1,
        address.street_2,
        address.city,
        address.state,
        address.zip,
        address.country,
    ]


def fingerprint(invoice: ObservedInvoice) -> str:
    """What a person may have changed by hand: number, day, amount, lines.

    Payments are not part of it, nor the status: a viewed or paid invoice is not an edited one. An
    archived one is filed, not edited. Client and billing address are compared by themselves.
    """
    return hash_of(
        {
            "version": FINGERPRINT_VERSION,
            "number": invoice.number,
            "currency": invoice.currency,
            "day": invoice.create_date,
            "amount": _plain(invoice.amount),
            "deleted": invoice.vis_state == DELETED,
            "lines": [
                [
                    line.name,
                    line.description,
                    *_amounts(line.qty, line.unit_cost),
                    line.tax_name1 or "",
                    _plain(line.tax_percent1),
                    line.tax_name2 or "",
                    _plain(line.tax_percent2),
                ]
                for line in invoice.lines or ()
            ],
        }
    )


def field_digest(name: str, text: str) -> str:
    """Of one field of a record in FreshBooks, by which it is known whether it holds our text."""
    return hashlib.sha256(f"{name}:{text}".encode()).hexdigest()


def policy_digest(policy: Policy) -> str:
    """Changes when a setting changes that an order which is not posted may have waited for."""
    return hash_of(
        {
            "terms": policy.terms(),
            "paid_status_ids": sorted(policy.paid_status_ids),
            "invoice_start_date": policy.invoice_start_date,
            "exclude_external_sources": sorted(policy.exclude_external_sources),
            "exclude_orders": [asdict(entry) for entry in policy.exclude_orders],
            "rounding_tolerance_cents": policy.rounding_tolerance_cents,
            "on_cancel": policy.on_cancel,
            "on_order_change": policy.on_order_change,
            "closed_through": policy.closed_through,
            "closed_refunds": policy.closed_refunds,
            "refunds_expense_category": policy.refunds_expense_category,
        }
    )


def reasons_of_settings(policy: Policy) -> frozenset[str]:
    """The codes of what an order may wait for that other settings would not have it wait for."""
    by_status = (f"status_{int(number)}" for number in policy.paid_status_ids | _DECIDED_BY_MONEY)
    return frozenset(
        {BEFORE_START_DATE, "excluded_source", "marketplace", "excluded_order", *by_status}
    )


def request_digest(body: Mapping[str, Any]) -> str:
    """Of a request's body, for the audit trail."""
    return hash_of(dict(body))
