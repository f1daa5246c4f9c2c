"""What happens to an order in its life: placed, captured, refunded, edited, cancelled, archived.

Each change is a pure function from an order to the next one. The seeded month and the control
routes use the same ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from connector_sandbox.seed.catalog import CURRENCY_IDS, STATUS_NAMES
from connector_sandbox.seed.model import (
    Fee,
    Line,
    Order,
    Position,
    Quantity,
    Refund,
    RefundItem,
    RefundPayment,
    ShipTo,
    Transaction,
)
from connector_sandbox.seed.money import ZERO, payable
from connector_sandbox.seed.totals import ChargeFigures, Figures, compute

REFUNDED, PARTIALLY_REFUNDED, CANCELLED = 4, 14, 5
_Charged = Sequence[Line | ShipTo | Fee]


class Numbers(Protocol):
    """Gives the next id of a kind: order, line, address, fee, transaction, refund, payment."""

    def next(self, kind: str) -> int:
        """The next id."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundLine:
    """So many units of the line at this position."""

    line: Position
    quantity: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundTo:
    """Where money goes; `amount` None takes what is left."""

    provider: str = "stripe"
    amount: Decimal | None = None
    offline: bool = False
    declined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """What to refund. Positions are those of the order's lists."""

    lines: tuple[RefundLine, ...] = ()
    wrapping: tuple[Position, ...] = ()
    shipping: tuple[Position, ...] = ()
    handling: tuple[Position, ...] = ()
    fees: tuple[Position, ...] = ()
    order_amount: Decimal = Decimal(0)
    tax_adjustment: Decimal = Decimal(0)
    override_amount: Decimal | None = None
    override_tax: Decimal = Decimal(0)
    everything: bool = False
    to: tuple[RefundTo, ...] = (RefundTo(),)
    reason: str = ""


def check(order: Order) -> None:
    """Refuse what no document could be made of.

    Raises:
        ValueError: A position names nothing, or the shop has no such currency or status.
    """
    for currency in (order.currency, order.display_currency or order.currency):
        if currency not in CURRENCY_IDS:
            known = ", ".join(CURRENCY_IDS)
            raise ValueError(f"The shop has no currency {currency}; it has {known}.")
    if order.status_id not in STATUS_NAMES:
        raise ValueError(f"There is no order status {order.status_id}.")
    named = [at for discount in order.discounts for at in discount.lines]
    named += [line.parent_line for line in order.lines if line.parent_line is not None]
    if named and max(named) >= len(order.lines):
        raise ValueError(f"There is no line {max(named)}: the order has {len(order.lines)}.")


def assign_ids(draft: Order, numbers: Numbers) -> Order:
    """Give an order, its lines, addresses, fees and transactions their ids."""
    addresses = tuple(replace(a, id=a.id or numbers.next("address")) for a in draft.ship_to)
    return replace(
        draft,
        id=draft.id or numbers.next("order"),
        lines=tuple(replace(line, id=line.id or numbers.next("line")) for line in draft.lines),
        fees=tuple(replace(fee, id=fee.id or numbers.next("fee")) for fee in draft.fees),
        ship_to=addresses,
        transactions=tuple(
            replace(t, id=t.id or numbers.next("transaction"), at=t.at or draft.created)
            for t in draft.transactions
        ),
    )


def credit_used(order: Order) -> Decimal:
    """Store credit and gift certificates redeemed."""
    return order.store_credit + sum((use.amount for use in order.gift_certificates), ZERO)


def captured(order: Order) -> Decimal:
    """Money taken by gateways: ok, not a test, purchase or capture, and not voided since."""
    return sum((t.amount for t in order.transactions if brought_money(order, t)), ZERO)


def brought_money(order: Order, made: Transaction) -> bool:
    """Whether a transaction took money that stands."""
    taken = made.status == "ok" and not made.test and made.event in {"purchase", "capture"}
    return taken and all(
        t.event != "void" or t.status != "ok" or t.reference != made.id for t in order.transactions
    )


def void(order: Order, at: datetime, numbers: Numbers) -> Order:
    """Take the last transaction back before it is settled."""
    last = order.transactions[-1]
    made = replace(last, id=numbers.next("transaction"), event="void", at=at, reference=last.id)
    return replace(
        order, transactions=(*order.transactions, made), payment_status="void", modified=at
    )


def capture(order: Order, amount: Decimal | None, at: datetime, numbers: Numbers) -> Order:
    """Capture (a part of) what was authorised; None takes the rest."""
    authorised = [t for t in order.transactions if t.event == "authorization" and t.status == "ok"]
    if not authorised:
        raise ValueError(f"Order {order.id} has no authorization to capture.")
    left = authorised[-1].amount - captured(order)
    amount = left if amount is None else amount
    if not ZERO < amount <= left:
        raise ValueError(f"Order {order.id} has {left} left to capture, not {amount}.")
    taken = replace(
        authorised[-1],
        id=numbers.next("transaction"),
        event="capture",
        amount=amount,
        at=at,
        reference=authorised[-1].id,
    )
    status = "captured" if amount == left else "authorized"
    return replace(order, transactions=(*order.transactions, taken), payment_status=status)


def refund(order: Order, request: RefundRequest, at: datetime, numbers: Numbers) -> Order:
    """Refund as the payment actions API does; the order becomes 14 or 4.

    Raises:
        ValueError: More than what is left to refund, or the payments do not match the amount, or a
            gateway has authorised money and taken none.
    """
    if not captured(order) and any(t.event == "authorization" for t in order.transactions):
        raise ValueError(f"Order {order.id} has no settled payment to refund.")
    figures = compute(order)
    try:
        items, amount, tax = _asked(order, figures, request)
    except IndexError as error:
        raise ValueError(f"Order {order.id} has no such line, address or fee.") from error
    if amount <= ZERO:
        raise ValueError("Refund amount must be greater than zero.")
    before = sum((r.total_amount for r in order.refunds if not declined(r)), ZERO)
    if amount > figures.total_inc - before:
        raise ValueError("Refund amount is greater than remaining amount.")
    made = Refund(
        id=numbers.next("refund"),
        created=at,
        total_amount=amount,
        total_tax=tax,
        reason=request.reason,
        override=request.override_amount is not None,
        items=tuple(items),
        payments=tuple(_payments(order, request, amount, numbers)),
    )
    stored = {"storecredit", "giftcertificate"}
    gateway = [p for p in made.payments if not p.offline and p.provider_id not in stored]
    source = next((t for t in order.transactions if t.event in {"purchase", "capture"}), None)
    moved = tuple(
        Transaction(
            id=numbers.next("transaction"),
            event="refund",
            method=source.method if source else "custom",
            amount=payment.amount,
            gateway=payment.provider_id,
            status="error" if payment.is_declined else "ok",
            at=at,
            reference=source.id if source else None,
        )
        for payment in gateway
    )
    whole = before + amount == figures.total_inc and not declined(made)
    return replace(
        order,
        refunds=(*order.refunds, made),
        transactions=(*order.transactions, *moved),
        status_id=REFUNDED if whole else PARTIALLY_REFUNDED,
        payment_status="refunded" if whole else "partially refunded",
        modified=at,
    )


def decline_refund(order: Order, refund_id: int) -> Order:
    """The gateway turns a refund down after the API had accepted it."""
    refunds = tuple(
        replace(
            r,
            payments=tuple(
                replace(p, is_declined=True, declined_message="The gateway declined the refund.")
                for p in r.payments
            ),
        )
        if r.id == refund_id
        else r
        for r in order.refunds
    )
    if all(r.id != refund_id for r in order.refunds):
        raise ValueError(f"Order {order.id} has no refund {refund_id}.")
    return replace(order, refunds=refunds)


def declined(refund: Refund) -> bool:
    """Whether no money went back for it."""
    return bool(refund.payments) and all(p.is_declined for p in refund.payments)


def refunded_quantity(order: Order, line_id: int) -> int:
    """Units of a line refunded so far."""
    return sum(
        item.quantity
        for made in order.refunds
        if not declined(made)
        for item in made.items
        if item.item_type == "PRODUCT" and item.item_id == line_id
    )


def _asked(
    order: Order, figures: Figures, request: RefundRequest
) -> tuple[list[RefundItem], Decimal, Decimal]:
    """The items of a refund, its amount with tax, and the tax in it."""
    if request.everything:
        return _rest(order, figures)
    items: list[RefundItem] = []
    amount = tax = ZERO
    for asked in request.lines:
        line, made = order.lines[asked.line], figures.lines[asked.line]
        before = refunded_quantity(order, line.id)
        if before + asked.quantity > line.quantity:
            raise ValueError(f"Line {line.id} has {line.quantity - before} left to refund.")
        part = _part(made.discounted_inc, before, asked.quantity, line.quantity, order.currency)
        amount += part
        tax += _part(made.tax, before, asked.quantity, line.quantity, order.currency)
        items.append(RefundItem(item_type="PRODUCT", item_id=line.id, quantity=asked.quantity))
    wanted = (request.wrapping, request.shipping, request.handling, request.fees)
    for charges, positions in zip(_charges(order, figures), wanted, strict=True):
        for item, charge in (charges[i] for i in positions):
            amount += charge.inc
            tax += charge.tax
            items.append(item)
    if request.order_amount:
        amount += request.order_amount
        items.append(
            RefundItem(item_type="ORDER", item_id=order.id, requested_amount=request.order_amount)
        )
    amount += request.tax_adjustment
    tax += request.tax_adjustment
    if request.override_amount is not None:
        amount, tax = request.override_amount, request.override_tax
    return items, amount, tax


def _rest(order: Order, figures: Figures) -> tuple[list[RefundItem], Decimal, Decimal]:
    """All that has not been refunded."""
    done = [r for r in order.refunds if not declined(r)]
    items = [
        RefundItem(item_type="PRODUCT", item_id=line.id, quantity=left)
        for line in order.lines
        if (left := line.quantity - refunded_quantity(order, line.id))
    ]
    gone = {(item.item_type, item.item_id) for made in done for item in made.items}
    items += [
        item
        for charges in _charges(order, figures)
        for item, charge in charges
        if charge.inc and (item.item_type, item.item_id) not in gone
    ]
    return (
        items,
        figures.total_inc - sum((r.total_amount for r in done), ZERO),
        figures.total_tax - sum((r.total_tax for r in done), ZERO),
    )


def _charges(order: Order, figures: Figures) -> tuple[list[tuple[RefundItem, ChargeFigures]], ...]:
    """What can be refunded of wrapping, shipping, handling and fees, each by position."""
    kinds: tuple[tuple[str, _Charged, Sequence[ChargeFigures]], ...] = (
        ("GIFT_WRAPPING", order.lines, [line.wrapping for line in figures.lines]),
        ("SHIPPING", order.ship_to, figures.shipping),
        ("HANDLING", order.ship_to, figures.handling),
        ("FEE", order.fees, figures.fees),
    )
    return tuple(
        [
            (
                RefundItem(
                    item_type=kind,
                    item_id=one.id,
                    requested_amount=charge.inc if order.tax_inclusive else charge.ex,
                ),
                charge,
            )
            for one, charge in zip(charged, charges, strict=True)
        ]
        for kind, charged, charges in kinds
    )


def _part(whole: Decimal, before: int, now: int, quantity: int, currency: str) -> Decimal:
    upto = payable(whole * (before + now) / quantity, currency)
    return upto - payable(whole * before / quantity, currency)


def _payments(
    order: Order, request: RefundRequest, amount: Decimal, numbers: Numbers
) -> list[RefundPayment]:
    left = amount
    made = []
    for to in request.to:
        if to.provider == "storecredit" and not order.customer_id:
            raise ValueError("Unable to provide store credit for a guest customer.")
        part = left if to.amount is None else to.amount
        left -= part
        source = next((t for t in order.transactions if t.event in {"purchase", "capture"}), None)
        made.append(
            RefundPayment(
                id=numbers.next("refund_payment"),
                provider_id=to.provider,
                amount=part,
                offline=to.offline or to.provider in {"storecredit", "giftcertificate"},
                is_declined=to.declined,
                declined_message="Card was closed." if to.declined else "",
                transaction_id=str(source.id) if source and not to.offline else "",
            )
        )
    if left:
        raise ValueError(f"The payments of the refund differ from its amount by {left}.")
    return made
