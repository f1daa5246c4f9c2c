"""What an order charges for, as the shop states it: lines, wrapping, shipping, handling, fees.

A `Thing` carries the shop's own figures, with and without tax and before discounts, and the tax
rows that name it. Nothing is computed here; how the figures hang together is the matter of
`explanation`. Fees are things of their own wherever the shop counts them (inside or beside its
subtotal), since only the things are ever added up. A bundle's children are things like all others:
their price is zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from target_freshbooks.books.items import item_key
from target_freshbooks.books.money import ZERO, total
from target_freshbooks.books.text import DESCRIPTION_LIMIT, NAME_LIMIT, clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_freshbooks.books.policy import LineNames
    from target_freshbooks.books.shop import Charge, Order, OrderFacts, OrderLine, TaxRow

ONE = Decimal(1)


class ThingKind(StrEnum):
    """What a thing is; the values are what BigCommerce's tax rows and refunds call it."""

    PRODUCT = "item"
    GIFT_CERTIFICATE = "gift-certificate"
    WRAPPING = "gift-wrapping"
    SHIPPING = "shipping"
    HANDLING = "handling"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing an order charges for."""

    kind: ThingKind
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
    rows: tuple[TaxRow, ...] = field(default=())
    """The tax rows that name this thing."""

    @property
    def is_line(self) -> bool:
        """Whether it is an order line (discounts fall on those)."""
        return self.kind in (ThingKind.PRODUCT, ThingKind.GIFT_CERTIFICATE)


def things_of(facts: OrderFacts, names: LineNames) -> tuple[tuple[Thing, ...], tuple[TaxRow, ...]]:
    """The order's things, and the tax rows that name none of them."""
    order = facts.order
    found = [_line(line, names) for line in order.lines]
    found += _wrapping(order, names)
    found += _shipping(order, names)
    found += [
        _charge(ThingKind.FEE, fee.id, clean(fee.name, NAME_LIMIT, names.fee), fee.charge)
        for fee in order.fees
    ]
    kept = [thing for thing in found if thing.is_line or thing.inc or thing.ex]
    named = [_with_rows(thing, facts.taxes, kept) for thing in kept]
    used = {id(row) for thing in named for row in thing.rows}
    return tuple(named), tuple(row for row in facts.taxes if id(row) not in used)


def _line(line: OrderLine, names: LineNames) -> Thing:
    gift = line.type == "giftcertificate"
    fallback = names.gift_certificate if gift else f"Item {line.product_id or line.id}"
    return Thing(
        kind=ThingKind.GIFT_CERTIFICATE if gift else ThingKind.PRODUCT,
        ref=line.id,
        name=clean(line.name, NAME_LIMIT, fallback),
        description="" if gift else describe(line),
        item_key=item_key(line),
        quantity=line.quantity,
        ex=line.total_ex_tax,
        inc=line.total_inc_tax,
        tax=line.total_tax,
        discounted_inc=line.discounted_total_inc_tax,
        applied=total(discount.amount for discount in line.discounts),
    )


def describe(line: OrderLine) -> str:
    """What tells this line from others of the same item: options, then the SKU."""
    said = [f"{name}: {value}" if name else value for name, value in line.options]
    if line.sku:
        said.append(f"SKU {line.sku}")
    return clean("; ".join(said), DESCRIPTION_LIMIT)


def _charge(kind: ThingKind, ref: int, name: str, charge: Charge, description: str = "") -> Thing:
    return Thing(
        kind, ref, name, charge.ex_tax, charge.inc_tax, charge.tax, description=description
    )


def _wrapping(order: Order, names: LineNames) -> list[Thing]:
    """Wrapping by line where the lines account for all of it, else in one."""
    by_line = [
        _charge(
            ThingKind.WRAPPING,
            line.id,
            names.wrapping,
            line.wrapping,
            clean(line.wrapping_name or f"For {line.name}", DESCRIPTION_LIMIT),
        )
        for line in order.lines
        if line.wrapping is not None
    ]
    if not by_line or (
        total(thing.inc for thing in by_line) != order.wrapping.inc_tax
        and total(thing.ex for thing in by_line) != order.wrapping.ex_tax
    ):
        return [_charge(ThingKind.WRAPPING, 0, names.wrapping, order.wrapping)]
    return by_line


def _shipping(order: Order, names: LineNames) -> list[Thing]:
    """Shipping and handling by address where the addresses account for all of it, else in one."""
    found = []
    for kind, name, whole, parts in (
        (
            ThingKind.SHIPPING,
            names.shipping,
            order.shipping,
            [(address.id, address.shipping) for address in order.addresses],
        ),
        (
            ThingKind.HANDLING,
            names.handling,
            order.handling,
            [(address.id, address.handling) for address in order.addresses],
        ),
    ):
        if parts and total(charge.inc_tax for _, charge in parts) == whole.inc_tax:
            found += [_charge(kind, ref, name, charge) for ref, charge in parts]
        else:
            found.append(_charge(kind, 0, name, whole))
    return found


def _with_rows(thing: Thing, rows: Sequence[TaxRow], things: Sequence[Thing]) -> Thing:
    alone = sum(other.kind == thing.kind for other in things) == 1
    return Thing(
        thing.kind,
        thing.ref,
        thing.name,
        thing.ex,
        thing.inc,
        thing.tax,
        thing.description,
        thing.item_key,
        thing.quantity,
        thing.discounted_inc,
        thing.applied,
        tuple(row for row in rows if _names(row, thing, alone=alone)),
    )


def _names(row: TaxRow, thing: Thing, *, alone: bool) -> bool:
    """Whether the tax row is about this thing."""
    if thing.is_line:
        return row.line_id == thing.ref and row.item_type in ("item", "")
    if row.item_type != thing.kind.value:
        return False
    if thing.kind in (ThingKind.SHIPPING, ThingKind.HANDLING):
        return alone or row.address_id == thing.ref
    return alone or row.line_id == thing.ref
