from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from connector_credentials import CredentialStore
from connector_credentials.settings import SettingError
from connector_webhooks.account import read_secrets
from connector_webhooks.settings import load
from cryptography.fernet import Fernet

if TYPE_CHECKING:
    from pathlib import Path


def test_secrets_come_from_the_encrypted_store_unless_the_settings_have_them(
    tmp_path: Path,
) -> None:
    url, key = f"sqlite:///{tmp_path / 'credentials.sqlite'}", Fernet.generate_key().decode()
    document = {"access_token": "stored-token", "client_secret": "stored-secret"}
    CredentialStore.open(url, key).write("bigcommerce:abc123", document)
    environment = {
        "WEBHOOKS_STORE_HASH": "abc123",
        "WEBHOOKS_CREDENTIALS_URL": url,
        "WEBHOOKS_ENCRYPTION_KEY": key,
    }
    secrets = read_secrets(load(environment))
    assert (secrets.client_secrets, secrets.access_token) == (("stored-secret",), "stored-token")
    given = read_secrets(load({**environment, "WEBHOOKS_CLIENT_SECRET": "new, old"}))
    assert (given.client_secrets, given.access_token) == (("new", "old"), "stored-token")
    wrong = {**environment, "WEBHOOKS_ENCRYPTION_KEY": Fernet.generate_key().decode()}
    with pytest.raises(SettingError, match="cannot be read"):
        read_secrets(load(wrong))
