"""Takes an order's line items out of its consignments.

With ``include=consignments.line_items`` BigCommerce nests the lines in the consignments they go
with: ``shipping``, ``pickups``, ``downloads`` and ``email.gift_certificates``. Without it the same
places hold links. Source: "Get consignments", BigCommerce v2 orders reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tap_bigcommerce_orders.normalize import Json, is_link, whole

Row = dict[str, Any]

PAGE_SIZES = frozenset({10, 50, 100, 250})
"""A list of exactly so many rows may have been capped there (the documented page sizes)."""

WARNING = "__warning__"


def split_consignments(node: Json) -> tuple[Json, list[Row]] | None:
    """Part consignments and line items.

    Args:
        node: The ``consignments`` of a raw order.

    Returns:
        The consignments without their line items, and the line items in order of id, each once;
        None if the line items are not in there, only links or nothing.
    """
    if not node or is_link(node):
        return None
    lines: dict[int, Row] = {}
    try:
        rest = _without_lines(node, lines, kind="")
    except _OnlyLinksError:
        return None
    return rest, [lines[line_id] for line_id in sorted(lines)]


def may_be_cut(node: Json) -> bool:
    """Whether some consignment says, or has so many lines, that there may be more of them.

    The list of orders gives at most 50 lines a consignment, with a key `__warning__` somewhere.
    """
    if isinstance(node, list):
        return any(map(may_be_cut, node))
    if not isinstance(node, Mapping):
        return False
    items = node.get("line_items")
    capped = isinstance(items, list) and len(items) in PAGE_SIZES
    return capped or WARNING in node or any(map(may_be_cut, node.values()))


class _OnlyLinksError(Exception):
    """The line items are not included, or not as such."""


def _without_lines(node: Json, lines: dict[int, Row], kind: str) -> Json:
    """Copy a part of the consignments; its line items go to ``lines``.

    ``kind`` is the name under which it stands, such as ``shipping``.
    """
    if isinstance(node, list):
        return [_without_lines(item, lines, kind) for item in node]
    if not isinstance(node, Mapping):
        return node
    lines |= dict(_lines_of(node, kind))
    return {
        key: _without_lines(inner, lines, key.lower())
        for key, inner in node.items()
        if key != "line_items" and not is_link(inner)
    }


def _lines_of(consignment: Mapping[str, Json], kind: str) -> Iterator[tuple[int, Row]]:
    items = consignment.get("line_items", [])
    if not isinstance(items, list):
        raise _OnlyLinksError
    for item in items:
        line_id = whole(item.get("id")) if isinstance(item, Mapping) else None
        if line_id is None:
            raise _OnlyLinksError
        line = dict(item)
        if kind == "shipping" and "id" in consignment:
            line.setdefault("order_address_id", consignment["id"])
        if kind == "gift_certificates":
            line.setdefault("type", "giftcertificate")
        yield line_id, line
