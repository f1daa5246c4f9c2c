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
- if it says "refunded", and nothing shows the money of a method that is not paid by hand;
- if transactions sent back more money than the refunds did, or gave back more of a kind of stored
  value: what became store credit does not tell where money went;
- if a void names no transaction, and it is not plain which it took back, and
- if only what is `settled` tells of money, it names no capture, and one was voided: it may have
  confirmed that.

What two witnesses deny is not booked: what was voided, and what was sent back without a refund, if
the order says so too. Everything else is booked as the transactions have it, and the order is
parked `money_unclear`. Where the shop gives an order's transactions only in part, nobody can tell.

Gateways answer late, and one witness may have spoken before the other: what changed within the last
hour waits.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.money import ZERO, in_currency, sum_by_key, total, with_currency
from target_freshbooks.shop.facts import Order, OrderFacts, OrderStatus, Transaction

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
_CREDITS = tuple(dict.fromkeys(_CREDIT.values()))
CAPTURED = frozenset({"captured", "paid"})
REFUNDED = frozenset({"refunded", "partially refunded"})
REFUNDED_STATUSES = frozenset({OrderStatus.REFUNDED, OrderStatus.PARTIALLY_REFUNDED})


def captures(facts: OrderFacts) -> list[Transaction]:
    """The transactions that brought in money (or spent credit), in their order."""
    good = _good(facts)
    voided, unplaced = _voids(good)
    taken = _taken(good, voided)
    if facts.order.payment_status == "void":
        return [] if unplaced else [row for row in taken if not _is_doubtful(row, good, voided)]
    return taken


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
    return max(_sent_back(facts)[None] - _refunds(facts)[None], ZERO) if agrees else ZERO


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
    return _contradicting(order, "; ".join(stories)) if stories else None


def unseen(facts: OrderFacts) -> Parked | None:
    """The order's money, if only the word that it was refunded tells that it ever came."""
    order = facts.order
    if order.payment_status not in REFUNDED or order.status_id in REFUNDED_STATUSES:
        return None
    if facts.refunds or _good(facts):
        return None
    return _contradicting(
        order,
        f"the shop says {order.payment_status}, but neither a transaction nor a refund shows its"
        " money",
    )


def may_clear_up(facts: OrderFacts, flag: Parked | None, now: datetime) -> bool:
    """Whether the money is unclear, and some witness may just not have spoken yet.

    Args:
        facts: The order.
        flag: What the books found wrong with it.
        now: Aware.
    """
    young = abs(now - facts.order.modified) < SETTLING
    flagged = flag is not None and flag.reason is Reason.MONEY_UNCLEAR
    return young and not facts.order.transactions_truncated and (flagged or bool(unclear(facts)))


def _contradicting(order: Order, stories: str) -> Parked:
    return Parked(
        Reason.MONEY_UNCLEAR,
        f"Order {order.id}: {stories}.",
        "See at the gateway what came in and went back. Put it right in BigCommerce and replay the"
        " order, or book it by hand and settle the order.",
    )


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
    unexplained = status == "void" or (
        status in REFUNDED
        and order.status_id not in REFUNDED_STATUSES
        and not any(_sent_back(facts).values())
    )
    if unexplained and at_gateway and not facts.refunds:
        yield f"the shop says {status}, but {taken} were captured and nothing went back"
    yield from _beyond_refunds(facts, taken)
    voided, unplaced = _voids(good)
    for void in unplaced if money else ():
        yield f"void {void.id} does not say which transaction it took back of {taken} captured"
    for row in money if status not in CAPTURED else ():
        if _is_doubtful(row, good, voided):
            amount = with_currency(row.amount, order.currency)
            yield f"settled {row.id} over {amount} does not say whether it confirms what was voided"


def _beyond_refunds(facts: OrderFacts, taken: str) -> Iterator[str]:
    """What the transactions sent back and no refund did, each kind by itself."""
    back, refunds = _sent_back(facts), _refunds(facts)

    def amount(of: Mapping[str | None, Decimal], kind: str | None) -> str:
        return with_currency(of[kind], facts.order.currency)

    if back[None] > refunds[None]:
        credit = [f"{amount(refunds, one)} of {_words(one)}" for one in _CREDITS if refunds[one]]
        yield (
            f"of {taken} captured its transactions sent back {amount(back, None)}, but its refunds"
            f" come to {amount(refunds, None)}"
            + (f" beside {' and '.join(credit)}" if credit else "")
        )
    for kind in _CREDITS:
        if back[kind] > refunds[kind]:
            yield (
                f"its transactions gave back {amount(back, kind)} of {_words(kind)}, but its"
                f" refunds come to {amount(refunds, kind)} of it"
            )


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def _good(facts: OrderFacts) -> list[Transaction]:
    return [row for row in facts.transactions if row.status == "ok" and not row.test]


def _taken(good: Sequence[Transaction], voided: Collection[int]) -> list[Transaction]:
    """What took money (or spent credit) of a kind: its captures, else what was settled.

    What is settled confirms a capture, and falls with it.
    """
    fallen = {row.id for row in good if row.id in voided and row.event in _CAPTURES}
    standing = [row for row in good if row.amount > 0 and row.id not in voided]
    captured = {credit_of(row) for row in standing if row.event in _CAPTURES}
    return [
        row
        for row in standing
        if row.event in _CAPTURES
        or (
            row.event == "settled"
            and credit_of(row) not in captured
            and row.reference_id not in fallen
        )
    ]


def _is_doubtful(row: Transaction, good: Sequence[Transaction], voided: Collection[int]) -> bool:
    """Whether it was settled and may have confirmed a capture that was voided."""
    return (
        row.event == "settled"
        and row.reference_id is None
        and any(
            one.id in voided and one.event in _CAPTURES and credit_of(one) == credit_of(row)
            for one in good
        )
    )


def _is_promise(row: Transaction) -> bool:
    """Whether a gateway was asked for money with it."""
    events = {"authorization", "pending", "settled", *_CAPTURES}
    asked = row.event in events and row.amount > 0
    return asked and credit_of(row) is None and row.method not in BY_HAND


def _voids(good: Sequence[Transaction]) -> tuple[set[int], list[Transaction]]:
    """The ids of what was voided, and the voids of which nobody can tell what they took back.

    A void may have no amount and name no transaction. It took back what is left of an
    authorisation, if that fits, else the capture (or what was settled) that does.
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
        taken = _taken(good, voided)
        fitting = [row for row in taken if void.amount in (ZERO, row.amount)]
        if len({row.amount for row in fitting}) == 1:
            voided.add(fitting[-1].id)
        else:
            unplaced.append(void)
    return voided, unplaced


def _sent_back(facts: OrderFacts) -> dict[str | None, Decimal]:
    """By the transactions, by kind (None is money); some gateways write it below zero."""
    good = _good(facts)
    voided, _ = _voids(good)
    back = [row for row in good if row.event == "refund" and row.id not in voided]
    return _by_kind(facts, ((credit_of(row), abs(row.amount)) for row in back))


def _refunds(facts: OrderFacts) -> dict[str | None, Decimal]:
    """By the refunds, by kind, though it was declined since; what has no payment is money."""
    parts = [
        (kind_named(part.provider_id), part.amount)
        for refund in facts.refunds
        for part in refund.payments
    ]
    rest = [
        max(refund.total_amount - total(part.amount for part in refund.payments), ZERO)
        for refund in facts.refunds
    ]
    return _by_kind(facts, (*parts, (None, total(rest))))


def _by_kind(
    facts: OrderFacts, amounts: Iterable[tuple[str | None, Decimal]]
) -> dict[str | None, Decimal]:
    sums = sum_by_key(amounts)
    kinds = (None, *_CREDITS)
    return {kind: in_currency(sums.get(kind, ZERO), facts.order.currency) for kind in kinds}
