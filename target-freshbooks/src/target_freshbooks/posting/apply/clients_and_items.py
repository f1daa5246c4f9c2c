"""Clients and items of a run: upserted for orders, and kept up to date with the shop's records.

By default only clients and items that some order needed are kept up to date (`ordered`); with
`all` every customer and every variant becomes one. Invoices keep their own copies: no history is
rewritten.
"""

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial

from target_freshbooks.books import client_of_customer, items_of_product
from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.errors import Conflict, Failing, Refused, Throttled
from target_freshbooks.ledger import Intent, Ledger, Record
from target_freshbooks.posting.apply.clients import ClientUpserts
from target_freshbooks.posting.apply.deleted_clients import DeletedClients
from target_freshbooks.posting.apply.items import ItemUpserts, store_currency
from target_freshbooks.posting.apply.outcome_lookup import RetriesExhausted
from target_freshbooks.posting.apply.writer import OutcomeUnknown, Patience, Writer
from target_freshbooks.posting.results import DEFECTS
from target_freshbooks.shop import ReadError, read_customer, read_product

logger = logging.getLogger(__name__)


class ClientsAndItems:
    """The clients and the items of one run."""

    def __init__(
        self,
        books: FreshBooks,
        ledger: Ledger,
        writer: Writer,
        settle_unknown: Callable[[OutcomeUnknown], bool],
        look: Callable[[Intent], bool],
        sleep: Callable[[float], None] = time.sleep,
        *,
        settle_seconds: int = 0,
        deleted: DeletedClients | None = None,
        follow_emails: bool = False,
        reminders: bool = False,
        all_clients: bool = False,
        all_items: bool = False,
        vat_field: str = "",
    ) -> None:
        parts = (books, ledger, writer, settle_unknown, look, sleep, settle_seconds)
        self.clients = ClientUpserts(
            *parts,
            deleted=deleted or DeletedClients(books, ledger),
            follow_emails=follow_emails,
            reminders=reminders,
        )
        self.items = ItemUpserts(*parts)
        self._settle_unknown = settle_unknown
        self._sleep = sleep
        self._ledger = ledger
        self._all_clients = all_clients
        self._all_items = all_items
        self._vat_field = vat_field

    def update(self, records: Iterable[Record]) -> list[tuple[Record, RetriesExhausted | Failing]]:
        """Look at each customer and product; a refused or defective one holds nobody up.

        Returns:
            Those whose change FreshBooks kept answering with errors.
        """
        given_up: list[tuple[Record, RetriesExhausted | Failing]] = []
        for record in records:
            try:
                if record.stream == "customers":
                    self._customer(record)
                elif record.stream == "products":
                    self._product(record)
            except ReadError as unreadable:
                logger.warning("%s %s: %s", record.stream, record.key, unreadable)
            except Refused as refused:
                # Without FreshBooks' words, since they may repeat what was sent: a name, a street.
                logger.warning(
                    "FreshBooks refused the change of %s %s (HTTP %d, errno %s, field %s)",
                    record.stream,
                    record.key,
                    refused.status,
                    refused.errno,
                    refused.field or "unknown",
                )
            except (RetriesExhausted, Failing) as failing:
                given_up.append((record, failing))
            except DEFECTS as error:
                # Without the error's words, which may quote the record.
                logger.warning(
                    "%s %s cannot be followed (%s): FreshBooks keeps what it has of it",
                    record.stream,
                    record.key,
                    type(error).__name__,
                )
        return given_up

    def _customer(self, record: Record) -> None:
        draft = client_of_customer(read_customer(record.body), "", self._vat_field)
        if draft is None:
            return
        if self._all_clients:
            self.clients.id_of(draft, None, draft)
        self._carry_over(partial(self.clients.update, draft))

    def _product(self, record: Record) -> None:
        currency = store_currency(self._ledger)
        if currency is None:
            return  # prices without a currency say nothing; the next run knows the store
        drafts = items_of_product(read_product(record.body), currency)
        if self._all_items:
            self.items.names_of(drafts, None)
        for draft in drafts:
            self._carry_over(partial(self.items.update, draft))

    def _carry_over(self, change: Callable[[], bool]) -> None:
        """Make a change that rests on a look, and by a fresh look once more if it was not done.

        Meanwhile a person may have changed the same.

        Raises:
            Refused: FreshBooks declined, or kept saying that another request is at it.
            RetriesExhausted: FreshBooks kept failing.
        """
        patience = Patience()
        while True:
            try:
                change()
            except OutcomeUnknown as unknown:
                if self._settle_unknown(unknown):
                    return
            except (Conflict, Throttled) as busy:
                self._sleep(patience.pause_after(busy))
            else:
                return
