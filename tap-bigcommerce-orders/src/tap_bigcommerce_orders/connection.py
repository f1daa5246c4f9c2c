"""Sends every request of the tap: authenticated, paced, and tried again while that can help.

Only GETs are sent, so a request can always be repeated. What passes by itself (429, most 5xx,
time-outs, resets, answers that are cut off or are not JSON) is tried again with full-jitter
back-off until ``max_retry_seconds`` are over; everything else stops the run with a sentence that
says what to do (`answers`).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

import requests
from connector_credentials.backoff import Backoff, RetryPolicy
from connector_credentials.deadline import AnswerTooLarge, new_session
from connector_credentials.network_failures import NO_ANSWER, failure_of, host_of
from connector_credentials.quota_headers import bigcommerce_reset, seconds_asked

from tap_bigcommerce_orders.answers import Transient, body_of, read_answer, too_large
from tap_bigcommerce_orders.errors import GaveUp, Refused, Stopped
from tap_bigcommerce_orders.rate_limiter import RateLimiter

if TYPE_CHECKING:
    from tap_bigcommerce_orders.normalize import Json

Params = Mapping[str, str | int]
Read = TypeVar("Read")

FEW_TRIES = 3  # for what should not be worth a try, such as "the store is suspended"
QUIET_TRIES = 3  # a first trouble or two is no news

logger = logging.getLogger("tap-bigcommerce-orders.connection")


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as it came: its status, its headers, and its body, None where that is no JSON."""

    status: int
    headers: Mapping[str, str]
    body: Json


class Connection:
    """The store's API, for any number of threads.

    Args:
        base_url: ``https://api.bigcommerce.com/stores/{store_hash}``.
        token: Gives the access token; called at the first request.
        user_agent: Names the integration, as BigCommerce asks for.
        request_timeout: Seconds to wait for the connection, and for each next byte; twice that
            for the whole answer.
        max_retry_seconds: For how long one request is tried again, from its first failure on.
        quota_percent: The part of the store's quota we may use.
        max_concurrency: Connections kept open.
        now: Monotonic seconds (injected in tests).
        sleep: Replaces the interruptible wait (injected in tests).
        rng: Source of the jitter.
    """

    def __init__(
        self,
        *,
        base_url: str,
        token: Callable[[], str],
        user_agent: str,
        request_timeout: int,
        max_retry_seconds: int,
        quota_percent: int,
        max_concurrency: int,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._base_url = base_url
        self._host = host_of(base_url)
        self.request_count = 0
        self._token = token
        self._user_agent = user_agent
        self._timeout = request_timeout
        self._now = now
        self._stop = threading.Event()
        self._sleep = sleep or self._wait
        jitter = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._policy = RetryPolicy(max_retry_seconds, jitter, self._sleep, Backoff(first=1.0))
        self._limiter = RateLimiter(percent=quota_percent, now=now, sleep=self._sleep)
        self._count_lock = threading.Lock()
        self._session = new_session(pool_maxsize=max_concurrency + 1)

    def get(self, path: str, params: Params | None = None, *, absent: Collection[int] = ()) -> Json:
        """GET a path and decode its JSON, trying until it is answered.

        Args:
            path: From the store on: ``/v2/orders``.
            params: Query parameters.
            absent: Statuses, such as 404, that mean "there is none" here.

        Returns:
            The decoded body; None for 204 and for the statuses in ``absent``.

        Raises:
            BigCommerceError: It is not going to be answered.
        """

        def read(response: requests.Response) -> Json:
            return None if response.status_code in absent else read_answer(response, path)

        return self._ask(path, params, read)

    def look(self, path: str, params: Params | None = None, *, told: Collection[int] = ()) -> Seen:
        """GET a path as `get` does, and tell how it was answered.

        Args:
            path: From the store on.
            params: Query parameters.
            told: Statuses that are an answer like any other here.

        Raises:
            BigCommerceError: It is not going to be answered.
        """

        def read(response: requests.Response) -> Seen:
            answered = response.status_code in told
            body = body_of(response) if answered else read_answer(response, path)
            return Seen(response.status_code, response.headers, body)

        return self._ask(path, params, read)

    def _ask(
        self, path: str, params: Params | None, read: Callable[[requests.Response], Read]
    ) -> Read:
        request = self._request(path, params)
        attempts, lasting, began = self._policy.begin(), 0, 0.0
        while True:
            try:
                return read(self._send(request, path))
            except Transient as error:
                trouble = error
            # The first failure begins the time in which it is tried again.
            attempts.spend(self._now() - began if began else 0.0)
            tries = attempts.tries
            lasting = 0 if trouble.if_it_lasts is None else lasting + 1
            if trouble.if_it_lasts is not None and lasting > FEW_TRIES:
                raise trouble.if_it_lasts
            asked = None
            if trouble.rate_limited:
                asked = seconds_asked(trouble.headers, bigcommerce_reset(trouble.headers))
            wait = attempts.next_wait(asked or 0.0)
            if wait is None:
                raise self._gave_up(trouble, tries, asked, path)
            logger.log(
                logging.DEBUG if tries < QUIET_TRIES else logging.WARNING,
                "GET %s: %s (try %d); trying again in %.1f s",
                path,
                trouble.what,
                tries,
                wait,
            )
            if trouble.rate_limited:
                self._limiter.pause(wait)
            self._sleep(wait)
            began = self._now()

    def stop(self) -> None:
        """Let every thread that waits or wants to send end with `Stopped`."""
        self._stop.set()

    def close(self) -> None:
        """Close the open connections."""
        self._session.close()

    def _request(self, path: str, params: Params | None) -> requests.PreparedRequest:
        query = f"?{urlencode(params, safe=',:')}" if params else ""
        headers = {
            "X-Auth-Token": self._token(),
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": self._user_agent,
        }
        return requests.Request("GET", f"{self._base_url}{path}{query}", headers).prepare()

    def _send(self, request: requests.PreparedRequest, path: str) -> requests.Response:
        self._limiter.acquire()
        if self._stop.is_set():
            raise Stopped("The run is being stopped.")
        with self._count_lock:
            self.request_count += 1
        headers: Mapping[str, str] | None = None
        try:
            # Certificates and proxies of the environment, as with any other program.
            environment = self._session.merge_environment_settings(
                self._base_url, {}, stream=None, verify=None, cert=None
            )
            # A redirect would carry the token to another address, so none is followed.
            response = self._session.send(
                request, timeout=self._timeout, allow_redirects=False, **environment
            )
            headers = response.headers
        except NO_ANSWER as error:
            failure = failure_of(error, self._host)
            if isinstance(error, AnswerTooLarge):
                raise too_large(path, failure.words) from None
            if failure.passing:
                raise Transient(failure.words) from None
            raise Refused(f"GET {path}: {failure.words}.") from None
        finally:
            self._limiter.release(headers)
        return response

    def _gave_up(self, trouble: Transient, tries: int, asked: float | None, path: str) -> GaveUp:
        wish = "" if asked is None else f", asking for a pause of {asked:.0f} s"
        return GaveUp(
            f"GET {path} failed {tries} times, at last with {trouble.what}{wish}; "
            f"max_retry_seconds ({self._policy.max_seconds}) are over. "
            "Nothing is lost: run again when BigCommerce is well, "
            "or raise max_retry_seconds."
        )

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped("The run is being stopped.")
