"""What a hook says: which order it is about, or why it is none of ours.

Bodies are thin and of several shapes ("Webhook events" in BigCommerce's docs): order scopes carry
``data.id``; transaction scopes carry ``data.order_id`` as text and no ``data.id``; each also comes
in a channel form ``store/channel/{id}/order/...``. ``created_at`` may be missing, and a wildcard
subscription may name the wildcard itself, so the data decides where the scope does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from connector_credentials.json_text import read_json

DELIVERY_EXCEPTION = "store/hook/deliveryException"
LARGEST_ORDER_ID = 2**63 - 1
_SCOPE = re.compile(r"store/(?:channel/[0-9]{1,18}/)?(?P<event>[A-Za-z0-9/_*.\-]{1,120})\Z")
# Messages and custom fields of an order change nothing in the books.
_WITHOUT_MONEY = ("order/message/", "order/metafield/")


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook, read.

    Attributes:
        scope: As the body says; empty where it says none that could be one.
        order_id: The order to bring over, or None.
        ignored: Why there is nothing to do, or empty.
        other_store: Whether it speaks of a store that is not ours.
        notice: What BigCommerce complains of, for its own delivery exceptions; else empty.
    """

    scope: str
    order_id: int | None = None
    ignored: str = ""
    other_store: bool = False
    notice: str = ""


def read(body: bytes, store_hash: str) -> Hook:
    """Read the body of a genuine hook. Never raises: BigCommerce's word is kept, whatever it is."""
    try:
        document = read_json(body, str)
    except ValueError:
        return Hook("", ignored="The body is no JSON.")
    if not isinstance(document, dict):
        return Hook("", ignored="The body is no JSON object.")
    scope = document.get("scope")
    named = _SCOPE.match(scope) if isinstance(scope, str) else None
    if named is None:
        return Hook("", ignored="The body names no scope.")
    if document.get("producer") != f"stores/{store_hash}":
        return Hook(named.string, ignored="It is about another store.", other_store=True)
    return _of_data(named.string, named["event"], document.get("data"))


def _of_data(scope: str, event: str, data: object) -> Hook:
    if not isinstance(data, dict):
        return Hook(scope, ignored="The body holds no data.")
    return _exception(scope, data) if scope == DELIVERY_EXCEPTION else _order(scope, event, data)


def _order(scope: str, event: str, data: dict[str, Any]) -> Hook:
    if not event.startswith("order/"):
        return Hook(scope, ignored="The scope is not about orders.")
    if event.startswith(_WITHOUT_MONEY) or "metafield_id" in data:
        return Hook(scope, ignored="The scope changes nothing in the books.")
    if event.startswith("order/transaction/") or data.get("type") == "transaction":
        order_id = _number(data.get("order_id"))
    else:
        order_id = _number(data.get("id"))
    if order_id is None:
        return Hook(scope, ignored="The body names no order.")
    return Hook(scope, order_id)


def _exception(scope: str, data: dict[str, Any]) -> Hook:
    hook_id, code = _number(data.get("id")), _number(data.get("error_code"))
    notice = _CODES.get(code or 0, "An undocumented code.")
    return Hook(scope, ignored=f"Delivery exception {code} for hook {hook_id}.", notice=notice)


_CODES = {
    90001: "A hook could not be delivered; BigCommerce will try again.",
    90002: "A hook could not be delivered for two days and was switched off; `check` mends it.",
    90003: "Our domain was blocked for some minutes because too many hooks failed.",
}


def _number(value: object) -> int | None:
    """An id given as number or as text of digits; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ORDER_ID:
        return value
    return None
