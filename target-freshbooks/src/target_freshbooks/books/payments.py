"""The money an order brought in: one payment for each capture, and no money that is not there.

A shop's transactions tell attempts, authorisations, captures, refunds. Money came in with those
whose event is `purchase` or `capture` and whose status is `ok`; an authorisation is a promise, a
`void` takes back what it refers to, a `settled` row confirms money that is counted already (and
counts itself only where nothing else does), and a test transaction is none. Each capture becomes a
payment of its own, dated on its day in the store's calendar, so that it can be matched with the
bank.

Store credit and gift certificates are means of payment, not discounts: the sale keeps its full
price and they pay a part of it. They show as transactions, or only as amounts on the order, or
both; what the transactions cover is not counted again.

Money that is paid by hand (bank deposit, cheque, cash) has no capture. When the shop says the order
is paid, and neither a transaction nor its `payment_status` speaks against it, what is left to pay
becomes one payment that says it was derived. The `payment_status` is empty for money paid by hand;
one that says "authorized" or "pending" of a gateway's order is no money yet, a "void" or "declined"
one never was.

What came in beyond the invoice's total is left out of the books by `surplus`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_freshbooks.books.calendar import bookkeeping_day
from target_freshbooks.books.desired import Parked, Payment, Reason
from target_freshbooks.books.marks import DERIVED, mark_of
from target_freshbooks.books.money import decimals_of, rounded, total

if TYPE_CHECKING:
    from decimal import Decimal

    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import Order, OrderFacts, Transaction

STORE_CREDIT = "store_credit"
GIFT_CERTIFICATE = "gift_certificate"

_CAPTURES = frozenset({"purchase", "capture"})
_CREDIT = {
    "store_credit": STORE_CREDIT,
    "storecredit": STORE_CREDIT,
    "gift_certificate": GIFT_CERTIFICATE,
    "giftcertificate": GIFT_CERTIFICATE,
}
_BY_HAND = frozenset({"offline", "custom"})
_NO_MONEY = frozenset({"declined", "void", "void pending"})
_NO_MONEY_YET = frozenset({"authorized", "capture pending", "held for review", "pending"})
_METHODS_BY_HAND = frozenset(
    {
        "bankdeposit",
        "banktransfer",
        "cash",
        "cashondelivery",
        "check",
        "cheque",
        "cod",
        "instore",
        "manual",
        "moneyorder",
        "payinstore",
        "purchaseorder",
    }
)
"""Payment methods without a gateway, folded: BigCommerce names some of them "authorized" too."""
_UNPAID_STATUSES = frozenset({0, 1, 5, 6, 7})
"""Statuses that say the money is not there (unless the bookkeeper counts them as paid)."""


@dataclass(frozen=True, slots=True)
class Receipts:
    """The payments of an order, a surplus included, and what is wrong with them."""

    payments: tuple[Payment, ...]
    flag: Parked | None = None


def captures(transactions: tuple[Transaction, ...]) -> list[Transaction]:
    """The transactions that brought in money (or spent credit), in their order."""
    good = [row for row in transactions if row.status == "ok" and not row.test and row.amount > 0]
    voided = {row.reference_id for row in good if row.event == "void"} - {None}
    standing = [row for row in good if row.id not in voided]
    captured = [row for row in standing if row.event in _CAPTURES]
    return captured or [row for row in standing if row.event == "settled"]


def credit_of(transaction: Transaction) -> str | None:
    """`store_credit` or `gift_certificate` where the transaction spent such; else None."""
    return _CREDIT.get(transaction.method) or _CREDIT.get(transaction.gateway)


def receipts(facts: OrderFacts, due: Decimal, policy: Policy) -> Receipts:
    """All money that came in for an invoice over `due`."""
    order = facts.order
    captured = captures(facts.transactions)
    foreign = [row for row in captured if row.currency and row.currency != order.currency]
    payments = [_captured(facts, row, policy) for row in captured if row not in foreign]
    payments += _credits(facts, captured, policy)
    if not foreign and _paid_by_hand(facts, policy):
        payments += _derived(facts, due - total(payment.amount for payment in payments), policy)
    return Receipts(tuple(payments), _foreign(facts, foreign) if foreign else None)


def _captured(facts: OrderFacts, row: Transaction, policy: Policy) -> Payment:
    order = facts.order
    mark = mark_of(order).of(f"transaction {row.id}")
    return Payment(
        key=mark.key,
        amount=rounded(row.amount, decimals_of(order.currency)),
        day=bookkeeping_day(row.created, facts, policy),
        type=payment_type(row, policy),
        note=str(mark),
        transaction_id=row.id,
    )


def _credits(facts: OrderFacts, captured: list[Transaction], policy: Policy) -> list[Payment]:
    """Credit spent according to the order that its transactions do not show."""
    order = facts.order
    spent = {STORE_CREDIT: order.store_credit, GIFT_CERTIFICATE: order.gift_certificate}
    payments = []
    for kind, amount in spent.items():
        covered = total(row.amount for row in captured if credit_of(row) == kind)
        rest = rounded(amount - covered, decimals_of(order.currency))
        if rest > 0:
            mark = mark_of(order).of(kind.replace("_", " "))
            payments.append(
                Payment(
                    key=mark.key,
                    amount=rest,
                    day=bookkeeping_day(order.created, facts, policy),
                    type=_mapped(policy, kind) or "Other",
                    note=str(mark),
                )
            )
    return payments


def _paid_by_hand(facts: OrderFacts, policy: Policy) -> bool:
    """Whether the shop says the order is paid and nothing but a person can have taken the money."""
    status = facts.order.status_id
    paid = status in policy.paid_status_ids or status not in _UNPAID_STATUSES
    return (
        paid
        and policy.derive_offline_payments
        and _status_allows(facts.order)
        and all(
            credit_of(row) is not None or (row.method in _BY_HAND and row.event == "pending")
            for row in facts.transactions
        )
    )


def _status_allows(order: Order) -> bool:
    """Whether the order's `payment_status` does not contradict that money came in."""
    status = order.payment_status.strip().lower()
    if status in _NO_MONEY:
        return False
    method = "".join(order.payment_method.lower().split())
    return status not in _NO_MONEY_YET or method in _METHODS_BY_HAND


def _derived(facts: OrderFacts, rest: Decimal, policy: Policy) -> list[Payment]:
    if rest <= 0:
        return []
    order = facts.order
    mark = mark_of(order).of(DERIVED)
    pending = facts.transactions[-1] if facts.transactions else None
    kind = _mapped(policy, order.payment_method.lower()) or (
        payment_type(pending, policy)
        if pending and credit_of(pending) is None
        else _TYPES.get(order.payment_method.lower().replace(" ", ""), "Other")
    )
    return [
        Payment(
            key=mark.key,
            amount=rest,
            day=bookkeeping_day(order.created, facts, policy),
            type=kind,
            note=str(mark),
        )
    ]


_TYPES = {
    # methods
    "credit_card": "Credit Card",
    "bigpay_token": "Credit Card",
    "token": "Credit Card",
    "nonce": "Credit Card",
    "apple_pay_card": "Credit Card",
    "apple_pay_token": "Credit Card",
    "store_credit": "Other",
    "gift_certificate": "Other",
    # gateways, and what merchants call payment by hand
    "paypal": "PayPal",
    "paypalexpress": "PayPal",
    "2checkout": "2Checkout",
    "cheque": "Check",
    "check": "Check",
    "moneyorder": "Check",
    "bankdeposit": "Bank Transfer",
    "banktransfer": "Bank Transfer",
    "wiretransfer": "Bank Transfer",
    "cod": "Cash",
    "cash": "Cash",
    "cashondelivery": "Cash",
    "instore": "Cash",
    "payinstore": "Cash",
    "creditcard": "Credit Card",
}


def payment_type(row: Transaction, policy: Policy) -> str:
    """FreshBooks' type of payment: as mapped by gateway, payment method id or method, else ours.

    FreshBooks knows a closed list of types (payments reference); what fits none of them is Other.
    """
    names = (row.gateway, row.payment_method_id, row.method)
    for name in names:
        mapped = _mapped(policy, name)
        if mapped:
            return mapped
    if row.gateway.startswith(("paypal", "braintree.paypal")) or "paypal" in row.payment_method_id:
        return "PayPal"
    return _TYPES.get(row.gateway) or _TYPES.get(row.method) or "Other"


def _mapped(policy: Policy, name: str) -> str | None:
    return dict(policy.payment_type_mapping).get(name.lower()) if name else None


def _foreign(facts: OrderFacts, foreign: list[Transaction]) -> Parked:
    order = facts.order
    sums = ", ".join(f"transaction {row.id} over {row.amount} {row.currency}" for row in foreign)
    return Parked(
        Reason.PAYMENT_CURRENCY,
        f"Order {order.id} is in {order.currency}, but money came in as {sums}; it is not booked.",
        "Enter the payment in FreshBooks with the amount that arrived in the invoice's currency.",
    )
