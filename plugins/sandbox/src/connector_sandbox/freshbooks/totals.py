"""The arithmetic of an invoice: lines, discount, tax, total.

A discount is a percentage of the subtotal, spread over the lines; tax is computed on what is left
of each line. Checked against published answers: 20.00 taxed 13 % and 24.00 untaxed with 10 % off
make 41.94; 555.55 and 7.98 with 15 % off, 5 % and 9.975 % make 550.73.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector_sandbox.currencies import decimal_places
from connector_sandbox.freshbooks.values import amount_of, rounding
from connector_sandbox.switches import Switches

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Totals:
    """What an invoice comes to; ``discount`` is not negative."""

    subtotal: Decimal
    discount: Decimal
    tax: Decimal

    @property
    def amount(self) -> Decimal:
        """The invoice's amount."""
        return self.subtotal - self.discount + self.tax


def step(currency: str, switches: Switches) -> Decimal:
    """The smallest amount of a currency, as amounts are rounded to."""
    if switches["fb.currency_decimals"] == "iso" and decimal_places(currency) == 0:
        return Decimal(1)
    return Decimal("0.01")


def line_amount(qty: Decimal, unit_cost: Decimal, currency: str, switches: Switches) -> Decimal:
    """Quantity times unit cost, rounded, before discount and tax."""
    return (qty * unit_cost).quantize(step(currency, switches), rounding(switches))


def total(
    lines: Iterable[dict[str, Any]], discount_percent: Decimal, currency: str, switches: Switches
) -> Totals:
    """Add up lines in their wire form."""
    unit, mode = step(currency, switches), rounding(switches)
    per_line = switches["fb.tax_rounding"] == "per_line"
    subtotal = Decimal(0)
    taxes: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in lines:
        amount = amount_of(line["amount"])
        subtotal += amount
        base = amount * (_HUNDRED - discount_percent) / _HUNDRED
        first = base * Decimal(line["taxAmount1"]) / _HUNDRED
        if per_line:
            first = first.quantize(unit, mode)
        if line["compounded_tax"]:
            base += first
        second = base * Decimal(line["taxAmount2"]) / _HUNDRED
        if per_line:
            second = second.quantize(unit, mode)
        taxes[line["taxName1"] or "", line["taxAmount1"]] += first
        taxes[line["taxName2"] or "", line["taxAmount2"]] += second
    discount = (subtotal * discount_percent / _HUNDRED).quantize(unit, mode)
    tax = sum((of_one.quantize(unit, mode) for of_one in taxes.values()), Decimal(0))
    return Totals(subtotal, discount, tax)


def first_description(lines: list[dict[str, Any]]) -> str:
    """What the list of invoices shows of one: the words of its first line."""
    return str(lines[0]["description"]) if lines else ""
