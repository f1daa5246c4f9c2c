"""What the books should hold for each order, told from the shop's side alone.

The rules are the bookkeeping promises a user is given, written a second time and separately from
the programs that keep them: an invoice equals its order, a payment for each capture, money sent
back is subtracted (first from what came in beyond the total), gift certificates and store credit
are lines of what the shop owes, and what cannot be booked exactly is parked. What no transaction
tells is believed by the shop's word, or by a method that means money in hand; what is on account
stays open, and is due later. What came back after the invoice's month was closed changes neither
invoice nor payment: it waits, or is booked beside them on its own day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

from connector_sandbox.currencies import decimal_places
from connector_sandbox.decoding import Matching
from connector_sandbox.seed.catalog import PAID_STATUSES, STORE_TIMEZONE
from connector_sandbox.seed.changes import CANCELLED, PARTIALLY_REFUNDED, REFUNDED, captured
from connector_sandbox.seed.marketplaces import MARKETPLACES, treatment_of, without_tax
from connector_sandbox.seed.money import ZERO
from connector_sandbox.seed.received import (
    PROVIDERS,
    STORED_VALUE,
    credit_back,
    days_until_due,
    money_back,
    money_came,
    received,
    redeemed,
    surplus_of,
    tells_two_stories,
)
from connector_sandbox.seed.totals import compute

if TYPE_CHECKING:
    from datetime import datetime

    from connector_sandbox.seed.model import Order, Refund

CENTS = 2
DECLINED = 6
MONEY_DECIDES = {REFUNDED, PARTIALLY_REFUNDED, 12, 13}
"""Statuses that neither say that an order is paid nor that it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a user has chosen, where it changes what the books should hold.

    What is dated until `closed_through` was booked before those days were closed. An order with
    transactions was booked before it was cancelled.

    Attributes:
        placed: marketplaces by name, and how they are booked.
        closed_through: the last closed day, in ISO; empty for none.
        closed_refunds: what becomes of refunds whose invoices are of closed days; `expense` is a
            correction with an expense beside it.
        on_cancel: whether the invoices of cancelled orders are voided.
        refund_mode: whether a refund given as stored value is on the invoice, or a credit note.
    """

    placed: dict[str, str] = field(default_factory=dict)
    closed_through: Annotated[str, Matching(r"(\d{4}-\d\d-\d\d)?", "a day YYYY-MM-DD")] = ""
    closed_refunds: Literal["park", "correction", "expense"] = "park"
    on_cancel: Literal["park", "void"] = "park"
    refund_mode: Literal["adjust_invoice", "credit_note"] = "adjust_invoice"


def expected(
    order: Order, timezone: str = STORE_TIMEZONE, rules: Rules | None = None
) -> dict[str, Any]:
    """The row of `GET /_sandbox/truth` for one order; amounts are text in the order's currency.

    `expect` is posted, parked (`reason` says why) or waiting (not to be booked), with default
    settings but for the rules; `books` says how far the books go: `full`, `draft` or `none`.
    `payments` lists the money that was received with `booked`, the part that fits on the invoice.
    `invoice_total` and `paid` are after refunds, but for those booked apart: `corrections`.
    `stored_value` is by what the order changes what the shop owes on gift certificates and as store
    credit: the sum of the lines of either item, on its invoice and its corrections.
    """
    zone, rules = ZoneInfo(timezone), rules or Rules()
    sold = treatment_of(order, rules.placed)
    order = without_tax(order) if sold == "net" else order
    figures = compute(order)
    late = _after_closing(order, rules, zone)
    outcome, reason, books = _outcome(order, figures.total_inc, sold, rules, late=bool(late))
    void = _is_void(order, rules)
    to_pay = ZERO if void else figures.total_inc - sum(redeemed(order).values(), ZERO)
    on_it = [] if void else [r for r in order.refunds if r not in late]
    surplus = surplus_of(order, to_pay)
    back = sum((money_back(r) for r in on_it), ZERO)
    money = max(back - surplus, ZERO)  # what was never booked goes back first
    credit = sum((credit_back(r) for r in on_it), ZERO)
    kept = min(max(surplus - back, ZERO), credit)
    noted = credit - kept if rules.refund_mode == "credit_note" else ZERO
    if not noted:
        money -= kept  # what of it is kept for credit is booked
    payments, left = [], to_pay
    for payment in received(order, to_pay):
        booked = min(payment["amount"], left)
        left -= booked
        payments.append(payment | {"booked": booked, "date": _day(payment["date"], zone)})
    booked_in_all = sum((p["booked"] for p in payments), ZERO)
    due = order.created.astimezone(zone).date() + timedelta(days=days_until_due(order))
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
            "marketplace": order.order_source if order.order_source in MARKETPLACES else None,
            "payments": payments,
            "captured": captured(order),
            "refunds": [
                {
                    "refund": r.id,
                    "amount": r.total_amount,
                    "tax": r.total_tax,
                    "money": money_back(r),
                    "stored_value": credit_back(r),
                    "date": _day(r.created, zone),
                }
                for r in order.refunds
            ],
            "corrections": [
                {
                    "number": f"{order.id}-R{r.id}",
                    "date": _day(r.created, zone),
                    "money": money_back(r),
                    "stored_value": credit_back(r),
                    "expense": money_back(r) if rules.closed_refunds == "expense" else ZERO,
                }
                for r in late
                if rules.closed_refunds != "park"
            ],
            "invoice_total": to_pay - money,
            "paid": booked_in_all - money,
            "outstanding": to_pay - booked_in_all,
            "stored_value": dict.fromkeys(STORED_VALUE, ZERO)
            if void
            else _stored_value(order, given=rules.refund_mode == "adjust_invoice"),
            "credit_notes": noted,
        }
    )  # fmt: skip
    return row


def _after_closing(order: Order, rules: Rules, zone: ZoneInfo) -> list[Refund]:
    """The refunds of later days, where the order's own day is closed."""
    last = rules.closed_through
    if _day(order.created, zone) > last:
        return []
    given = (r for r in order.refunds if money_back(r) + credit_back(r))
    return [r for r in given if _day(r.created, zone) > last]


def _is_void(order: Order, rules: Rules) -> bool:
    """Whether a cancelled order's invoice stands at nothing: all that came in went back."""
    if rules.on_cancel != "void" or order.status_id not in {CANCELLED, DECLINED}:
        return False
    credit = sum(redeemed(order).values(), ZERO)
    came = sum((p["amount"] for p in received(order, ZERO)), ZERO)
    went = sum((money_back(r) for r in order.refunds), ZERO)
    restored = sum((credit_back(r) for r in order.refunds), ZERO)
    return bool(order.transactions) and (came, credit) == (went, restored)


def _outcome(
    order: Order, total: Decimal, sold: str, rules: Rules, *, late: bool
) -> tuple[str, str | None, str]:
    """What becomes of the order, why, and how far it is booked."""
    refunded = order.status_id in {REFUNDED, PARTIALLY_REFUNDED}
    void = _is_void(order, rules)
    billable = order.status_id in PAID_STATUSES or (
        order.status_id in MONEY_DECIDES and money_came(order)
    )
    kept_out = order.is_deleted or order.external_source == "M-MIG" or sold == "skip"
    if not (billable or void) or kept_out:
        return "waiting", None, "none"
    due = total - sum(redeemed(order).values(), ZERO)
    given = sum((money_back(r) + credit_back(r) for r in order.refunds), ZERO)
    surplus = surplus_of(order, due) > given
    objections = (
        (decimal_places(order.currency) > CENTS, "unsupported_currency", "none"),
        (not order.billing.email and not order.customer_id, "no_client", "none"),
        (tells_two_stories(order) or due < 0, "money_unclear", "none"),
        (sold == "undecided", "marketplace_tax", "none"),
        (order.override is not None, "total_mismatch", "draft"),
        (refunded and not order.refunds, "refund_missing", "full"),
        (_went_back_unseen(order) or _is_contradicted(order), "money_unclear", "full"),
        (surplus, "overpaid", "full"),
        (late and rules.closed_refunds == "park", "closed_period", "full"),
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
    gone = {"void", "refunded", "partially refunded"}
    return order.payment_status in gone and came and not order.refunds


def _stored_value(order: Order, *, given: bool) -> dict[str, Decimal]:
    """Sold and, where that is a line, given, less redeemed and taken back."""
    owed = {kind: -amount for kind, amount in redeemed(order).items()}
    certificates = {line.id: line for line in order.lines if line.kind == "giftcertificate"}
    owed["gift_certificate"] += sum((c.price * c.quantity for c in certificates.values()), ZERO)
    for made in order.refunds:
        for payment in made.payments:
            kind = PROVIDERS.get(payment.provider_id)
            if given and kind and not payment.is_declined:
                owed[kind] += payment.amount
        good = sum((one.amount for one in made.payments if not one.is_declined), ZERO)
        if len(certificates) == len(order.lines):
            owed["gift_certificate"] -= good  # whatever it names, nothing else was sold
        elif good:
            owed["gift_certificate"] -= sum(
                (
                    certificates[item.item_id].price * item.quantity
                    for item in made.items
                    if item.item_type == "PRODUCT" and item.item_id in certificates
                ),
                ZERO,
            )
    return owed


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
