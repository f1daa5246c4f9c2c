"""Addresses: where people find an order in the shop's control panel, an invoice in FreshBooks.

Neither vendor documents them; they are what both show in a browser.
"""

import re
from dataclasses import dataclass

_WORD = re.compile(r"[A-Za-z0-9]+")
"""What hashes of stores and ids of accounts are; of anything else no address is made."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Of one store and one account.

    Attributes:
        store_hash: The store's; None if the ledger does not know it.
        account_id: FreshBooks' id of the account.
    """

    store_hash: str | None
    account_id: str

    def order(self, order_id: int) -> str | None:
        """The order's page in BigCommerce; None if it cannot be told."""
        if not _WORD.fullmatch(self.store_hash or ""):
            return None
        return f"https://store-{self.store_hash}.mybigcommerce.com/manage/orders/{order_id}"

    def invoice(self, invoice_id: int | None) -> str | None:
        """The invoice's page in FreshBooks; None if it cannot be told."""
        if invoice_id is None or not _WORD.fullmatch(self.account_id):
            return None
        return f"https://my.freshbooks.com/#/invoice/{self.account_id}-{invoice_id}"
