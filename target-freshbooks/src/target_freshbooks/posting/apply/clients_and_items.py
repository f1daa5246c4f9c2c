"""Clients and items: found before they are made, made once, kept up to date if they are ours.

One worker at a time looks after one client or item, so that two orders of a new customer cannot
both make the client. What was found or made is remembered in the ledger and costs no request again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from target_freshbooks.posting.apply.clients import ClientUpserts
from target_freshbooks.posting.apply.create import Creation
from target_freshbooks.posting.apply.items import ItemUpserts

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.ledger import Intent, Ledger
    from target_freshbooks.posting.apply.writer import OutcomeUnknown, Writer


class ClientsAndItems:
    """The clients and the items of one run."""

    def __init__(
        self,
        books: FreshBooks,
        ledger: Ledger,
        writer: Writer,
        settle_unknown: Callable[[OutcomeUnknown], bool],
        look: Callable[[Intent], bool],
        *,
        follow_emails: bool = False,
        reminders: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        making = Creation(ledger, writer, settle_unknown, look, sleep)
        self.clients = ClientUpserts(
            books, ledger, making, follow_emails=follow_emails, reminders=reminders
        )
        self.items = ItemUpserts(books, ledger, making)
