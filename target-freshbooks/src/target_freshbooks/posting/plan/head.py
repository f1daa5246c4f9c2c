"""The invoice's head: which client it is of, and whom it is made out to.

The head is desired state like the lines: an order that is given to another customer, or whose
billing address is corrected in the shop, has its invoice follow; a field that is emptied there is
emptied here if it had come from there. Client and address are steps of their own, since FreshBooks
may allow the one and not the other.

A field is ours as long as it holds what FreshBooks held after our write. Of each the invoice's link
keeps two digests (`head`): of what was asked for last, and of what FreshBooks held then. What a
person changed stays, and so does what FreshBooks will not change: both are told once, and listed
(`left`).
"""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from target_freshbooks.freshbooks.observed import BillingAddress, ObservedInvoice
from target_freshbooks.ledger.storage.canonical import hash_of
from target_freshbooks.posting.digests import field_digest
from target_freshbooks.posting.identity import leaving
from target_freshbooks.posting.plan.steps import AttemptState, Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_freshbooks.ledger import Link
    from target_freshbooks.posting.context import OrderContext
    from target_freshbooks.posting.state import Recorded
    from target_freshbooks.shop.facts import Address

CLIENT = "customerid"
BILLING = tuple(field.name for field in fields(BillingAddress))
FIELDS = (CLIENT, *BILLING)
PARTS = {"client": (CLIENT,), "billing": BILLING}
"""The parts of a head; links of before 0.2 have the two digests of each part."""

FILLED_IN = "filled in"
"""In place of the digest of what was asked for: FreshBooks has put the client's own text there."""


def head_body(client_id: int, billing: Address) -> dict[str, Any]:
    """The head as FreshBooks takes it; what the shop leaves empty, FreshBooks fills in itself."""
    body = {
        "fname": billing.first_name,
        "lname": billing.last_name,
        "organization": billing.company,
        "street": billing.street_1,
        "street2": billing.street_2,
        "city": billing.city,
        "province": billing.state,
        "code": billing.zip,
        "country": billing.country,
    }
    return {CLIENT: client_id, **{name: value for name, value in body.items() if value}}


def head_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the head that stand in the body of an invoice."""
    return {name: body[name] for name in FIELDS if name in body}


def with_head(invoice: ObservedInvoice, body: Mapping[str, Any]) -> ObservedInvoice:
    """The invoice with the fields of the head that stand in the body."""
    billing = replace(invoice.billing, **{name: body[name] for name in BILLING if name in body})
    return replace(invoice, customer_id=body.get(CLIENT, invoice.customer_id), billing=billing)


def differing(invoice: ObservedInvoice, body: Mapping[str, Any]) -> list[str]:
    """The fields of the head that the invoice has otherwise than the body."""
    held = _held(invoice)
    return [name for name in FIELDS if name in body and _text(held[name]) != _text(body[name])]


def _held(invoice: ObservedInvoice) -> dict[str, Any]:
    return {CLIENT: invoice.customer_id, **asdict(invoice.billing)}


def _text(value: object) -> str:
    return " ".join(str(value).split())


# -- what the link remembers: digests only, since a billing address is personal data


def asked(link: Link, body: Mapping[str, Any], client_key: str | None) -> Link:
    """The invoice's link once the body's fields were asked for, whatever came of it.

    Args:
        link: The link.
        body: Fields of the head.
        client_key: Whom the order is of in the shop: which of FreshBooks' records that person has
            is FreshBooks' matter, where clients are merged and deleted. None if it is not known.
    """
    return _remembering(link, _asked(body, client_key), {})


def written(
    link: Link, invoice: ObservedInvoice, body: Mapping[str, Any], client_key: str | None
) -> Link:
    """The invoice's link once it stands as FreshBooks left it after our write of the body.

    Whoever gives an invoice a client has FreshBooks fill in name and address: that is ours too, and
    what had come from the shop is to be asked for anew.
    """
    if body.get(CLIENT) != invoice.customer_id:
        return _remembering(link, _asked(body, client_key), _digests(invoice, body))
    head = link.extra.get("head", {})
    anew = {name: FILLED_IN for name in BILLING if name in head and head[name][0]}
    return _remembering(link, anew | _asked(body, client_key), _digests(invoice, FIELDS))


def adopted(link: Link, invoice: ObservedInvoice, body: Mapping[str, Any], client_key: str) -> Link:
    """The link to an invoice that was just found: of its head is ours what stands as wanted."""
    ours = _as_wanted(invoice, body)
    return _remembering(link, _asked(body, client_key), _digests(invoice, ours))


def by_field(link: Link, invoice: ObservedInvoice, body: Mapping[str, Any]) -> Link:
    """The invoice's link with each field remembered by itself, as links of before 0.2 have none.

    All of a part is ours that holds what it held after our write, else what stands as wanted; of
    the client that is not known.
    """
    known = link.extra.get("head", {})
    parts = {part: known[part] for part in PARTS if part in known}
    if not parts:
        return link
    held, billing = _held(invoice), {name: body[name] for name in BILLING if name in body}
    before, ours = dict[str, str](), set[str]()
    for part, (wanted, had, *_) in parts.items():
        whole = had == _part_digest(held, part)
        ours |= {*PARTS[part]} if whole else _as_wanted(invoice, billing) & {*PARTS[part]}
        if part == "client":
            before[CLIENT] = wanted
            continue
        # What was asked for is known if it is asked for now, or if FreshBooks filled in nothing.
        stands = {name: held[name] for name in BILLING if held[name]}
        for given in (stands, billing):
            if _part_digest(given, part) == wanted:
                before |= _asked(given, None)
    renewed = {name: pair for name, pair in known.items() if name in FIELDS}
    link = replace(link, extra={**link.extra, "head": {}})
    head = _remembering(link, before, _digests(invoice, ours)).extra["head"] | renewed
    return replace(link, extra={**link.extra, "head": head})


def left_alone(link: Link, names: Iterable[str], dealt_with: Iterable[str] = ()) -> Link:
    """The invoice's link with the fields of its head that do not follow the shop; see `status`."""
    return leaving(link, sorted({*names, *({*link.extra.get("left", ())} - {*dealt_with})}))


def _remembering(link: Link, asked: Mapping[str, str], held: Mapping[str, str]) -> Link:
    head = dict(link.extra.get("head", {}))
    for name in FIELDS:
        if name in asked or name in held:
            before, after = head.get(name, ("", ""))
            head[name] = [asked.get(name, before), held.get(name, after)]
    return replace(link, extra={**link.extra, "head": head})


def _asked(body: Mapping[str, Any], client_key: str | None) -> dict[str, str]:
    digests = {name: field_digest(name, _text(value)) for name, value in body.items()}
    if CLIENT in body:
        digests[CLIENT] = "" if client_key is None else hash_of(client_key)
    return digests


def _digests(invoice: ObservedInvoice, names: Iterable[str]) -> dict[str, str]:
    held = _held(invoice)
    return {name: field_digest(name, _text(held[name])) for name in names}


def _as_wanted(invoice: ObservedInvoice, body: Mapping[str, Any]) -> set[str]:
    return {*FIELDS} - {*differing(invoice, {**dict.fromkeys(FIELDS, ""), **body})}


def _part_digest(held: Mapping[str, Any], part: str) -> str:
    return hash_of({name: str(held[name]) for name in PARTS[part] if name in held})


# -- what follows from it


def is_ours(recorded: Recorded, invoice: ObservedInvoice, name: str) -> bool:
    """Whether the field holds what FreshBooks held after our last write of it."""
    return recorded.head_of(name)[1] == _digests(invoice, [name])[name]


def is_moved(recorded: Recorded, invoice: ObservedInvoice) -> bool:
    """Whether the invoice is of another client than it was after our last write."""
    return bool(recorded.head_of(CLIENT)[1]) and not is_ours(recorded, invoice, CLIENT)


def keeps_its_client(recorded: Recorded, invoice: ObservedInvoice, client_key: str) -> bool:
    """Whether the invoice's client is left alone, so that none need be made for the order."""
    changed = CLIENT in recorded.head and not is_ours(recorded, invoice, CLIENT)
    return _is_of(recorded, client_key) or changed or CLIENT in recorded.left


def _is_of(recorded: Recorded, client_key: str) -> bool:
    return recorded.head_of(CLIENT)[0] == hash_of(client_key)


def asked_head(context: OrderContext) -> dict[str, Any]:
    """The head as it is asked for: what we wrote before and the shop has emptied since, as "".

    What the shop never had was filled in by FreshBooks, or by a person.
    """
    given = [name for name in BILLING if context.recorded.head_of(name)[0]]
    return dict.fromkeys(given, "") | context.head_body


def staying(context: OrderContext, invoice: ObservedInvoice) -> set[str]:
    """The fields that differ from the shop's and do not follow it."""
    recorded = context.recorded
    left = {
        name
        for name in differing(invoice, asked_head(context))
        if name in recorded.left or not is_ours(recorded, invoice, name)
    }
    moved = context.keeps_client and not _is_of(recorded, context.desired.client.key)
    kept = context.keeps_client and CLIENT in recorded.left
    return left | {CLIENT} if moved or kept or is_moved(recorded, invoice) else left


def head_step(
    context: OrderContext, invoice: ObservedInvoice, progress: AttemptState
) -> Step | None:
    """The step that has the head follow the shop; None if there is nothing to do or to touch.

    A field is asked for once as it is wanted now, and only if it is ours; where a person asked to
    overwrite edits, once in an attempt.
    """
    body, recorded = asked_head(context), context.recorded
    wanted = _asked(body, context.desired.client.key)
    due = [
        name
        for name in differing(invoice, body)
        if name not in progress.head_asked
        if progress.overwrite
        or (recorded.head_of(name)[0] != wanted[name] and is_ours(recorded, invoice, name))
    ]
    for part, names in PARTS.items():
        asked_for = {name: body[name] for name in names if name in due}
        if asked_for:
            what = "client" if part == "client" else "billing address"
            return Step(
                StepKind.UPDATE_HEAD,
                invoice.number,
                asked_for,
                f"have the {what} of invoice {invoice.number} follow the order",
                remote_id=invoice.id,
            )
    return None
