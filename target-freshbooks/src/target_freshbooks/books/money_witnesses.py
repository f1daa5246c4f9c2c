"""Cross-check of money: whether all that speaks of an order's money tells one story.

There are three witnesses. The *transactions* tell attempts, authorisations, captures, voids and
money sent back; those that failed or were tests tell nothing. The *refunds* tell what the shop gave
back. The *order* itself speaks by its status and, where a gateway took the money, by its
`payment_status`; money paid by hand has none that means anything (a Cash order says "authorized").

A witness that is silent contradicts nobody. Many gateways make no transaction of a refund, some
make none at all; less captured than the total is an open rest; a refund that was declined later may
have left its transaction behind. It is a contradiction

- if the shop says "captured", and of the transactions at a gateway none took money that stands
  (a cancelled order says so itself);
- if it says "void" or "refunded" beside a capture that stands, and nothing else went back;
- if transactions sent back more than the refunds come to, and
- if a void names no transaction, and it is not plain which it took back.

What two witnesses deny is not booked: what was voided, and what was sent back without a refund, if
the order says so too. Everything else is booked as the transactions have it, and the order is
parked `money_unclear`. Where the shop gives an order's transactions only in part, nobody can tell.

Gateways answer late, and one witness may have spoken before the other: what changed within the last
hour waits.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.money import ZERO, in_currency, total, with_currency
from target_freshbooks.shop.facts import OrderFacts, OrderStatus, Transaction

STORE_CREDIT = "store_credit"
GIFT_CERTIFICATE = "gift_certificate"
BY_HAND = frozenset({"offline", "custom"})
"""Methods of transactions that no gateway made."""

SETTLING = timedelta(hours=1)
"""So long after an order changed its witnesses may not have spoken yet."""

_CAPTURES = frozenset({"purchase", "capture"})
_CREDIT = {
    "store_credit": STORE_CREDIT,
    "storecredit": STORE_CREDIT,
    "gift_certificate": GIFT_CERTIFICATE,
    "giftcertificate": GIFT_CERTIFICATE,
}
CAPTURED = frozenset({"captured", "paid"})
REFUNDED = frozenset({"refunded", "partially refunded"})
REFUNDED_STATUSES = frozenset({OrderStatus.REFUNDED, OrderStatus.PARTIALLY_REFUNDED})


def captures(facts: OrderFacts) -> list[Transaction]:
    """The transactions that brought in money (or spent credit), in their order."""
    good = _good(facts)
    voided, unplaced = _voids(good)
    if unplaced and facts.order.payment_status == "void":
        return []
    events = _CAPTURES if any(row.event in _CAPTURES for row in good) else {"settled"}
    return [row for row in good if row.event in events and row.amount > 0 and row.id not in voided]


def credit_of(transaction: Transaction) -> str | None:
    """`store_credit` or `gift_certificate` where the transaction spent such; else None."""
    return kind_named(transaction.method) or kind_named(transaction.gateway)


def kind_named(name: str) -> str | None:
    """The same of the name of a method, a gateway or a provider of refunds."""
    return _CREDIT.get(name.removeprefix("bigcommerce."))


def has_transactions(facts: OrderFacts) -> bool:
    """Whether transactions tell how the order's money came; spent credit and announced cash do not.

    Nor does what failed, or sent money back. Those that the shop does not give might.
    """
    succeeded = (row for row in facts.transactions if row.status == "ok")
    return facts.order.transactions_truncated or not all(
        credit_of(row) is not None
        or row.event == "refund"
        or (row.method in BY_HAND and row.event == "pending")
        for row in succeeded
    )


def only_tests(facts: OrderFacts) -> bool:
    """Whether all that succeeded was tested only: no money came in, whatever the order says."""
    succeeded = [row for row in facts.transactions if row.status == "ok"]
    return bool(succeeded) and all(row.test for row in succeeded)


def denied(facts: OrderFacts) -> Decimal:
    """What was captured, and is sent back by the transactions and by the order's own words."""
    order = facts.order
    agrees = order.status_id in REFUNDED_STATUSES or order.payment_status in REFUNDED
    return max(_sent_back(facts) - _refunds(facts), ZERO) if agrees else ZERO


def unclear(facts: OrderFacts) -> Parked | None:
    """The order's money, if its witnesses do not tell one story."""
    order = facts.order
    if order.transactions_truncated:
        return Parked(
            Reason.MONEY_UNCLEAR,
            f"Order {order.id} has more transactions than the shop gives"
            f" ({len(facts.transactions)}); what they say of its money is not known.",
            "See in BigCommerce what came in and went back, book it by hand, and settle the order.",
        )
    stories = list(_contradictions(facts))
    if not stories:
        return None
    return Parked(
        Reason.MONEY_UNCLEAR,
        f"Order {order.id}: {'; '.join(stories)}.",
        "See at the gateway what came in and went back. Put it right in BigCommerce and replay the"
        " order, or book it by hand and settle the order.",
    )


def may_clear_up(facts: OrderFacts, now: datetime) -> bool:
    """Whether the money is unclear, and some witness may just not have spoken yet."""
    young = abs(now - facts.order.modified) < SETTLING
    return young and not facts.order.transactions_truncated and unclear(facts) is not None


def _contradictions(facts: OrderFacts) -> Iterator[str]:
    order, good, status = facts.order, _good(facts), facts.order.payment_status
    money = [row for row in captures(facts) if credit_of(row) is None]
    at_gateway = [row for row in money if row.method not in BY_HAND]
    taken = with_currency(total(row.amount for row in money), order.currency)
    attempts = [row for row in good if _is_promise(row)]
    if status in CAPTURED and not money and attempts and not order.is_cancelled:
        listed = ", ".join(
            f"{row.event} {row.id} over {with_currency(row.amount, order.currency)}"
            for row in attempts
        )
        yield f"the shop says {status}, but no capture stands among its transactions ({listed})"
    back, refunds = _sent_back(facts), _refunds(facts)
    unexplained = status == "void" or (
        status in REFUNDED and order.status_id not in REFUNDED_STATUSES and not back
    )
    if unexplained and at_gateway and not facts.refunds:
        yield f"the shop says {status}, but {taken} were captured and nothing went back"
    if back > refunds:
        yield (
            f"of {taken} captured its transactions sent back"
            f" {with_currency(back, order.currency)}, but its refunds come to"
            f" {with_currency(refunds, order.currency)}"
        )
    _, unplaced = _voids(good)
    for void in unplaced if money else ():
        yield f"void {void.id} does not say which transaction it took back of {taken} captured"


def _good(facts: OrderFacts) -> list[Transaction]:
    return [row for row in facts.transactions if row.status == "ok" and not row.test]


def _is_promise(row: Transaction) -> bool:
    """Whether a gateway was asked for money with it."""
    events = {"authorization", "pending", *_CAPTURES}
    asked = row.event in events and row.amount > 0
    return asked and credit_of(row) is None and row.method not in BY_HAND


def _voids(good: Sequence[Transaction]) -> tuple[set[int], list[Transaction]]:
    """The ids of what was voided, and the voids of which nobody can tell what they took back.

    A void may have no amount and name no transaction. It took back what is left of an
    authorisation, if that fits, else the capture that does.
    """
    voids = [row for row in good if row.event == "void"]
    voided = {row.reference_id for row in voids if row.reference_id is not None}
    unplaced = []
    for void in (row for row in voids if row.reference_id is None):
        standing = [row for row in good if row.id not in voided]
        promised = total(row.amount for row in standing if row.event == "authorization")
        rest = promised - total(row.amount for row in standing if row.event == "capture")
        if rest > 0 and void.amount in (ZERO, rest):
            continue
        taken = [row for row in standing if row.event in _CAPTURES]
        fitting = [row for row in taken if void.amount in (ZERO, row.amount)]
        if len({row.amount for row in fitting}) == 1:
            voided.add(fitting[-1].id)
        else:
            unplaced.append(void)
    return voided, unplaced


def _sent_back(facts: OrderFacts) -> Decimal:
    """By the transactions; some gateways write it below zero."""
    good = _good(facts)
    voided, _ = _voids(good)
    back = total(abs(row.amount) for row in good if row.event == "refund" and row.id not in voided)
    return in_currency(back, facts.order.currency)


def _refunds(facts: OrderFacts) -> Decimal:
    """By the refunds, whatever way it went and though it was declined since."""
    refunded = total(
        max(refund.total_amount, total(payment.amount for payment in refund.payments))
        for refund in facts.refunds
    )
    return in_currency(refunded, facts.order.currency)
