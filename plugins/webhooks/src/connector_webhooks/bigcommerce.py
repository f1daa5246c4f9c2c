"""BigCommerce's hooks API (v3, "Webhooks" reference), as much of it as is needed.

Answers come wrapped in ``data`` or bare (the documentation shows both), errors as JSON or not.
Reads are repeated when the service is busy. Writes are not: reconciling looks first, so the command
is simply run again.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from connector_credentials.backoff import RetryPolicy
from connector_credentials.deadline import new_session
from connector_credentials.json_text import read_json
from connector_credentials.network_failures import NO_ANSWER, failure_of, host_of
from connector_credentials.quota_headers import bigcommerce_reset, seconds_asked

from connector_webhooks import __version__
from connector_webhooks.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

PAGE = 50
MOST_PAGES = 100
LATEST = 253_402_300_799  # Unix seconds: the last that a date can be
READ_TRIES = 5
MOST_RETRY_SECONDS = 60.0
_BUSY = frozenset({0, 429, 500, 502, 503, 504})  # 0: there was no answer
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class RegisteredHook:
    """A hook as BigCommerce knows it.

    Attributes:
        headers: Headers sent with each call; their values may be secrets.
        created_at: Unix seconds since when there is it, 0 where unknown.
    """

    id: int
    scope: str
    destination: str
    is_active: bool
    headers: Mapping[str, str] = field(repr=False)
    created_at: int


@dataclass(frozen=True, slots=True)
class BlockedDomain:
    """A destination that BigCommerce sends nothing to at the moment."""

    destination: str
    seconds_left: int


class HooksApi:
    """The hooks of the API account whose token is used; others' are not visible to it.

    Args:
        api_url: Origin of the API.
        store_hash: The store.
        access_token: Sent as ``X-Auth-Token``.
        timeout: Seconds to wait for the connection, and for each next byte; twice that for the
            whole answer.
        sleep: Waits between tries of a read.
        now: Monotonic seconds.
    """

    def __init__(
        self,
        api_url: str,
        store_hash: str,
        access_token: str,
        *,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        jitter = random.Random()  # noqa: S311 - jitter, not a secret
        self._policy = RetryPolicy(MOST_RETRY_SECONDS, jitter, sleep)
        self._base_url = f"{api_url.rstrip('/')}/stores/{store_hash}/v3"
        self._host = host_of(api_url)
        self._timeout = timeout
        self._now = now
        self._session = new_session()
        self._session.headers.update(
            {
                "X-Auth-Token": access_token,
                "Accept": "application/json",
                "User-Agent": f"connector-webhooks/{__version__}",
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def hooks(self) -> list[RegisteredHook]:
        """All hooks of the account, page by page until one brings nothing new."""
        found: dict[int, RegisteredHook] = {}
        for page in range(1, MOST_PAGES + 1):
            rows = _rows(self._request("GET", "/hooks", params={"page": page, "limit": PAGE}))
            before = len(found)
            found |= {hook.id: hook for hook in map(_hook, rows)}
            if len(found) == before:
                return list(found.values())
        raise ApiError(f"The list of hooks has no end after {MOST_PAGES} pages.")

    def blocked_domains(self) -> list[BlockedDomain]:
        """Destinations on BigCommerce's deny list; empty where the account may not ask."""
        try:
            answer = self._request("GET", "/hooks/admin")
        except ApiError as error:
            if error.status in {403, _NOT_FOUND}:
                return []
            raise
        return [
            BlockedDomain(str(row.get("destination", "")), _seconds(row.get("time_left")))
            for row in _objects(_document(answer).get("blocked_domains"))
        ]

    def create(self, scope: str, destination: str, headers: Mapping[str, str]) -> RegisteredHook:
        """Register a hook, active."""
        body = {
            "scope": scope,
            "destination": destination,
            "is_active": True,
            "headers": dict(headers),
        }
        return _hook(_document(self._request("POST", "/hooks", json=body)))

    def update(self, hook_id: int, headers: Mapping[str, str]) -> bool:
        """Switch a hook on, with these headers; whether the answer has it so."""
        body = {"is_active": True, "headers": dict(headers)}
        answer = self._request("PUT", f"/hooks/{hook_id}", json=body)
        return bool(_document(answer).get("is_active", True))

    def delete(self, hook_id: int) -> None:
        """Delete a hook; one that is gone already is as wanted."""
        try:
            self._request("DELETE", f"/hooks/{hook_id}")
        except ApiError as error:
            if error.status != _NOT_FOUND:
                raise

    def _request(self, method: str, path: str, **parts: Any) -> Any:  # noqa: ANN401 - JSON
        """Ask; a read is repeated while the service is busy, a write never."""
        most = READ_TRIES if method == "GET" else 1
        attempts = self._policy.begin()
        while True:
            asked, began = 0.0, self._now()
            try:
                reply = self._session.request(
                    method,
                    f"{self._base_url}{path}",
                    timeout=self._timeout,
                    allow_redirects=False,  # the token is for this address alone
                    **parts,
                )
            except NO_ANSWER as error:
                network_failure = failure_of(error, self._host)
                failure = ApiError(f"BigCommerce could not be reached: {network_failure.words}.")
                if not network_failure.passing:
                    raise failure from None
            else:
                if HTTPStatus.OK <= reply.status_code < HTTPStatus.MULTIPLE_CHOICES:
                    return _json(reply)
                failure = ApiError(_refusal(reply), reply.status_code)
                asked = seconds_asked(reply.headers, bigcommerce_reset(reply.headers)) or 0.0
            attempts.spend(self._now() - began)
            again = failure.status in _BUSY and attempts.tries < most
            wait = attempts.next_wait(asked) if again else None
            if wait is None:
                raise failure
            attempts.sleep(wait)


def _json(reply: requests.Response) -> Any:  # noqa: ANN401 - JSON
    try:
        return read_json(reply.content, str) if reply.content else {}
    except ValueError as error:
        raise ApiError(
            f"BigCommerce answered {reply.status_code} with something that is no JSON."
        ) from error


def _refusal(response: requests.Response) -> str:
    words = ""
    try:
        document = read_json(response.content, str)
    except ValueError:
        document = None  # error pages may be HTML or text: the status says enough
    if isinstance(document, list) and document:
        document = document[0]
    if isinstance(document, dict):
        details = document.get("errors")
        words = ": " + str(document.get("title") or document.get("message") or "no reason given")
        if isinstance(details, dict) and details:
            words += " (" + ", ".join(f"{name}: {text}" for name, text in details.items()) + ")"
    hint = _HINTS.get(response.status_code, "")
    request = response.request
    return f"BigCommerce answered {response.status_code} to {request.method}{words}.{hint}"


_HINTS = {
    401: " The access token is not valid for this store: check access_token and store_hash.",
    403: " The access token lacks the right, or store_hash is wrong.",
    429: " The store's request quota is used up: run the command again in a minute.",
}


def _document(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    inner = answer.get("data", answer) if isinstance(answer, dict) else answer
    if not isinstance(inner, dict):
        raise ApiError("BigCommerce answered with a document of an unknown form.")
    return inner


def _rows(answer: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    inner = answer.get("data", []) if isinstance(answer, dict) else answer
    if not isinstance(inner, list):
        raise ApiError("BigCommerce answered with a list of an unknown form.")
    return _objects(inner)


def _objects(rows: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _seconds(value: Any) -> int:  # noqa: ANN401 - JSON
    """A time in seconds, 0 where there is none that could be one."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 < value <= LATEST else 0


def _hook(row: dict[str, Any]) -> RegisteredHook:
    identity = row.get("id")
    if not isinstance(identity, int):
        raise ApiError("BigCommerce answered with a hook that has no id.")
    headers = row.get("headers")
    return RegisteredHook(
        id=identity,
        scope=str(row.get("scope", "")),
        destination=str(row.get("destination", "")),
        is_active=bool(row.get("is_active", False)),
        headers={str(k): str(v) for k, v in headers.items()} if isinstance(headers, dict) else {},
        created_at=_seconds(row.get("created_at")) or _seconds(row.get("updated_at")),
    )
