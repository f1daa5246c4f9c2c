"""The steps a plan is made of: one outside write each, and the two ways a plan can end early."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_freshbooks.books.desired import Parked
    from target_freshbooks.freshbooks.observed import (
        ObservedCreditNote,
        ObservedInvoice,
        ObservedPayment,
    )


class StepKind(StrEnum):
    """What a step writes."""

    CREATE_CLIENT = "create_client"
    UPDATE_CLIENT = "update_client"
    CREATE_ITEM = "create_item"
    UPDATE_ITEM = "update_item"
    CREATE_INVOICE = "create_invoice"
    UPDATE_INVOICE = "update_invoice"
    MARK_SENT = "mark_sent"
    DELETE_INVOICE = "delete_invoice"
    CREATE_PAYMENT = "create_payment"
    UPDATE_PAYMENT = "update_payment"
    DELETE_PAYMENT = "delete_payment"
    CREATE_CREDIT_NOTE = "create_credit_note"
    DELETE_CREDIT_NOTE = "delete_credit_note"


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
        expression: Which of the invoice's expressions the step writes; -1: its own lines stay.
        mended: Whether it adds a Rounding line to that expression.
        refund_expression: Which expression of the refund's lines the step writes; -1: none.
    """

    kind: StepKind
    key: str
    body: Mapping[str, Any]
    why: str
    remote_id: int | None = None
    refund_id: int | None = None
    expression: int = -1
    mended: bool = False
    refund_expression: int = -1


@dataclass(frozen=True, slots=True)
class Stop:
    """The plan cannot go on: the order is parked with this."""

    parked: Parked


@dataclass(frozen=True, slots=True)
class Actual:
    """What FreshBooks holds for one order.

    `payments` are the active ones of the invoice, `credit_notes` those that bear the order's mark.
    """

    invoice: ObservedInvoice | None = None
    payments: tuple[ObservedPayment, ...] = ()
    credit_notes: tuple[ObservedCreditNote, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for who has an order looked at again (replay).

    Attributes:
        overwrite: Let the order's figures win over edits made in FreshBooks.
        current_settings: Give up the settings it was posted under for those of now.
    """

    overwrite: bool = False
    current_settings: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """What this attempt has learnt so far; a fresh one forgets nothing that matters.

    Attributes:
        expression: Which of the invoice's expressions was written last.
        mended: Whether a Rounding line was added to it.
        refund_expression: Which expression of a refund's lines was written last.
        credit_expression: Which expression of a refund's credit note was written last.
        refused_refunds: Refund ids whose negative line FreshBooks refused, with its words.
        zero_refused: FreshBooks does not take a payment of zero: delete it instead.
        overwrite: A person asked to overwrite edits made in FreshBooks.
        reword: A person asked for the settings as they are now: lines that they word otherwise are
            written anew.
    """

    expression: int = -1
    mended: bool = False
    refund_expression: Mapping[int, int] = field(default_factory=dict)
    credit_expression: Mapping[int, int] = field(default_factory=dict)
    refused_refunds: Mapping[int, str] = field(default_factory=dict)
    zero_refused: bool = False
    overwrite: bool = False
    reword: bool = False
