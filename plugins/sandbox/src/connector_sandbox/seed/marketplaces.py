"""What the shop gets of orders sold through marketplaces, by what the bookkeeper says of each.

`placed` is the setting `marketplace_sources` of a user: a marketplace's name, and `net` (it remits
the tax), `own` or `skip`.
"""

from collections.abc import Mapping
from dataclasses import replace

from connector_sandbox.seed.model import Charge, Order, Refund
from connector_sandbox.seed.money import ZERO
from connector_sandbox.seed.totals import compute

MARKETPLACES = frozenset({"amazon", "ebay", "etsy", "tiktok", "walmart"})
DEMO = {"amazon": "net", "ebay": "own", "etsy": "skip"}
"""How the demonstration places them; what is not named here is parked."""


def treatment_of(order: Order, placed: Mapping[str, str]) -> str:
    """What becomes of the order: `net`, `own`, `skip`, or `undecided`."""
    if order.order_source not in MARKETPLACES:
        return "own"
    taxed = compute(order).total_tax
    return placed.get(order.order_source, "undecided" if taxed else "own")


def without_tax(order: Order) -> Order:
    """The order as the shop has it once the marketplace kept the tax; prices without tax only.

    One without transactions is paid: the marketplace has the money.
    """
    figures = compute(order)
    share = figures.total_tax / figures.total_inc if figures.total_inc else ZERO
    return replace(
        order,
        lines=tuple(
            replace(line, taxes=(), wrapping=line.wrapping and _untaxed(line.wrapping))
            for line in order.lines
        ),
        ship_to=tuple(
            replace(to, shipping=_untaxed(to.shipping), handling=_untaxed(to.handling))
            for to in order.ship_to
        ),
        fees=tuple(replace(fee, taxes=()) for fee in order.fees),
        transactions=tuple(
            replace(row, amount=row.amount - round(row.amount * share, 2))
            for row in order.transactions
        ),
        payment_status=order.payment_status if order.transactions else "captured",
        refunds=tuple(map(_net_refund, order.refunds)),
    )


def _untaxed(charge: Charge) -> Charge:
    return replace(charge, taxes=())


def _net_refund(refund: Refund) -> Refund:
    """A refund by one way, without the tax in it."""
    return replace(
        refund,
        total_amount=refund.total_amount - refund.total_tax,
        total_tax=ZERO,
        payments=tuple(
            replace(one, amount=one.amount - refund.total_tax) for one in refund.payments[:1]
        ),
    )
