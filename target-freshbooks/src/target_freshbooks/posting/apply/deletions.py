"""Deletions: what of a cancelled order is to be deleted, and what a person changed of it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from target_freshbooks.freshbooks.observed import ObservedInvoice, ObservedPayment
from target_freshbooks.ledger import Link
from target_freshbooks.marks import Mark
from target_freshbooks.posting.apply.parts import Parts
from target_freshbooks.posting.digests import fingerprint
from target_freshbooks.posting.identity import is_marked, part_of, part_paid, record_link
from target_freshbooks.posting.plan.steps import StepKind
from target_freshbooks.posting.state import Recorded


@dataclass(frozen=True, slots=True)
class Deletion:
    """A record that is to be deleted, as it was looked at, and the link to it."""

    kind: StepKind
    link: Link
    record: Any  # the Observed record

    @property
    def name(self) -> str:
        """What kind of record it is."""
        return self.kind.record.replace("_", " ")

    @property
    def title(self) -> str:
        """The record as a phrase."""
        is_invoice = self.kind is StepKind.DELETE_INVOICE
        return f"{self.name} {self.record.number if is_invoice else self.record.id}"

    @property
    def what(self) -> str:
        """The deletion as a phrase."""
        return f"deletion of a cancelled order's {self.name}"

    @property
    def is_beside(self) -> bool:
        """Whether it is deleted after the invoice."""
        return self.kind not in {StepKind.DELETE_PAYMENT, StepKind.DELETE_INVOICE}

    def is_as_looked_at(self, standing: Any) -> bool:  # noqa: ANN401 - as the record
        """Whether the record is still what the decision to delete it was made by."""
        before = self.record
        if isinstance(before, ObservedInvoice):
            return fingerprint(standing) == fingerprint(before)
        if isinstance(before, ObservedPayment):
            return bool(_money(standing) == _money(before))
        return bool(standing.amount == before.amount)


def _money(row: ObservedPayment) -> tuple[int, Decimal, date]:
    return row.invoice_id, row.amount, row.date


def deletions_of(
    parts: Parts,
    recorded: Recorded,
    mark: Mark,
    invoice: ObservedInvoice | None,
    payments: list[ObservedPayment],
) -> list[Deletion]:
    """All that is to be deleted, in its order.

    The payments go first, since FreshBooks may keep an invoice that was paid; what stands beside
    the invoice goes last, since it is not restored if the invoice stays.
    """
    deletions = [_of_payment(row, recorded, mark) for row in payments]
    if invoice is not None and recorded.invoice is not None:
        deletions.append(Deletion(StepKind.DELETE_INVOICE, recorded.invoice, invoice))
    known = zip(
        (StepKind.DELETE_CREDIT_NOTE, StepKind.DELETE_EXPENSE, StepKind.DELETE_CORRECTION),
        (recorded.credit_notes, recorded.expenses, recorded.corrections),
        strict=True,
    )
    links = [(kind, link) for kind, by in known for link in by.values() if not link.deleted]
    for kind, link in links:
        row = parts.books.collections[kind.record].standing(link.remote_id)
        if row is not None:
            deletions.append(Deletion(kind, link, row))
    return deletions


def _of_payment(row: ObservedPayment, recorded: Recorded, mark: Mark) -> Deletion:
    link = next((one for one in recorded.payments.values() if one.remote_id == row.id), None)
    if link is None:
        part = part_paid(row, mark)
        key = part.key if part and part.key not in recorded.payments else f"payment:{row.id}"
        link = record_link("payment", mark.order_id, key, row)
    return Deletion(StepKind.DELETE_PAYMENT, link, row)


def why_kept(
    recorded: Recorded,
    mark: Mark,
    deletions: list[Deletion],
    moved: list[ObservedPayment],
    *,
    overwrite: bool,
) -> str | None:
    """Why the invoice is not deleted, as `kept_invoice` says it; None if it may be."""
    for row in moved:
        return f"its payment {row.id} was moved to another invoice"
    for one in deletions:
        if one.kind is StepKind.DELETE_INVOICE and not is_marked(one.record, mark):
            return "it is not marked as the order's any more"
        if _is_anothers(one, recorded, mark):
            return f"it bears payment {one.record.id}, which is not ours"
        if not overwrite and _is_changed(one, recorded):
            what = "it" if one.kind is StepKind.DELETE_INVOICE else f"its {one.title}"
            return f"{what} was changed in FreshBooks since it was posted"
    return None


def is_theirs(one: Deletion, recorded: Recorded, mark: Mark, *, overwrite: bool) -> bool:
    """Whether a person made the record, or changed it and it is not to be overwritten."""
    return _is_anothers(one, recorded, mark) or (not overwrite and _is_changed(one, recorded))


def _is_anothers(one: Deletion, recorded: Recorded, mark: Mark) -> bool:
    """Whether it is a payment that we did not make."""
    known = {link.remote_id for link in recorded.payments.values()}
    is_payment = one.kind is StepKind.DELETE_PAYMENT
    return is_payment and one.record.id not in known and part_paid(one.record, mark) is None


def _is_changed(one: Deletion, recorded: Recorded) -> bool:
    """Whether a person changed the record since we last wrote it."""
    link, record = one.link, one.record
    if isinstance(record, ObservedInvoice):
        return link.fingerprint not in {None, fingerprint(record)}
    if isinstance(record, ObservedPayment):
        ours = recorded.amounts_of(part_of(link)) or {record.amount}
        return record.amount not in ours or link.day not in {None, record.date}
    return link.amount not in {None, record.amount}
