"""The settings with which tap and target reach a sandbox, and an environment without any others."""

from __future__ import annotations

import base64
import os
import secrets
from typing import TYPE_CHECKING, Any

from connector_sandbox import constants

if TYPE_CHECKING:
    from pathlib import Path

PREFIXES = (
    "TAP_BIGCOMMERCE_ORDERS_",
    "TARGET_FRESHBOOKS_",
    "WEBHOOKS_",
    "CREDENTIALS_",
    "MELTANO_",
)
"""What the names of our programs' environment variables begin with."""
KEY = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
"""An encryption key of this process's own."""


def tap_settings(url: str, **settings: Any) -> dict[str, Any]:  # noqa: ANN401 - settings are JSON
    """The tap's settings for a sandbox at `url`, and others beside or instead of them."""
    return {
        "store_hash": constants.STORE_HASH,
        "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
        "api_url": url,
        **settings,
    }


def freshbooks_app(url: str) -> dict[str, str]:
    """The target's settings that say where FreshBooks is, and as which app it comes."""
    return {
        "api_url": url,
        "auth_url": url,
        "client_id": constants.FRESHBOOKS_CLIENT_ID,
        "client_secret": constants.FRESHBOOKS_CLIENT_SECRET,
        "redirect_uri": constants.FRESHBOOKS_REDIRECT_URI,
    }


def target_settings(url: str, home: Path, **settings: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    """The same of the target, its databases in the folder `home`, its login the sandbox's first."""
    return {
        **freshbooks_app(url),
        "refresh_token": constants.FRESHBOOKS_REFRESH_TOKEN,
        "ledger_url": f"sqlite:///{home}/ledger.sqlite",
        "credentials_url": f"sqlite:///{home}/credentials.sqlite",
        "encryption_key": KEY,
        **settings,
    }


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of our programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
