"""What a method of payment means: money in hand, a debt on account, or nothing that is known here.

Most money is told by a transaction. Where an order has none, its method of payment has to say
whether the money came, and the shop knows the method only by a name that the merchant may have
chosen.

*In hand*: cash, cheques, deposits. Nobody but a person can have taken the money, so that a paid
status of the order is that person's word. Cash on delivery is taken by the courier at the door, and
an order that is merely shipped is not paid: it counts once it is Completed.

*On account*: purchase orders, "Net 30", an invoice. The goods leave on a promise. The shop's status
says nothing of money then; the invoice stays open and is due after `payment_terms_days`, or the
number of days that the method names.

*Unknown*: a gateway, or a name that nobody placed. Its invoice stays open until money is captured.

A name is in hand if the whole of it is an entry of `derived_payment_methods`: "Cash App" is not
"cash". It is on account if the words of an entry of `on_account_methods` stand in it, one after the
other; `#` in an entry is a number of one to three digits. An entry that is the whole of a name
places it before any that is a part, so that every name can be placed either way.
"""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_freshbooks.books.policy import Policy

IN_HAND = (
    *("cash", "cash on delivery", "cod", "cheque", "check", "money order", "bank deposit"),
    *("bank transfer", "pay in store", "manual"),
)
"""The default of `derived_payment_methods`."""

ON_ACCOUNT = ("purchase order", "terms", "invoice", "on account", "net #")
"""The default of `on_account_methods`."""

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
