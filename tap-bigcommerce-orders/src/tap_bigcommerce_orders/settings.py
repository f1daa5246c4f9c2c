"""The tap's settings. None is fractional: Meltano and the SDK break on those from environment."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from connector_credentials.settings import Form, SettingError
from singer_sdk import typing as th

if TYPE_CHECKING:
    from collections.abc import Mapping

API_URL = "https://api.bigcommerce.com"
A_DAY = 86_400  # in seconds; a connection can wait for 24 days at most
TEN_YEARS = 3_650 * A_DAY  # no date may be left before the first

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
        th.URIType,
        default=API_URL,
        title="API address",
        description="Where the API is; another one than BigCommerce's for trying out.",
    ),
    th.Property(
        "allow_insecure_http",
        th.BooleanType,
        default=False,
        title="Plain HTTP",
        description="Whether api_url may be http:// on another machine than this one.",
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
        th.ArrayType(th.IntegerType(minimum=1)),
        title="Order ids",
        description=(
            "Read just these orders with all that belongs to them, their customers and products, "
            "and keep no bookmark. Empty means: not set."
        ),
    ),
    th.Property(
        "lookback_seconds",
        th.IntegerType(minimum=0, maximum=TEN_YEARS),
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
        th.IntegerType(minimum=1, maximum=A_DAY),
        default=60,
        title="Request time-out",
        description="Seconds to wait for an answer.",
    ),
    th.Property(
        "max_retry_seconds",
        th.IntegerType(minimum=0, maximum=TEN_YEARS),
        default=120,
        title="Retry limit",
        description="For how long to try one request again before the run fails, in seconds.",
    ),
    th.Property(
        "user_agent",
        th.CustomType({"type": ["string", "null"], "format": "http-header"}),
        title="User agent",
        description="Names the integration to BigCommerce. Default: the tap's name and version.",
    ),
)

HOOKS_STORE = "CONNECTOR_WEBHOOKS_STORE_HASH"
"""The variable by which the webhooks' receiver tells a run whose orders it names."""

FORM = Form("TAP_BIGCOMMERCE_ORDERS_", SETTINGS.to_dict()["properties"])

logger = logging.getLogger("tap-bigcommerce-orders")


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


def check_hooks_store(config: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Make sure that a run for orders that hooks have named is one of their store.

    Raises:
        SettingError: They are another store's, where the same numbers are other orders.
    """
    store_hash = store_hash_of(config)
    if HOOKS_STORE not in environment:
        return
    if environment[HOOKS_STORE] != store_hash:
        raise SettingError(
            f"The orders were named by hooks of another store than {store_hash}, which store_hash "
            "names; nothing was read. Set the run_command of that store's receiver, so that it runs"
            ' an extractor with its own store_hash (the README\'s "Several stores" has one).'
        )
    if not config.get("order_ids"):
        logger.warning(
            "The orders that hooks have named did not reach order_ids: all that is new since the "
            "bookmark is read. They are in %sORDER_IDS, which is not heard beside a file of "
            "settings: write --config=ENV in the receiver's run_command.",
            FORM.prefix,
        )
