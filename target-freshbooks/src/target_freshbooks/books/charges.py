"""Charges: what an order charges for, as the shop states it: lines, wrapping, shipping, fees.

A `Charge` carries the shop's own figures, with and without tax and before discounts, and the tax
rows that name it. Nothing is computed here: at which rates it is taxed, `taxes` finds out, and how
the figures hang together, `inference`. Fees are charges of their own wherever the shop counts them
(inside or beside its subtotal), since only charges are ever added up. A bundle's children are
charges like all others: their price is zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from target_freshbooks.books.items import item_key, line_key, options_in_words
from target_freshbooks.books.policy import LineNames, Policy
from target_freshbooks.capabilities import FRESHBOOKS, clean
from target_freshbooks.money import ONE, ZERO, total
from target_freshbooks.shop.facts import Cost, Order, OrderFacts, OrderLine, TaxRow


class ChargeKind(StrEnum):
    """What is charged for; the values are what BigCommerce's tax rows and refunds call it."""

    PRODUCT = "item"
    GIFT_CERTIFICATE = "gift-certificate"
    WRAPPING = "gift-wrapping"
    SHIPPING = "shipping"
    HANDLING = "handling"
    FEE = "fee"
    REDEEMED = "redeemed"
    """Nothing charged for: what was paid with a gift certificate or store credit, below zero."""


@dataclass(frozen=True, slots=True)
class Charge:
    """One thing an order charges for."""

    kind: ChargeKind
    ref: int
    """Order product id, address id (0 for all addresses together) or fee id."""
    name: str
    ex: Decimal
    inc: Decimal
    tax: Decimal
    """The shop's own figure; for product lines after some discounts, so not always inc - ex."""
    description: str = ""
    item_key: str = ""
    quantity: Decimal = ONE
    discounted_inc: Decimal | None = None
    """With tax after all discounts, where the shop says it."""
    applied: Decimal = ZERO
    """The discounts listed on the line."""
    rows: tuple[TaxRow, ...] = ()
    """The tax rows that name this charge, then (`taxes`) those at whose rates it is taxed."""
    own: bool = False
    """The rows name the charge: their amounts are its tax."""
    override: Decimal = ZERO
    """What was charged without any rate."""
    override_name: str = ""

    @property
    def is_line(self) -> bool:
        """Whether it is an order line (discounts fall on those)."""
        return self.kind in (ChargeKind.PRODUCT, ChargeKind.GIFT_CERTIFICATE)

    @property
    def stated_tax(self) -> Decimal:
        """Its tax by its rows, if they tell, else the shop's own figure."""
        if self.own or self.override:
            return total(row.amount for row in self.rows) + self.override
        return self.tax


def charges_of(facts: OrderFacts, policy: Policy) -> tuple[tuple[Charge, ...], tuple[TaxRow, ...]]:
    """The order's charges, and the tax rows that name none of them."""
    order, names = facts.order, policy.names
    charges = [_line(line, policy) for line in order.lines]
    charges += _wrapping(order, names)
    charges += _by_address(
        ChargeKind.SHIPPING,
        names.shipping,
        order.shipping,
        [(address.id, address.shipping) for address in order.addresses],
    )
    charges += _by_address(
        ChargeKind.HANDLING,
        names.handling,
        order.handling,
        [(address.id, address.handling) for address in order.addresses],
    )
    charges += [
        _charge(
            ChargeKind.FEE, fee.id, clean(fee.name, FRESHBOOKS.name_length, names.fee), fee.cost
        )
        for fee in order.fees
    ]
    kept = [charge for charge in charges if charge.is_line or charge.inc or charge.ex]
    named = [_with_rows(charge, facts.taxes, kept) for charge in kept]
    used = {id(row) for charge in named for row in charge.rows}
    return tuple(named), tuple(row for row in facts.taxes if id(row) not in used)


def _line(line: OrderLine, policy: Policy) -> Charge:
    gift, item = line.type == "giftcertificate", policy.names.gift_certificate
    fallback = item if gift else f"Item {line.product_id or line.id}"
    name, key = clean(line.name, FRESHBOOKS.name_length, fallback), item_key(line)
    about = "" if gift else describe(line)
    if gift and policy.stored_value == "line":
        name, about, key = item, "" if name.lower() == item.lower() else name, line_key(item)
    return Charge(
        kind=ChargeKind.GIFT_CERTIFICATE if gift else ChargeKind.PRODUCT,
        ref=line.id,
        name=name,
        description=about,
        item_key=key,
        quantity=line.quantity,
        ex=line.total_ex_tax,
        inc=line.total_inc_tax,
        tax=line.total_tax,
        discounted_inc=line.discounted_total_inc_tax,
        applied=total(line.discounts),
    )


def describe(line: OrderLine) -> str:
    """What tells this line from others of the same item: options, then the SKU."""
    parts = (options_in_words(line.options), f"SKU {line.sku}" if line.sku else "")
    return clean("; ".join(filter(None, parts)), FRESHBOOKS.description_length)


def _charge(kind: ChargeKind, ref: int, name: str, cost: Cost, description: str = "") -> Charge:
    key = line_key(name)
    return Charge(kind, ref, name, cost.ex_tax, cost.inc_tax, cost.tax, description, key)


def _wrapping(order: Order, names: LineNames) -> list[Charge]:
    """Wrapping by line if the lines account for all of it, else in one."""
    by_line = [
        _charge(
            ChargeKind.WRAPPING,
            line.id,
            names.wrapping,
            line.wrapping,
            clean(line.wrapping_name or f"For {line.name}", FRESHBOOKS.description_length),
        )
        for line in order.lines
        if line.wrapping is not None
    ]
    if not by_line or (
        total(charge.inc for charge in by_line) != order.wrapping.inc_tax
        and total(charge.ex for charge in by_line) != order.wrapping.ex_tax
    ):
        return [_charge(ChargeKind.WRAPPING, 0, names.wrapping, order.wrapping)]
    return by_line


def _by_address(
    kind: ChargeKind, name: str, overall: Cost, costs: Sequence[tuple[int, Cost]]
) -> list[Charge]:
    """Shipping or handling by address if the addresses account for all of it, else in one."""
    if costs and total(cost.inc_tax for _, cost in costs) == overall.inc_tax:
        return [_charge(kind, ref, name, cost) for ref, cost in costs]
    return [_charge(kind, 0, name, overall)]


def _with_rows(charge: Charge, rows: Sequence[TaxRow], charges: Sequence[Charge]) -> Charge:
    alone = sum(other.kind == charge.kind for other in charges) == 1
    return replace(charge, rows=tuple(row for row in rows if _names(row, charge, alone=alone)))


def _names(row: TaxRow, charge: Charge, *, alone: bool) -> bool:
    """Whether the tax row is about this charge."""
    if charge.is_line:
        return row.line_id == charge.ref and row.item_type in ("item", "")
    if row.item_type != charge.kind.value:
        return False
    by_address = charge.kind in (ChargeKind.SHIPPING, ChargeKind.HANDLING)
    return alone or charge.ref == (row.address_id if by_address else row.line_id)
