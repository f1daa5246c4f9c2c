"""Reading what a client sent: text, numbers, percents, dates, money, each with its own refusal."""

from contextlib import suppress
from datetime import date
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connector_sandbox.freshbooks import errors
from connector_sandbox.switches import Switches

CENT = Decimal("0.01")
HOME_CURRENCY = "USD"
_LAST_OF_BMP = 0xFFFF
_HUNDRED = Decimal(100)


def rounding(switches: Switches) -> str:
    """The decimal module's name for the rounding that is switched on."""
    return ROUND_HALF_UP if switches["fb.rounding_mode"] == "half_up" else ROUND_HALF_EVEN


def money(amount: Decimal, code: str) -> dict[str, str]:
    """Money as it goes over the wire, with two decimals."""
    return {"amount": f"{amount.quantize(CENT):f}", "code": code}


def amount_of(wire: dict[str, str]) -> Decimal:
    """The number in wire money."""
    return Decimal(wire["amount"])


def decimal(kind: str, field: str, value: object, *, errno: int = errors.NOT_A_NUMBER) -> Decimal:
    """Read a number given as text (or as a JSON number, which was parsed without a float)."""
    number = Decimal("NaN")
    if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool):
        with suppress(InvalidOperation):
            number = Decimal(value)
    words = f"The field '{field}' must be a number."
    refusal = errors.invalid(kind, field, value, words, errno=errno)
    errors.refuse(not number.is_finite(), refusal)
    return number


def whole(kind: str, field: str, value: object) -> int:
    """Read an id or another whole number."""
    number = decimal(kind, field, value)
    words = f"The field '{field}' must be a number."
    broken = number != number.to_integral_value()
    errors.refuse(broken, errors.invalid(kind, field, value, words))
    return int(number)


def percent(kind: str, field: str, value: object, switches: Switches) -> str:
    """Read a percent between 0 and 100 and give it as the API keeps it."""
    if value is None or value == "":
        return "0"
    number = decimal(kind, field, value, errno=errors.BAD_PERCENT)
    if not 0 <= number <= _HUNDRED:
        raise errors.invalid(kind, field, value, "Invalid percent value.", errno=errors.BAD_PERCENT)
    kept = Decimal(1).scaleb(-switches.number("fb.tax_percent_decimals"))
    return plain(number.quantize(kept, rounding(switches)))


def plain(number: Decimal) -> str:
    """A number as text without an exponent or idle zeros: ``4``, ``9.975``."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def day(kind: str, field: str, value: object) -> str:
    """Read a date ``YYYY-MM-DD``."""
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        words = f"The field '{field}' must be a date of the form YYYY-MM-DD."
        raise errors.invalid(kind, field, value, words, errno=errors.NOT_A_DATE) from None


def text(kind: str, field: str, value: object, limit: int = 0) -> str | None:
    """Read text of at most ``limit`` characters (0: any)."""
    if value is None:
        return None
    if isinstance(value, (dict, list)):
        raise errors.invalid(kind, field, value)
    read = str(value)
    if limit and len(read) > limit:
        words = f"The field '{field}' must be at most {limit} characters long."
        raise errors.invalid(kind, field, read, words, errno=errors.TOO_LONG)
    return read


def sum_of_money(
    kind: str, field: str, value: object, currency: str, *, other_currency: str
) -> Decimal:
    """Read ``{"amount": "12.50", "code": "CAD"}``, whose code may be left out.

    Args:
        kind: object the field belongs to.
        field: name of the field.
        value: what was sent.
        currency: the currency it has to be in.
        other_currency: ``refuse`` or ``ignore`` another one.
    """
    if not isinstance(value, dict) or "amount" not in value:
        raise errors.invalid(kind, field, value, f"'{field}' must have an amount.")
    code = value.get("code")
    if code and code != currency and other_currency == "refuse":
        words = f"The currency of '{field}' must be {currency}."
        raise errors.invalid(kind, field, code, words)
    return decimal(kind, field, value["amount"])


def refuse_non_bmp(kind: str, body: Any, field: str = "") -> None:  # noqa: ANN401 - JSON
    """Refuse characters outside the Basic Multilingual Plane anywhere in a body."""
    if isinstance(body, str):
        if not body.isascii() and any(ord(character) > _LAST_OF_BMP for character in body):
            words = "Unicode character out of range."
            raise errors.invalid(kind, field, "", words, errno=errors.UNICODE)
    elif isinstance(body, dict):
        for name, value in body.items():
            refuse_non_bmp(kind, value, name)
    elif isinstance(body, list):
        for value in body:
            refuse_non_bmp(kind, value, field)
