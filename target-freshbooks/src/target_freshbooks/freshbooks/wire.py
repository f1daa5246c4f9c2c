"""One HTTP exchange: send, read the whole answer, and say what is known when that fails.

For a write everything hangs on whether the request can have reached FreshBooks. Only what fails
before the connection stands (refused, unknown host, connect time-out, bad certificate) counts as
never sent. A reset on a kept-alive connection does not, although it is often just stale.

`requests` puts whole addresses into its exceptions and `urllib3` into its log, and ours hold
e-mail addresses of customers. So failures leave here as values, and urllib3's log is kept quiet.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from connector_credentials.deadline import new_session
from connector_credentials.network_failures import (
    NO_ANSWER,
    NetworkFailure,
    failure_of,
    host_of,
)
from requests.auth import AuthBase

logger = logging.getLogger(__name__)
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)

_OF_QUOTA = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after")


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request for counting: no query, no ids, no personal data.

    Attributes:
        path: The template, such as `/accounting/account/{account_id}/invoices/invoices/{id}`.
        status: None if no answer came.
        outcome: "answered", "not_sent" or "lost".
        quota: The headers of the answer that speak of FreshBooks' quota, names in lower case.
    """

    method: str
    path: str
    status: int | None
    seconds: float
    outcome: str
    quota: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WireReply:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class WireFailure:
    """No whole answer, and after how many seconds that was known."""

    failure: NetworkFailure
    seconds: float


class _Bearer(AuthBase):
    """Sets the token itself, so that `requests` does not put a .netrc entry in its place."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Wire:
    """Sends requests to one host, with a connection pool for each thread.

    Args:
        base_url: Scheme and host, such as `https://api.freshbooks.com`.
        timeout: Seconds, for connecting and for each pause between the answer's bytes; twice that
            for the whole answer.
        on_request: Told of each request after it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        user_agent: str,
        timeout: float,
        on_request: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._host = host_of(base_url)
        self._user_agent = user_agent
        self._timeout = timeout
        self._on_request = on_request
        self._local = threading.local()

    def send(
        self,
        method: str,
        path: str,
        template: str,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        body: bytes | None = None,
    ) -> WireReply | WireFailure:
        """One exchange. `path` has the query, encoded; `template` is what may be shown."""
        outcome = self._exchange(method, path, headers=headers or {}, token=token, body=body)
        status = outcome.status if isinstance(outcome, WireReply) else None
        name = "answered" if isinstance(outcome, WireReply) else _name(outcome)
        logger.debug(
            "%s %s: %s %s in %.3f s", method, template, name, status or "", outcome.seconds
        )
        if self._on_request is not None:
            quota = _quota(outcome.headers) if isinstance(outcome, WireReply) else {}
            self._on_request(RequestRecord(method, template, status, outcome.seconds, name, quota))
        return outcome

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        token: str | None,
        body: bytes | None,
    ) -> WireReply | WireFailure:
        started = time.monotonic()
        try:
            response = self._session().request(
                method,
                f"{self._base_url}{path}",
                data=body,
                headers={"User-Agent": self._user_agent, "Accept": "application/json", **headers},
                auth=_Bearer(token),
                timeout=self._timeout,
                allow_redirects=False,  # following one would turn a POST into a GET
            )
        except NO_ANSWER as exc:
            return WireFailure(failure_of(exc, self._host), time.monotonic() - started)
        seconds = time.monotonic() - started
        return WireReply(response.status_code, response.headers, response.content, seconds)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = new_session()
            # Proxies and certificates of the environment: read once, for it is always one host.
            environment = session.merge_environment_settings(self._base_url, {}, None, None, None)
            session.proxies, session.verify = environment["proxies"], environment["verify"]
            session.trust_env = False
        return session


def _quota(headers: Mapping[str, str]) -> Mapping[str, str]:
    lowered = {name.lower(): value for name, value in headers.items()}
    return {name: lowered[name] for name in _OF_QUOTA if name in lowered}


def _name(lost: WireFailure) -> str:
    return "lost" if lost.failure.sent else "not_sent"


def encode(document: Mapping[str, Any]) -> bytes:
    """The JSON of a body.

    Raises:
        TypeError: It holds a float or a Decimal; amounts are sent as text.
    """
    _no_floats(document)
    return json.dumps(document).encode()


def _no_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("an amount is sent as text, not as a float")
    if isinstance(value, Mapping):
        for one in value.values():
            _no_floats(one)
    elif isinstance(value, list | tuple):
        for one in value:
            _no_floats(one)
