"""The order taken apart: parts that add up to its total, each with its net amount and its taxes.

This is the order as a bookkeeper would write it down before thinking of FreshBooks: what was sold
at which price, what was taken off, which taxes it bore. Amounts keep the shop's four decimals;
rounding them to an invoice's cents is the next step (`expression`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from target_freshbooks.books.explanation import Explanation, explain, stated
from target_freshbooks.books.money import HUNDRED, ZERO, cent, decimals_of, rounded, total
from target_freshbooks.books.rounding import tolerance
from target_freshbooks.books.taxes import (
    UNNAMED,
    Levies,
    Levy,
    chosen_from,
    freshbooks_name,
    levies_on,
    merged,
    roundest_percents,
)
from target_freshbooks.books.things import Thing, ThingKind, things_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts, TaxRow


@dataclass(frozen=True, slots=True)
class Part:
    """One thing of the order with what it came to."""

    kind: ThingKind
    ref: int
    name: str
    description: str
    item_key: str
    quantity: Decimal
    list_net: Decimal
    """Before discounts, without tax."""
    net: Decimal
    """After discounts, without tax."""
    levies: Levies
    """At most two; their amounts are the tax on `net`."""

    @property
    def tax(self) -> Decimal:
        """The tax on the part."""
        return total(levy.amount for levy in self.levies)

    @property
    def gross(self) -> Decimal:
        """What the customer was charged for the part."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The order's parts and its totals in whole cents."""

    parts: tuple[Part, ...]
    total: Decimal
    tax: Decimal
    problem: str = ""
    """Why the parts do not give the total; empty when they do."""


def break_down(facts: OrderFacts, policy: Policy) -> Breakdown:
    """Take the order apart."""
    order = facts.order
    decimals = decimals_of(order.currency)
    things, pool = things_of(facts, policy.names)
    found = explain(order, things, pool, decimals, tolerance(policy, decimals))
    problem = "" if found is not None else _contradiction(facts, things, decimals)
    explanation = found if found is not None else stated(things)
    return Breakdown(
        parts=_parts(things, explanation, facts, pool, policy),
        total=rounded(order.total_inc_tax, decimals),
        tax=rounded(order.total_tax, decimals),
        problem=problem,
    )


def _parts(
    things: Sequence[Thing],
    explanation: Explanation,
    facts: OrderFacts,
    pool: Sequence[TaxRow],
    policy: Policy,
) -> tuple[Part, ...]:
    decimals = decimals_of(facts.order.currency)
    taxed = list(zip(things, explanation.nets, explanation.taxes, strict=True))
    levies = _levies(taxed, facts, pool, policy, decimals)
    return tuple(
        Part(
            kind=thing.kind,
            ref=thing.ref,
            name=thing.name,
            description=thing.description,
            item_key=thing.item_key,
            quantity=thing.quantity,
            list_net=_list_net(thing, net, tax, off, decimals),
            net=net,
            levies=levies[i],
        )
        for i, ((thing, net, tax), off) in enumerate(zip(taxed, explanation.offs, strict=True))
    )


def _list_net(thing: Thing, net: Decimal, tax: Decimal, off: Decimal, decimals: int) -> Decimal:
    """The thing's price before discounts, on the same footing as its net amount."""
    if not off:
        return net
    gross = net + tax
    if not gross:
        return thing.ex
    # A discount entered with tax takes off the gross, one entered without takes off the net.
    for guess in (net + off, net * (gross + off) / gross):
        for price in (thing.ex, thing.inc):
            if abs(price - guess) <= cent(decimals):
                return price
    return net * (gross + off) / gross


def _levies(
    taxed: Sequence[tuple[Thing, Decimal, Decimal]],
    facts: OrderFacts,
    pool: Sequence[TaxRow],
    policy: Policy,
    decimals: int,
) -> list[Levies]:
    """The taxes of each thing: from its rows, from rows that name nothing, else worked out."""
    unit = cent(decimals)
    found: dict[int, Levies] = {}
    for i, (thing, net, tax) in enumerate(taxed):
        if not tax and not any(row.amount for row in thing.rows):
            found[i] = ()
        elif thing.rows:
            # A tax rounded for each piece of a line may be off by half a cent for each.
            most = Decimal(2 * policy.rounding_tolerance_cents)
            halves = max(Decimal(3), min(thing.quantity, most))
            found[i] = levies_on(thing.rows, net, tax, policy, unit / 2 * halves)
        else:
            chosen = chosen_from(pool or facts.taxes, net, tax, policy, unit)
            if chosen is not None:
                found[i] = chosen
    left = [i for i in range(len(taxed)) if i not in found]
    worked_out = roundest_percents([taxed[i][1:] for i in left], unit / 2)
    for i, percent in zip(left, worked_out, strict=True):
        _, net, tax = taxed[i]
        guess = tax * HUNDRED / net if net > 0 else ZERO
        levy = Levy(
            _one_name(pool or facts.taxes, policy), guess if percent is None else percent, tax
        )
        found[i] = merged([levy])
    return [found[i] for i in range(len(taxed))]


def _one_name(rows: Sequence[TaxRow], policy: Policy) -> str:
    """What a tax is called whose rates could not be told: its only name, else `Tax`."""
    names = {freshbooks_name(row, policy) for row in rows}
    return names.pop() if len(names) == 1 else UNNAMED


def _contradiction(facts: OrderFacts, things: Sequence[Thing], decimals: int) -> str:
    """One sentence with the figures that do not agree."""
    order = facts.order

    def said(amount: Decimal) -> str:
        return f"{rounded(amount, decimals)} {order.currency}"

    if abs(order.total_inc_tax - order.total_ex_tax - order.total_tax) > cent(decimals):
        return (
            f"The shop's totals contradict each other: {said(order.total_ex_tax)} without tax and"
            f" {said(order.total_tax)} tax are not {said(order.total_inc_tax)}."
        )
    charges = total(thing.inc for thing in things if not thing.is_line)
    lines = total(thing.inc for thing in things if thing.is_line)
    discounts = order.discount_amount + order.coupon_discount
    return (
        f"The shop's total is {said(order.total_inc_tax)} with {said(order.total_tax)} tax, but its"
        f" lines come to {said(lines)}, shipping and other charges to {said(charges)} and discounts"
        f" to {said(discounts)}, which gives {said(lines + charges - discounts)}."
    )
