"""Payment methods: whether an order without transactions is paid, and when an invoice is due.

Cash, cheques and transfers leave no transaction, and of some gateways the shop keeps none. Then the
shop's word is all there is, and its method of payment, known only by a name that the merchant may
have chosen, says what the word is worth.

*In hand*: cash, cheques, deposits. Nobody but a person can have taken the money, so that a paid
status of the order is that person's word. Its `payment_status` is then empty, or even "authorized"
or "pending"; only "void" or "declined" speaks against it. Cash on delivery is taken by the courier
at the door, and an order that is merely shipped is not paid: it counts once it is Completed, or
once money of it went back.

*On account*: purchase orders, "Net 30", an invoice. The goods leave on a promise. The shop's status
says nothing of money then; the invoice stays open and is due after `payment_terms_days`, or the
number of days that the method names.

*Unknown*: a gateway, or a name that nobody placed. Its invoice stays open until money is captured.

Whatever the method, an order is paid whose `payment_status` says that the money was captured; and
one of a marketplace that is booked without tax: the marketplace has the money, and pays it out.
What is left to pay of a paid order becomes one payment that says it was derived.

A name is in hand if the whole of it is an entry of `derived_payment_methods`: "Cash App" is not
"cash". It is on account if the words of an entry of `on_account_methods` stand in it, one after the
other; `#` in an entry is a number of one to three digits. An entry that is the whole of a name
places it before any that is a part, so that every name can be placed either way.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise

from target_freshbooks.books.marketplaces import is_net
from target_freshbooks.books.money_witnesses import (
    CAPTURED,
    REFUNDED,
    REFUNDED_STATUSES,
    kind_named,
)
from target_freshbooks.books.policy import Policy
from target_freshbooks.shop.facts import Order, OrderFacts, OrderStatus

_ON_DELIVERY = frozenset({"cashondelivery", "cod"})

_WORD = re.compile(r"[^\W\d_]+(?:[.'\u2019][^\W\d_]+)*|\d+|#")
"""A word or a number: "Net30" is two words, "Authorize.Net" is one."""

_DAYS = re.compile(r"\d{1,3}")


class Meaning(StrEnum):
    """What a method of payment says about the money of an order without transactions."""

    IN_HAND = "in hand"
    ON_DELIVERY = "in hand once Completed"
    ON_ACCOUNT = "on account"
    UNKNOWN = "not known"


def meaning_of(method: str, policy: Policy) -> Meaning:
    """What the shop's method of payment means, by its display name."""
    if _is_one_of(method, policy.on_account_methods):
        return Meaning.ON_ACCOUNT
    if _is_one_of(method, policy.derived_payment_methods):
        return Meaning.ON_DELIVERY if _joined(method) in _ON_DELIVERY else Meaning.IN_HAND
    if any(_stands_in(entry, method) for entry in policy.on_account_methods):
        return Meaning.ON_ACCOUNT
    return Meaning.UNKNOWN


def days_until_due(method: str, policy: Policy) -> int:
    """After how many days an invoice is due: none but for a method that is on account.

    The number after "net" comes before any other ("2/10 net 30"), and any before the setting.
    """
    if meaning_of(method, policy) is not Meaning.ON_ACCOUNT:
        return 0
    words = _words(method)
    after_net = [word for net, word in pairwise(words) if net == "net"]
    named = [word for word in (*after_net, *words) if _DAYS.fullmatch(word)]
    return int(named[0]) if named else policy.payment_terms_days


def _is_one_of(method: str, entries: Iterable[str]) -> bool:
    """Whether the whole name is an entry, however its words are joined: `bankdeposit`."""
    return bool(_joined(method)) and _joined(method) in map(_joined, entries)


def _stands_in(entry: str, method: str) -> bool:
    wanted, words = _words(entry), _words(method)
    places = range(len(words) - len(wanted) + 1)
    return bool(wanted) and any(all(map(_matches, wanted, words[at:])) for at in places)


def _matches(wanted: str, word: str) -> bool:
    return bool(_DAYS.fullmatch(word)) if wanted == "#" else word == wanted


def _words(name: str) -> list[str]:
    return _WORD.findall(name.casefold())


def _joined(name: str) -> str:
    return "".join(_words(name))


_NEVER_CAME = frozenset({"declined", "void", "void pending"})
_NOT_YET = frozenset({"authorized", "capture pending", "held for review", "pending"})

_UNPAID = frozenset(
    {
        *(OrderStatus.INCOMPLETE, OrderStatus.PENDING, OrderStatus.AWAITING_PAYMENT),
        *(OrderStatus.CANCELLED, OrderStatus.DECLINED),
    }
)
"""Statuses that say the money is not there (unless the bookkeeper counts them as paid)."""


def brought_money(facts: OrderFacts, policy: Policy) -> bool:
    """Whether the shop's word is enough to book the money of an order without transactions."""
    order = facts.order
    return is_paid(facts, policy) and (is_in_hand(order, policy) or was_captured(order, policy))


def is_in_hand(order: Order, policy: Policy) -> bool:
    """Whether a person takes the money of the order's method, or its courier."""
    return meaning_of(order.payment_method, policy) in (Meaning.IN_HAND, Meaning.ON_DELIVERY)


def is_paid(facts: OrderFacts, policy: Policy) -> bool:
    """Whether the shop says that the order is paid, be it enough to book the money or not."""
    order = facts.order
    if was_captured(order, policy):
        return True
    meaning, word = meaning_of(order.payment_method, policy), order.payment_status
    if meaning is Meaning.ON_ACCOUNT or word in _NEVER_CAME:
        return False
    if meaning is Meaning.ON_DELIVERY:
        refunded = order.status_id in REFUNDED_STATUSES and _money_went_back(facts)
        return order.status_id == OrderStatus.COMPLETED or refunded
    if meaning is Meaning.UNKNOWN and word in _NOT_YET:
        return False
    counted = policy.paid_status_ids - {OrderStatus.AWAITING_PAYMENT}
    return order.status_id in counted or order.status_id not in _UNPAID


def _money_went_back(facts: OrderFacts) -> bool:
    """Whether money of the order was given back, or had been booked as received."""
    return bool(facts.paid_by_hand) or any(
        part.amount and not part.declined and kind_named(part.provider_id) is None
        for refund in facts.refunds
        for part in refund.payments
    )


def was_captured(order: Order, policy: Policy) -> bool:
    """Whether the order's `payment_status` says that its money was captured, or a marketplace."""
    word = order.payment_status
    if is_net(order, policy):
        return word not in _NEVER_CAME
    on_account = meaning_of(order.payment_method, policy) is Meaning.ON_ACCOUNT
    # What went back had come in. On account, what was never paid is refunded too.
    return word in CAPTURED or (word in REFUNDED and not on_account)
