"""What is made of a field that was sent; a kind tells which of its fields is read how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector_sandbox.freshbooks import values

if TYPE_CHECKING:
    from decimal import Decimal

    from connector_sandbox.documents import Document
    from connector_sandbox.freshbooks.resource import Reader, Resource


def text(limit: str | None = None) -> Reader:
    """Text, no longer than a switch says."""
    return lambda of, name, sent: values.text(
        of.kind.singular, name, sent, of.switches.number(limit) if limit else 0
    )


def flag(_of: Resource, _name: str, sent: object) -> bool:
    """Yes or no."""
    return bool(sent)


def unread(_of: Resource, _name: str, sent: Any) -> Any:  # noqa: ANN401 - JSON
    """Whatever was sent."""
    return sent


def whole(of: Resource, name: str, sent: object) -> int:
    """A whole number; nothing is 0."""
    return values.whole(of.kind.singular, name, sent or 0)


def day(of: Resource, name: str, sent: object) -> str:
    """A date."""
    return values.day(of.kind.singular, name, sent)


def percent(of: Resource, name: str, sent: object) -> str:
    """A percent."""
    return values.percent(of.kind.singular, name, sent, of.switches)


def own_currency(of: Resource, name: str, sent: object, document: Document) -> tuple[Decimal, str]:
    """Money in the currency it names, else in the one that the document has there."""
    given = sent.get("code") if isinstance(sent, dict) else None
    code = str(given or document[name]["code"])
    return values.sum_of_money(of.kind.singular, name, sent, code, other_currency="ignore"), code
