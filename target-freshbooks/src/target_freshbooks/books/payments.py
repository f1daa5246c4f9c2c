"""Payments: one for each capture, and no money that is not there.

A shop's transactions tell attempts, authorisations, captures, refunds. Money came in with those
whose event is `purchase` or `capture` and whose status is `ok`; an authorisation is a promise, a
`void` takes back what it refers to, a `settled` row confirms money that is counted already (and
counts itself only where nothing else does), and a test transaction is none. `money_witnesses` says
which they are, and holds them against all else that speaks of the money. Each capture becomes a
payment of its own, dated on its day in the store's calendar, so that it can be matched with the
bank.

Store credit and gift certificates are no money: they are lines (`stored_value`). With
`stored_value` `payment` they pay a part of the order. They show as transactions, or only as amounts
on the order, or both; what the transactions cover is not counted again.

Money that no transaction tells, such as cash, is derived from the shop's word (`payment_methods`):
what is left to pay becomes one payment. It is dated on the day on which a run saw the order go from
unpaid to paid; one that was paid when it was first seen was paid, as far as can be told, on its own
day. An order that was edited down was paid what the books took for it before: a refund gives back
of that.

What came in beyond the invoice's total is left out of the books by `surplus`.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from target_freshbooks.books.calendar import bookkeeping_day
from target_freshbooks.books.desired import Desired, Parked, Payment, Reason
from target_freshbooks.books.marketplaces import is_net
from target_freshbooks.books.money_witnesses import (
    GIFT_CERTIFICATE,
    STORE_CREDIT,
    captures,
    credit_of,
    denied,
    has_transactions,
    unclear,
    unseen,
)
from target_freshbooks.books.payment_methods import brought_money, is_in_hand
from target_freshbooks.books.policy import Policy
from target_freshbooks.marks import DERIVED, mark_of, received_line
from target_freshbooks.money import ZERO, decimals_of, in_currency, rounded, sum_by_key, total
from target_freshbooks.shop.facts import Order, OrderFacts, Transaction


@dataclass(frozen=True, slots=True)
class Receipts:
    """The payments of an order, a surplus included, and what is wrong with them."""

    payments: tuple[Payment, ...]
    flag: Parked | None = None
    no_money: frozenset[str] = frozenset()
    """The parts of the order that are no payments, since they spent stored value."""


def receipts(facts: OrderFacts, due: Decimal, policy: Policy) -> Receipts:
    """All money that came in for an invoice over `due`."""
    order = facts.order
    captured, spent = captures(facts), frozenset[str]()
    if policy.stored_value == "line":
        spent = frozenset(f"transaction {row.id}" for row in captured if credit_of(row))
        captured = [row for row in captured if not credit_of(row)]
    foreign = [row for row in captured if row.currency and row.currency != order.currency]
    payments = [_captured(facts, row, policy) for row in captured if row not in foreign]
    payments = _without(payments, denied(facts))
    if policy.stored_value == "payment":
        payments += _credits(facts, captured, policy)
    derives = not foreign and is_derived(facts, policy)
    at_gateway = not (is_in_hand(order, policy) or is_net(order, policy))
    lost = unseen(facts) if derives and at_gateway else None
    if derives and lost is None:
        rest = due - total(payment.amount for payment in payments)
        derived = derived_payments(facts, _by_hand(facts, rest), policy)
        payments += _without(derived, denied(facts))
    flag = _foreign(facts, foreign) if foreign else lost or unclear(facts)
    return Receipts(tuple(payments), flag, spent)


def _without(payments: list[Payment], amount: Decimal) -> list[Payment]:
    """The payments without so much of the last of them."""
    kept = []
    for payment in reversed(payments):
        taken = min(payment.amount, amount)
        amount -= taken
        kept.append(replace(payment, amount=payment.amount - taken) if taken else payment)
    return kept[::-1]


def _payment(order: Order, part: str, amount: Decimal, day: date, kind: str) -> Payment:
    mark = mark_of(order).of(part)
    return Payment(mark.key, in_currency(amount, order.currency), day, kind, note=str(mark))


def _captured(facts: OrderFacts, row: Transaction, policy: Policy) -> Payment:
    day, kind = bookkeeping_day(row.created, facts, policy), payment_type(row, policy)
    payment = _payment(facts.order, f"transaction {row.id}", row.amount, day, kind)
    return replace(payment, transaction_id=row.id)


def _credits(facts: OrderFacts, captured: list[Transaction], policy: Policy) -> list[Payment]:
    """Credit spent according to the order that its transactions do not show."""
    order, day = facts.order, bookkeeping_day(facts.order.created, facts, policy)
    shown = sum_by_key((credit_of(row), row.amount) for row in captured)
    spent = {STORE_CREDIT: order.store_credit, GIFT_CERTIFICATE: order.gift_certificate}
    payments = [
        _payment(
            order,
            kind.replace("_", " "),
            amount - shown.get(kind, ZERO),
            day,
            _mapped(policy, kind) or "Other",
        )
        for kind, amount in spent.items()
    ]
    return [payment for payment in payments if payment.amount > 0]


def is_derived(facts: OrderFacts, policy: Policy) -> bool:
    """Whether what is left to pay came in though no transaction tells of it."""
    return not has_transactions(facts) and brought_money(facts, policy)


def is_left_open(facts: OrderFacts, desired: Desired) -> bool:
    """Whether a rest stays open of which neither transaction nor method tells that it came."""
    paid = total(payment.amount for payment in desired.payments)
    return not has_transactions(facts) and paid < desired.invoice.total


def _by_hand(facts: OrderFacts, rest: Decimal) -> Decimal:
    """What came in by hand: what is left to pay, and what went back of more that was booked once.

    An order that was edited down shows no more what had been paid for it.
    """
    back = total(
        part.amount for refund in facts.refunds for part in refund.payments if not part.declined
    )
    before = rounded(rest + back, decimals_of(facts.order.currency))
    return max(rest, min(facts.paid_by_hand or ZERO, before))


def derived_payments(facts: OrderFacts, rest: Decimal, policy: Policy) -> list[Payment]:
    """The payment over the rest that no transaction tells; none where nothing is left to pay."""
    if rest <= 0:
        return []
    order = facts.order
    good = [row for row in facts.transactions if row.status == "ok" and row.event != "refund"]
    pending = good[-1] if good else None
    kind = _mapped(policy, order.payment_method.lower()) or (
        payment_type(pending, policy)
        if pending and credit_of(pending) is None
        else _TYPES.get(order.payment_method.lower().replace(" ", ""), "Other")
    )
    day = facts.paid_day or bookkeeping_day(order.created, facts, policy)
    payment = _payment(order, DERIVED, rest, day, kind)
    return [replace(payment, note=f"{payment.note}\n{received_line(rest, order.currency)}")]


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
    mapped = next(filter(None, (_mapped(policy, name) for name in names)), None)
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
