"""What a refusal means, read from status, code, field and words: FreshBooks documents none of it.

One status says several things. A 409 is "being changed by another request" or "already exists"; a
403 is a read-only field, a right that the user lacks, the plan's limit of clients, or a period that
the owner locked. The codes are FreshBooks' own ("API Errors" page); where they do not decide, its
words do (`refusal_words`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING

from . import errors, refusal_words
from .errors import ApiError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


ERRNO_ACCESS_DENIED = 1003
ERRNO_INVALID = 1004
_GONE = frozenset({1011, errors.ERRNO_UNKNOWN_RESOURCE})
_OF_THE_ACCOUNT = frozenset({1042, 12001})
"""The account is inactive, or shows this user no items."""

UNEXPLAINED = ApiError(None, "", "", "")
"""Stands where an answer said nothing that can be read: a proxy's page, an empty body."""

CLIENT_FIELDS = frozenset({"customerid", "userid", "clientid"})


class RefusalKind(Enum):
    """What follows from a refusal differs by these."""

    BUSY = "busy"
    """Another request is changing the record: the same may work later."""
    TAKEN = "taken"
    """Another record has what must be unique; `field` says what."""
    TOO_LONG = "too_long"
    """`field` has more characters than FreshBooks takes; `limit`, where it tells."""
    NEGATIVE = "negative"
    """A negative amount."""
    READ_ONLY = "read_only"
    """`field` cannot be written."""
    GONE = "gone"
    """The record, or the one that `field` names, does not exist or was deleted."""
    CLIENT_LIMIT = "client_limit"
    """The plan allows no more clients."""
    CLOSED_PERIOD = "closed_period"
    """It is dated in a period that the owner has locked."""
    NO_RIGHT = "no_right"
    """The user's role or the token's scopes do not allow this kind of write."""
    NO_ACCOUNT = "no_account"
    """Said of the whole account or user: nothing will work."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refusal means.

    Attributes:
        field: What it is about under FreshBooks' name, as far as that is known, such as
            `invoice_number`, `name`, `username`; else "".
        limit: The most characters, if it is told.
    """

    kind: RefusalKind
    field: str = ""
    limit: int | None = None


def classify(refused: Refused) -> Refusal:
    """What the refusal means."""
    return meaning(refused.operation, refused.status, refused.errors)


def meaning(operation: str, status: int, errors_told: Sequence[ApiError]) -> Refusal:
    """What a refusal means.

    Args:
        operation: Method and path template, such as
            `POST /accounting/account/{account_id}/users/clients`.
        status: HTTP status; 200 where the errors came inside a success.
        errors_told: The entries of the answer, whichever format they came in; none if it was not
            FreshBooks' own.
    """
    entries = [_Entry(operation, status, error) for error in errors_told or (UNEXPLAINED,)]
    refusals = (rule(entry) for rule in _RULES for entry in entries)
    of_field = next((entry.field for entry in entries if entry.field), "")
    return next(
        (one for one in refusals if one is not None), Refusal(RefusalKind.UNKNOWN, of_field)
    )


def speaks_of_a_lock(words: str) -> bool:
    """Whether FreshBooks' words say that a period is locked."""
    return refusal_words.LOCK.search(words) is not None


_UNIQUE = {
    "invoices": "invoice_number",
    "items": "name",
    "clients": "username",
    "credit_notes": "credit_number",
    "taxes": "name",
}
"""What another record can have already, by kind of record, where FreshBooks names no field."""

_OWN = {
    "invoices": frozenset({"invoice_number"}),
    "items": frozenset({"name", "sku"}),
    "clients": frozenset({"username"}),
    "credit_notes": frozenset({"credit_number"}),
}
"""Fields that are told to be invalid where another record has the same."""

_QUOTED = re.compile(r"""(?<!\w)(['"]).*?\1(?!\w)""")
_ALSO_CALLED = {"number": "invoice_number", "user_name": "username", "e_mail": "email"}
_TAKABLE = frozenset(field for field, _ in refusal_words.NAMED)
_COLLECTION = re.compile(r"/(\w+)(?:/\{id\})?$")


class _Entry:
    """One entry of a refusal with what the request was."""

    def __init__(self, operation: str, status: int, error: ApiError) -> None:
        method, _, path = operation.partition(" ")
        collection = _COLLECTION.search(path)
        self.creates = method == "POST"
        self.collection = collection[1] if collection else ""
        self.status = status
        self.errno = error.errno
        self.said = error.message
        self._plainly = _QUOTED.sub("", error.message)
        self.field = _ALSO_CALLED.get(error.field, error.field)
        self.explained = error != UNEXPLAINED

    def says(self, words: re.Pattern[str]) -> bool:
        """Whether it says so in its own words: what it quotes may be a shopper's."""
        return words.search(self._plainly) is not None

    @property
    def conflicts(self) -> bool:
        return HTTPStatus.CONFLICT in {self.status, self.errno}

    @property
    def named(self) -> str:
        """The field, from the words where the entry has none; "" if they name none either."""
        named = (field for field, words in refusal_words.NAMED if words.search(self.said))
        return self.field or next(named, "")

    @property
    def takable(self) -> str:
        """Which field another record may have already."""
        named = self.named
        if self.collection == "clients" and named == "name":
            return "username"
        return named or _UNIQUE.get(self.collection, "")


def _of_the_account(entry: _Entry) -> Refusal | None:
    if entry.errno in _OF_THE_ACCOUNT:
        return Refusal(RefusalKind.NO_ACCOUNT)
    if entry.status == HTTPStatus.FORBIDDEN and not entry.explained:
        return Refusal(
            RefusalKind.NO_ACCOUNT
        )  # a proxy's page: whose rights these are is not known
    return None


def _missing(entry: _Entry) -> Refusal | None:
    missing = entry.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} or entry.errno in _GONE
    return Refusal(RefusalKind.GONE, entry.field) if missing else None


def _by_code(entry: _Entry) -> Refusal | None:
    match entry.errno:
        case 1017:
            return Refusal(RefusalKind.TOO_LONG, entry.named, _limit(entry.said))
        case 1025:
            return Refusal(RefusalKind.NEGATIVE, entry.field)
        case 1029:
            return Refusal(RefusalKind.TAKEN, entry.takable)
        case errors.ERRNO_READ_ONLY_FIELD:
            return Refusal(RefusalKind.READ_ONLY, entry.field)
        case 1019 | 1026 | 1027 | 1036:
            # Two taxes of one name, or characters: of the record alone, whatever the words.
            return Refusal(RefusalKind.UNKNOWN, entry.field)
        case _:
            return None


def _busy(entry: _Entry) -> Refusal | None:
    return Refusal(RefusalKind.BUSY) if entry.says(refusal_words.BUSY) else None


def _locked(entry: _Entry) -> Refusal | None:
    locked = entry.says(refusal_words.LOCK)
    return Refusal(RefusalKind.CLOSED_PERIOD, entry.field) if locked else None


def _exists(entry: _Entry) -> Refusal | None:
    if entry.says(refusal_words.EXISTS) and (entry.creates or entry.named in _TAKABLE):
        return Refusal(RefusalKind.TAKEN, entry.takable)
    return None


def _long(entry: _Entry) -> Refusal | None:
    if entry.says(refusal_words.LONG):
        return Refusal(RefusalKind.TOO_LONG, entry.named, _limit(entry.said))
    return None


def _limited(entry: _Entry) -> Refusal | None:
    if entry.says(refusal_words.CLIENT_LIMIT):
        return Refusal(RefusalKind.CLIENT_LIMIT)
    if not (entry.creates and entry.collection == "clients"):
        return None
    if entry.status == HTTPStatus.PAYMENT_REQUIRED or entry.says(refusal_words.PLAN):
        return Refusal(RefusalKind.CLIENT_LIMIT)
    return None


def _conflict(entry: _Entry) -> Refusal | None:
    """A 409 that says neither clearly: another record has it, where it can have anything."""
    if not entry.conflicts:
        return None
    if entry.named in _TAKABLE:
        return Refusal(RefusalKind.TAKEN, entry.takable)
    by_writing_it = entry.creates or entry.collection in {"clients", "items"}
    can_be_taken = by_writing_it and entry.collection in _UNIQUE
    if entry.explained and can_be_taken and not entry.says(refusal_words.BUSY_OR_TAKEN):
        return Refusal(RefusalKind.TAKEN, entry.takable)
    return Refusal(RefusalKind.BUSY)


def _complaint(entry: _Entry) -> Refusal | None:
    """A bare "invalid value" of what must be unique, or of the client: which code is not known."""
    if entry.errno not in {ERRNO_INVALID, None}:
        return None
    if entry.field in CLIENT_FIELDS:
        return Refusal(RefusalKind.GONE, entry.field)
    if entry.field in _OWN.get(entry.collection, ()):
        return Refusal(RefusalKind.TAKEN, entry.field)
    return None


def _right(entry: _Entry) -> Refusal | None:
    denied = entry.errno == ERRNO_ACCESS_DENIED
    if entry.status == HTTPStatus.FORBIDDEN or (denied and entry.says(refusal_words.NO_RIGHT)):
        return Refusal(RefusalKind.NO_RIGHT, entry.field)
    return Refusal(RefusalKind.NO_ACCOUNT) if denied else None


# Codes before words, since words may contain a name; of words the plainest first.
_RULES: tuple[Callable[[_Entry], Refusal | None], ...] = (
    _of_the_account,
    _missing,
    _by_code,
    _busy,
    _locked,
    _exists,
    _long,
    _limited,
    _conflict,
    _complaint,
    _right,
)


def _limit(words: str) -> int | None:
    length = refusal_words.LENGTH.search(words)
    return int(length[1] or length[2]) if length else None
