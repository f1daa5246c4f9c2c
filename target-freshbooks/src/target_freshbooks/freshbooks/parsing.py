"""FreshBooks' JSON into `Observed*` values, tolerant of what its answers really look like.

Ids come as ints or text, empty text as "" or null, whole objects without some keys. Amounts are
`{"amount": "12.50", "code": "USD"}`. What makes a record useless (no id, an amount that is no
number) raises `Unreadable`: better than a zero that looks like money.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from connector_credentials.json_text import decimal_of

from .observed import (
    BillingAddress,
    ObservedCategory,
    ObservedClient,
    ObservedCreditNote,
    ObservedExpense,
    ObservedInvoice,
    ObservedItem,
    ObservedLine,
    ObservedPayment,
    ObservedTax,
)

T = TypeVar("T")
Row = Mapping[str, Any]

EASTERN = ZoneInfo("America/New_York")
"""The zone of accounting timestamps, which do not name it; a client's `signup_date` is in UTC."""


class Unreadable(ValueError):  # noqa: N818 - the word says it
    """A record of an answer lacks what makes it that record; the message names the field."""


def mapping_of(value: object) -> Row:
    """The object; an empty one in the place of anything else."""
    return value if isinstance(value, Mapping) else {}


def rows_of(value: object, kind: type[T]) -> list[T]:
    """The list's entries of that type; none if it is no list."""
    return [row for row in value if isinstance(row, kind)] if isinstance(value, list) else []


def text(row: Row, key: str) -> str:
    """The text at the key; "" for null and for a missing key."""
    value = row.get(key)
    return "" if value is None else str(value)


def whole(row: Row, key: str, default: int | None = None) -> int:
    """The int at the key, also if the wire has it as text."""
    value = row.get(key)
    if value is None or value == "" or isinstance(value, bool):
        if default is None:
            raise Unreadable(f"no {key}")
        return default
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Unreadable(f"{key} is no whole number") from None


def whole_or_none(row: Row, key: str) -> int | None:
    """The int at the key, None if there is none (FreshBooks also writes 0 for "none")."""
    return whole(row, key, 0) or None


def identifier(row: Row, *keys: str) -> int:
    """The id under the first of the names present: records have `id` and an older alias."""
    for key in keys:
        if row.get(key) not in (None, ""):
            return whole(row, key)
    raise Unreadable(f"no {keys[0]}")


def number(row: Row, key: str, default: Decimal | None = None) -> Decimal:
    """The Decimal at the key."""
    return _decimal(row.get(key), key, default)


def _decimal(value: object, key: str, default: Decimal | None = None) -> Decimal:
    if value is None or value == "":
        if default is None:
            raise Unreadable(f"no {key}")
        return default
    if isinstance(value, float | bool) or not isinstance(value, str | int | Decimal):
        raise Unreadable(f"{key} is no number")
    number = decimal_of(str(value))
    if number is None:
        raise Unreadable(f"{key} is no number")
    return number


def money(row: Row, key: str, default: Decimal | None = None) -> tuple[Decimal, str]:
    """Amount and currency code of a money object; the code is "" if it is not given."""
    value = row.get(key)
    if isinstance(value, Mapping):
        return _decimal(value.get("amount"), key, default), text(value, "code")
    return _decimal(value, key, default), ""


def day(row: Row, key: str) -> date:
    """A plain date; FreshBooks' dates have no zone."""
    try:
        return date.fromisoformat(text(row, key)[:10])
    except ValueError:
        raise Unreadable(f"{key} is no date") from None


def moment(row: Row, key: str, zone: tzinfo) -> datetime | None:
    """The time of day at the key, to the second, aware; None if there is none to be read."""
    try:
        return datetime.fromisoformat(text(row, key)).replace(tzinfo=zone, microsecond=0)
    except ValueError:
        return None


def line(row: Row) -> ObservedLine:
    """One invoice line. `taxAmount1` is a percent, whatever its name says."""
    unit_cost, _ = money(row, "unit_cost", Decimal(0))
    amount, _ = money(row, "amount", Decimal(0))
    return ObservedLine(
        name=text(row, "name"),
        description=text(row, "description"),
        qty=number(row, "qty", Decimal(0)),
        unit_cost=unit_cost,
        amount=amount,
        tax_name1=text(row, "taxName1") or None,
        tax_percent1=number(row, "taxAmount1", Decimal(0)),
        tax_name2=text(row, "taxName2") or None,
        tax_percent2=number(row, "taxAmount2", Decimal(0)),
    )


def invoice(row: Row) -> ObservedInvoice:
    """An invoice; `lines` stays None if the answer has none of that key."""
    amount, code = money(row, "amount")
    paid, _ = money(row, "paid", Decimal(0))
    outstanding, _ = money(row, "outstanding", amount - paid)
    lines = row.get("lines")
    if lines is not None and rows_of(lines, dict) != lines:
        raise Unreadable("lines is no list of objects")
    return ObservedInvoice(
        id=identifier(row, "id", "invoiceid"),
        number=text(row, "invoice_number"),
        customer_id=whole(row, "customerid", 0),
        status=whole(row, "status", 0),
        payment_status=text(row, "payment_status"),
        amount=amount,
        paid=paid,
        outstanding=outstanding,
        currency=text(row, "currency_code") or code,
        create_date=day(row, "create_date"),
        notes=text(row, "notes"),
        po_number=text(row, "po_number"),
        vis_state=whole(row, "vis_state", 0),
        lines=None if lines is None else tuple(line(one) for one in lines),
        updated=moment(row, "updated", EASTERN),
        billing=billing(row),
    )


def billing(row: Row) -> BillingAddress:
    """Whom an invoice, or the body of one, is made out to."""
    return BillingAddress(**{one.name: text(row, one.name) for one in fields(BillingAddress)})


def payment(row: Row) -> ObservedPayment:
    """A payment."""
    amount, code = money(row, "amount")
    return ObservedPayment(
        id=identifier(row, "id", "logid"),
        invoice_id=whole(row, "invoiceid", 0),
        amount=amount,
        currency=code,
        date=day(row, "date"),
        type=text(row, "type"),
        note=text(row, "note"),
        vis_state=whole(row, "vis_state", 0),
        overpayment_id=whole_or_none(row, "overpaymentid"),
    )


_NO_PLAIN_TEXT = frozenset({"id", "vis_state", "email", "signup_date"})
CLIENT_TEXTS = tuple(one.name for one in fields(ObservedClient) if one.name not in _NO_PLAIN_TEXT)


def client(row: Row) -> ObservedClient:
    """A client."""
    return ObservedClient(
        id=identifier(row, "id", "userid"),
        vis_state=whole(row, "vis_state", 0),
        email=text(row, "email").strip(),
        **{name: text(row, name) for name in CLIENT_TEXTS},
        signup_date=moment(row, "signup_date", UTC),
    )


def item(row: Row) -> ObservedItem:
    """An item; a missing price is None, not zero."""
    price, code = money(row, "unit_cost", Decimal("NaN"))
    return ObservedItem(
        id=identifier(row, "id", "itemid"),
        name=text(row, "name"),
        sku=text(row, "sku"),
        description=text(row, "description"),
        unit_cost=None if price.is_nan() else price,
        currency=code or None,
        vis_state=whole(row, "vis_state", 0),
        updated=moment(row, "updated", EASTERN),
    )


def tax(row: Row) -> ObservedTax:
    """A tax; `amount` is its percent, whatever its name says."""
    return ObservedTax(
        id=identifier(row, "id", "taxid"),
        name=text(row, "name").strip(),
        percent=number(row, "amount", Decimal(0)),
        compound=text(row, "compound").lower() in {"true", "1"},
    )


def expense(row: Row) -> ObservedExpense:
    """An expense."""
    amount, code = money(row, "amount")
    return ObservedExpense(
        id=identifier(row, "id", "expenseid"),
        amount=amount,
        currency=code,
        date=day(row, "date"),
        notes=text(row, "notes"),
        vis_state=whole(row, "vis_state", 0),
    )


def category(row: Row) -> ObservedCategory:
    """A category of expenses."""
    return ObservedCategory(
        id=identifier(row, "id", "categoryid"),
        name=text(row, "category"),
        vis_state=whole(row, "vis_state", 0),
    )


def credit_note(row: Row) -> ObservedCreditNote:
    """A credit note; the client is `clientid` on the wire."""
    amount, code = money(row, "amount")
    return ObservedCreditNote(
        id=identifier(row, "id", "creditid"),
        client_id=whole(row, "clientid", 0),
        number=text(row, "credit_number"),
        amount=amount,
        currency=text(row, "currency_code") or code,
        notes=text(row, "notes"),
        vis_state=whole(row, "vis_state", 0),
        credit_id=whole_or_none(row, "creditid"),
        credit_type=text(row, "credit_type"),
        day=day(row, "create_date") if row.get("create_date") else None,
    )
