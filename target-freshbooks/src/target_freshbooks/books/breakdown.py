"""Breakdown: the order as parts that add up to its total, each with its net amount and its taxes.

This is the order as a bookkeeper would write it down before thinking of FreshBooks: what was sold
at which price, what was taken off, which taxes it bore. Amounts are exact; rounding them to an
invoice's cents is the next step (`draft_lines`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from target_freshbooks.books.charges import Charge, ChargeKind, charges_of
from target_freshbooks.books.desired import LineTax, Parked, Reason
from target_freshbooks.books.inference import CONTRADICTION, UNEXPLAINED_TAX, Inference, infer
from target_freshbooks.books.marketplaces import is_net
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.taxes import (
    NO_RATE,
    UNNAMED,
    ChargedTax,
    known_rates,
    merged,
    roundest_percents,
    with_rates,
)
from target_freshbooks.money import (
    HUNDRED,
    ZERO,
    cent,
    decimals_of,
    largest_remainder,
    pro_rata,
    rounded,
    sum_by_key,
    total,
    with_currency,
)
from target_freshbooks.shop.facts import Order, OrderFacts, TaxRow


@dataclass(frozen=True, slots=True)
class Part:
    """One charge of the order with what it came to."""

    kind: ChargeKind
    ref: int
    name: str
    description: str
    item_key: str
    quantity: Decimal
    list_net: Decimal
    """Before discounts, without tax."""
    net: Decimal
    """After discounts, without tax."""
    taxes: tuple[LineTax, ...]

    @property
    def tax(self) -> Decimal:
        """The tax on the part by its rates."""
        return self.net * total(tax.percent for tax in self.taxes) / HUNDRED

    @property
    def gross(self) -> Decimal:
        """What the customer was charged for the part."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The order's parts and its totals in whole cents."""

    parts: tuple[Part, ...]
    total: Decimal
    taxes: Mapping[str, Decimal]
    """What the shop charged of each tax, by its name in FreshBooks."""
    worked_out: tuple[LineTax, ...] = ()
    """The taxes that the shop states without any rate, with the percents worked out for them."""
    found_rate: LineTax | None = None
    """The known rate that was taken for the order's, whose tax rows are missing."""
    problem: str = ""
    """Why the parts do not give the total; empty if they do."""
    redeemed: Decimal = ZERO
    """What of the order's total was paid with stored value that is no payment (`stored_value`)."""

    @property
    def tax(self) -> Decimal:
        """What the shop charged of all taxes."""
        return total(self.taxes.values())


def break_down(facts: OrderFacts, policy: Policy) -> Breakdown | Parked:
    """Take the order apart; `Parked` if its taxes have no rates and none can be told."""
    order = facts.order
    decimals = decimals_of(order.currency)
    charges, pool = charges_of(facts, policy)
    found_rate = None
    if order.total_tax and not facts.taxes:
        known = known_rates(charges, order.places, policy, decimals)
        if len(known) == 1:
            found_rate = known[0]
            row = replace(NO_RATE, name=found_rate.name, rate=found_rate.percent)
        elif policy.tax_mode == "rates" and not is_net(order, policy):
            return _unknown_tax(order, known)
        else:
            row = NO_RATE
        pool = (replace(row, amount=order.total_tax),)
    rated, inference = _explained(facts, charges, pool or facts.taxes, policy)
    fees = _without_rate(rated, (*pool, *facts.taxes))
    known = known_rates([rated[place] for place in fees], order.places, policy, decimals)
    if fees and len(known) == 1:
        found_rate = known[0]
        charges = _at(charges, fees, found_rate)
        rated, inference = _explained(facts, charges, pool or facts.taxes, policy)
    charges = rated
    worked_out = _worked_out(inference, charges, policy, cent(decimals))
    taxes = [
        merged([*by_rate, ChargedTax(tax.name, tax.percent, charge.override)], policy)
        if tax
        else by_rate
        for charge, by_rate, tax in zip(charges, inference.taxes, worked_out, strict=True)
    ]
    contradicts = inference.grade == CONTRADICTION or (
        abs(order.total_inc_tax - order.total_ex_tax - order.total_tax) > cent(decimals)
    )
    return Breakdown(
        parts=tuple(
            Part(
                kind=charge.kind,
                ref=charge.ref,
                name=charge.name,
                description=charge.description,
                item_key=charge.item_key,
                quantity=charge.quantity,
                list_net=list_net,
                net=net,
                taxes=tuple(LineTax(tax.name, tax.percent) for tax in charged),
            )
            for charge, list_net, net, charged in zip(
                charges, inference.list_nets, inference.nets, taxes, strict=True
            )
        ),
        total=rounded(order.total_inc_tax, decimals),
        taxes=_charged(order, charges, inference.nets, taxes, decimals),
        worked_out=tuple(dict.fromkeys(filter(None, worked_out))),
        found_rate=found_rate,
        problem=_contradiction(order, charges, decimals) if contradicts else "",
    )


def without_tax(breakdown: Breakdown, order: Order) -> Breakdown:
    """The order's parts as they are where a marketplace remits the tax."""
    return replace(
        breakdown,
        parts=tuple(replace(part, taxes=()) for part in breakdown.parts),
        total=rounded(order.total_ex_tax, decimals_of(order.currency)),
        taxes={},
        worked_out=(),
        found_rate=None,
    )


def _explained(
    facts: OrderFacts, charges: Sequence[Charge], rows: Sequence[TaxRow], policy: Policy
) -> tuple[tuple[Charge, ...], Inference]:
    """The charges at their rates, and how the order's figures hang together.

    The amounts of tax rows say which rates were charged, unless only all of them give the totals.
    """
    decimals = decimals_of(facts.order.currency)
    rated = with_rates(charges, rows, policy, cent(decimals))
    inference = infer(facts.order, rated, policy, decimals)
    if inference.grade and any(row.rate and not row.amount for row in facts.taxes):
        all_rated = with_rates(charges, rows, policy, cent(decimals), all_charged=True)
        by_all = infer(facts.order, all_rated, policy, decimals)
        if by_all.grade < min(inference.grade, UNEXPLAINED_TAX):
            return all_rated, by_all
    return rated, inference


def _without_rate(charges: Sequence[Charge], rows: Sequence[TaxRow]) -> list[int]:
    """Which are fees whose tax no rate of the order gives; none where the shop overrode taxes."""
    if any(row.amount and not row.rate for row in rows):
        return []
    return [place for place, charge in enumerate(charges) if charge.override]


def _at(charges: Sequence[Charge], places: Sequence[int], rate: LineTax) -> tuple[Charge, ...]:
    """The charges, those at the places taxed at a known rate."""
    row = replace(NO_RATE, name=rate.name, rate=rate.percent)
    return tuple(
        replace(charge, rows=(replace(row, amount=charge.inc - charge.ex),))
        if place in places
        else charge
        for place, charge in enumerate(charges)
    )


def _worked_out(
    inference: Inference, charges: Sequence[Charge], policy: Policy, unit: Decimal
) -> list[LineTax | None]:
    """For each charge the percent of what was charged without a rate; None where nothing was."""
    overridden = [
        (net, charge.override) for net, charge in zip(inference.nets, charges, strict=True)
    ]
    percents = roundest_percents(overridden, unit / 2, policy.capabilities.percent_decimals)
    return [
        LineTax(charge.override_name, percent) if charge.override else None
        for charge, percent in zip(charges, percents, strict=True)
    ]


def _charged(
    order: Order,
    charges: Sequence[Charge],
    nets: Sequence[Decimal],
    taxes: Sequence[Sequence[ChargedTax]],
    decimals: int,
) -> dict[str, Decimal]:
    """What the shop charged of each tax, adding up to its whole tax, though no charge bears it."""

    def by_name(*, own_amounts: bool) -> dict[str, Decimal]:
        return sum_by_key(
            (
                tax.name,
                tax.amount
                if charge.override or (charge.own and own_amounts)
                else net * tax.percent / HUNDRED,
            )
            for charge, net, of_charge in zip(charges, nets, taxes, strict=True)
            for tax in of_charge
        )

    total_tax, half = rounded(order.total_tax, decimals), cent(decimals) / 2
    tax_by_name = by_name(own_amounts=True)
    if abs(total(tax_by_name.values()) - total_tax) > half * (1 + sum(map(len, taxes))):
        tax_by_name = by_name(own_amounts=False)  # a refund has lowered them since
    if total_tax and not any(tax_by_name.values()):
        tax_by_name = {next(iter(tax_by_name), UNNAMED): total_tax}
    amounts = pro_rata(total_tax, list(tax_by_name.values()))
    return dict(zip(tax_by_name, largest_remainder(amounts, total_tax, decimals), strict=True))


def _contradiction(order: Order, charges: Sequence[Charge], decimals: int) -> str:
    """One sentence with the figures that do not agree."""
    money = partial(with_currency, currency=order.currency)
    if abs(order.total_inc_tax - order.total_ex_tax - order.total_tax) > cent(decimals):
        return (
            f"The shop's totals contradict each other: {money(order.total_ex_tax)} without tax and"
            f" {money(order.total_tax)} tax are not {money(order.total_inc_tax)}."
        )
    others = total(charge.inc for charge in charges if not charge.is_line)
    lines = total(charge.inc for charge in charges if charge.is_line)
    discounts = order.discount_amount + order.coupon_discount
    return (
        f"The shop's total is {money(order.total_inc_tax)} with {money(order.total_tax)} tax, but"
        f" its lines come to {money(lines)}, shipping and other charges to {money(others)} and"
        f" discounts to {money(discounts)}, which gives {money(lines + others - discounts)}."
    )


def _unknown_tax(order: Order, known: Sequence[LineTax]) -> Parked:
    several = " and ".join(f"{tax.name} {tax.percent.normalize():f} %" for tax in known)
    return Parked(
        Reason.TAX_UNKNOWN,
        f"Order {order.id} bears {order.total_tax.normalize():f} {order.currency} of tax, but the"
        " shop's tax rows are missing, and of the rates of tax_mapping and FreshBooks' own taxes"
        f" {several or 'none'} {'each give' if several else 'gives'} the tax of its lines.",
        "Select the stream `order_taxes` in the tap and sync the order again, or name the one rate"
        ' in tax_mapping (such as {"8.25": "Sales tax"}) and replay the order.',
    )
