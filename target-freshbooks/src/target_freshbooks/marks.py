"""Natural keys: the lines of text by which FreshBooks' records are known to be an order's.

FreshBooks has no field for the keys of other systems, so each record that is made for an order says
so in a line of its own: an invoice in its notes and purchase order number, a payment and a credit
note in their notes. The line names the order, its part and the store, since two stores have orders
of one number; it proves nothing unless the whole line is exactly that.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Self

from target_freshbooks.capabilities import FRESHBOOKS, clean
from target_freshbooks.shop.facts import Order

STEM = "BigCommerce order "
"""What every mark begins with; FreshBooks' lists are searched for it."""

# At most 18 digits: what is longer is no order's number, and no database's either.
_MARK = re.compile(r"BigCommerce order ([0-9]{1,18})(?:, (.+))? \(store ([^()\s]+)\)")
_REFUND = re.compile(r"refund ([0-9]{1,18})")
_REFUND_LINE = re.compile(r"Refund (\d+)(?:$|,)")
_REFUND_ROUNDING = re.compile(r"Refund \d+, rounding")
_RECEIVED = re.compile(r"Received ([0-9]+(?:\.[0-9]+)?) [A-Z]{3}")
_NUMBERED = re.compile(r" (?=[0-9]+$)")

DERIVED = "derived"
"""The part that a payment stands for which no transaction of the shop shows."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a record of ours stands for.

    Attributes:
        order_id: The order.
        store: The hash of the store it was placed in.
        part: `transaction 77`, `refund 5` and so on; empty for the invoice itself.
    """

    order_id: int
    store: str
    part: str = ""

    def __str__(self) -> str:
        part = f", {self.part}" if self.part else ""
        return f"{STEM}{self.order_id}{part} (store {self.store})"

    def of(self, part: str) -> Self:
        """The mark of a part of the same order."""
        return replace(self, part=part)

    def is_of_order(self, order: Self) -> bool:
        """Whether it stands for the order or for any part of it."""
        return (self.order_id, self.store) == (order.order_id, order.store)

    @property
    def key(self) -> str:
        """The part's short name: `transaction:77`, `refund:5`, `store_credit`, `derived`."""
        return _NUMBERED.sub(":", self.part).replace(" ", "_")

    @property
    def refund_id(self) -> int | None:
        """The refund it stands for; None for all else."""
        match = _REFUND.fullmatch(self.part)
        return int(match[1]) if match else None


def marks_in(*texts: str) -> list[Mark]:
    """The marks that stand in texts, each on a line of its own."""
    matches = (_MARK.fullmatch(line.strip()) for text in texts for line in text.splitlines())
    return [Mark(int(one[1]), one[3], one[2] or "") for one in matches if one]


def received_line(amount: Decimal, currency: str) -> str:
    """The line of a derived payment's note that tells what was booked at first."""
    return f"Received {amount} {currency}"


def received_in(text: str) -> Decimal | None:
    """What a note tells to have been booked at first; None if it does not."""
    matches = filter(None, (_RECEIVED.fullmatch(line.strip()) for line in text.splitlines()))
    return next((Decimal(one[1]) for one in matches), None)


def mark_of(order: Order) -> Mark:
    """The mark of the order's invoice."""
    return Mark(order.id, order.store_hash)


def refund_line(refund_id: int, what: str = "") -> str:
    """The name of a refund's line; `what` sets a refund's further lines apart."""
    name = f"Refund {refund_id}"
    return clean(f"{name}, {what}", FRESHBOOKS.name_length) if what else name


def is_refund_rounding(name: str) -> bool:
    """Whether it is the line that takes up the cents of a refund."""
    return _REFUND_ROUNDING.fullmatch(" ".join(name.split())) is not None


def is_refund_line(name: str) -> int | None:
    """The refund an invoice line belongs to by its name; None for all other lines."""
    match = _REFUND_LINE.match(" ".join(name.split()))
    return int(match[1]) if match else None


def other_than_refund(name: str) -> str:
    """The name of a line that is no refund's, told apart where a product is called "Refund 5"."""
    return name if is_refund_line(name) is None else clean(f"Item {name}", FRESHBOOKS.name_length)
