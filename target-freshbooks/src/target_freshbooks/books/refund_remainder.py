"""Refund remainder: what refunds have left of an order, and a refund that takes all of it."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from target_freshbooks.books.breakdown import Part
from target_freshbooks.books.charges import ChargeKind
from target_freshbooks.books.desired import LineTax
from target_freshbooks.books.refund_lines import Allocation, gross_of
from target_freshbooks.money import ONE, sum_by_key, total

Remainder = Mapping[tuple[str, tuple[LineTax, ...]], Decimal]
"""Net amounts, by the item of a certificate sold (empty for goods) and the taxes."""

_FEW = 5
"""So many of the least amount may be between what is left and an amount that takes all of it."""


def certificate_item(part: Part) -> str:
    """The item of a certificate sold, which is taken back from it again."""
    lined = part.kind is ChargeKind.GIFT_CERTIFICATE and part.item_key and not part.taxes
    return part.name if lined else ""


def remainder(parts: Sequence[Part], earlier: Iterable[Allocation]) -> Remainder:
    """The net amounts that refunds have left, by the item of a certificate sold and the taxes."""
    items = {"", *map(certificate_item, parts)}
    gone = (
        ((one.item, taxes), -net) for one in earlier if one.item in items for taxes, net in one.nets
    )
    sold = (((certificate_item(part), part.taxes), part.net) for part in parts)
    return sum_by_key((*sold, *gone))


def remainder_of_goods(
    parts: Sequence[Part], earlier: Iterable[Allocation]
) -> dict[tuple[LineTax, ...], Decimal]:
    """The same of the goods alone, by their taxes."""
    return {taxes: net for (item, taxes), net in remainder(parts, earlier).items() if not item}


def all_that_is_left(
    allocations: Sequence[Allocation],
    left: Remainder,
    part: Decimal,
    least: Decimal,
) -> tuple[Allocation, ...]:
    """The same amount as exactly what is left of these; empty if it is only some of it."""
    items = {item for item, _ in left}
    of_these = [one for one in allocations if one.item in items]
    amount = total(one.gross for one in of_these) * part
    worth = total(gross_of(taxes, net) for (_, taxes), net in left.items())
    off = abs(amount - worth)
    if min(amount, worth) <= 0 or off > _FEW * least:
        return ()
    named = {(one.item, one.taxes) for one in of_these}
    besides = total(gross_of(key[1], net) for key, net in left.items() if key not in named)
    explained = not any(one.of_order for one in of_these)
    if off > least and 0 < besides <= _FEW * least and explained:
        return ()  # something else is left that costs a few cents
    of_it = amount / worth if off > least else ONE
    rest = list[Allocation]()
    for (item, taxes), net in left.items():
        about = (
            one.what
            for one in of_these
            if one.what and (one.of_order or (one.item, one.taxes) == (item, taxes))
        )
        what = "; ".join(dict.fromkeys(about))
        rest.append(Allocation(net * of_it / part, taxes, what=what, item=item))
    return (*rest, *(one for one in allocations if one.item not in items))
