"""Whether an order without transactions is paid: the shop's word is all there is.

Cash, cheques and transfers leave no transaction, and of some gateways the shop keeps none. The
order is paid, and what is left to pay of it becomes one payment that says it was derived, where

* its `payment_status` says that the money was captured, whatever the method; or
* it is a marketplace's and booked without tax: the marketplace has the money, and pays it out; or
* its method means money in hand, and its status says that it is paid. The `payment_status` is then
  empty, or even "authorized" or "pending"; only "void" or "declined" speaks against it.

Of a method on account the order's status says nothing, and of an unknown one too little: there the
invoice stays open until money is captured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.books.marketplaces import is_net
from target_freshbooks.books.payment_methods import Meaning, meaning_of

if TYPE_CHECKING:
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import Order

_CAPTURED = frozenset({"captured", "paid"})
_REFUNDED = frozenset({"refunded", "partially refunded"})
"""What went back had come in. On account, what was never paid is refunded too."""
_NEVER_CAME = frozenset({"declined", "void", "void pending"})
_NOT_YET = frozenset({"authorized", "capture pending", "held for review", "pending"})

_COMPLETED, _AWAITING_PAYMENT = 10, 7
_GAVE_BACK = frozenset({4, 14})
_UNPAID = frozenset({0, 1, 5, 6, _AWAITING_PAYMENT})
"""Statuses that say the money is not there (unless the bookkeeper counts them as paid)."""


def brought_money(order: Order, policy: Policy) -> bool:
    """Whether the shop's word is enough to book the money of an order without transactions."""
    in_hand = meaning_of(order.payment_method, policy) in (Meaning.IN_HAND, Meaning.ON_DELIVERY)
    return is_paid(order, policy) and (in_hand or was_captured(order, policy))


def is_paid(order: Order, policy: Policy) -> bool:
    """Whether the shop says that the order is paid, be it enough to book the money or not."""
    if was_captured(order, policy):
        return True
    meaning, told = meaning_of(order.payment_method, policy), _payment_status(order)
    if meaning is Meaning.ON_ACCOUNT or told in _NEVER_CAME:
        return False
    if meaning is Meaning.ON_DELIVERY:
        return order.status_id in {_COMPLETED, *_GAVE_BACK}
    if meaning is Meaning.UNKNOWN and told in _NOT_YET:
        return False
    counted = policy.paid_status_ids - {_AWAITING_PAYMENT}
    return order.status_id in counted or order.status_id not in _UNPAID


def was_captured(order: Order, policy: Policy) -> bool:
    """Whether the order's `payment_status` says that its money was captured, or a marketplace."""
    told = _payment_status(order)
    if is_net(order, policy):
        return told not in _NEVER_CAME
    on_account = meaning_of(order.payment_method, policy) is Meaning.ON_ACCOUNT
    return told in _CAPTURED or (told in _REFUNDED and not on_account)


def _payment_status(order: Order) -> str:
    return order.payment_status.strip().lower()
