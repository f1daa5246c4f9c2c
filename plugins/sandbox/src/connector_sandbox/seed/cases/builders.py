"""The words cases are written with: a line, a discount, a payment, what happened later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connector_sandbox.seed import catalog
from connector_sandbox.seed.changes import (
    Numbers,
    RefundRequest,
    capture,
    credit_used,
    decline_refund,
    refund,
)
from connector_sandbox.seed.model import (
    Address,
    Charge,
    Discount,
    Line,
    Order,
    ShipTo,
    Tax,
    Transaction,
)
from connector_sandbox.seed.totals import compute

UNSET = datetime(2000, 1, 1, tzinfo=UTC)
D = Decimal
Later = Callable[[Order, datetime, Numbers], Order]

STATE, CITY, TRANSIT, LUXURY = catalog.STATE, catalog.CITY, catalog.TRANSIT, catalog.LUXURY
VAT, VAT_REDUCED, TEXAS = catalog.VAT, catalog.VAT_REDUCED, catalog.TEXAS

GUEST = Address(
    first_name="Gail", last_name="Guest", phone="555-0100", email="gail.guest@example.com"
)


@dataclass(frozen=True, slots=True)
class Case:
    """An order and what happened to it: `then` holds (hours after placing, change)."""

    order: Order
    then: tuple[tuple[int, Later], ...] = ()
    created: str | None = None  # a fixed moment, ISO UTC; else somewhere in the month


def line(  # the fields of a line that cases vary
    price: str,
    *taxes: Tax,
    quantity: int = 1,
    name: str = "Linen Towel",
    **more: Any,  # noqa: ANN401  Line's own fields
) -> Line:
    """A product line; by default the catalogue's first product."""
    given: dict[str, Any] = {"product_id": 101, "variant_id": 501, "sku": "LT-001"} | more
    return Line(name=name, price=D(price), taxes=taxes, quantity=quantity, **given)


def ship(
    cost: str = "0", *taxes: Tax, handling: str = "0", handling_tax: Tax | None = None
) -> ShipTo:
    """A shipping address with its costs."""
    return ShipTo(
        to=GUEST,
        shipping=Charge(cost=D(cost), taxes=taxes),
        handling=Charge(cost=D(handling), taxes=(handling_tax,) if handling_tax else ()),
    )


def case(
    name: str,
    *lines: Line,
    then: tuple[tuple[int, Later], ...] = (),
    created: str | None = None,
    pay: bool | str = True,
    **more: Any,  # noqa: ANN401  Order's own fields
) -> Case:
    """Make a case; `pay` is the gateway that captured everything, False for no transaction."""
    given: dict[str, Any] = {"billing": GUEST, "ship_to": (ship(),)} | more
    order = Order(case=name, created=UNSET, modified=UNSET, lines=lines, **given)
    if pay and not order.transactions:
        due = compute(order).total_inc - credit_used(order)
        gateway = pay if isinstance(pay, str) else "stripe"
        if due > 0:
            order = replace(order, transactions=(Transaction(amount=due, gateway=gateway),))
    return Case(order, then, created)


def manual(amount: str, **more: Any) -> Discount:  # noqa: ANN401  Discount's own fields
    """A discount given by hand on the order."""
    return Discount(kind="manual", amount=D(amount), name="Manual Discount", **more)


def automatic(amount: str, **more: Any) -> Discount:  # noqa: ANN401  as above
    """A promotion without a code."""
    return Discount(kind="automatic", amount=D(amount), name="Autumn promotion", **more)


def coupon(amount: str, code: str = "S2549JM0Y", **more: Any) -> Discount:  # noqa: ANN401  as above
    """A coupon with a code."""
    return Discount(kind="coupon", amount=D(amount), name=f"Coupon {code}", code=code, **more)


def refunds(request: RefundRequest) -> Later:
    """Refund so."""
    return lambda order, at, numbers: refund(order, request, at, numbers)


def captures(amount: str | None = None) -> Later:
    """Capture so much, or the rest."""

    def later(order: Order, at: datetime, numbers: Numbers) -> Order:
        taken = capture(order, None if amount is None else D(amount), at, numbers)
        return replace(taken, modified=at)

    return later


def becomes(**fields: Any) -> Later:  # noqa: ANN401  Order's own fields
    """Set fields, as the control panel does."""
    return lambda order, at, _numbers: replace(order, modified=at, **fields)


def declined_later(order: Order, at: datetime, _numbers: Numbers) -> Order:
    """The gateway declines the last refund; `date_modified` does not move."""
    del at
    return decline_refund(order, order.refunds[-1].id)


def authorised(amount: str) -> tuple[Transaction, ...]:
    """An authorization only."""
    return (Transaction(event="authorization", amount=D(amount)),)
