"""The tap's settings. None is fractional: Meltano and the SDK break on those from environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import requests
from singer_sdk import typing as th

from tap_bigcommerce_orders.errors import SettingError
from tap_bigcommerce_orders.shape import read_iso

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_API_URL = "https://api.bigcommerce.com"

SETTINGS = th.PropertiesList(
    th.Property(
        "store_hash",
        th.StringType,
        required=True,
        title="Store hash",
        description="The part abc123 of https://store-abc123.mybigcommerce.com.",
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        title="Access token",
        description="Of a store-level API account. May be left out if credentials_url is given.",
    ),
    th.Property(
        "credentials_url",
        th.StringType,
        secret=True,
        title="Credential store",
        description=(
            "SQLAlchemy URL of the encrypted credential store to take the access token from, "
            "under the name bigcommerce:<store_hash>."
        ),
    ),
    th.Property(
        "encryption_key",
        th.StringType,
        secret=True,
        title="Encryption key",
        description=(
            "Fernet key of the credential store; several, separated by commas, while rotating. "
            "Default: the key file beside an SQLite store."
        ),
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=DEFAULT_API_URL,
        title="API address",
        description="Where the API is; another one than BigCommerce's for trying out.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Read what was modified from then on. The later of it and the bookmark counts.",
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End date",
        description="Read what was modified until then. Default: the run's start.",
    ),
    th.Property(
        "order_ids",
        th.ArrayType(th.IntegerType),
        title="Order ids",
        description=(
            "Read just these orders with all that belongs to them, their customers and products, "
            "and keep no bookmark. Empty means: not set."
        ),
    ),
    th.Property(
        "lookback_seconds",
        th.IntegerType(minimum=0),
        default=300,
        title="Look-back",
        description="How far before the bookmark to begin, in seconds.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=250),
        default=250,
        title="Page size",
        description="Rows per page, at most 250.",
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1, maximum=64),
        default=8,
        title="Concurrent requests",
        description="How many orders' parts to read at once.",
    ),
    th.Property(
        "quota_percent",
        th.IntegerType(minimum=1, maximum=100),
        default=90,
        title="Part of the quota",
        description=(
            "Never take more than this part, in percent, of the store's request quota, which "
            "all of its apps share."
        ),
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1),
        default=60,
        title="Request time-out",
        description="Seconds to wait for an answer.",
    ),
    th.Property(
        "max_retry_seconds",
        th.IntegerType(minimum=0),
        default=120,
        title="Retry limit",
        description="For how long to try one request again before the run fails, in seconds.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="Names the integration to BigCommerce. Default: the tap's name and version.",
    ),
)


def store_hash_of(config: Mapping[str, Any]) -> str:
    """The store's hash, which goes into addresses, records and state.

    Raises:
        SettingError: It is none; the text is not shown, for it may be a token in a wrong place.
    """
    store_hash = str(config.get("store_hash") or "").strip()
    if not re.fullmatch(r"[a-z0-9]+", store_hash):
        raise SettingError(
            "The setting store_hash is not one: it is the part abc123 of "
            "https://store-abc123.mybigcommerce.com, lower-case letters and digits only."
        )
    return store_hash


def check_secrets(config: Mapping[str, Any]) -> None:
    """Refuse secrets of a wrong type, before a validation would quote them.

    Raises:
        SettingError: Names the setting, not its value.
    """
    for name, entry in SETTINGS.to_dict()["properties"].items():
        if entry.get("secret") and not isinstance(config.get(name), str | None):
            raise SettingError(f"The setting {name} must be text.")


def check_sendable(config: Mapping[str, Any]) -> None:
    """Refuse what no request could be made of.

    Raises:
        SettingError: Names the setting and says what it must be.
    """
    if not _is_address(config.get("api_url") or DEFAULT_API_URL):
        raise SettingError(
            f"The setting api_url must be a web address such as {DEFAULT_API_URL}, without blanks."
        )
    if not _is_header(config.get("user_agent") or ""):
        raise SettingError(
            "The setting user_agent must be one line of letters that a header may hold (latin-1), "
            "without blanks around it."
        )


def check_dates(config: Mapping[str, Any]) -> None:
    """Refuse a date that cannot be read: without it the whole history would be.

    Raises:
        SettingError: Names the setting and says what it must be.
    """
    for name in ("start_date", "end_date"):
        if not config.get(name):
            continue
        try:
            read_iso(config[name])
        except ValueError:
            raise SettingError(
                f"The setting {name} must be an ISO 8601 date or date-time such as 2026-01-31 or "
                "2026-01-31T09:30:00Z."
            ) from None


def _is_address(text: str) -> bool:
    try:
        requests.Request("GET", text).prepare()
    except (requests.RequestException, ValueError):
        return False
    return text.lower().startswith(("http://", "https://")) and not any(map(str.isspace, text))


def _is_header(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return text.isprintable() and text == text.strip()
