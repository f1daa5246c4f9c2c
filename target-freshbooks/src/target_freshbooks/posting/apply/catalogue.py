"""Customers and products by themselves: what the shop changes of them reaches FreshBooks.

By default only clients and items that some order needed are kept up to date (`ordered`); with
`all` every customer and every variant becomes one. Invoices keep their own copies: no history is
rewritten.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_freshbooks.books import (
    ReadError,
    client_of_customer,
    items_of_product,
    read_customer,
    read_product,
)
from target_freshbooks.freshbooks.errors import Failing, Refused
from target_freshbooks.posting.apply.items import store_currency
from target_freshbooks.posting.apply.retry import RetriesExhausted
from target_freshbooks.posting.defects import DEFECTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_freshbooks.ledger import Ledger, Record
    from target_freshbooks.posting.apply.clients_and_items import ClientsAndItems

logger = logging.getLogger(__name__)


class Catalogue:
    """Brings clients and items up to date with the shop's records."""

    def __init__(
        self,
        ledger: Ledger,
        parties: ClientsAndItems,
        *,
        all_clients: bool,
        all_items: bool,
        vat_field: str = "",
    ) -> None:
        self._ledger = ledger
        self._parties = parties
        self._all_clients = all_clients
        self._vat_field = vat_field
        self._all_items = all_items

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
            self._parties.clients.id_of(draft, None, draft)
        self._parties.clients.update(draft)

    def _product(self, record: Record) -> None:
        currency = store_currency(self._ledger)
        if currency is None:
            return  # prices without a currency say nothing; the next run knows the store
        drafts = items_of_product(read_product(record.body), currency)
        if self._all_items:
            self._parties.items.names_of(drafts, None)
        for draft in drafts:
            self._parties.items.update(draft)
