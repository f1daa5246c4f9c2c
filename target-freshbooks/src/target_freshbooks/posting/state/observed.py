"""Observed state: what FreshBooks holds for an order, by request or from lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_freshbooks.freshbooks.observed import (
        ObservedCreditNote,
        ObservedExpense,
        ObservedInvoice,
        ObservedPayment,
    )


@dataclass(frozen=True, slots=True)
class Observed:
    """What FreshBooks holds for one order.

    Attributes:
        invoice: The invoice of the order, or somebody else's of its number.
        payments: The standing ones on the invoice.
        credit_notes: Those that bear the order's mark, and those the ledger says are ours.
        overpayments: By payment key the credit that stands of what FreshBooks capped.
        moved: Payments of ours that stand on another invoice.
        others: Other standing invoices that bear the order's mark; only lists show them.
        corrections: By refund id the invoice that takes a refund of a closed month back.
        expenses: By refund id the expense beside it.
    """

    invoice: ObservedInvoice | None = None
    payments: tuple[ObservedPayment, ...] = ()
    credit_notes: tuple[ObservedCreditNote, ...] = ()
    overpayments: Mapping[str, ObservedCreditNote] = field(default_factory=dict)
    moved: tuple[ObservedPayment, ...] = ()
    others: tuple[ObservedInvoice, ...] = ()
    corrections: Mapping[int, ObservedInvoice] = field(default_factory=dict)
    expenses: Mapping[int, ObservedExpense] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether the payments make up what FreshBooks says was paid on the invoice."""
        return self.invoice is None or sum(row.amount for row in self.payments) == self.invoice.paid
