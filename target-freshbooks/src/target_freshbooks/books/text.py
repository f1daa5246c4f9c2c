"""Text as FreshBooks takes it: cleaned and cut, never refused.

FreshBooks refuses some characters (errno 1036, "unicode out of range"; those beyond the Basic
Multilingual Plane, such as emoji, are the likely ones) and texts that are too long (errno 1017,
with limits that are not published). An order must not fail for the sake of a heart in a product's
name.
"""

from __future__ import annotations

import re
import unicodedata

from target_freshbooks.books.capabilities import FRESHBOOKS

_LAST_OF_BMP = "\uffff"
_ELLIPSIS = "…"
_REFUND_LINE = re.compile(r"Refund (\d+)(?:$|,)")
# Control, format-less surrogate, private and unassigned characters; format ones (Cf) such as the
# joiners of Persian or Hindi spelling are kept, but for the byte order mark.
_UNWANTED = frozenset({"Cc", "Cs", "Co", "Cn"})


def clean(text: str, limit: int, fallback: str = "") -> str:
    """Normalise (NFC), drop what FreshBooks may refuse, fold white space, cut to `limit`.

    A text that was cut ends in an ellipsis; a text of which nothing is left becomes the fallback.
    """
    kept = "".join(map(_allowed, unicodedata.normalize("NFC", text)))
    folded = " ".join(kept.split())
    if len(folded) > limit:
        folded = folded[: limit - 1].rstrip() + _ELLIPSIS
    return folded or fallback


def _allowed(character: str) -> str:
    if character > _LAST_OF_BMP or character == "\ufeff":
        return ""
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in _UNWANTED else character


def refund_line(refund_id: int, what: str = "") -> str:
    """The name of a refund's line; `what` sets a refund's further lines apart."""
    name = f"Refund {refund_id}"
    return clean(f"{name}, {what}", FRESHBOOKS.name_length) if what else name


def is_refund_line(name: str) -> int | None:
    """The refund an invoice line belongs to by its name; None for all other lines."""
    found = _REFUND_LINE.match(" ".join(name.split()))
    return int(found[1]) if found else None


def other_than_refund(name: str) -> str:
    """The name of a line that is no refund's, told apart where a product is called "Refund 5"."""
    return name if is_refund_line(name) is None else clean(f"Item {name}", FRESHBOOKS.name_length)
