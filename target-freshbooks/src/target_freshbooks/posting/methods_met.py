"""Methods met: the shop's methods of payment by number of orders, with what each is taken for.

A method that nobody placed leaves invoices open. Whoever knows what it means finds the lines of
settings here that say so.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from target_freshbooks.books.payment_methods import Meaning, meaning_of
from target_freshbooks.books.policy import Policy


@dataclass(frozen=True, slots=True)
class MethodMet:
    """A method of payment.

    Attributes:
        name: As the shop calls it.
        orders: How many orders have it.
        left_open: How many of them are open since nothing tells that their money came.
        meaning: What the settings make of it.
        settings: The lines that place it, money in hand or on account; none if it is placed, and
            if no order is open for want of that.
    """

    name: str
    orders: int
    left_open: int
    meaning: Meaning
    settings: tuple[str, ...] = ()


def methods_met(counts: Mapping[tuple[str, bool], int], policy: Policy) -> list[MethodMet]:
    """The methods by name, from the numbers of their orders, those left open apart."""
    names = sorted({name for name, _ in counts})
    return [
        _met(name, counts.get((name, False), 0), counts.get((name, True), 0), policy)
        for name in names
    ]


def _met(name: str, others: int, left_open: int, policy: Policy) -> MethodMet:
    meaning = meaning_of(name, policy)
    unplaced = meaning is Meaning.UNKNOWN and left_open and name.strip()
    lines = tuple(_lines_that_place(name, policy)) if unplaced else ()
    return MethodMet(name, others + left_open, left_open, meaning, lines)


def _lines_that_place(name: str, policy: Policy) -> Iterator[str]:
    for setting, entries in (
        ("DERIVED_PAYMENT_METHODS", policy.derived_payment_methods),
        ("ON_ACCOUNT_METHODS", policy.on_account_methods),
    ):
        listed = json.dumps([*entries, name], ensure_ascii=False)
        yield f"TARGET_FRESHBOOKS_{setting}={shlex.quote(listed)}"


def text(methods: Iterable[MethodMet]) -> Iterator[str]:
    """The methods as lines for a terminal."""
    for method in methods:
        name = method.name.strip() or "(no method)"
        rest = f"; {method.left_open} left open" if method.left_open else ""
        meaning = "" if method.meaning is Meaning.UNKNOWN else f", {method.meaning}"
        yield f"  {method.orders:>6}  {name}{meaning}{rest}"
        if method.settings:
            in_hand, on_account = method.settings
            yield "          If it means money in hand, set"
            yield f"            {in_hand}"
            yield "          if it means on account, set"
            yield f"            {on_account}"
            yield "          and replay its orders with `--settings current`."
