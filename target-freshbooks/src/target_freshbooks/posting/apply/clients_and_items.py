"""Clients and items: found before they are made, made once, kept up to date where they are ours.

One worker at a time looks after one client or item, so that two orders of a new customer cannot
both make the client. What was found or made is remembered in the ledger and costs no request again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from target_freshbooks.posting.apply.clients import Clients
from target_freshbooks.posting.apply.create import Creation
from target_freshbooks.posting.apply.items import Items

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_freshbooks.books.desired import ClientDraft, ItemDraft
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.ledger import Intent, Ledger
    from target_freshbooks.posting.apply.writer import OutcomeUnknown, Writer


class ClientsAndItems:
    """Finds or makes the clients and items of one run."""

    def __init__(
        self,
        books: FreshBooks,
        ledger: Ledger,
        writer: Writer,
        settle_unknown: Callable[[OutcomeUnknown], bool],
        look: Callable[[Intent], bool],
        *,
        follow_emails: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        making = Creation(ledger, writer, settle_unknown, look, sleep)
        self._clients = Clients(books, ledger, making, follow_emails=follow_emails)
        self._items = Items(books, ledger, making)

    def client(
        self, draft: ClientDraft, order_id: int | None, registered: ClientDraft | None
    ) -> int:
        """FreshBooks' id of the client, found by what the ledger knows, then by e-mail, else made.

        Args:
            draft: The client as the order needs it.
            order_id: The order, for the audit trail.
            registered: The client as the customer's own record has it now, where that is known:
                a later record that differs is a change to carry over.

        Raises:
            Refused: FreshBooks does not make it, or any other in this run.
        """
        return self._clients.client(draft, order_id, registered)

    def forget_client(self, draft: ClientDraft) -> None:
        """Drop the links to a client that FreshBooks no longer has."""
        self._clients.forget(draft)

    def update_client(self, draft: ClientDraft) -> bool:
        """Carry a customer's own record over to the client made for that customer.

        Returns:
            Whether something was written.
        """
        return self._clients.update(draft)

    def items(self, drafts: tuple[ItemDraft, ...], order_id: int | None) -> dict[str, str]:
        """Item key → the name FreshBooks has for it; each is found, or made once."""
        return {draft.key: self._items.name_of(draft, order_id) for draft in drafts}

    def update_item(self, draft: ItemDraft) -> bool:
        """Carry the catalogue's record over to the item made for it.

        Returns:
            Whether something was written.
        """
        return self._items.update(draft)
