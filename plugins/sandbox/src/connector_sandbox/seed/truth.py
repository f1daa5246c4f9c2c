"""What the books should hold for each order, told from the shop's side alone.

The rules are the bookkeeping promises a user is given, written a second time and separately from
the programs that keep them: an invoice equals its order, a payment for each capture, money sent
back is subtracted (first from what came in beyond the total), gift certificates and store credit
are lines of what the shop owes, and what cannot be booked exactly is parked. What no transaction
tells is believed by the shop's word, or by a method that means money in hand; what is on account
stays open, and is due later.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from connector_sandbox.currencies import decimal_places
from connector_sandbox.seed.catalog import PAID_STATUSES, STORE_TIMEZONE
from connector_sandbox.seed.changes import PARTIALLY_REFUNDED, REFUNDED, brought_money, captured
from connector_sandbox.seed.marketplaces import treatment_of, without_tax
from connector_sandbox.seed.money import ZERO
from connector_sandbox.seed.totals import compute

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from connector_sandbox.seed.model import Order, Refund, Transaction

CENTS = 2
COMPLETED = 10
MONEY_DECIDES = {REFUNDED, PARTIALLY_REFUNDED, 12, 13}
"""Statuses that neither say that an order is paid nor that it is not."""
IN_HAND = {
    *("cash", "check", "cheque", "money order", "bank deposit", "bank transfer"),
    *("pay in store", "manual"),
}
ON_DELIVERY = {"cash on delivery", "cod"}
ON_ACCOUNT = re.compile(r"\b(purchase order|terms|invoice|on account|net (?P<days>\d{1,3}))\b")
TERMS_DAYS = 30
STORED_VALUE = ("gift_certificate", "store_credit")
"""Methods of transactions that spend what the shop owes, and bring in no money."""
PROVIDERS = {kind.replace("_", ""): kind for kind in STORED_VALUE}
"""Providers of refunds that give it."""


def expected(
    order: Order, timezone: str = STORE_TIMEZONE, placed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The row of `GET /_sandbox/truth` for one order; amounts are text in the order's currency.

    `expect` is posted, parked (`reason` says why) or waiting (not to be booked), all with default
    settings; `books` says how far the books go: `full`, `draft` or `none`. `payments` lists the
    money that was received with `booked`, the part that fits on the invoice. `invoice_total` and
    `paid` are after refunds. `stored_value` is by what the order changes what the shop owes on gift
    certificates and as store credit: the sum of the invoice's lines of either item.
    `placed` are the marketplaces that a user has placed.
    """
    zone = ZoneInfo(timezone)
    sold = treatment_of(order, placed or {})
    order = without_tax(order) if sold == "net" else order
    figures = compute(order)
    outcome, reason, books = _outcome(order, figures.total_inc, sold)
    to_pay = figures.total_inc - sum(_redeemed(order).values(), ZERO)
    surplus = _surplus(order, to_pay)
    back = sum((_money_back(r) for r in order.refunds), ZERO)
    money = max(back - surplus, ZERO)  # what was never booked goes back first
    credit = sum((_credit_back(r) for r in order.refunds), ZERO)
    money -= min(max(surplus - back, ZERO), credit)  # what of it is kept for credit is booked
    payments, left = [], to_pay
    for payment in received(order, to_pay):
        booked = min(payment["amount"], left)
        left -= booked
        payments.append(payment | {"booked": booked, "date": _day(payment["date"], zone)})
    booked_in_all = sum((p["booked"] for p in payments), ZERO)
    due = order.created.astimezone(zone).date() + timedelta(days=_days_until_due(order))
    row: dict[str, Any] = _as_text(
        {
            "order_id": order.id,
            "case": order.case,
            "expect": outcome,
            "reason": reason,
            "books": books,
            "billable": outcome != "waiting",
            "status_id": order.status_id,
            "total": figures.total_inc,
            "total_tax": figures.total_tax,
            "currency": order.currency,
            "date": _day(order.created, zone),
            "due": due.isoformat(),
            "customer_id": order.customer_id,
            "payments": payments,
            "captured": captured(order),
            "refunds": [
                {
                    "refund": r.id,
                    "amount": r.total_amount,
                    "tax": r.total_tax,
                    "money": _money_back(r),
                    "stored_value": _credit_back(r),
                    "date": _day(r.created, zone),
                }
                for r in order.refunds
            ],
            "invoice_total": to_pay - money,
            "paid": booked_in_all - money,
            "outstanding": to_pay - booked_in_all,
            "stored_value": _stored_value(order),
            "credit_notes": ZERO,
        }
    )  # fmt: skip
    return row


def _outcome(order: Order, total: Decimal, sold: str) -> tuple[str, str | None, str]:
    """What becomes of the order, why, and how far it is booked."""
    refunded = order.status_id in {REFUNDED, PARTIALLY_REFUNDED}
    billable = order.status_id in PAID_STATUSES or (
        order.status_id in MONEY_DECIDES and _money_came(order)
    )
    kept_out = order.is_deleted or order.external_source == "M-MIG" or sold == "skip"
    if not billable or kept_out:
        return "waiting", None, "none"
    due = total - sum(_redeemed(order).values(), ZERO)
    given = sum((_money_back(r) + _credit_back(r) for r in order.refunds), ZERO)
    surplus = _surplus(order, due) > given
    objections = (
        (decimal_places(order.currency) > CENTS, "unsupported_currency", "none"),
        (not order.billing.email and not order.customer_id, "no_client", "none"),
        (_tells_two_stories(order) or due < 0, "money_unclear", "none"),
        (sold == "undecided", "marketplace_tax", "none"),
        (order.override is not None, "total_mismatch", "draft"),
        (refunded and not order.refunds, "refund_missing", "full"),
        (_went_back_unseen(order) or _is_contradicted(order), "money_unclear", "full"),
        (surplus, "overpaid", "full"),
    )
    for applies, reason, books in objections:
        if applies:
            return "parked", reason, books
    return "posted", None, "full"


def _went_back_unseen(order: Order) -> bool:
    """Money that a gateway sent back and no refund speaks of."""
    back = any(t.event == "refund" and t.status == "ok" for t in order.transactions)
    return back and not order.refunds


def _is_contradicted(order: Order) -> bool:
    """A gateway's money that the order says came and no capture shows, or the other way round."""
    rows = [
        t
        for t in order.transactions
        if t.status == "ok" and not t.test and t.method not in {*STORED_VALUE, "offline", "custom"}
    ]
    asked = any(t.event in {"authorization", "purchase", "capture"} for t in rows)
    came = captured(order) > 0
    if order.payment_status in {"captured", "paid"}:
        return asked and not came
    return order.payment_status == "void" and came and not order.refunds


def _told(order: Order) -> dict[str, Decimal]:
    """What the order's own fields say was redeemed."""
    used = sum((use.amount for use in order.gift_certificates), ZERO)
    return {"gift_certificate": used, "store_credit": order.store_credit}


def _shown(order: Order) -> dict[str, Decimal]:
    """What its transactions say was redeemed, those apart that say again what the fields say."""
    rows = _captures(order)
    return {kind: sum((t.amount for t in rows if t.method == kind), ZERO) for kind in STORED_VALUE}


def _redeemed(order: Order) -> dict[str, Decimal]:
    shown = _shown(order)
    return {kind: told or shown[kind] for kind, told in _told(order).items()}


def _tells_two_stories(order: Order) -> bool:
    shown = _shown(order)
    return any(told and shown[kind] not in (told, 0) for kind, told in _told(order).items())


def _stored_value(order: Order) -> dict[str, Decimal]:
    """Sold and given less redeemed and taken back."""
    owed = {kind: -amount for kind, amount in _redeemed(order).items()}
    certificates = {line.id: line for line in order.lines if line.kind == "giftcertificate"}
    owed["gift_certificate"] += sum((c.price * c.quantity for c in certificates.values()), ZERO)
    for made in order.refunds:
        for payment in made.payments:
            kind = PROVIDERS.get(payment.provider_id)
            if kind and not payment.is_declined:
                owed[kind] += payment.amount
        if any(not payment.is_declined for payment in made.payments):
            owed["gift_certificate"] -= sum(
                (
                    certificates[item.item_id].price * item.quantity
                    for item in made.items
                    if item.item_type == "PRODUCT" and item.item_id in certificates
                ),
                ZERO,
            )
    return owed


def _captures(order: Order) -> list[Transaction]:
    return [t for t in order.transactions if brought_money(order, t)]


def received(order: Order, due: Decimal) -> list[dict[str, Any]]:
    """Money in the order it came: captures, else what was paid offline."""
    payments: list[dict[str, Any]] = [
        {"transaction": t.id, "kind": "gateway", "amount": t.amount, "date": t.at or order.created}
        for t in _captures(order)
        if t.method not in STORED_VALUE
    ]
    if not payments and due > 0 and _paid_by_word(order):
        derived = {"transaction": None, "kind": "offline", "amount": due, "date": order.created}
        payments.append(derived)
    return payments


def _surplus(order: Order, due: Decimal) -> Decimal:
    """Money that came in beyond what the invoice comes to."""
    return max(sum((payment["amount"] for payment in received(order, due)), ZERO) - due, ZERO)


def _money_came(order: Order) -> bool:
    back = any(not p.is_declined for r in order.refunds for p in r.payments)
    return captured(order) > 0 or back or (_untold(order) and _said_captured(order))


def _paid_by_word(order: Order) -> bool:
    """Paid outside of any gateway that would have left a transaction."""
    method = order.payment_method.lower()
    given_back = order.status_id in {REFUNDED, PARTIALLY_REFUNDED}
    paid = given_back or order.status_id in PAID_STATUSES
    delivered = given_back or order.status_id == COMPLETED
    in_hand = (method in IN_HAND and paid) or (method in ON_DELIVERY and delivered)
    denied = order.payment_status in {"declined", "void", "void pending"}
    return _untold(order) and (_said_captured(order) or (in_hand and not denied))


def _untold(order: Order) -> bool:
    """No gateway says anything of the order's money."""
    rows = (t for t in order.transactions if t.method not in STORED_VALUE)
    return all(t.event == "pending" or t.status != "ok" for t in rows)


def _said_captured(order: Order) -> bool:
    on_account = ON_ACCOUNT.search(order.payment_method.lower())
    back = order.payment_status in {"refunded", "partially refunded"} and not on_account
    return order.payment_status in {"captured", "paid"} or back


def _days_until_due(order: Order) -> int:
    told = ON_ACCOUNT.search(order.payment_method.lower())
    return 0 if told is None else int(told["days"] or TERMS_DAYS)


def _money_back(refund: Refund) -> Decimal:
    return sum(
        (p.amount for p in refund.payments if not p.is_declined and p.provider_id not in PROVIDERS),
        ZERO,
    )


def _credit_back(refund: Refund) -> Decimal:
    return sum(
        (p.amount for p in refund.payments if not p.is_declined and p.provider_id in PROVIDERS),
        ZERO,
    )


def _day(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).date().isoformat()


def _as_text(value: Any) -> Any:  # noqa: ANN401  a JSON document
    if isinstance(value, Decimal):
        cents = value.quantize(Decimal("0.01"))
        return format(cents if cents == value else value.normalize(), "f")
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return value
