"""A run for the sandbox has settings of the sandbox only, or stops before it opens anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector_credentials.sandbox_guard import keep_apart

from target_freshbooks.settings import FORM, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


ADDRESSES = ("api_url", "auth_url")
DATABASES = ("ledger_url", "credentials_url")


def kept_apart(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """The settings as they are.

    Raises:
        SettingError: The run is for the sandbox, and they lead to something real.
    """
    databases = _by_variable(settings, DATABASES)
    if settings.credentials_url == settings.ledger_url:  # as by default: not to be told twice
        del databases[_variable("credentials_url")]
    keep_apart(environment, addresses=_by_variable(settings, ADDRESSES), databases=databases)
    return settings


def _by_variable(settings: Settings, names: tuple[str, ...]) -> dict[str, str | None]:
    return {_variable(name): getattr(settings, name) for name in names}


def _variable(name: str) -> str:
    return f"{FORM.prefix}{name.upper()}"
