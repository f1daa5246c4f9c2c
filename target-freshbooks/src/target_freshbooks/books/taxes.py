"""Taxes: from the shop's rates to the names and percents that FreshBooks computes with.

FreshBooks takes a name and a percent for each tax of a line, few of them, and computes the amount
itself. The percents on an invoice are those a tax office knows: the shop's own rates. Only two
things are ever done to a rate. One that compounds (of a later `priority` than another, and charged
on it, which `inference` finds out) is said as the percent of the net amount it comes to; and beyond
what a line can bear the largest keeps its name and the others become one tax, their percents added
up and their names, sorted, joined by " + ". No percent is worked out from an amount, but for an
override: a row with an amount and no rate at all, whose percent is then the roundest that gives the
amounts. A fee's tax, which may have no row, is one as well if neither the order's rates nor just
one known rate (`known_rates`) give it.

A row with a rate but without an amount was not charged, as to a customer who is exempt. But a
refund may lower the amounts of the rows, or leave none: where they do not explain the order's
totals, which stand, and all its rates do, all were charged. A row that has neither rate nor amount
names a zero rate, which is said on the line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from itertools import combinations, groupby

from target_freshbooks.books.charges import Charge, ChargeKind
from target_freshbooks.books.desired import LineTax
from target_freshbooks.books.policy import Policy
from target_freshbooks.capabilities import FRESHBOOKS, clean
from target_freshbooks.money import HUNDRED, ZERO, cent, pro_rata, rounded, total
from target_freshbooks.shop.facts import TaxRow

UNNAMED = "Tax"
NO_RATE = TaxRow(UNNAMED, "", ZERO, 0, ZERO, "", None, None)
_POOL_LIMIT = 7
"""Of more rates than this, not every combination is tried."""


@dataclass(frozen=True, slots=True)
class ChargedTax:
    """One tax on one charge."""

    name: str
    percent: Decimal
    """On the net amount."""
    amount: Decimal = ZERO
    """What the shop charged."""


def with_rates(
    charges: Sequence[Charge],
    pool: Sequence[TaxRow],
    policy: Policy,
    unit: Decimal,
    *,
    all_charged: bool = False,
) -> tuple[Charge, ...]:
    """The charges with their rates: of the rows that name one, else those of `pool` that give it.

    Args:
        charges: What the order charges for.
        pool: The rows that name no charge; or all, if each names one.
        policy: For the names of overridden taxes.
        unit: The smallest amount of the currency: a fee's tax has no rate if what the rates give
            misses it by more than each of them may be rounded.
        all_charged: Each rate was charged, whatever its row comes to by now.
    """
    overrides = [row for row in pool if row.amount and not row.rate]
    others = [charge.inc - charge.ex if not charge.rows else ZERO for charge in charges]
    shares = pro_rata(total(row.amount for row in overrides), others)
    name = freshbooks_name(overrides[0], policy) if overrides else UNNAMED
    rated = list[Charge]()
    for charge, share in zip(charges, shares, strict=True):
        rows, missed = _giving(charge, pool, all_charged=all_charged)
        if charge.rows:
            rated.append(_by_own_rows(charge, policy, unit, all_charged=all_charged))
        elif share and not rows:
            rated.append(replace(charge, override=share, override_name=name))
        elif charge.kind is ChargeKind.FEE and missed > unit / 2 * (len(rows) + 1):
            fee_tax = charge.inc - charge.ex
            rated.append(replace(charge, override=fee_tax, override_name=name))
        else:
            rated.append(replace(charge, rows=rows))
    return tuple(rated)


def _by_own_rows(charge: Charge, policy: Policy, unit: Decimal, *, all_charged: bool) -> Charge:
    overrides = [row for row in charge.rows if row.amount and not row.rate]
    taxed = any(row.amount for row in charge.rows)
    rated: dict[tuple[object, ...], TaxRow] = {}
    for row in charge.rows:
        # Beside taxes that were charged, one of less than half a cent has no amount.
        rounded_off = taxed and charge.ex * row.rate / HUNDRED <= unit / 2
        if (row.amount or rounded_off or all_charged) if row.rate else not row.amount:
            key = (row.name, row.tax_class, row.rate, row.priority)
            same = rated.get(key)
            rated[key] = replace(row, amount=same.amount + row.amount) if same else row
    return replace(
        charge,
        rows=tuple(rated.values()),
        own=not all_charged,
        override=total(row.amount for row in overrides),
        override_name=freshbooks_name(overrides[0], policy) if overrides else "",
    )


def _giving(
    charge: Charge, pool: Sequence[TaxRow], *, all_charged: bool
) -> tuple[tuple[TaxRow, ...], Decimal]:
    """The rates of the pool that come nearest to the charge's tax, and by how much they miss it."""
    stated = charge.inc - charge.ex
    if not stated:
        return (), ZERO

    def missed(rows: Sequence[TaxRow]) -> Decimal:
        ways = (percents(rows, compound=True), percents(rows, compound=False))
        return min(abs(charge.ex * total(way) / HUNDRED - stated) for way in ways)

    charged = [row for row in pool if row.amount or all_charged]
    best = min(_combinations(charged), key=lambda rows: (missed(rows), -len(rows)), default=())
    return best, missed(best)


def _combinations(pool: Sequence[TaxRow]) -> Iterable[tuple[TaxRow, ...]]:
    rows = list({(row.name, row.tax_class, row.rate, row.priority): row for row in pool}.values())
    rows = [row for row in rows if row.rate > 0]
    sizes = range(len(rows), 0, -1) if len(rows) <= _POOL_LIMIT else (len(rows), 2, 1)
    for size in sizes:
        yield from combinations(rows, size)


def known_rates(
    charges: Sequence[Charge], places: Sequence[str], policy: Policy, decimals: int
) -> list[LineTax]:
    """The rates that charges may have whose tax rows are missing: the known ones that explain them.

    Known are those that `tax_mapping` names for the order's places; if none of them explains them,
    those that it names for all, then FreshBooks' own taxes. One explains them if it gives the tax
    of every charge that has any, to half a cent, of what it costs without or with tax: the shop
    rounded one of the two.
    """
    half = cent(decimals) / 2
    keys = [(entry.name, *entry.match.rpartition("/")) for entry in policy.tax_mapping]
    mapped = [
        (place.casefold(), LineTax(name, Decimal(rate)))
        for name, place, _, rate in keys
        if rate.replace(".", "", 1).isdecimal()
    ]
    here = [tax for place, tax in mapped if place in map(str.casefold, places)]
    everywhere = [tax for place, tax in mapped if not place]

    def explains(tax: LineTax, charge: Charge) -> bool:
        rate, charged = tax.percent / HUNDRED, charge.inc - charge.ex
        ways = (charge.ex * rate, charge.inc * rate / (1 + rate))
        return not charged or any(abs(way - charged) <= half for way in ways)

    def explaining(known: Sequence[LineTax]) -> list[LineTax]:
        unlike = dict.fromkeys(known)
        return [tax for tax in unlike if all(explains(tax, charge) for charge in charges)]

    return explaining(here) or explaining(everywhere) or explaining(policy.account_taxes or ())


def freshbooks_name(row: TaxRow, policy: Policy) -> str:
    """The tax's name in FreshBooks: mapped by name, class or rate, else the shop's own.

    A key of the mapping may begin with a place (`DE/VAT`), and then counts before one without.
    """
    keys = [key for key in (row.name, row.tax_class, format(row.rate.normalize(), "f")) if key]
    for key in (*(f"{place}/{what}" for place in row.places for what in keys), *keys):
        for entry in policy.tax_mapping:
            if entry.match.casefold() == key.casefold():
                return clean(entry.name, FRESHBOOKS.tax_name_length, UNNAMED)
    return clean(row.name, FRESHBOOKS.tax_name_length, UNNAMED)


def percents(rows: Sequence[TaxRow], *, compound: bool) -> list[Decimal]:
    """Each row's percent on the net amount; with `compound`, later priorities tax earlier taxes."""
    if not compound:
        return [row.rate for row in rows]
    percent_of: dict[int, Decimal] = {}
    base = Decimal(1)
    by_priority = sorted(range(len(rows)), key=lambda i: rows[i].priority)
    for _, group in groupby(by_priority, key=lambda i: rows[i].priority):
        level = {i: rows[i].rate * base for i in group}
        percent_of |= level
        base += total(level.values()) / HUNDRED
    return [percent_of[i] for i in range(len(rows))]


def taxes_at(charge: Charge, policy: Policy, *, compound: bool) -> tuple[ChargedTax, ...]:
    """The taxes by rate of a charge, as a line can bear them; overrides are left out."""
    by_row = zip(charge.rows, percents(charge.rows, compound=compound), strict=True)
    return merged(
        (
            ChargedTax(freshbooks_name(row, policy), percent, row.amount if charge.own else ZERO)
            for row, percent in by_row
        ),
        policy,
    )


def merged(taxes: Iterable[ChargedTax], policy: Policy) -> tuple[ChargedTax, ...]:
    """As many taxes as a line can bear: those of one name together, the smaller ones as one."""
    by_name: dict[str, list[ChargedTax]] = {}
    for tax in taxes:
        by_name.setdefault(tax.name, []).append(tax)
    charged = [_joined(name, same) for name, same in by_name.items()]
    charged = [tax for tax in charged if tax.percent] or charged[:1]
    most, decimals = policy.capabilities.taxes_per_line, policy.capabilities.percent_decimals
    if len(charged) > most:
        kept = sorted(charged, key=lambda tax: -tax.percent)[: most - 1]
        rest = [tax for tax in charged if tax not in kept]
        name = clean(
            " + ".join(sorted(tax.name for tax in rest)), FRESHBOOKS.merged_tax_name_length, UNNAMED
        )
        charged = [*kept, _joined(name, rest)]
    return tuple(
        replace(tax, percent=rounded(tax.percent, decimals).normalize() + ZERO) for tax in charged
    )


def _joined(name: str, taxes: Sequence[ChargedTax]) -> ChargedTax:
    return ChargedTax(name, total(tax.percent for tax in taxes), total(tax.amount for tax in taxes))


def roundest_percents(
    amounts: Sequence[tuple[Decimal, Decimal]], slack: Decimal, decimals: int
) -> list[Decimal]:
    """For each (net, tax) of an override the percent with the fewest decimals that gives the tax.

    One percent for all if one gives them all. Zero if none can give a tax.
    """
    bounds = {
        position: ((tax - slack) * HUNDRED / net, (tax + slack) * HUNDRED / net)
        for position, (net, tax) in enumerate(amounts)
        if net > 0 and tax > 0
    }
    low = max((least for least, _ in bounds.values()), default=ZERO)
    high = min((most for _, most in bounds.values()), default=ZERO)
    return [
        _roundest_between(*((low, high) if low <= high else bounds[position]), decimals)
        if position in bounds
        else ZERO
        for position in range(len(amounts))
    ]


def _roundest_between(low: Decimal, high: Decimal, most: int) -> Decimal:
    middle = (low + high) / 2
    for decimals in range(most + 1):
        least = low.quantize(Decimal(1).scaleb(-decimals), ROUND_CEILING)
        if least <= high:
            nearest = rounded(middle, decimals)
            return nearest if low <= nearest <= high else least
    return rounded(middle, most)
