"""FreshBooks over HTTP: the one room that knows its paths, answers, tokens and limits.

No accounting here: callers send bodies and get `Observed*` values or one of the errors, which say
whether a write may have happened.
"""

from .client import FreshBooks
from .errors import (
    ApiError,
    AuthError,
    Conflict,
    Forbidden,
    FreshBooksError,
    NotFound,
    Outage,
    Refused,
    UnknownOutcome,
)
from .identity import AccountUnclear, Identity, Membership, choose_account
from .oauth import EXPENSE_SCOPES, SCOPES, OAuth, TokenPair
from .observed import (
    BillingAddress,
    ObservedClient,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedItem,
    ObservedLine,
    ObservedPayment,
)
from .pacing import Pacer
from .token_chain import entry_name
from .tokens import TokenSource
from .transport import RequestRecord, Tokens
from .wire import Wire

__all__ = [
    "EXPENSE_SCOPES",
    "SCOPES",
    "AccountUnclear",
    "ApiError",
    "AuthError",
    "BillingAddress",
    "Conflict",
    "Forbidden",
    "FreshBooks",
    "FreshBooksError",
    "Identity",
    "Membership",
    "NotFound",
    "OAuth",
    "ObservedClient",
    "ObservedCreditNote",
    "ObservedInvoice",
    "ObservedItem",
    "ObservedLine",
    "ObservedPayment",
    "Outage",
    "Pacer",
    "Refused",
    "RequestRecord",
    "TokenPair",
    "TokenSource",
    "Tokens",
    "UnknownOutcome",
    "Wire",
    "choose_account",
    "entry_name",
]
