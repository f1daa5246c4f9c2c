"""What a refusal means, read from status, code, field and words: FreshBooks documents none of it.

One status says several things. A 409 is "being changed by another request" or "already exists"; a
403 is a read-only field, a right that the user lacks, the plan's limit of clients, or a period that
the owner locked. The codes are FreshBooks' own ("API Errors" page); if they do not decide, its
words do (`refusal_words`).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from operator import attrgetter
from typing import NamedTuple

from . import errors, refusal_words
from .errors import ApiError, Refused

ERRNO_ACCESS_DENIED = 1003
ERRNO_TOO_LONG, ERRNO_NEGATIVE, ERRNO_TAKEN = 1017, 1025, 1029
_INVALID = frozenset({1004, None})
_GONE = frozenset({1011, errors.ERRNO_UNKNOWN_RESOURCE})
_OF_THE_ACCOUNT = frozenset({1042, 12001})
"""The account is inactive, or shows this user no items."""
_OF_THE_RECORD = frozenset({1019, 1026, 1027, 1036})
"""Two taxes of one name, or characters: of the record alone, whatever the words."""

UNEXPLAINED = ApiError(None, "", "", "")
"""Stands for an answer that said nothing that can be read: a proxy's page, an empty body."""

CLIENT_FIELDS = frozenset({"customerid", "userid", "clientid"})


class RefusalKind(Enum):
    """What follows from a refusal differs by these."""

    BUSY = "busy"
    """Another request is changing the record: the same may work later."""
    TAKEN = "taken"
    """Another record has what must be unique; `field` says what."""
    TOO_LONG = "too_long"
    """`field` has more characters than FreshBooks takes; `limit`, if it tells."""
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


def meaning(operation: str, status: int, api_errors: Sequence[ApiError]) -> Refusal:
    """What a refusal means.

    Args:
        operation: Method and path template, such as
            `POST /accounting/account/{account_id}/users/clients`.
        status: HTTP status; 200 if the errors came inside a success.
        api_errors: The entries of the answer, whichever format they came in; none if it was not
            FreshBooks' own.
    """
    entries = [_Entry(operation, status, error) for error in api_errors or (UNEXPLAINED,)]
    for rules in _RULES:
        for entry in entries:
            for rule in rules:
                if rule.applies(entry):
                    limit = _limit(entry.message) if rule.kind is RefusalKind.TOO_LONG else None
                    return Refusal(rule.kind, rule.about(entry), limit)
    return Refusal(RefusalKind.UNKNOWN, next((one.field for one in entries if one.field), ""))


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
"""What another record can have already, by kind of record, if FreshBooks names no field."""

_OWN = {
    "invoices": frozenset({"invoice_number"}),
    "items": frozenset({"name", "sku"}),
    "clients": frozenset({"username"}),
    "credit_notes": frozenset({"credit_number"}),
}
"""Fields that are told to be invalid if another record has the same."""

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
        self.message = error.message
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
        """The field, from the words if the entry has none; "" if they name none either."""
        named = (field for field, words in refusal_words.NAMED if words.search(self.message))
        return self.field or next(named, "")

    @property
    def takable(self) -> str:
        """Which field another record may have already."""
        named = self.named
        if self.collection == "clients" and named == "name":
            return "username"
        return named or _UNIQUE.get(self.collection, "")


class _Rule(NamedTuple):
    """A kind of refusal, what tells it, and which field it is about."""

    kind: RefusalKind
    applies: Callable[[_Entry], bool]
    about: Callable[[_Entry], str] = lambda entry: entry.field


def _nothing(_: _Entry) -> str:
    return ""


def _may_be_taken(entry: _Entry) -> bool:
    """Whether a 409 that does not say what it is can be of something that another record has."""
    by_writing_it = entry.creates or entry.collection in {"clients", "items"}
    can_be_taken = by_writing_it and entry.collection in _UNIQUE
    clearly = entry.explained and not entry.says(refusal_words.BUSY_OR_TAKEN)
    return entry.named in _TAKABLE or (can_be_taken and clearly)


def _denied(entry: _Entry) -> bool:
    return entry.errno == ERRNO_ACCESS_DENIED


_named, _takable = attrgetter("named"), attrgetter("takable")

# Codes before words, since words may contain a name; of words the plainest first. The first group
# with a rule that applies to an entry decides, and the first such rule in it.
_RULES: tuple[tuple[_Rule, ...], ...] = (
    (
        _Rule(RefusalKind.NO_ACCOUNT, lambda entry: entry.errno in _OF_THE_ACCOUNT, _nothing),
        _Rule(  # a proxy's page: it may mind what is written, and says nothing of rights
            RefusalKind.UNKNOWN,
            lambda entry: entry.status == HTTPStatus.FORBIDDEN and not entry.explained,
            _nothing,
        ),
    ),
    (
        _Rule(
            RefusalKind.GONE,
            lambda entry: (
                entry.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} or entry.errno in _GONE
            ),
        ),
    ),
    (
        _Rule(RefusalKind.TOO_LONG, lambda entry: entry.errno == ERRNO_TOO_LONG, _named),
        _Rule(RefusalKind.NEGATIVE, lambda entry: entry.errno == ERRNO_NEGATIVE),
        _Rule(RefusalKind.TAKEN, lambda entry: entry.errno == ERRNO_TAKEN, _takable),
        _Rule(RefusalKind.READ_ONLY, lambda entry: entry.errno == errors.ERRNO_READ_ONLY_FIELD),
        _Rule(RefusalKind.UNKNOWN, lambda entry: entry.errno in _OF_THE_RECORD),
    ),
    (_Rule(RefusalKind.BUSY, lambda entry: entry.says(refusal_words.BUSY), _nothing),),
    (_Rule(RefusalKind.CLOSED_PERIOD, lambda entry: entry.says(refusal_words.LOCK)),),
    (
        _Rule(
            RefusalKind.TAKEN,
            lambda entry: (
                entry.says(refusal_words.EXISTS) and (entry.creates or entry.named in _TAKABLE)
            ),
            _takable,
        ),
    ),
    (_Rule(RefusalKind.TOO_LONG, lambda entry: entry.says(refusal_words.LONG), _named),),
    (
        _Rule(
            RefusalKind.CLIENT_LIMIT,
            lambda entry: entry.says(refusal_words.CLIENT_LIMIT),
            _nothing,
        ),
        _Rule(
            RefusalKind.CLIENT_LIMIT,
            lambda entry: (
                entry.creates
                and entry.collection == "clients"
                and (entry.status == HTTPStatus.PAYMENT_REQUIRED or entry.says(refusal_words.PLAN))
            ),
            _nothing,
        ),
    ),
    (  # a 409 that says neither clearly: another record has it, if it can have anything
        _Rule(
            RefusalKind.TAKEN,
            lambda entry: entry.conflicts and _may_be_taken(entry),
            _takable,
        ),
        _Rule(RefusalKind.BUSY, lambda entry: entry.conflicts, _nothing),
    ),
    (  # a bare "invalid value": which code is not known
        _Rule(
            RefusalKind.GONE,
            lambda entry: entry.errno in _INVALID and entry.field in CLIENT_FIELDS,
        ),
        _Rule(
            RefusalKind.TAKEN,
            lambda entry: entry.errno in _INVALID and entry.field in _OWN.get(entry.collection, ()),
        ),
    ),
    (
        _Rule(
            RefusalKind.NO_RIGHT,
            lambda entry: (
                entry.status == HTTPStatus.FORBIDDEN
                or (_denied(entry) and entry.says(refusal_words.NO_RIGHT))
            ),
        ),
        _Rule(RefusalKind.NO_ACCOUNT, _denied, _nothing),
    ),
)


def _limit(words: str) -> int | None:
    length = refusal_words.LENGTH.search(words)
    return int(length[1] or length[2]) if length else None
