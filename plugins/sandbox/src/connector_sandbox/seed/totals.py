"""BigCommerce's arithmetic: from what was entered to every amount of the order's documents.

The order total holds (BigCommerce v2 orders reference, example orders):

    total_inc_tax = subtotal_inc_tax + shipping + handling + wrapping + fees (each inc tax)
                    - discount_amount - coupon_discount
    total_tax     = subtotal_tax + the taxes on shipping, handling, wrapping, fees
    total_ex_tax  = total_inc_tax - total_tax

Tax is computed per line per rate on the discounted amount and kept at four decimals; the sums of
an order are rounded to what can be paid. `subtotal_tax` is after discounts, `subtotal_inc_tax`
and `subtotal_ex_tax` are before.
"""

from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from connector_sandbox.seed.model import Charge, Discount, Fee, Line, Order, Tax
from connector_sandbox.seed.money import ZERO, payable, spread, stored

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class TaxShare:
    """What one rate brings on one thing."""

    tax: Tax
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ChargeFigures:
    """Amounts of a charge or fee."""

    base: Decimal
    ex: Decimal
    inc: Decimal
    taxes: tuple[TaxShare, ...]

    @property
    def tax(self) -> Decimal:
        """Tax on the charge, payable precision."""
        return self.inc - self.ex


@dataclass(frozen=True, slots=True)
class LineFigures:
    """Amounts of a line. `total_*` are before discounts, `tax` and `discounted_inc` after.

    Its share of each discount is `entered` as prices are, and `applied` with the tax saved.
    """

    price_ex: Decimal
    price_inc: Decimal
    total_ex: Decimal
    total_inc: Decimal
    tax: Decimal
    discounted_inc: Decimal
    taxes: tuple[TaxShare, ...]
    entered: tuple[tuple[Discount, Decimal], ...]
    applied: tuple[tuple[Discount, Decimal], ...]
    wrapping: ChargeFigures


@dataclass(frozen=True, slots=True)
class Figures:
    """Amounts of an order."""

    lines: tuple[LineFigures, ...]
    shipping: tuple[ChargeFigures, ...]
    handling: tuple[ChargeFigures, ...]
    fees: tuple[ChargeFigures, ...]
    subtotal_ex: Decimal
    subtotal_inc: Decimal
    subtotal_tax: Decimal
    discount_amount: Decimal
    coupon_discount: Decimal
    coupon_shares: tuple[tuple[Discount, Decimal], ...]
    total_ex: Decimal
    total_inc: Decimal
    total_tax: Decimal

    def wrapping(self) -> ChargeFigures:
        """Gift wrapping of all lines together."""
        return together([line.wrapping for line in self.lines])


def together(charges: list[ChargeFigures]) -> ChargeFigures:
    """Several charges as one."""
    return ChargeFigures(
        base=sum((c.base for c in charges), ZERO),
        ex=sum((c.ex for c in charges), ZERO),
        inc=sum((c.inc for c in charges), ZERO),
        taxes=tuple(share for c in charges for share in c.taxes),
    )


def _factors(taxes: tuple[Tax, ...]) -> list[tuple[Tax, Decimal]]:
    """Each rate's tax as a part of the untaxed amount, compounding over priorities."""
    factors: list[tuple[Tax, Decimal]] = []
    base = Decimal(1)
    for _, group in groupby(sorted(taxes, key=lambda t: t.priority), key=lambda t: t.priority):
        level = [(tax, base * tax.percent / HUNDRED) for tax in group]
        factors += level
        base += sum((factor for _, factor in level), ZERO)
    return factors


def _add_tax(ex: Decimal, taxes: tuple[Tax, ...]) -> list[TaxShare]:
    return [TaxShare(tax, stored(ex * factor)) for tax, factor in _factors(taxes)]


def _extract_tax(inc: Decimal, taxes: tuple[Tax, ...]) -> list[TaxShare]:
    factors = _factors(taxes)
    whole = sum((factor for _, factor in factors), ZERO)
    if not whole:
        return [TaxShare(tax, ZERO) for tax in taxes]
    amounts = spread(stored(inc * whole / (1 + whole)), [factor for _, factor in factors])
    return [TaxShare(tax, amount) for (tax, _), amount in zip(factors, amounts, strict=True)]


def _tax(shares: list[TaxShare]) -> Decimal:
    return sum((share.amount for share in shares), ZERO)


def _charge(order: Order, charge: Charge | Fee) -> ChargeFigures:
    """A charge's amounts; its tax is a whole payable amount, in the sum and in the rates."""
    cost = charge.cost
    if order.tax_exempt or not charge.taxes:
        return ChargeFigures(cost, cost, cost, ())
    shares = (_extract_tax if order.tax_inclusive else _add_tax)(cost, charge.taxes)
    tax = payable(_tax(shares), order.currency)
    rounded = [payable(share.amount, order.currency) for share in shares]
    rounded[-1] += tax - sum(rounded, ZERO)
    whole = tuple(TaxShare(s.tax, r) for s, r in zip(shares, rounded, strict=True))
    if order.tax_inclusive:
        return ChargeFigures(cost, cost - tax, cost, whole)
    return ChargeFigures(cost, cost, cost + tax, whole)


def _entered_discounts(order: Order) -> list[list[tuple[Discount, Decimal]]]:
    """For each line the discounts that fall on it, in entered money, never below zero."""
    per_line: list[list[tuple[Discount, Decimal]]] = [[] for _ in order.lines]
    left = [line.price * line.quantity for line in order.lines]
    for discount in order.discounts:
        if discount.on_shipping:
            continue
        chosen = discount.lines or tuple(
            i for i, line in enumerate(order.lines) if line.kind != "giftcertificate"
        )
        weights = [left[i] for i in chosen]
        if discount.amount > sum(weights, ZERO):
            raise ValueError(f"Discount {discount.name!r} takes more than the lines are worth.")
        for i, share in zip(chosen, spread(discount.amount, weights), strict=True):
            left[i] -= share
            per_line[i].append((discount, share))
    return per_line


def _line(order: Order, line: Line, entered: list[tuple[Discount, Decimal]]) -> LineFigures:
    off = sum((share for _, share in entered), ZERO)
    gross = line.price * line.quantity
    taxes = line.taxes
    if order.tax_inclusive:
        total_inc, discounted_inc = gross, gross - off
        total_ex = gross - _tax(_round_line(order, _extract_tax(gross, taxes)))
        price_inc, price_ex = line.price, line.price - _tax(_extract_tax(line.price, taxes))
        shares = _round_line(order, _extract_tax(discounted_inc, taxes))
    elif order.tax_exempt:
        total_ex = total_inc = gross
        price_ex = price_inc = line.price
        discounted_inc, shares = gross - off, []
    else:
        total_ex, price_ex = gross, line.price
        price_inc = line.price + _tax(_add_tax(line.price, taxes))
        before = _round_line(order, _add_tax(gross, taxes))
        shares = _round_line(order, _add_tax(gross - off, taxes))
        total_inc = gross + _tax(before)
        discounted_inc = gross - off + _tax(shares)
    if order.tax_exempt:
        shares = []
    amounts = spread(total_inc - discounted_inc, [share for _, share in entered])
    wrapping = (
        _charge(order, line.wrapping) if line.wrapping else ChargeFigures(ZERO, ZERO, ZERO, ())
    )
    return LineFigures(
        price_ex=stored(price_ex),
        price_inc=stored(price_inc),
        total_ex=stored(total_ex),
        total_inc=stored(total_inc),
        tax=_tax(shares),
        discounted_inc=stored(discounted_inc),
        taxes=tuple(shares),
        entered=tuple(entered),
        applied=tuple((d, a) for (d, _), a in zip(entered, amounts, strict=True)),
        wrapping=wrapping,
    )


def _round_line(order: Order, shares: list[TaxShare]) -> list[TaxShare]:
    if order.rounding_strategy == "RATE_ROUNDING":
        return [TaxShare(s.tax, payable(s.amount, order.currency)) for s in shares]
    return shares


def compute(order: Order) -> Figures:
    """All amounts of an order.

    Raises:
        ValueError: A discount does not fit, or a shipping discount meets taxed shipping (the
            order's total formula has no place for the tax that would be saved).
    """
    currency = order.currency
    lines = tuple(
        _line(order, line, entered)
        for line, entered in zip(order.lines, _entered_discounts(order), strict=True)
    )
    shipping = tuple(_charge(order, to.shipping) for to in order.ship_to)
    handling = tuple(_charge(order, to.handling) for to in order.ship_to)
    fees = tuple(_charge(order, fee) for fee in order.fees)
    wrapping = [line.wrapping for line in lines]
    charges = together([*shipping, *handling, *fees, *wrapping])

    subtotal_inc = payable(sum((line.total_inc for line in lines), ZERO), currency)
    goods_inc = payable(sum((line.discounted_inc for line in lines), ZERO), currency)
    subtotal_tax = payable(sum((line.tax for line in lines), ZERO), currency)
    on_shipping = sum((d.amount for d in order.discounts if d.on_shipping), ZERO)
    if on_shipping and (on_shipping > sum((s.inc for s in shipping), ZERO) or _taxed(shipping)):
        raise ValueError("A shipping discount needs untaxed shipping of at least its amount.")
    coupons = _coupon_shares(order, lines, subtotal_inc - goods_inc)
    coupon_discount = sum((amount for _, amount in coupons), ZERO)
    total_inc = goods_inc + charges.inc - on_shipping
    total_tax = subtotal_tax + charges.tax
    total_ex = total_inc - total_tax
    if order.override:
        total_inc, total_ex = order.override.total_inc_tax, order.override.total_ex_tax
        total_tax = total_inc - total_ex
    return Figures(
        lines=lines,
        shipping=shipping,
        handling=handling,
        fees=fees,
        subtotal_ex=sum((line.total_ex for line in lines), ZERO),
        subtotal_inc=subtotal_inc,
        subtotal_tax=subtotal_tax,
        discount_amount=subtotal_inc - goods_inc + on_shipping - coupon_discount,
        coupon_discount=coupon_discount,
        coupon_shares=coupons,
        total_ex=total_ex,
        total_inc=total_inc,
        total_tax=total_tax,
    )


def _taxed(charges: tuple[ChargeFigures, ...]) -> bool:
    return any(charge.tax for charge in charges)


def _coupon_shares(
    order: Order, lines: tuple[LineFigures, ...], goods_off: Decimal
) -> tuple[tuple[Discount, Decimal], ...]:
    """Each coupon's payable amount; without other discounts they take the whole difference."""
    exact: dict[int, Decimal] = {}
    for line in lines:
        for discount, amount in line.applied:
            exact[id(discount)] = exact.get(id(discount), ZERO) + amount
    shares: list[tuple[Discount, Decimal]] = []
    left = goods_off
    goods = [d for d in order.discounts if not d.on_shipping]
    for position, discount in enumerate(goods):
        amount = payable(exact.get(id(discount), ZERO), order.currency)
        amount = left if position == len(goods) - 1 else min(amount, left)
        left -= amount
        if discount.kind == "coupon":
            shares.append((discount, amount))
    shares += [(d, d.amount) for d in order.discounts if d.on_shipping and d.kind == "coupon"]
    return tuple(shares)
