"""The invoice's head: which client it is of, and whom it is made out to.

The head is desired state like the lines: an order that is given to another customer, or whose
billing address is corrected in the shop, has its invoice follow. What a person changed in
FreshBooks stays, and so does what FreshBooks will not change: both are told once, and listed.
"""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from target_freshbooks.freshbooks.observed import BillingAddress
from target_freshbooks.ledger.canonical import hash_of
from target_freshbooks.posting.steps import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_freshbooks.books.shop import Address
    from target_freshbooks.freshbooks.observed import ObservedInvoice
    from target_freshbooks.ledger import Link
    from target_freshbooks.posting.case import Case
    from target_freshbooks.posting.steps import Progress

CLIENT = "customerid"


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
    names = (CLIENT, *(field.name for field in fields(BillingAddress)))
    return {name: body[name] for name in names if name in body}


def with_head(invoice: ObservedInvoice, body: Mapping[str, Any]) -> ObservedInvoice:
    """The invoice with the fields of the head that stand in the body."""
    names = asdict(invoice.billing).keys() & body.keys()
    billing = replace(invoice.billing, **{name: body[name] for name in names})
    return replace(invoice, customer_id=body.get(CLIENT, invoice.customer_id), billing=billing)


def holds(invoice: ObservedInvoice, body: Mapping[str, Any]) -> bool:
    """Whether the invoice has the fields of the head that stand in the body."""
    return not differing(invoice, body)


def differing(invoice: ObservedInvoice, body: Mapping[str, Any]) -> list[str]:
    """The fields of the head that the invoice has otherwise than the body."""
    found = {CLIENT: invoice.customer_id, **asdict(invoice.billing)}
    return [name for name, held in found.items() if name in body and _other(held, body[name])]


def _other(held: object, asked: object) -> bool:
    return " ".join(str(held).split()) != " ".join(str(asked).split())


def remembered(link: Link, invoice: ObservedInvoice, body: Mapping[str, Any] | None) -> Link:
    """The invoice's link with its head as it stands now.

    Args:
        link: The link.
        invoice: The invoice.
        body: The head that was asked for last; None where that is as it was.
    """
    asked = link.extra.get("head_asked") if body is None else hash_of(dict(body))
    seen = head_digest(invoice)
    return replace(link, extra={**link.extra, "head_asked": asked, "head_seen": seen})


def left_alone(link: Link, fields: list[str]) -> Link:
    """The invoice's link with the fields of its head that do not follow the shop; told by status.

    The names of the fields only: what stands in them is personal data.
    """
    extra = {name: value for name, value in link.extra.items() if name != "left"}
    return replace(link, extra={**extra, "left": fields} if fields else extra)


def head_digest(invoice: ObservedInvoice) -> str:
    """What of the head a person may have changed by hand."""
    return hash_of({CLIENT: invoice.customer_id, **asdict(invoice.billing)})


def was_changed(case: Case, invoice: ObservedInvoice) -> bool:
    """Whether a person changed the head since we last saw it after a write of ours."""
    return case.memory.head_seen not in (None, head_digest(invoice))


def is_due(case: Case, invoice: ObservedInvoice, progress: Progress) -> bool:
    """Whether the shop's head differs from the invoice's, and was not dealt with before."""
    body = case.head_body
    if holds(invoice, body):
        return False
    return progress.overwrite or case.memory.head_asked != hash_of(body)


def head_step(case: Case, invoice: ObservedInvoice, progress: Progress) -> Step | None:
    """The step that has the head follow the shop; None where there is nothing to do or to touch."""
    if not is_due(case, invoice, progress):
        return None
    if was_changed(case, invoice) and not progress.overwrite:
        return None
    body = case.head_body
    fields = differing(invoice, body)
    what = "client" if CLIENT in fields else "billing address"
    return Step(
        StepKind.UPDATE_HEAD,
        invoice.number,
        {name: body[name] for name in fields},
        f"have the {what} of invoice {invoice.number} follow the order",
        remote_id=invoice.id,
    )
