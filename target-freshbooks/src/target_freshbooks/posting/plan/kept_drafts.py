"""Orders whose invoices are made and proven, but kept as Drafts until a person has looked.

With `post_as: draft` an invoice stops short of being marked sent: FreshBooks counts a Draft nowhere
and shows it to no customer. The setting is one of the terms that an order is posted under, so it is
known before the invoice is made, and a Draft made under it stays one whatever the setting says
later, until somebody asks for it to be sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.freshbooks.observed import DRAFT as DRAFT_STATUS
from target_freshbooks.freshbooks.observed import ObservedInvoice

if TYPE_CHECKING:
    from target_freshbooks.posting.context import OrderContext
    from target_freshbooks.posting.plan.steps import AttemptState

DRAFT = "draft"
"""Why such an order waits."""


def is_kept(context: OrderContext, invoice: ObservedInvoice | None, progress: AttemptState) -> bool:
    """Whether the invoice is to stay a Draft for now."""
    return (
        context.policy.post_as == "draft"
        and not progress.send
        and invoice is not None
        and invoice.status == DRAFT_STATUS
    )
