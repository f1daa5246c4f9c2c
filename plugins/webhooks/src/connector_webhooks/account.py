"""The API account's secrets: from the settings, else from the encrypted credentials store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connector_credentials import CredentialError, CredentialStore
from connector_credentials.commands import credentials
from connector_credentials.settings import SettingError

if TYPE_CHECKING:
    from connector_webhooks.settings import Settings


SET = ("set-bigcommerce", "STORE_HASH")


@dataclass(frozen=True, slots=True)
class Secrets:
    """The client secrets, newest first, and the access token; never shown by ``repr``."""

    client_secrets: tuple[str, ...] = field(repr=False)
    access_token: str = field(repr=False)


def read_secrets(settings: Settings) -> Secrets:
    """Find the secrets of the store.

    A value in the settings wins over the one in the credentials store
    (document ``bigcommerce:<store_hash>``).

    Raises:
        SettingError: The credentials store is named but cannot be read.
    """
    stored = _stored(settings) if settings.credentials_url else {}
    secret = settings.client_secret or str(stored.get("client_secret") or "")
    token = settings.access_token or str(stored.get("access_token") or "")
    return Secrets(tuple(part.strip() for part in secret.split(",") if part.strip()), token)


def require_client_secrets(found: Secrets) -> tuple[str, ...]:
    """Return the client secrets, or say how to give one."""
    if not found.client_secrets:
        raise SettingError(
            "No client_secret: hooks could not be told from forgeries. Set "
            "WEBHOOKS_CLIENT_SECRET, or store it with "
            f"`{credentials(*SET, '--with-client-secret', url='URL')}` and set"
            " WEBHOOKS_CREDENTIALS_URL."
        )
    return found.client_secrets


def require_token(found: Secrets) -> str:
    """Return the access token, or say how to give one."""
    if not found.access_token:
        raise SettingError(
            "No access_token: hooks are managed through BigCommerce's API. Set "
            f"WEBHOOKS_ACCESS_TOKEN, or store it with `{credentials(*SET, url='URL')}` "
            "and set WEBHOOKS_CREDENTIALS_URL."
        )
    token = found.access_token.strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise SettingError(
            "The access token holds blanks or other characters that no token has. Copy it again "
            "from the API account."
        )
    return token


def require_store(settings: Settings) -> str:
    """Return the store hash, or ask for it."""
    if not settings.store_hash:
        raise SettingError("No store_hash: set WEBHOOKS_STORE_HASH to the store's hash.")
    return settings.store_hash


def _stored(settings: Settings) -> dict[str, Any]:
    name = f"bigcommerce:{require_store(settings)}"
    try:
        store = CredentialStore.open(settings.credentials_url, settings.encryption_key or None)
        document = store.read(name)
    except CredentialError as error:
        raise SettingError(f"The credentials store cannot be read: {error}") from error
    return dict(document or {})
