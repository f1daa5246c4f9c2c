"""The invoice's head: which client it is of, and whom it is made out to.

The head is desired state like the lines: an order that is given to another customer, or whose
billing address is corrected in the shop, has its invoice follow; a field that is emptied there is
emptied here if it was ours. Client and address are steps of
their own, since FreshBooks may allow the one and not the other. What a person changed in FreshBooks
stays, and so does what FreshBooks will not change: both are told once, and listed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from target_freshbooks.freshbooks.observed import BillingAddress, ObservedInvoice
from target_freshbooks.ledger.storage.canonical import hash_of
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
PARTS = {"client": (CLIENT,), "billing": BILLING}
"""The parts of a head, by the names under which the ledger remembers them."""


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
    return {name: body[name] for name in (CLIENT, *BILLING) if name in body}


def with_head(invoice: ObservedInvoice, body: Mapping[str, Any]) -> ObservedInvoice:
    """The invoice with the fields of the head that stand in the body."""
    billing = replace(invoice.billing, **{name: body[name] for name in BILLING if name in body})
    return replace(invoice, customer_id=body.get(CLIENT, invoice.customer_id), billing=billing)


def differing(invoice: ObservedInvoice, body: Mapping[str, Any]) -> list[str]:
    """The fields of the head that the invoice has otherwise than the body."""
    held = _held(invoice)
    return [name for name in (CLIENT, *BILLING) if name in body and _other(held, body, name)]


def _held(invoice: ObservedInvoice) -> dict[str, Any]:
    return {CLIENT: invoice.customer_id, **asdict(invoice.billing)}


def _other(held: Mapping[str, Any], asked: Mapping[str, Any], name: str) -> bool:
    return str(held[name]).split() != str(asked[name]).split()


@dataclass(frozen=True, slots=True)
class WantedHead:
    """A head as it is wanted.

    Attributes:
        digests: Of each part.
        names: The fields that it has.
    """

    digests: Mapping[str, str]
    names: frozenset[str]


def wanted_head(body: Mapping[str, Any], client_key: str | None) -> WantedHead:
    """The head as it is wanted.

    The client's digest is of whom the order is of in the shop: which of FreshBooks' records that
    person has is FreshBooks' matter: there clients are merged and deleted. None if it is not known.
    """
    client = "" if client_key is None else hash_of(client_key)
    digests = {"client": client, "billing": _digest(body, "billing")}
    return WantedHead(digests, frozenset(head_of(body)))


def remembered(
    link: Link, invoice: ObservedInvoice, wanted: WantedHead, parts: Iterable[str] = PARTS
) -> Link:
    """The invoice's link with the head that was asked for, and as it stands now.

    Digests and names of fields only: what stands in a billing address is personal data.

    Args:
        link: The link.
        invoice: The invoice.
        wanted: The head that is wanted, see `wanted_head`.
        parts: Which parts of it were dealt with.
    """
    head = dict(link.extra.get("head", {}))
    for part in parts:
        names = [name for name in PARTS[part] if name in wanted.names]
        head[part] = [wanted.digests[part], _digest(_held(invoice), part), names]
    return replace(link, extra={**link.extra, "head": head})


def left_alone(link: Link, names: Iterable[str], dealt_with: Iterable[str] = PARTS) -> Link:
    """The invoice's link with the fields of its head that do not follow the shop; see `status`."""
    others = {name for part in dealt_with for name in PARTS[part]}
    left = sorted({*names, *(set(link.extra.get("left", ())) - others)})
    return leaving(link, left)


def part_of(step: Step) -> str:
    """The part of the head that a step is about."""
    return "client" if CLIENT in step.body else "billing"


def _digest(held: Mapping[str, Any], part: str) -> str:
    return hash_of({name: str(held[name]) for name in PARTS[part] if name in held})


def keeps_its_client(recorded: Recorded, invoice: ObservedInvoice, client_key: str) -> bool:
    """Whether the invoice's client is left alone, so that none need be made for the order."""
    same_person = recorded.head.get("client", [""])[0] == hash_of(client_key)
    return same_person or was_changed(recorded, invoice, "client") or CLIENT in recorded.left


def was_changed(recorded: Recorded, invoice: ObservedInvoice, part: str) -> bool:
    """Whether a person changed the part since we last saw it after a write of ours."""
    known = recorded.head.get(part)
    return known is not None and known[1] != _digest(_held(invoice), part)


def due_parts(context: OrderContext, invoice: ObservedInvoice, progress: AttemptState) -> list[str]:
    """The parts that differ from the shop's and were not dealt with as they are wanted now."""
    different = differing(invoice, asked_head(context))
    return [
        part
        for part, names in PARTS.items()
        if not set(names).isdisjoint(different)
        and (
            progress.overwrite
            or context.recorded.head.get(part, [""])[0] != context.wanted_head.digests[part]
        )
    ]


def asked_head(context: OrderContext) -> dict[str, Any]:
    """The head as it is asked for: what we wrote before and the shop has emptied since, as "".

    What is empty in both was filled in by FreshBooks, or by a person.
    """
    _, _, *written = context.recorded.head.get("billing", ("", ""))
    return dict.fromkeys(chain.from_iterable(written), "") | context.head_body


def head_step(
    context: OrderContext, invoice: ObservedInvoice, progress: AttemptState
) -> Step | None:
    """The step that has the head follow the shop; None if there is nothing to do or to touch."""
    body = asked_head(context)
    for part in due_parts(context, invoice, progress):
        if was_changed(context.recorded, invoice, part) and not progress.overwrite:
            continue
        names = [name for name in differing(invoice, body) if name in PARTS[part]]
        what = "client" if part == "client" else "billing address"
        return Step(
            StepKind.UPDATE_HEAD,
            invoice.number,
            {name: body[name] for name in names},
            f"have the {what} of invoice {invoice.number} follow the order",
            remote_id=invoice.id,
        )
    return None
