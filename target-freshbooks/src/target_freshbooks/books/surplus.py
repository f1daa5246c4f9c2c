"""Overpayment: money beyond what the invoice comes to, and the refunds that give it back.

An order that was edited down, or paid twice, brought in more than its invoice is over. FreshBooks
turns an overpayment into credit without a word, so payments never exceed the invoice: they are
taken in the order of their transactions, and the surplus is left out of the books and reported
(`overpaid`): of 100.00 for an invoice over 70.00 the payments show 70.00.

What was never booked cannot be taken out of the books. So refunds give back the surplus first, in
the order of their ids, and touch invoice and payments only with what goes beyond it (40.00 sent
back lower them by 10.00, to 60.00); together the payments are then what was captured less what went
back. Whichever capture the surplus went back
from, the payments stay as they are booked. Once it is back there is nothing to report.

Store credit that is given for a surplus takes no revenue off, since none is there: it makes no
credit note, and is reported still, since its money has stayed. Where stored value is a line, that
money is what the credit was given for: invoice and payments are raised by it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from target_freshbooks.books.desired import Parked, Payment, Reason
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.stored_value import KINDS, given_as, noted_kinds
from target_freshbooks.money import ZERO, in_currency, total
from target_freshbooks.shop.facts import Order, OrderFacts, Refund, RefundPayment


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What a refund gave back."""

    refund: Refund
    parts: tuple[RefundPayment, ...]
    """How the money went back."""
    money: Decimal
    stored: Mapping[str, Decimal]
    """As stored value that becomes lines, by kind."""
    kept: Decimal = ZERO
    """What of that was given for a surplus: it raises payments and invoice."""
    noted: Decimal = ZERO
    """As stored value that becomes a credit note."""

    @property
    def credit(self) -> Decimal:
        """All that was given as stored value that becomes lines."""
        return total(self.stored.values())

    @property
    def goods(self) -> Decimal:
        """What is taken off for what was sold."""
        return self.money + self.credit - self.kept


@dataclass(frozen=True, slots=True)
class Due:
    """The payments up to what is due, and the refunds of them: both without the surplus."""

    payments: tuple[Payment, ...]
    """All of them; one that nothing is left for has the amount zero."""
    refunds: tuple[GivenBack, ...]
    absorbed: Decimal
    """What the refunds gave back of the surplus."""
    flag: Parked | None


def without_surplus(
    facts: OrderFacts, payments: Sequence[Payment], due: Decimal, policy: Policy
) -> Due:
    """The payments and refunds of an invoice over `due`, of which no more can be paid."""
    order = facts.order
    given_back = [_given_back(refund, facts, policy) for refund in facts.refunds]
    surplus = max(total(payment.amount for payment in payments) - due, ZERO)
    money = _up_to(surplus, (one.money for one in given_back))
    unreturned = surplus - total(money)
    kept = _up_to(unreturned, (one.credit for one in given_back))
    unnoted = _up_to(unreturned - total(kept), (one.noted for one in given_back))
    amounts = _up_to(due, (payment.amount for payment in payments))
    booked = total(kept)
    flag = (
        _overpaid(order, due + booked, surplus - booked, total(money), total(unnoted))
        if unreturned > booked
        else None
    )
    return Due(
        tuple(
            p if p.amount == amount else replace(p, amount=amount, received=p.amount)
            for p, amount in zip(payments, amounts, strict=True)
        ),
        tuple(
            replace(one, money=one.money - back, kept=line, noted=one.noted - note)
            for one, back, line, note in zip(given_back, money, kept, unnoted, strict=True)
        ),
        total(money) + booked + total(unnoted),
        flag,
    )


def _given_back(refund: Refund, facts: OrderFacts, policy: Policy) -> GivenBack:
    """What a refund gave back; declined payments went nowhere."""
    good = [(part, given_as(part, policy)) for part in refund.payments if not part.declined]
    currency = facts.order.currency
    stored = {
        kind: in_currency(total(part.amount for part, as_kind in good if as_kind == kind), currency)
        for kind in KINDS
    }
    money = in_currency(total(part.amount for part, _ in good), currency) - total(stored.values())
    noted = total(stored.pop(kind) for kind in noted_kinds(stored, refund, facts, policy))
    parts = tuple(part for part, kind in good if kind is None)
    return GivenBack(refund, parts, money, stored, noted=noted)


def _up_to(limit: Decimal, amounts: Iterable[Decimal]) -> list[Decimal]:
    """What of each amount is within the limit, the earlier ones first."""
    shares = []
    for amount in amounts:
        shares.append(min(amount, limit))
        limit -= shares[-1]
    return shares


def _overpaid(
    order: Order, due: Decimal, surplus: Decimal, returned: Decimal, credit: Decimal
) -> Parked:
    with_returned = f" and {returned} {order.currency} went back," if returned else ""
    with_credit = f" ({credit} {order.currency} of it became store credit)" if credit else ""
    return Parked(
        Reason.OVERPAID,
        f"Order {order.id}: {due + surplus} {order.currency} came in{with_returned} for {due}"
        f" {order.currency}; {surplus - returned} {order.currency} are not booked{with_credit}.",
        "Refund the surplus in the shop, or book it as a credit for the client by hand.",
    )
