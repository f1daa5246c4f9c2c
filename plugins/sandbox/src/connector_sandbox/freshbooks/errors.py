"""Errors as the accounting API words them: numbered, in an older and a newer format.

The numbers are FreshBooks' own ("API Errors" page); which HTTP status goes with which is known
for 1001 and 1015 (422), 1003 (401), 1012 (404) and 1038 (403) from observed answers; the others
are 422 here.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

REQUIRED = 1001
ACCESS_DENIED = 1003
INVALID = 1004
PARSE = 1005
DELETED = 1011
UNKNOWN = 1012
BAD_PER_PAGE = 1013
BAD_PAGE = 1014
NOT_A_NUMBER = 1015
TOO_LONG = 1017
BAD_PERCENT = 1018
FILTER_DATE = 1023
FILTER_NUMBER = 1024
NEGATIVE = 1025
DUPLICATE_TAX = 1026
LESS_THAN_ONE = 1028
DUPLICATE = 1029
NOT_A_DATE = 1033
FILTER_BOOLEAN = 1032
UNICODE = 1036
READ_ONLY = 1038
BAD_TOTAL = 1040
INACTIVE = 1042
BAD_STATUS = 8008
CONFLICT = 409

_STATUS = {ACCESS_DENIED: 401, UNKNOWN: 404, READ_ONLY: 403, INACTIVE: 403, CONFLICT: 409}
_GRPC_CODES = {401: 16, 403: 7, 404: 5, 409: 10, 429: 8}
_INVALID_ARGUMENT = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One error of an answer."""

    errno: int
    message: str
    field: str = ""
    object: str = ""
    value: str = ""


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of this program
    """What ends a request with an error answer; nothing of it is written."""

    def __init__(self, *entries: Entry, status: int | None = None) -> None:
        super().__init__("; ".join(entry.message for entry in entries))
        self.entries = entries
        self.status = status or _STATUS.get(entries[0].errno, 422)


def required(kind: str, field: str) -> Refusal:
    """A field is missing."""
    return Refusal(Entry(REQUIRED, f"'{field}' is a required field.", field, kind))


def invalid(
    kind: str, field: str, value: object, words: str = "", *, errno: int = INVALID
) -> Refusal:
    """A field's value cannot be taken."""
    message = words or f"Invalid value for '{field}'."
    return Refusal(Entry(errno, message, field, kind, str(value)))


def refuse(when: object, refusal: Refusal) -> None:
    """End the request with this answer, when that is so."""
    if when:
        raise refusal


def deleted(kind: str, field: str, value: object, noun: str = "") -> Refusal:
    """The record is there, and deleted."""
    name = noun or kind.replace("_", " ").capitalize()
    return Refusal(Entry(DELETED, f"{name} was deleted.", field, kind, str(value)))


def locked(kind: str, field: str, day: str, status: int) -> Refusal:
    """The day lies in a period that the owner has locked (Financial Lock)."""
    errno = ACCESS_DENIED if status == HTTPStatus.FORBIDDEN else INVALID
    words = f"{day} is in a locked period. Unlock it in Settings to make changes."
    return Refusal(Entry(errno, words, field, kind, day), status=status)


def exists(kind: str, field: str, value: object, words: str, status: int) -> Refusal:
    """Another record has that already; a 409 says so in words alone."""
    if status == HTTPStatus.CONFLICT:
        return Refusal(Entry(CONFLICT, words, "", kind))
    return Refusal(Entry(DUPLICATE, words, field, kind, str(value)), status=status)


def not_found(kind: str, field: str, value: object) -> Refusal:
    """There is no such record."""
    name = kind.replace("_", " ").capitalize()
    return Refusal(Entry(UNKNOWN, f"{name} not found.", field, kind, str(value)))


def old_format(refusal: Refusal) -> dict[str, Any]:
    """The format that answers have unless a version was asked for."""
    return {
        "response": {
            "errors": [
                {
                    "errno": entry.errno,
                    "field": entry.field,
                    "message": entry.message,
                    "object": entry.object,
                    "value": entry.value,
                }
                for entry in refusal.entries
            ]
        }
    }


def new_format(refusal: Refusal) -> dict[str, Any]:
    """The format that goes with ``X-API-VERSION``."""
    return {
        "code": _GRPC_CODES.get(refusal.status, _INVALID_ARGUMENT),
        "message": f"Request failed with status_code: {refusal.status}",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": str(entry.errno),
                "domain": "accounting.api.freshbooks.com",
                "metadata": {
                    "object": entry.object,
                    "message": entry.message,
                    "value": entry.value,
                    "field": entry.field,
                },
            }
            for entry in refusal.entries
        ],
    }
