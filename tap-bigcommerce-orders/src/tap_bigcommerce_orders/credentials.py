"""Finds the access token: in the settings, or in the encrypted credential store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector_credentials.commands import credentials

from tap_bigcommerce_orders.errors import TokenMissing
from tap_bigcommerce_orders.settings import store_hash_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def find_token(config: Mapping[str, Any]) -> str:
    """Find the store's access token.

    Raises:
        TokenMissing: There is none, or it cannot be read; the text says what to do.
    """
    token = config.get("access_token")
    if not token and config.get("credentials_url"):
        token = _stored_token(config)
    if not token:
        raise TokenMissing(
            "There is no access token: set access_token, or set credentials_url and store one "
            f"with `{credentials('set-bigcommerce', 'STORE_HASH', url='URL')}`."
        )
    token = str(token).strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise TokenMissing(
            "The access token holds blanks or other characters that no token has. "
            "Copy it again from the API account."
        )
    return token


def _stored_token(config: Mapping[str, Any]) -> str | None:
    # Here, since SQLAlchemy is slow to load.
    from connector_credentials import CredentialError, CredentialStore  # noqa: PLC0415
    from connector_credentials.database import parse_url, shown  # noqa: PLC0415
    from connector_credentials.entries import PURPOSE  # noqa: PLC0415

    store_hash = store_hash_of(config)
    name = f"bigcommerce:{store_hash}"
    try:
        store = CredentialStore.open(config["credentials_url"], config.get("encryption_key"))
        document = store.read(name)
    except CredentialError as error:
        raise TokenMissing(f"The credential store cannot be read: {error}") from error
    if document is None or not document.get("access_token"):
        url = shown(parse_url(config["credentials_url"], PURPOSE))
        raise TokenMissing(
            f"The credential store holds no access token under {name}. "
            f"Store one with `{credentials('set-bigcommerce', store_hash, url=url)}`."
        )
    return str(document["access_token"])
