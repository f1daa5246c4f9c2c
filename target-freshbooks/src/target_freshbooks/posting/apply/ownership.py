"""Whose a client's or an item's fields are: what a person made or corrected is never changed.

A client or item is ours if a create of ours made it; the link to it says so (`made`). Of ours, a
field is ours as long as it holds what FreshBooks answered when we wrote it last, of which the link
keeps a digest (`wrote`). All else belongs to whoever typed it: it is left, and the link names the
fields whose change by the shop was left (`left`).
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from target_freshbooks.freshbooks.observed import ObservedClient, ObservedItem
from target_freshbooks.ledger import Link
from target_freshbooks.posting.digests import field_digest

Fields = Mapping[str, str]
"""A record's fields by FreshBooks' names, each in the one form that is compared."""

CLIENT_FIELDS = (
    *("fname", "lname", "organization", "email"),
    *("p_street", "p_street2", "p_city", "p_province", "p_code", "p_country", "currency_code"),
    *("vat_name", "vat_number"),
)


def fields_of(record: ObservedClient | ObservedItem) -> Fields:
    """The fields of a client or item as FreshBooks holds them."""
    if isinstance(record, ObservedClient):
        return {name: _text(name, getattr(record, name)) for name in CLIENT_FIELDS}
    cost = None
    if record.unit_cost is not None:
        cost = {"amount": record.unit_cost, "code": record.currency}
    held = {"name": record.name, "sku": record.sku, "description": record.description}
    return {name: _text(name, value) for name, value in {**held, "unit_cost": cost}.items()}


def made(record: ObservedClient | ObservedItem) -> dict[str, Any]:
    """What the link to a record says that we made: all its fields are ours as they are now."""
    return {"made": True, "wrote": _digests(fields_of(record))}


def made_of(record: ObservedClient | ObservedItem, body: Mapping[str, Any]) -> dict[str, Any]:
    """The same where no answer told how it stood: what the body does not say is a person's."""
    held = fields_of(record)
    return {
        "made": True,
        "wrote": _digests({name: held[name] for name in held if name in body or not held[name]}),
    }


def is_made(link: Link) -> bool:
    """Whether a create of ours made what the link leads to, for the link's own key."""
    return bool(link.extra.get("made"))


def change(
    link: Link, wanted: Mapping[str, Any], standing: Fields
) -> tuple[dict[str, Any], set[str]]:
    """Divide what differs from the shop into the body to write and the fields that are left.

    Args:
        link: The link to the record, which we made.
        wanted: The fields as the shop has them, in the form of a body.
        standing: The fields as FreshBooks has them now.
    """
    differing = [name for name, value in wanted.items() if _text(name, value) != standing[name]]
    wrote = link.extra.get("wrote", {})
    ours = {name for name in differing if wrote.get(name) == field_digest(name, standing[name])}
    return {name: wanted[name] for name in differing if name in ours}, {*differing} - ours


def not_taken(body: Mapping[str, Any], before: Fields, after: Fields) -> tuple[str, ...]:
    """The fields of a written body that stand as before: FreshBooks ignored them."""
    return tuple(name for name in body if after[name] == before[name])


def written(link: Link, body: Mapping[str, Any], after: Fields) -> dict[str, Any]:
    """What the link says after a body was written: these fields are ours as they are now."""
    wrote = link.extra.get("wrote", {}) | _digests({name: after[name] for name in body})
    return link.extra | {"wrote": wrote}


def is_of_write(
    record: ObservedClient | ObservedItem, body: Mapping[str, Any], since: datetime
) -> bool:
    """Whether a record found is certainly what an unanswered create made, not a person's.

    It holds all that was sent, and did not stand before the create was about to be sent.
    """
    stamp = record.signup_date if isinstance(record, ObservedClient) else record.updated
    return stamp is not None and stamp >= since.replace(microsecond=0) and has(record, body)


def has(record: ObservedClient | ObservedItem, body: Mapping[str, Any]) -> bool:
    """Whether the record holds all that the body says, as far as its fields are compared."""
    held = fields_of(record)
    return all(_text(name, value) == held[name] for name, value in body.items() if name in held)


def _digests(fields: Fields) -> dict[str, str]:
    return {name: field_digest(name, value) for name, value in fields.items()}


def _text(name: str, value: Any) -> str:  # noqa: ANN401 - text, or an amount of money
    if isinstance(value, Mapping):
        return f"{Decimal(value['amount']).normalize():f} {value['code']}"
    text = "" if value is None else str(value).strip()
    return text.casefold() if name == "email" else text
