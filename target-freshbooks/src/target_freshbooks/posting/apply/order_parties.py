"""The client and the items of an order, which are made only if its invoice needs them.

An invoice that stands keeps its client, which a person may have merged or given another e-mail: the
one that would be made for the order now would be a second one.
"""

from dataclasses import replace

from target_freshbooks.books.desired import ClientDraft
from target_freshbooks.freshbooks.observed import DELETED, DRAFT, ObservedInvoice
from target_freshbooks.posting.apply.parts import Parts
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.facts import called
from target_freshbooks.posting.plan.head import keeps_its_client
from target_freshbooks.posting.plan.steps import AttemptState


def with_client_and_items(
    parts: Parts,
    context: OrderContext,
    registered: ClientDraft | None,
    own: ObservedInvoice | None,
    progress: AttemptState,
) -> OrderContext:
    """The order with its client and items, found or made.

    Args:
        parts: The parts of the run.
        context: The order.
        registered: The client as the customer's own record has it, if there is one.
        own: The invoice that was found, be it somebody else's.
        progress: What a person asked for.

    Raises:
        Refused: FreshBooks does not make one.
    """
    recorded = context.recorded
    if own is not None and not recorded.known and not context.is_ours(own):
        return context  # the number is somebody else's, so nothing is booked
    keeps = own is not None and _keeps_client(context, own, progress)
    client_id = own.customer_id if own and keeps else _client(parts, context, registered)
    names = parts.parties.items.names_of(
        context.desired.items,
        context.desired.order_id,
        make=not _stands(context, own, progress),
    )
    return replace(
        context,
        policy=called(context.policy, names),
        client_id=client_id,
        item_names=names,
        keeps_client=keeps,
    )


def _keeps_client(context: OrderContext, own: ObservedInvoice, progress: AttemptState) -> bool:
    """Whether the order's invoice is left with the client that it has, also one that is deleted."""
    if progress.overwrite:
        return False
    recorded, key = context.recorded, context.desired.client.key
    is_untouched = own.vis_state == DELETED or not recorded.known
    return is_untouched or keeps_its_client(recorded, own, key)


def _stands(context: OrderContext, own: ObservedInvoice | None, progress: AttemptState) -> bool:
    """Whether the lines of the invoice stay as they are; those of a refund may be still to come."""
    if own is None or progress.overwrite:
        return False
    if own.vis_state == DELETED:
        return True
    if own.status == DRAFT or progress.reword or context.desired.refunds:
        return False
    return not context.recorded.known or context.recorded.content == context.content


def _client(parts: Parts, context: OrderContext, registered: ClientDraft | None) -> int:
    """FreshBooks' id of the client that the order's invoice should be of."""
    desired = context.desired
    return parts.parties.clients.id_of(desired.client, desired.order_id, registered)
