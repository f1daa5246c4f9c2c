"""A month of orders: the named cases spread among ordinary ones, lived through in time order.

Everything comes from one seeded random generator, so that a seed and a month always give the same
orders with the same ids.
"""

import random as random_module
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from connector_sandbox.seed import catalog
from connector_sandbox.seed.cases import cases
from connector_sandbox.seed.cases.builders import UNSET, Case, becomes, captures, refunds
from connector_sandbox.seed.changes import RefundLine, RefundRequest, RefundTo, assign_ids
from connector_sandbox.seed.model import (
    Address,
    Charge,
    Discount,
    Line,
    Option,
    Order,
    ShipTo,
    Tax,
    Transaction,
)
from connector_sandbox.seed.totals import compute

FIRST_IDS = {
    "order": 1001,
    "line": 5001,
    "address": 3001,
    "fee": 201,
    "transaction": 85_000_001,
    "refund": 1,
    "refund_payment": 1,
    "hook": 20_000_001,
    "customer": 1001,
    "message": 1,
}
SAME_SECOND = 14
_REGIONS: dict[str, tuple[tuple[Tax, ...], bool]] = {
    "Albany": ((catalog.STATE,), True),
    "Buffalo": ((catalog.STATE, replace(catalog.CITY, name="Erie County Tax", id=14)), True),
    "New York": ((catalog.STATE, catalog.CITY, catalog.TRANSIT), True),
    "Austin": ((catalog.TEXAS,), True),
    "Dallas": ((catalog.TEXAS,), False),
}


class Counted:
    """Ids from counters kept in memory."""

    def __init__(self, upcoming: dict[str, int] | None = None) -> None:
        self.upcoming = Counter(upcoming or FIRST_IDS)

    def next(self, kind: str) -> int:
        """The next id of a kind."""
        number = self.upcoming[kind]
        self.upcoming[kind] += 1
        return number


@dataclass(frozen=True, slots=True)
class Month:
    """The orders of a month as they stand at its end, and the upcoming id of each kind."""

    orders: tuple[Order, ...]
    upcoming: dict[str, int]


def bounds(month: str) -> tuple[datetime, datetime]:
    """First and last moment of `YYYY-MM` in the store's zone, in UTC; the end is exclusive."""
    zone = ZoneInfo(catalog.STORE_TIMEZONE)
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    after = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first.astimezone(UTC), after.astimezone(UTC)


def simulate_month(
    *,
    orders: int,
    seed: int,
    month: str,
    customers: tuple[catalog.Customer, ...],
    only: Collection[str] = (),
) -> Month:
    """Make the orders of a month and let happen what happens to them.

    Args:
        orders: how many. All named cases are among them when there is room for that; else all
            orders are ordinary.
        only: the named cases that are wanted, in place of all.
        seed: of the random generator.
        month: `YYYY-MM`, in the store's zone.
        customers: the registered customers who buy.
    """
    random = random_module.Random(f"{seed}/{month}/{orders}")  # noqa: S311  not for secrets
    first, after = bounds(month)
    named = [one for one in cases() if not only or one.order.case in only]
    named = named if orders >= len(named) else []
    everything = [*named, *(ordinary(random, customers) for _ in range(orders - len(named)))]
    random.shuffle(everything)
    # Two days are left at the end for what happens to the last orders.
    span = (after - first - timedelta(days=2)).total_seconds()
    arrivals = sorted(first + timedelta(seconds=int(random.random() * span)) for _ in everything)
    numbers = Counted()
    living: dict[int, Order] = {}
    events: list[tuple[datetime, int, Callable[[Order, datetime, Counted], Order]]] = []
    for arrival, one in sorted(_dated(everything, arrivals), key=lambda pair: pair[0]):
        created = datetime.fromisoformat(one.created) if one.created else arrival
        order = assign_ids(replace(one.order, created=created, modified=arrival), numbers)
        living[order.id] = order
        events += [(arrival + timedelta(hours=wait), order.id, change) for wait, change in one.then]
    for at, order_id, change in sorted(events, key=lambda event: event[:2]):
        living[order_id] = change(living[order_id], at, numbers)
    _share_a_second(living, first + timedelta(days=19, hours=11))
    return Month(tuple(living.values()), dict(numbers.upcoming))


def _dated(everything: list[Case], arrivals: list[datetime]) -> Iterable[tuple[datetime, Case]]:
    """When each order came in; a migrated one came in long after it was made."""
    for one, arrival in zip(everything, arrivals, strict=True):
        fixed = datetime.fromisoformat(one.created) if one.created else None
        recent = fixed is not None and abs(fixed - arrival) < timedelta(days=60)
        yield (fixed if fixed and recent else arrival), one


def _share_a_second(living: dict[int, Order], at: datetime) -> None:
    """A bulk edit in the control panel gives many orders the same `date_modified`."""
    touched = 0
    for order in list(living.values()):
        if order.case == "ordinary" and order.modified < at and touched < SAME_SECOND:
            living[order.id] = replace(order, modified=at)
            touched += 1


def ordinary(random: Random, customers: tuple[catalog.Customer, ...]) -> Case:
    """An order such as most are: one to five lines, tax by region, a common way to pay."""
    customer = random.choice(customers)
    guest = random.random() < 0.25  # noqa: PLR2004  a share
    billing = customer.address
    if guest:
        billing = replace(billing, email=f"guest.{random.randint(1, 400)}@example.net")
    taxes, on_shipping = _REGIONS[customer.address.city]
    exempt = customer.tax_exempt and not guest
    lines = _lines(random, () if exempt else taxes)
    cost = Decimal(random.choice(("0", "6.95", "6.95", "9.95", "12.50")))
    order = Order(
        created=UNSET,
        modified=UNSET,
        customer_id=0 if guest else customer.id,
        billing=billing,
        ship_to=(_destination(billing, cost, taxes if on_shipping and not exempt else ()),),
        lines=lines,
        discounts=_discounts(random, lines),
        tax_exempt=exempt,
        customer_message=random.choice(("", "", "", "Please leave it with the neighbour.")),
        order_source=random.choice(("www", "www", "mobile", "iphone")),
    )
    return _paid(random, order)


def _destination(billing: Address, cost: Decimal, taxes: tuple[Tax, ...]) -> ShipTo:
    charge = Charge(cost=cost, taxes=taxes if cost else ())
    return ShipTo(to=billing, shipping=charge, method="Flat Rate" if cost else "Free Shipping")


def _lines(random: Random, taxes: tuple[Tax, ...]) -> tuple[Line, ...]:
    products = catalog.products()[:30]
    made = []
    for product in random.sample(products, random.choice((1, 1, 1, 2, 2, 3, 4, 5))):
        variant = random.choice(product.variants)
        wrapped = random.random() < 0.04  # noqa: PLR2004  a share
        made.append(
            Line(
                product_id=product.id,
                variant_id=variant.id,
                name=product.name,
                sku=variant.sku,
                quantity=random.choice((1, 1, 1, 1, 2, 2, 3, 6)),
                price=variant.price if variant.price is not None else product.price,
                taxes=taxes if product.taxable else (),
                options=tuple(Option(name=n, value=v) for n, v in variant.options),
                wrapping=Charge(cost=Decimal("3.95"), taxes=taxes) if wrapped else None,
            )
        )
    return tuple(made)


def _discounts(random: Random, lines: tuple[Line, ...]) -> tuple[Discount, ...]:
    worth = sum((line.price * line.quantity for line in lines), Decimal(0))
    made = []
    if random.random() < 0.12:  # noqa: PLR2004  a share
        tenth = (worth / 10).quantize(Decimal("0.01"))
        made.append(
            Discount(kind="coupon", amount=tenth, name="10% off", code="OCTOBER10", coupon_type=1)
        )
    if random.random() < 0.06 and worth > 60:  # noqa: PLR2004  a share and a threshold
        made.append(Discount(kind="automatic", amount=Decimal(5), name="5 off over 60"))
    return tuple(made)


def _paid(random: Random, order: Order) -> Case:
    """How it was paid, and what came later."""
    due = compute(order).total_inc
    dice = random.random()
    status = random.choice((10, 10, 10, 2, 2, 11, 9, 3, 8))
    if dice < 0.10:  # noqa: PLR2004  a share
        method = random.choice(("Cash on Delivery", "Check", "Pay in Store"))
        paid = replace(order, payment_method=method, payment_status="", status_id=status)
        return Case(paid)
    if dice < 0.18:  # noqa: PLR2004  a share
        waiting = Transaction(event="authorization", amount=due, gateway="braintree")
        order = replace(order, transactions=(waiting,), payment_status="authorized")
        return Case(order, ((random.randint(2, 30), captures()), (36, becomes(status_id=status))))
    gateway, method = random.choice(
        (("stripe", "Credit Card"),) * 4
        + (("paypalexpress", "PayPal"), ("square", "Square"), ("authorizenet", "Credit Card"))
    )
    order = replace(
        order, payment_method=method, transactions=(Transaction(amount=due, gateway=gateway),)
    )
    wait = random.randint(2, 40)
    if dice < 0.24:  # noqa: PLR2004  a share
        request = RefundRequest(
            lines=(RefundLine(line=0, quantity=1),), to=(RefundTo(provider=gateway),)
        )
        if dice > 0.23:  # noqa: PLR2004  a share
            request = RefundRequest(everything=True, to=(RefundTo(provider=gateway),))
        return Case(order, ((wait, refunds(request)),))
    if dice < 0.26:  # noqa: PLR2004  a share
        return Case(replace(order, status_id=7, payment_status="pending", transactions=()))
    return Case(order, ((wait, becomes(status_id=status)),))
