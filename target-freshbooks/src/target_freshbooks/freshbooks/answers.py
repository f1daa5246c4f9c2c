"""From an HTTP answer to a verdict: what FreshBooks said, in any of its formats.

Success is `{"response": {"result": {...}}}` (users/me has no `result`). Errors come as
`{"response": {"errors": [...]}}`, as a google.rpc-like object with `details`, as a bare `error`
or `message`, sometimes inside HTTP 200; proxies answer HTML. (FreshBooks API errors page; the
fixtures of its official SDKs.)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any, Never

from connector_credentials.json_text import read_json

from .errors import ApiError
from .parsing import mapping_of, rows_of

MOST_LETTERS = 2_000
_ERRNO = re.compile("[0-9]{1,9}")


class Verdict(Enum):
    """What an answer means for the request, before asking whether it was a write."""

    DONE = "done"
    REFUSED = "refused"  # what that means is for `refusals` to say
    UNAUTHENTICATED = "unauthenticated"
    THROTTLED = "throttled"
    BROKEN = "broken"  # 5xx, 408, or not an answer of FreshBooks at all
    ELSEWHERE = "elsewhere"  # a redirect: the address is wrong, nothing was done


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict with what belongs to it: the payload of a success, the entries of a refusal.

    A refusal has no entries if it says nothing that can be read, as a proxy's page does.
    """

    verdict: Verdict
    status: int
    payload: Mapping[str, Any]
    errors: tuple[ApiError, ...] = ()


def read(status: int, body: bytes) -> Answer:
    """Judge an answer by its status and body."""
    document = document_of(body)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Answer(Verdict.THROTTLED, status, {})
    if status == HTTPStatus.UNAUTHORIZED:
        return Answer(Verdict.UNAUTHENTICATED, status, {}, errors_of(document))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return Answer(Verdict.BROKEN, status, {}, errors_of(document))
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Answer(Verdict.ELSEWHERE, status, {})
    errors = errors_of(document)
    if status < HTTPStatus.MULTIPLE_CHOICES and not errors:
        response = document.get("response") if document is not None else None
        if not isinstance(response, Mapping):
            return Answer(Verdict.BROKEN, status, {})
        return Answer(Verdict.DONE, status, response)
    if status == HTTPStatus.NOT_FOUND and document is None:
        # A proxy's page, not FreshBooks' word that the record does not exist.
        return Answer(Verdict.BROKEN, status, {})
    if status < HTTPStatus.MULTIPLE_CHOICES and _breaks_down(errors):
        return Answer(Verdict.BROKEN, status, {})
    return Answer(Verdict.REFUSED, status, {}, errors)


def _breaks_down(errors: tuple[ApiError, ...]) -> bool:
    """Whether a success holds FreshBooks' word that it failed itself."""
    return any(error.errno == HTTPStatus.INTERNAL_SERVER_ERROR for error in errors)


def errors_of(document: Mapping[str, Any] | None) -> tuple[ApiError, ...]:
    """All error entries of a body, whichever format; empty for a success."""
    if document is None:
        return ()
    response = document.get("response")
    if isinstance(response, Mapping) and response.get("errors"):
        return tuple(_old(entry) for entry in _entries(response["errors"]))
    nested = document.get("errors")
    if isinstance(nested, Mapping):  # ledger accounts
        document = nested
    elif nested:
        return tuple(_old(entry) for entry in _entries(nested))
    if isinstance(response, Mapping):
        return ()
    details = [_new(entry) for entry in rows_of(document.get("details"), dict)]
    details += [_old(entry) for entry in rows_of(document.get("details"), str)]
    if details:
        return tuple(details)
    message = document.get("message") or document.get("error_description") or document.get("error")
    if message:
        return (ApiError(_errno(document.get("errno")), "", _words(message), ""),)
    return ()


def _entries(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _old(entry: object) -> ApiError:
    """`{"errno": 1012, "field": "userid", "message": ..., "object": "client"}`."""
    if not isinstance(entry, Mapping):
        return ApiError(None, "", _words(entry), "")
    return _api_error(entry, entry.get("errno"), entry.get("message"))


def _new(entry: Mapping[str, Any]) -> ApiError:
    """`{"reason": "1012", "metadata": {"field": ..., "message": ..., "object": ...}}`."""
    metadata = mapping_of(entry.get("metadata"))
    message = metadata.get("message") or entry.get("message") or entry.get("reason")
    return _api_error(metadata, entry.get("reason"), message)


def _api_error(about: Mapping[str, Any], errno: object, message: object) -> ApiError:
    field, kind = about.get("field") or "", about.get("object") or ""
    return ApiError(_errno(errno), _words(field), _words(message or ""), _words(kind))


def _errno(value: object) -> int | None:
    text = str(value) if value is not None else ""
    return int(text) if _ERRNO.fullmatch(text) else None


def _words(value: object) -> str:
    """What is said, to a length that can be looked through and shown."""
    return str(value)[:MOST_LETTERS]


def document_of(body: bytes) -> dict[str, Any] | None:
    """The JSON object of a body; None for HTML, truncated JSON, or anything else."""
    try:
        document = read_json(body, unreadable=_beyond_measure)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _beyond_measure(what: str) -> Never:
    """FreshBooks has no such values: the answer is not its own."""
    raise ValueError(what)
