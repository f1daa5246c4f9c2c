"""What is known when an HTTP exchange came to nothing, in words that name the host.

`requests` puts whole addresses into its exceptions, and ours hold e-mail addresses of customers: of
an exception only its kind is told.
"""

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3

from .deadline import AnswerTooLarge

NO_ANSWER = (OSError, urllib3.exceptions.HTTPError)
"""What a request may raise; the exceptions of `requests` are of the first kind."""

_NEVER_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    requests.ConnectTimeout,
)
_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)
_TIMEOUT = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)
_BUNDLE = "check the file that REQUESTS_CA_BUNDLE names"


@dataclass(frozen=True, slots=True)
class NetworkFailure:
    """No whole answer.

    Attributes:
        words: What happened, with the host, and the cure if it is here.
        sent: False only if the request certainly never left.
        passing: Whether another try may do better.
    """

    words: str
    sent: bool = True
    passing: bool = True


def failure_of(error: Exception, host: str) -> NetworkFailure:
    """Judge what a request to the host has raised, one of `NO_ANSWER`."""
    causes = causes_of(error)
    kind = type(causes[-1]).__name__.removeprefix("_")
    if _is(causes, ssl.SSLCertVerificationError):
        words = (
            f"the certificate that {host} shows is not trusted here, so nothing was sent. If a"
            " proxy inspects TLS in your network, name the file of its authority in"
            f" REQUESTS_CA_BUNDLE; otherwise somebody may be between you and {host}"
        )
        return NetworkFailure(words, sent=False, passing=False)
    if _lacks_authorities(causes):
        words = f"no authority is known here that could vouch for {host}: {_BUNDLE}"
        return NetworkFailure(words, sent=False, passing=False)
    if _is(causes, *_ADDRESS):
        words = f"cannot connect to {host} ({kind}): check its address and the proxy's"
        return NetworkFailure(words, sent=False, passing=False)
    if _is(causes, *_NEVER_SENT):
        return NetworkFailure(f"cannot connect to {host} ({kind})", sent=False)
    if _is(causes, AnswerTooLarge):
        return NetworkFailure(f"no whole answer of {host}: {error}")
    what = "in time" if _is(causes, *_TIMEOUT) else f"({kind})"
    return NetworkFailure(f"no whole answer of {host} {what}")


def host_of(url: str) -> str:
    """Host and port of an address, as they are written, without a login."""
    return urlsplit(url).netloc.rpartition("@")[2]


def causes_of(error: BaseException) -> list[BaseException]:
    """The exception with all that it wraps, urllib3's `reason` included.

    Not `__context__`: if the caller is itself handling an earlier failure, that one would be
    found here and this request taken for never sent.
    """
    causes: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        current = queue.pop(0)
        if not isinstance(current, BaseException) or any(current is one for one in causes):
            continue
        causes.append(current)
        queue += [*current.args, getattr(current, "reason", None)]
    return causes


def _is(causes: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in causes)


def _lacks_authorities(causes: list[BaseException]) -> bool:
    """Whether the file of authorities is missing (an `OSError` of no system call) or holds none."""
    last = causes[-1]
    if isinstance(last, ssl.SSLError):
        return last.reason == "NO_CERTIFICATE_OR_CRL_FOUND"
    return type(last) is OSError and last.errno is None
