"""Refund lines: fitted so that an invoice falls by exactly the money that went back.

The refund must lower the invoice's total by exactly the money that went back. Its net amounts are
what was taken back, floored or raised to the cent (`cents`); the tax on them is FreshBooks' to
round, and where FreshBooks rounds each tax over the whole invoice, what a new line adds depends on
the lines that stand there. So the lines are computed together with the standing ones, under every
rounding that agrees with the total the invoice has now. What is missing then is taken up by a line
"Refund R, rounding". It is never over more than the tolerance, nor are all such lines of an invoice
together, the sale's Rounding line included: a refund of everything takes that back, and its net
amounts are those that stand on the invoice, to the cent; line by line where the tax of all of them
is not what FreshBooks made of each. Where a refund cannot do without such a line, it is the one
that evens those before it out: of 9.99 with 20 % one refund takes 8.33 off and
the next one 8.32, else the sixth of them would be beyond the tolerance. For each total that
FreshBooks may answer there is a variant, the likeliest first. FreshBooks takes no total below zero,
so none is tried that may come below it: in two refunds of 10.83 and 10.82 the taxes may round to a
cent more than the 1.65 they were charged as.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from target_freshbooks.books.cents import in_whole_cents
from target_freshbooks.books.desired import ExactLine, InvoiceLine, Lines, LineTax, RefundEntry
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.rounding import (
    TaxRounding,
    is_rounding,
    roundings,
    tax_amounts,
    tolerance,
    totals,
    ways_of_rounding,
    weigh,
)
from target_freshbooks.marks import is_refund_line, is_refund_rounding, refund_line
from target_freshbooks.money import (
    HUNDRED,
    ONE,
    ZERO,
    cent,
    decimals_of,
    is_whole,
    rounded,
    sum_by_key,
    total,
)

LineTaxes = tuple[LineTax, ...]


def fit_refund(
    entry: RefundEntry,
    standing: Lines,
    wanted_total: Decimal,
    policy: Policy,
    currency: str,
    *,
    takes_all: bool = True,
) -> tuple[Lines, ...]:
    """The refund's lines in the variants worth trying, best first; none if they cannot be fitted.

    Args:
        entry: The refund.
        standing: All lines on the invoice now, refunds booked before included.
        wanted_total: What the invoice must come to with the refund's lines.
        policy: For the tolerance of the rounding line.
        currency: The invoice's.
        takes_all: It takes off all that stands if nothing is wanted to be left.
    """
    owed = [line for line in standing if _is_of_stored_value(line, policy)]
    left = total(line.quantity * line.unit_cost for line in owed) + entry.stored
    all_of_it = takes_all and wanted_total == left
    change, number = -entry.money, entry.refund_id
    return _fitted(
        number, entry.taken, change, standing, wanted_total, policy, currency, takes_all=all_of_it
    )


def fit_credit_note(
    refund_id: int, lines: Sequence[ExactLine], amount: Decimal, policy: Policy, currency: str
) -> tuple[Lines, ...]:
    """A credit note's lines in the variants worth trying, best first."""
    return _fitted(refund_id, lines, amount, (), amount, policy, currency)


def _fitted(
    refund_id: int,
    exact: Sequence[ExactLine],
    change: Decimal,
    standing: Lines,
    wanted: Decimal,
    policy: Policy,
    currency: str,
    *,
    takes_all: bool = False,
) -> tuple[Lines, ...]:
    decimals = decimals_of(currency)
    ways = ways_of_rounding(policy.capabilities, decimals)
    ways += tuple(way for way in roundings(decimals) if way not in ways)  # only less likely
    now = totals(standing, ways)
    live = [way for way, answer in zip(ways, now, strict=True) if answer == wanted - change] or ways
    taxes = sum_by_key(
        (tax.name, line.net * tax.percent / HUNDRED) for line in exact for tax in line.taxes
    )
    weighed = [weigh(line) for line in standing]
    if takes_all:
        exact = _all_that_stands(exact, standing, policy, decimals)
    cents, before = tolerance(policy, decimals), rounding_on(standing, policy, decimals)

    def said(shop_taxes: Mapping[str, Decimal]) -> Lines:
        return in_whole_cents(exact, change, shop_taxes, live[0], decimals, weighed)

    def off(lines: Lines) -> tuple[bool, Decimal]:
        missing = wanted - totals((*standing, *lines), live[:1])[0]
        return bool(missing), abs(before + missing)

    nearest = [taxes, *(_to_either_side(taxes, decimals) if before else ())]
    lines = min(map(said, nearest), key=off)
    if takes_all:
        each = _each_as_it_stands(refund_id, exact, standing, policy, decimals)
        either = (lines,) if each is None else (lines, each)
        lines = min(either, key=lambda one: _left_of_taxes((*standing, *one), live[0]))
    places = max(decimals, policy.capabilities.amount_decimals)
    answers = [
        answer
        for answer in totals((*standing, *lines), live)
        if max(abs(wanted - answer), abs(before + wanted - answer)) <= cents
        and is_whole(answer, places)
    ]
    return tuple(_mended(refund_id, lines, missing) for missing in mendings(answers, wanted))


def _to_either_side(taxes: Mapping[str, Decimal], decimals: int) -> Iterator[dict[str, Decimal]]:
    """The taxes in whole cents, all of them floored, and all raised."""
    for side in (ROUND_FLOOR, ROUND_CEILING):
        yield {name: amount.quantize(cent(decimals), side) for name, amount in taxes.items()}


def _all_that_stands(
    exact: Sequence[ExactLine], standing: Lines, policy: Policy, decimals: int
) -> Sequence[ExactLine]:
    """What takes the whole invoice off, group of taxes by group, as it stands there.

    The sale's lines were floored or raised to the cent, each by itself; what all of them come to
    exactly may be some cents apart from that. The first line of a group takes those up, but none of
    stored value, which is owed to the cent.
    """
    goods = [line for line in exact if not line.item_key]
    stands = sum_by_key(
        (line.taxes, rounded(line.quantity * line.unit_cost, decimals))
        for line in _goods_on(standing, policy)
    )
    left = {
        taxes: -stands.get(taxes, ZERO) - net
        for taxes, net in sum_by_key((line.taxes, line.net) for line in goods).items()
    }
    if max(map(abs, left.values()), default=ZERO) > tolerance(policy, decimals):
        return exact
    taken = [replace(line, net=line.net + left.pop(line.taxes, ZERO)) for line in goods]
    return [*taken, *(line for line in exact if line.item_key)]


def _each_as_it_stands(
    refund_id: int, exact: Sequence[ExactLine], standing: Lines, policy: Policy, decimals: int
) -> Lines | None:
    """What takes the whole invoice off, line by line: so each tax goes as it was rounded there.

    None if refunds before it took parts of lines off.
    """
    sold, back = Counter[tuple[LineTaxes, Decimal]](), Counter[tuple[LineTaxes, Decimal]]()
    for line in _goods_on(standing, policy):
        amount = rounded(line.quantity * line.unit_cost, decimals)
        if is_refund_line(line.name) is None:
            sold[line.taxes, amount] += 1
        else:
            back[line.taxes, -amount] += 1
    if back - sold:
        return None
    name, left = refund_line(refund_id), (sold - back).elements()
    taken = tuple(InvoiceLine(name, "", ONE, -amount, taxes) for taxes, amount in left if amount)
    return (*taken, *(line.at(rounded(line.net, decimals)) for line in exact if line.item_key))


def _left_of_taxes(lines: Lines, rounding: TaxRounding) -> tuple[Decimal, Decimal]:
    """What is left of the taxes, and of the amounts that bear them."""
    taxes = tax_amounts(lines, rounding)
    nets = sum_by_key((line.taxes, line.quantity * line.unit_cost) for line in lines if line.taxes)
    return total(map(abs, taxes.values())), total(map(abs, nets.values()))


def _goods_on(lines: Lines, policy: Policy) -> Iterator[InvoiceLine]:
    """What was sold, and what refunds took of it: neither cents taken up nor stored value."""
    for line in lines:
        if not (_takes_up_cents(line, policy) or _is_of_stored_value(line, policy)):
            yield line


def _is_of_stored_value(line: InvoiceLine, policy: Policy) -> bool:
    """Whether the line says what is owed on gift certificates or store credit."""
    names = policy.names
    return not line.taxes and line.name in {names.gift_certificate, names.store_credit}


def rounding_on(lines: Lines, policy: Policy, decimals: int) -> Decimal:
    """What the sale's Rounding line and those of its refunds come to."""
    amounts = (line.quantity * line.unit_cost for line in lines if _takes_up_cents(line, policy))
    # A product that is called so costs more.
    return total(amount for amount in amounts if abs(amount) <= tolerance(policy, decimals))


def _takes_up_cents(line: InvoiceLine, policy: Policy) -> bool:
    return is_rounding(line, policy) or is_refund_rounding(line.name)


def mendings(answers: Sequence[Decimal], wanted: Decimal) -> Iterator[Decimal]:
    """What to add for each answer, in an order in which none can come below zero.

    One that has been tried in vain leaves only the answers that it does not mend.
    """
    left = list(answers)
    while left:
        cents = next(c for c in (wanted - a for a in (*left, min(left))) if min(left) + c >= 0)
        yield cents
        left = [answer for answer in left if answer + cents != wanted]


def _mended(refund_id: int, lines: Lines, missing: Decimal) -> Lines:
    if not missing:
        return lines
    return (*lines, InvoiceLine(refund_line(refund_id, "rounding"), "", ONE, missing))
