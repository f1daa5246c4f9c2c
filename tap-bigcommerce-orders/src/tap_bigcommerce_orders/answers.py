"""Decides what an HTTP answer means: a body, a transient trouble, or the end of the run.

Statuses and their meaning: "Status codes" and "API rate limits" in the BigCommerce developer
documentation. An error's body is looked at for one thing only, whether the store is suspended; it
may be JSON, an array, plain text or an HTML page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from connector_credentials.json_text import TooManyValues

from tap_bigcommerce_orders.errors import (
    BigCommerceError,
    NotAuthorized,
    Refused,
    ScopeMissing,
    StoreNotFound,
    StoreSuspended,
)
from tap_bigcommerce_orders.normalize import Json, decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

_SUSPENDED = StoreSuspended(
    "BigCommerce says that the store is suspended. Its owner must clear that with "
    "BigCommerce (an administrative action or a billing issue); then run again."
)

NEVER_RETRIED = {HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED}
RETRIED_BELOW_500 = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, 499}

SCOPES = (
    ("/transactions", "store_v2_transactions_read_only"),
    ("/v3/customers", "store_v2_customers_read_only"),
    ("/v3/catalog", "store_v2_products_read_only"),
    ("/v2/order", "store_v2_orders_read_only"),
    ("/v3/orders", "store_v2_orders_read_only"),
    ("", "store_v2_information_read_only"),
)


@dataclass
class Transient(Exception):  # noqa: N818 - the word says it
    """A trouble that may pass by itself.

    Attributes:
        what: In a few words, without anything of the body.
        headers: The answer's, where there was one.
        rate_limited: A 429: all threads should wait.
        if_it_lasts: What it means if a few more tries give the same.
    """

    what: str
    headers: Mapping[str, str] = field(default_factory=dict)
    rate_limited: bool = False
    if_it_lasts: BigCommerceError | None = None


def too_large(path: str, what: str) -> Refused:
    """What to say of an answer that is given up for its size."""
    return Refused(
        f"GET {path} was given up: {what}. Lower page_size, or look into what the store holds."
    )


def read_answer(response: requests.Response, path: str) -> Json:
    """Read an answer's body; None where it has no content.

    Raises:
        Transient: Asking again may help.
        BigCommerceError: Asking again would give the same.
    """
    status = response.status_code
    if status == HTTPStatus.NO_CONTENT:
        return None
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        try:
            return decode(response.content)
        except TooManyValues as error:
            raise too_large(path, str(error)) from None
        except ValueError:
            what = f"{status} with an answer that is cut off or is not JSON"
            raise Transient(what) from None
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in NEVER_RETRIED:
        if status == HTTPStatus.SERVICE_UNAVAILABLE and _says_suspended(response):
            what = "status 503, store suspended"
            raise Transient(what, response.headers, if_it_lasts=_SUSPENDED)
        raise Transient(f"status {status}", response.headers)
    if status in RETRIED_BELOW_500:
        limited = status == HTTPStatus.TOO_MANY_REQUESTS
        raise Transient(f"status {status}", response.headers, rate_limited=limited)
    raise _refusal(status, path)


def scope_of(path: str) -> str:
    """The scope that reading a path takes."""
    return next(scope for part, scope in SCOPES if part in path)


def _refusal(status: int, path: str) -> BigCommerceError:
    if status == HTTPStatus.UNAUTHORIZED:
        return NotAuthorized(
            f"BigCommerce answered 401 to GET {path}: it does not accept the access token for "
            "this store. Check store_hash and access_token; make a new API account if the token "
            "was revoked."
        )
    if status == HTTPStatus.FORBIDDEN:
        scope = scope_of(path)
        instead = (
            ": it gives the store's time zone, without which no order has a day."
            if path == "/v2/store"  # nothing stands in for it
            else ", or deselect the stream."
        )
        return ScopeMissing(
            f"BigCommerce answered 403 to GET {path}: the scope {scope} is missing from the "
            f"token's API account, or store_hash is wrong. Give the API account that scope{instead}"
        )
    if status == HTTPStatus.NOT_FOUND:
        return StoreNotFound(
            f"BigCommerce answered 404 to GET {path}, which every store has. Check store_hash "
            "(the part abc123 of https://store-abc123.mybigcommerce.com) and api_url."
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Refused(
            f"BigCommerce redirected GET {path} (status {status}). Redirects are not followed, "
            "since they would carry the token elsewhere: check that api_url begins with https:// "
            "and names the API's own host."
        )
    return Refused(
        f"BigCommerce refused GET {path} with status {status}. Asking again would not help; "
        "if your settings are right, please report this with the path and the status."
    )


def body_of(response: requests.Response) -> Json:
    """An answer's body whatever its status; None where it is no JSON."""
    try:
        return decode(response.content)
    except ValueError:
        return None


def _says_suspended(response: requests.Response) -> bool:
    body = body_of(response)
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return False
    words = f"{first.get('title', '')} {first.get('message', '')}".lower()
    return "suspended" in words
