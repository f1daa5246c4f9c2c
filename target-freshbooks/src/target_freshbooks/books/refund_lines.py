"""Refund lines: what a refund took back, with its taxes, as lines that say it.

What was taken back at rates is one negative line for each group of taxes. Tax that went back by
itself, or that no rate gives of the amounts, is said at its legal rate all the same: tax reports
see nothing else. 2.48 of a tax of 8.25 % are -30.06 with the tax and 30.06 without, which take off
the tax and nothing else. Only where no rate is known is it a line without tax, which the reports do
not see; so it is with `tax_mode` `amount_lines`, where all taxes are such lines.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Self

from target_freshbooks.books.desired import ExactLine, LineTax
from target_freshbooks.books.items import line_key
from target_freshbooks.books.policy import Policy
from target_freshbooks.capabilities import FRESHBOOKS, clean
from target_freshbooks.marks import refund_line
from target_freshbooks.money import HUNDRED, ZERO, sum_by_key, total


@dataclass(frozen=True, slots=True)
class Allocation:
    """Money taken back, with the taxes it bore."""

    net: Decimal
    taxes: tuple[LineTax, ...] = ()
    shares: tuple[tuple[LineTax, Decimal], ...] = ()
    """The amounts of tax that its rate does not give of `net`; a tax without rate has 0 %."""
    what: str = ""
    of_order: bool = False
    """An amount of the whole order, of whose tax the refund says nothing."""
    item: str = ""
    """The item of stored value that was taken back, or is given; empty for all else."""

    @property
    def by_name(self) -> tuple[tuple[str, Decimal], ...]:
        """The tax by name."""
        by_rate = [(tax.name, self.net * tax.percent / HUNDRED) for tax in self.taxes]
        return (*by_rate, *((tax.name, amount) for tax, amount in self.shares))

    @property
    def tax(self) -> Decimal:
        """The tax in it."""
        return total(amount for _, amount in self.by_name)

    @property
    def gross(self) -> Decimal:
        """What went back for it."""
        return self.net + self.tax

    @property
    def nets(self) -> Iterator[tuple[tuple[LineTax, ...], Decimal]]:
        """The net amounts that say it, by their taxes."""
        yield self.taxes, self.net
        for tax, amount in self.shares:
            yield from net_of_tax(tax, amount)

    def times(self, part: Decimal) -> Self:
        """A part of it; 1 is all."""
        shares = tuple((tax, amount * part) for tax, amount in self.shares)
        return replace(self, net=self.net * part, shares=shares)


def net_of_tax(tax: LineTax, amount: Decimal) -> Iterator[tuple[tuple[LineTax, ...], Decimal]]:
    """Net amounts, by their taxes, that come to this amount of the tax and to nothing else."""
    if tax.percent:
        net = amount * HUNDRED / tax.percent
        yield (tax,), net
        yield (), -net
    else:
        yield (), amount


def gross_of(taxes: Sequence[LineTax], net: Decimal) -> Decimal:
    """A net amount with its taxes."""
    return Allocation(net, tuple(taxes)).gross


def refund_lines(
    refund_id: int, allocations: Sequence[Allocation], sign: int, policy: Policy
) -> tuple[ExactLine, ...]:
    """The refund's lines, one for each group of taxes, not yet in whole cents.

    Those of stored value are called as its item, and say in the description of which refund.

    Args:
        refund_id: For the lines' names.
        allocations: What was taken back.
        sign: -1 on an invoice, 1 on a credit note.
        policy: With `tax_mode` `amount_lines` all taxes become amounts.
    """
    goods = [
        one if policy.tax_mode == "rates" else _in_amounts(one)
        for one in allocations
        if not one.item
    ]
    by_tax = sum_by_key(share for one in goods for share in one.shares)
    by_item = sum_by_key((one.item, one.net) for one in allocations if one.item)
    lines = list[ExactLine]()
    for taxes, net in sum_by_key((one.taxes, one.net) for one in goods).items():
        if net:
            extra = " + ".join(tax.name for tax in taxes) or "untaxed"
            name = refund_line(refund_id, extra if lines else "")
            whats = dict.fromkeys(one.what for one in goods if one.what and one.taxes == taxes)
            about = clean("; ".join(whats), FRESHBOOKS.description_length)
            lines.append(ExactLine(name, about, net * sign, taxes))
    lines += [
        ExactLine(refund_line(refund_id, tax.name), "Tax", net * sign, taxes)
        for tax, amount in by_tax.items()
        if amount
        for taxes, net in net_of_tax(tax, amount)
    ]
    lines += [
        ExactLine(item, refund_line(refund_id), amount * sign, item_key=line_key(item))
        for item, amount in by_item.items()
        if amount
    ]
    return tuple(lines)


def _in_amounts(one: Allocation) -> Allocation:
    shares = tuple((LineTax(name, ZERO), amount) for name, amount in one.by_name)
    return replace(one, taxes=(), shares=shares)
