"""Invoice lines as first written: every charge at its price, then the discounts.

An order is said in one way. Each charge is a line at its price before discounts, and what was taken
off is one negative Discount line for each group of taxes (FreshBooks' own `discount_value` is a
percentage and cannot hold an amount of money). An account that takes no negative lines gets every
charge at what it came to. Taxes are the shop's rates; with `tax_mode` `amount_lines` they are
untaxed lines with the amounts that the shop charged.

A line is quantity times unit cost only if the unit cost is in whole cents, since FreshBooks may
keep no more of it. Otherwise it is one piece at the line's total, and the description tells
quantity and unit price: 3 x 9.0909 is one line of 27.27.

What FreshBooks' total misses the order's by is taken up by one untaxed Rounding line, within the
tolerance. It is put in at once if all the ways in which FreshBooks may round agree on it; else the
answer to the Draft decides. If no way comes that near, or a tax would differ by more than the
rounding of its lines and the tolerance explain, the shop charged something else than its rates say:
the Draft is held for a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

from target_freshbooks.books.breakdown import Breakdown, Part
from target_freshbooks.books.cents import in_whole_cents
from target_freshbooks.books.charges import ChargeKind
from target_freshbooks.books.desired import ExactLine, InvoiceLine, Lines, LineTax
from target_freshbooks.books.items import line_key
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.rounding import (
    rounding_line,
    tax_amounts,
    tolerance,
    totals,
    ways_of_rounding,
)
from target_freshbooks.capabilities import FRESHBOOKS, clean
from target_freshbooks.marks import other_than_refund
from target_freshbooks.money import (
    ONE,
    ZERO,
    cent,
    is_whole,
    plain,
    pro_rata,
    rounded,
    sum_by_key,
    total,
)

TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class DraftLines:
    """An invoice's lines, and what is wrong with them."""

    lines: Lines
    problem: str = ""
    """Why they cannot come to the order's total and taxes; empty if they can."""


def has_negative(lines: Lines) -> bool:
    """Whether FreshBooks would have to take a line below zero."""
    return any(line.quantity * line.unit_cost < 0 for line in lines)


def draft_lines(
    breakdown: Breakdown, order_id: int, policy: Policy, currency: tuple[str, int]
) -> DraftLines:
    """The invoice's lines, itemised.

    Args:
        breakdown: The order taken apart.
        order_id: For the line of an order that charges for nothing.
        policy: The bookkeeper's choices.
        currency: Code and decimals.
    """
    parts, decimals = breakdown.parts, currency[1]
    if not parts:
        name = clean(f"BigCommerce order {order_id}", FRESHBOOKS.name_length)
        return _proven((InvoiceLine(name, "", ONE, ZERO),), breakdown, policy, currency)
    if policy.tax_mode == "amount_lines":
        return _proven(_in_amounts(breakdown, policy, decimals), breakdown, policy, currency)
    exact = [_line(part, part.list_net, part.taxes, decimals) for part in parts]
    name = policy.names.discount
    discounts = sum_by_key(
        (part.taxes, amount)
        for part in parts
        if part.net != part.list_net
        for amount in (part.net, -part.list_net)
    )
    for taxes, off in discounts.items():
        on = f"On what bears {' and '.join(tax.name for tax in taxes)}" if taxes else ""
        about = on if len(discounts) > 1 else ""
        exact.append(ExactLine(name, about, off, taxes, item_key=line_key(name)))
    return _fitted(exact, breakdown, policy, currency)


def lines_without_negatives(
    breakdown: Breakdown, policy: Policy, currency: tuple[str, int]
) -> Lines:
    """Every charge at what it came to after discounts.

    Empty if one came to less than nothing, or if they cannot come to the order's total.
    """
    if policy.tax_mode == "amount_lines":
        return ()
    exact = [_discounted(part, currency[1]) for part in breakdown.parts]
    draft = _fitted(exact, breakdown, policy, currency)
    return () if draft.problem or has_negative(draft.lines[: len(exact)]) else draft.lines


def _fitted(
    exact: Sequence[ExactLine], breakdown: Breakdown, policy: Policy, currency: tuple[str, int]
) -> DraftLines:
    ways = ways_of_rounding(policy.capabilities, currency[1])
    lines = in_whole_cents(exact, breakdown.total, breakdown.taxes, ways[0], currency[1])
    return _proven(lines, breakdown, policy, currency)


def _proven(
    lines: Lines, breakdown: Breakdown, policy: Policy, currency: tuple[str, int]
) -> DraftLines:
    """The lines, with a Rounding line if that is certain to be right."""
    code, decimals = currency
    ways, wanted = ways_of_rounding(policy.capabilities, decimals), breakdown.total
    answers = totals(lines, ways)
    off = min((wanted - answer for answer in answers), key=abs)
    most = tolerance(policy, decimals)
    taxes = tax_amounts(lines, ways[0])
    bearing = {name: sum(name in {t.name for t in line.taxes} for line in lines) for name in taxes}
    astray = [
        name
        for name, charged in breakdown.taxes.items()
        if policy.tax_mode == "rates"
        and abs(taxes.get(name, ZERO) - charged) > most + cent(decimals) / 2 * bearing.get(name, 0)
    ]
    if breakdown.problem or abs(off) > most or astray:
        return DraftLines(
            lines, breakdown.problem or _unexplained(answers[0], taxes, breakdown, code)
        )
    if min(answers) < 0:
        # FreshBooks takes no total below zero: what is too much then, its answer tells.
        off = (-min(answers)).quantize(cent(decimals), ROUND_CEILING)
    elif len(set(answers)) > 1:
        off = ZERO
    if off and is_whole(off, decimals):
        lines = (*lines, rounding_line(off, policy))
    return DraftLines(lines)


def _unexplained(
    answer: Decimal, taxes: dict[str, Decimal], breakdown: Breakdown, code: str
) -> str:
    def by_name(amounts: Mapping[str, Decimal]) -> str:
        return ", ".join(f"{name} {amount:f}" for name, amount in amounts.items()) or "no tax"

    return (
        f"At the shop's rates its lines come to {answer:f} {code} ({by_name(taxes)}), but the shop"
        f" charged {breakdown.total:f} {code} ({by_name(breakdown.taxes)})."
    )


def _discounted(part: Part, decimals: int) -> ExactLine:
    line = _line(part, part.net, part.taxes, decimals)
    off = rounded(part.list_net - part.net, decimals)
    less = f"{rounded(part.list_net, decimals):f} less {off:f} discount"
    return replace(line, description=_after(less, line.description)) if off else line


def _line(part: Part, amount: Decimal, taxes: tuple[LineTax, ...], decimals: int) -> ExactLine:
    name, quantity = other_than_refund(part.name), part.quantity
    description = other_than_refund(part.description)  # a line of stored value says there whose
    unit = amount / quantity
    if not (is_whole(unit, decimals) and is_whole(quantity, 0) and unit * quantity == amount):
        if quantity != 1 and part.kind in (ChargeKind.PRODUCT, ChargeKind.GIFT_CERTIFICATE):
            times = f"{plain(quantity)} {TIMES} {plain(rounded(unit, 4))}"
            description = _after(times, description)
        quantity = ONE
    return ExactLine(name, description, amount, taxes, quantity, part.item_key)


def _after(figures: str, description: str) -> str:
    return clean(f"{figures}; {description}".rstrip("; "), FRESHBOOKS.description_length)


def _in_amounts(breakdown: Breakdown, policy: Policy, decimals: int) -> Lines:
    """Charges untaxed at what they came to, and a line for each tax with its amount."""
    goods = [part for part in breakdown.parts if part.kind is not ChargeKind.REDEEMED]
    net, nets = breakdown.total + breakdown.redeemed - breakdown.tax, [part.net for part in goods]
    if abs(total(nets) - net) > tolerance(policy, decimals):
        nets = pro_rata(net, nets)
    nets += [part.net for part in breakdown.parts[len(goods) :]]
    exact = [
        _line(part, amount, (), decimals)
        for part, amount in zip(breakdown.parts, nets, strict=True)
    ]
    exact += [ExactLine(name, "Tax", amount) for name, amount in breakdown.taxes.items() if amount]
    way = ways_of_rounding(policy.capabilities, decimals)[0]
    return in_whole_cents(exact, breakdown.total, {}, way, decimals)
