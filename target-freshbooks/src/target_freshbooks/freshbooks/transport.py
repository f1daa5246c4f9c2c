"""Requests to FreshBooks with a token, at its pace, tried again if that is safe.

A read is tried again after anything that may pass. A write is tried again only when it certainly
did not happen: FreshBooks said 429 or 401, or the connection was never made. Everything else that
is unclear about a write is `UnknownOutcome`, for the caller to look first.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from connector_credentials.backoff import Attempts, RetryPolicy
from connector_credentials.network_failures import NetworkFailure

from . import answers
from .answers import Answer, Verdict
from .errors import (
    ERRNO_UNKNOWN_RESOURCE,
    ApiError,
    AuthError,
    Conflict,
    Failing,
    Forbidden,
    FreshBooksError,
    NotFound,
    Outage,
    Refused,
    Throttled,
    UnknownOutcome,
    Unreachable,
)
from .oauth import reconnect
from .pacing import Pacer, pause_asked
from .refusals import UNEXPLAINED, RefusalKind, meaning
from .wire import RequestRecord, Wire, WireFailure, encode

__all__ = ["Operation", "RequestRecord", "Tokens", "Transport"]

Query = Sequence[tuple[str, str]]

IMPATIENT_SECONDS = 1.0
"""So long may the quota keep a request waiting that rests on what was seen just before."""

ITS_OWN = frozenset({HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE})
"""The failures that FreshBooks itself answers with; those of a gateway are others."""

NO_READING = frozenset({HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN})


class Tokens(Protocol):
    """Where access tokens come from: `TokenSource`, or a fixed one in a test."""

    def access_token(self) -> str:
        """A token to use now."""

    def refresh(self, rejected: str) -> str:
        """Another one, since FreshBooks answered 401 to this one."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One request.

    Attributes:
        template: The path with `{account_id}` and `{id}` for the ids: this goes into logs.
        values: What stands in for them.
        query: Pairs, not yet encoded.
        body: The JSON document of a write.
        impatient: It rests on what was seen just before: it is not sent after a wait for the quota.
    """

    method: str
    template: str
    values: Mapping[str, str | int]
    query: Query = ()
    body: Mapping[str, Any] | None = None
    impatient: bool = False

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.method} {self.template}"

    @property
    def writes(self) -> bool:
        """Whether repeating it could do something twice."""
        return self.method != "GET"

    @property
    def path(self) -> str:
        """Encoded, with the query. A `+` in an e-mail becomes %2B: bare, it would be a space."""
        values = {key: quote(str(value), safe="") for key, value in self.values.items()}
        path = self.template.format(**values)
        return f"{path}?{urlencode(self.query, quote_via=quote)}" if self.query else path


class _AgainError(Exception):
    """This try came to nothing and another one is safe; `final` is raised if none is left."""

    def __init__(self, final: FreshBooksError, at_least: float = 0.0) -> None:
        super().__init__()
        self.final = final
        self.at_least = at_least


class Transport:
    """Carries out operations. Thread-safe.

    Args:
        clock: Aware UTC now.

    Attributes:
        before_write: Called directly before each try of a write is sent. It may raise, and then
            nothing is sent by this try and the error leaves as it is. Minutes may lie between
            asking for a write and sending it (the pace, the token's lock, a 429), so whoever may
            lose the right to write looks here once more.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        tokens: Tokens,
        pacer: Pacer,
        policy: RetryPolicy,
        clock: Callable[[], datetime],
    ) -> None:
        self._wire = wire
        self._tokens = tokens
        self._pacer = pacer
        self._policy = policy
        self._clock = clock
        self.before_write: Callable[[], None] = lambda: None

    def run(self, operation: Operation) -> Mapping[str, Any]:
        """The `response` object of the answer.

        Raises:
            FreshBooksError: One of its kinds, see the `errors` module.
        """
        body = None if operation.body is None else encode(operation.body)
        attempts = self._policy.begin()
        failed_first: float | None = None
        while True:
            try:
                return self._try(operation, body, attempts)
            except _AgainError as again:
                final, at_least = again.final, again.at_least
            failed_first = time.monotonic() if failed_first is None else failed_first
            if isinstance(final, Failing):
                final.since = failed_first
            # Outside the handler, so that nothing that follows carries this failure along.
            if not attempts.wait(final, at_least):
                raise final

    def _try(
        self, operation: Operation, body: bytes | None, attempts: Attempts
    ) -> Mapping[str, Any]:
        token = self._tokens.access_token()
        answer = self._exchange(operation, body, token, attempts)
        if answer.verdict is Verdict.UNAUTHENTICATED:
            token = self._tokens.refresh(token)
            answer = self._exchange(operation, body, token, attempts)
        if answer.verdict is Verdict.DONE:
            return answer.payload
        return _raise_for(operation, answer, attempts)

    def _exchange(
        self, operation: Operation, body: bytes | None, token: str, attempts: Attempts
    ) -> Answer:
        waited = self._pacer.acquire()
        headers: Mapping[str, str] | None = None
        try:
            if operation.impatient and waited > IMPATIENT_SECONDS:
                raise Throttled(operation.name, f"kept waiting {waited:.0f} s by the quota")
            if operation.writes:
                self.before_write()
            reply = self._wire.send(
                operation.method,
                operation.path,
                operation.template,
                headers={"Content-Type": "application/json"} if body is not None else None,
                token=token,
                body=body,
            )
            headers = None if isinstance(reply, WireFailure) else reply.headers
        finally:
            self._pacer.release(headers)
        attempts.spend(reply.seconds)
        if isinstance(reply, WireFailure):
            raise _after(operation, reply.failure, attempts)
        # A server that quotes the request in its words must not have them keep the token.
        answer = answers.read(reply.status, reply.body.replace(token.encode(), b"[token]"))
        if answer.verdict is Verdict.THROTTLED:
            asked = pause_asked(reply.headers, self._clock())
            self._pacer.pause(asked)
            if operation.impatient and asked <= attempts.left:
                raise Throttled(operation.name, f"too many requests (429), wait {asked:g} s")
            raise _AgainError(
                Outage(operation.name, f"too many requests (429) after {attempts.tries} tries"),
                asked,
            )
        return answer


def _after(operation: Operation, failure: NetworkFailure, attempts: Attempts) -> Exception:
    """What to raise if no whole answer came."""
    if not failure.sent:
        if not failure.passing:
            return Unreachable(operation.name, failure.words)
        final = Outage(operation.name, f"{failure.words}, {attempts.tries} tries; nothing sent")
        return _AgainError(final)
    if operation.writes:
        return UnknownOutcome(operation.name, failure.words)
    return _AgainError(Failing(operation.name, f"{failure.words}, {attempts.tries} tries"))


def _raise_for(operation: Operation, answer: Answer, attempts: Attempts) -> Mapping[str, Any]:
    """Raise what the answer means; typed as a result so that a caller can return it."""
    name, status = operation.name, answer.status
    match answer.verdict:
        case Verdict.UNAUTHENTICATED:
            raise AuthError(name, f"401 also with a fresh token; {reconnect()}")
        case Verdict.BROKEN:
            if operation.writes:
                # Of 502, 504 and the like a gateway may be the author, that gave up waiting.
                answered = status < HTTPStatus.MULTIPLE_CHOICES or status in ITS_OWN
                raise UnknownOutcome(
                    name, f"HTTP {status} without a usable answer", answered=answered
                )
            raise _AgainError(
                Failing(name, f"HTTP {status} without a usable answer, {attempts.tries} tries")
            )
        case Verdict.ELSEWHERE:
            raise Outage(name, f"answered with a redirect ({status}): check api_url")
        case _:
            raise _refused(operation, answer)


def _refused(operation: Operation, answer: Answer) -> Exception:
    """A refusal as the error that says what may be done next.

    What is said of the account, and any lack of rights to read, stops the run; a lack of rights to
    write is of that kind of record, and refuses the one at hand.
    """
    name, status, errors = operation.name, answer.status, answer.errors or (UNEXPLAINED,)
    codes = f"HTTP {status}{_codes(errors)}"
    kind = meaning(name, status, errors).kind
    may_not_read = not operation.writes and (status in NO_READING or kind is RefusalKind.NO_RIGHT)
    if kind is RefusalKind.NO_ACCOUNT or may_not_read:
        return Forbidden(name, f"not allowed ({codes}): check role and scopes")
    deleted = kind is RefusalKind.GONE and not operation.writes and "id" in operation.values
    if deleted or _is_missing(status, errors):
        if "id" in operation.values or operation.writes:
            return NotFound(name, status, errors)
        # A list is never missing, so what is missing is the account.
        return Forbidden(name, f"not found ({codes}): check account_id")
    if kind is RefusalKind.BUSY:
        busy = Conflict(name, status, errors)
        return busy if operation.writes else _AgainError(busy)
    return Refused(name, status, errors)


def _is_missing(status: int, errors: Sequence[ApiError]) -> bool:
    """Whether it is the record itself: with another status, 1012 may be of one that it names."""
    inside_success = status < HTTPStatus.MULTIPLE_CHOICES
    return status == HTTPStatus.NOT_FOUND or (
        inside_success and [error.errno for error in errors] == [ERRNO_UNKNOWN_RESOURCE]
    )


def _codes(errors: Sequence[ApiError]) -> str:
    """The codes and fields of a refusal, for a message: FreshBooks' words may quote a customer."""
    codes = dict.fromkeys(f"errno {error.errno}" for error in errors if error.errno is not None)
    fields = dict.fromkeys(f"field {error.field}" for error in errors if error.field)
    return "".join(f", {one}" for one in (*codes, *fields))
