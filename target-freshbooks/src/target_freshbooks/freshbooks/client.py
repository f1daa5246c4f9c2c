"""One FreshBooks account: who its user is, and the collections of its records."""

from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any

from connector_credentials.backoff import RetryPolicy

from .collection import Collection, readable
from .identity import Identity, parse_identity
from .pacing import Pacer
from .records import (
    Clients,
    CreditNotes,
    ExpenseCategories,
    Expenses,
    Invoices,
    Items,
    Payments,
    Taxes,
)
from .transport import Operation, RequestRecord, Tokens, Transport
from .wire import Wire

_ME = "/auth/api/v1/users/me"


class FreshBooks:
    """One FreshBooks account. Thread-safe.

    Bodies are what stands inside the singular key; amounts in them are text. Reads raise
    `Outage` when patience ends; writes may raise `UnknownOutcome`, and then the caller looks.

    Args:
        account_id: The accounting account; "" is enough for `me`.
        request_timeout: Seconds.
        max_retry_seconds: How long one operation may be tried again.
        clock: Aware UTC now.
        on_request: Told of each request, without personal data.

    Attributes:
        collections: Each collection by what one of its records is called.
    """

    def __init__(
        self,
        *,
        api_url: str,
        account_id: str,
        tokens: Tokens,
        user_agent: str,
        request_timeout: float,
        max_retry_seconds: float,
        pacer: Pacer,
        random: Random,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        on_request: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self.account_id = account_id
        self._transport = Transport(
            Wire(api_url, user_agent=user_agent, timeout=request_timeout, on_request=on_request),
            tokens=tokens,
            pacer=pacer,
            policy=RetryPolicy(max_retry_seconds, random, sleep),
            clock=clock,
        )
        self.clients = Clients(self._transport, account_id)
        self.items = Items(self._transport, account_id)
        self.invoices = Invoices(self._transport, account_id)
        self.payments = Payments(self._transport, account_id)
        self.credit_notes = CreditNotes(self._transport, account_id)
        self.expenses = Expenses(self._transport, account_id)
        self.expense_categories = ExpenseCategories(self._transport, account_id)
        self.taxes = Taxes(self._transport, account_id)
        self.collections: Mapping[str, Collection[Any]] = {
            "client": self.clients,
            "item": self.items,
            "invoice": self.invoices,
            "payment": self.payments,
            "credit_note": self.credit_notes,
            "correction": self.invoices,
            "expense": self.expenses,
        }

    def check_before_writes(self, check: Callable[[], None]) -> None:
        """From now on call `check` directly before each write is sent; it raises to forbid it.

        Not an argument, because what is to be checked may come later than this object: the lock
        is over an account, and FreshBooks is asked first which accounts there are.
        """
        self._transport.before_write = check

    def me(self) -> Identity:
        """The user behind the tokens, with the accounts it belongs to."""
        operation = Operation("GET", _ME, {})
        return readable(operation, lambda: parse_identity(self._transport.run(operation)))
