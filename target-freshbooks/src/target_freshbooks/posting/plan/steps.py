"""Steps: one outside write each; a plan that cannot go on ends as what the order is parked with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from target_freshbooks.ledger.link import LinkKind
from target_freshbooks.ledger.storage.canonical import hash_of


class StepKind(StrEnum):
    """What a step writes."""

    CREATE_CLIENT = "create_client"
    UPDATE_CLIENT = "update_client"
    CREATE_ITEM = "create_item"
    UPDATE_ITEM = "update_item"
    CREATE_INVOICE = "create_invoice"
    UPDATE_INVOICE = "update_invoice"
    MARK_SENT = "mark_sent"
    UPDATE_HEAD = "update_head"
    ARCHIVE_INVOICE = "archive_invoice"
    DELETE_INVOICE = "delete_invoice"
    CREATE_PAYMENT = "create_payment"
    UPDATE_PAYMENT = "update_payment"
    DELETE_PAYMENT = "delete_payment"
    CREATE_CREDIT_NOTE = "create_credit_note"
    DELETE_CREDIT_NOTE = "delete_credit_note"
    DELETE_OVERPAYMENT = "delete_overpayment"
    CREATE_CORRECTION = "create_correction"
    UPDATE_CORRECTION = "update_correction"
    SEND_CORRECTION = "send_correction"
    DELETE_CORRECTION = "delete_correction"
    CREATE_EXPENSE = "create_expense"
    UPDATE_EXPENSE = "update_expense"
    DELETE_EXPENSE = "delete_expense"

    @property
    def record(self) -> LinkKind:
        """What is written: the kind of the record."""
        return _RECORDS[self]


_RECORDS: dict[StepKind, LinkKind] = {
    StepKind.CREATE_CLIENT: "client",
    StepKind.UPDATE_CLIENT: "client",
    StepKind.CREATE_ITEM: "item",
    StepKind.UPDATE_ITEM: "item",
    StepKind.CREATE_INVOICE: "invoice",
    StepKind.UPDATE_INVOICE: "invoice",
    StepKind.MARK_SENT: "invoice",
    StepKind.UPDATE_HEAD: "invoice",
    StepKind.ARCHIVE_INVOICE: "invoice",
    StepKind.DELETE_INVOICE: "invoice",
    StepKind.CREATE_PAYMENT: "payment",
    StepKind.UPDATE_PAYMENT: "payment",
    StepKind.DELETE_PAYMENT: "payment",
    StepKind.CREATE_CREDIT_NOTE: "credit_note",
    StepKind.DELETE_CREDIT_NOTE: "credit_note",
    StepKind.DELETE_OVERPAYMENT: "credit_note",
    StepKind.CREATE_CORRECTION: "correction",
    StepKind.UPDATE_CORRECTION: "correction",
    StepKind.SEND_CORRECTION: "correction",
    StepKind.DELETE_CORRECTION: "correction",
    StepKind.CREATE_EXPENSE: "expense",
    StepKind.UPDATE_EXPENSE: "expense",
    StepKind.DELETE_EXPENSE: "expense",
}

DELETIONS = frozenset(
    {
        StepKind.DELETE_INVOICE,
        StepKind.DELETE_PAYMENT,
        StepKind.DELETE_CREDIT_NOTE,
        StepKind.DELETE_OVERPAYMENT,
        StepKind.DELETE_CORRECTION,
        StepKind.DELETE_EXPENSE,
    }
)

BOOKS_BESIDE = frozenset(
    {StepKind.CREATE_CREDIT_NOTE, StepKind.CREATE_CORRECTION, StepKind.SEND_CORRECTION}
)
"""What books a refund, whose id is the key, beside the order's invoice."""

RESTS_ON_LOOK = DELETIONS - {StepKind.DELETE_OVERPAYMENT} | {
    StepKind.UPDATE_CLIENT,
    StepKind.UPDATE_ITEM,
    StepKind.UPDATE_INVOICE,
    StepKind.MARK_SENT,
    StepKind.UPDATE_HEAD,
    StepKind.ARCHIVE_INVOICE,
    StepKind.CREATE_PAYMENT,
    StepKind.UPDATE_PAYMENT,
    StepKind.UPDATE_CORRECTION,
    StepKind.SEND_CORRECTION,
    StepKind.UPDATE_EXPENSE,
}
"""What would undo a person's change, or book beside it, if the record was seen long before."""


@dataclass(frozen=True, slots=True)
class Step:
    """One outside write.

    Attributes:
        kind: What is written.
        key: Our own name of the thing: invoice number, payment key, refund id.
        body: What goes inside FreshBooks' singular key.
        remote_id: FreshBooks' id of the thing that is changed; None for a creation.
        why: The sentence a plan shows.
        refund_id: The refund this step belongs to, so that a refusal parks just that refund.
        writes_sale: Whether it writes the invoice's own lines; if not, they stay.
        mended: Whether it adds a Rounding line to them.
        refund_expression: Which expression of the refund's lines the step writes; -1: none.
        rewriting: Whether it is part of rewriting a sent invoice's own lines: it writes them, or
            lowers a payment for them, or takes lines of refunds off that come again after it.
    """

    kind: StepKind
    key: str
    body: Mapping[str, Any]
    why: str
    remote_id: int | None = None
    refund_id: int | None = None
    writes_sale: bool = False
    mended: bool = False
    refund_expression: int = -1
    rewriting: bool = False

    @property
    def identity(self) -> str:
        """Equal for steps that ask FreshBooks for the same."""
        return hash_of([self.kind.value, self.key, self.remote_id, dict(self.body)])

    @property
    def rewrites(self) -> bool:
        """Whether it changes what an invoice says, its refunds apart, or is a step of that."""
        return self.rewriting or self.kind is StepKind.UPDATE_HEAD


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for who has an order looked at again (replay).

    Attributes:
        overwrite: Let the order's figures win over edits made in FreshBooks.
        current_settings: Give up the settings it was posted under for those of now.
        accept_changes: Rewrite as many invoices of earlier runs as it takes.
        send: Send what was kept as a Draft.
        day: Have what belongs on closed days booked on this one.
    """

    overwrite: bool = False
    current_settings: bool = False
    accept_changes: bool = False
    send: bool = False
    day: date | None = None


@dataclass(frozen=True, slots=True)
class AttemptState:
    """What this attempt has learnt so far; a fresh one forgets nothing that matters.

    Attributes:
        written: Whether the invoice's own lines were written, and nothing else since.
        mended: Whether a Rounding line was added to them.
        refund_expression: Which expression of a refund's lines was written last.
        credit_expression: Which expression of a refund's credit note was written last.
        refused_refunds: Refund ids whose negative line FreshBooks refused, with its words.
        zero_refused: FreshBooks does not take a payment of zero: delete it instead.
        rewriting: A rewriting was begun, and the sale's lines are not written yet.
        rewrite_blocked: The sale cannot be reworded: only what was lowered for it is put back.
        credit_kept: FreshBooks does not delete the credit of an overpayment.
        head_asked: The fields of the head that were asked for, whatever came of it.
        overwrite: A person asked to overwrite edits made in FreshBooks.
        reword: A person asked for the settings as they are now: lines that they word otherwise are
            written anew.
        send: A person asked to send what was kept as a Draft.
    """

    written: bool = False
    mended: bool = False
    refund_expression: Mapping[int, int] = field(default_factory=dict)
    credit_expression: Mapping[int, int] = field(default_factory=dict)
    refused_refunds: Mapping[int, str] = field(default_factory=dict)
    zero_refused: bool = False
    rewriting: bool = False
    rewrite_blocked: bool = False
    credit_kept: bool = False
    head_asked: frozenset[str] = frozenset()
    overwrite: bool = False
    reword: bool = False
    send: bool = False
