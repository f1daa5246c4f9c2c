"""Examined set-up: what the checks of `doctor` look at, each part read once and when it is needed.

Nothing is made or changed: databases are opened for looking only, and FreshBooks is read with the
stored access token while that lives. Only one that FreshBooks no longer takes, or that ends in a
few minutes, is renewed, as any run would.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from connector_credentials import CredentialStore
from connector_credentials.database import parse_url, shown, sqlite_path
from connector_credentials.first_contact import Contact, make_contact
from connector_credentials.read_only import key_file, open_store_to_read
from connector_credentials.shared_checks import installed_version

from target_freshbooks.access import connect, open_store, token_source
from target_freshbooks.ctl.context import Context
from target_freshbooks.freshbooks import Identity, TokenSource, entry_name
from target_freshbooks.freshbooks.identity import OPERATION
from target_freshbooks.freshbooks.tokens import is_usable
from target_freshbooks.ledger import Ledger, utc_now
from target_freshbooks.ledger.storage.database import PURPOSE
from target_freshbooks.settings import FORM, Settings, read_settings
from target_freshbooks.wiring import version

MOST_SECONDS = 10
"""How long FreshBooks is tried."""


def free_bytes(folder: Path) -> int:
    """What is free where the folder is."""
    return shutil.disk_usage(folder).free


def may_write(path: Path) -> bool:
    """Whether this user may write the file, or make files in the folder."""
    return os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0))


@dataclass
class SetUp:
    """A set-up as the programs would find it.

    Attributes:
        context: The command line's options.
        clock: Aware UTC now.
        free_bytes: Tells what is free where a folder is.
        may_write: Tells whether this user may write a file, or in a folder.
        installed: Tells the version of a distribution, or of `Python`.
        environment: The process'.
    """

    context: Context
    clock: Callable[[], datetime] = utc_now
    free_bytes: Callable[[Path], int] = free_bytes
    may_write: Callable[[Path], bool] = may_write
    installed: Callable[[str], str | None] = installed_version
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @cached_property
    def strange_names(self) -> list[str]:
        """Names that look like settings and are none."""
        return FORM.strange_names(self.context.config(), self.environment)

    @cached_property
    def settings(self) -> Settings:
        """The settings."""
        config = self.context.config()
        return read_settings(config, version=version(), environment=self.environment)

    @property
    def settings_files(self) -> list[Path]:
        """Where settings are written: the files that were named, and Meltano's."""
        project = Path(self.environment.get("MELTANO_PROJECT_ROOT", ""))
        return [Path(one) for one in self.context.sources if one != "ENV"] + [project / ".env"]

    @cached_property
    def ledger_file(self) -> Path | None:
        """The ledger's file; None in PostgreSQL."""
        return sqlite_path(parse_url(self.settings.ledger_url, PURPOSE))

    @cached_property
    def credentials_file(self) -> Path | None:
        """The file of the credentials' store; None in PostgreSQL."""
        return sqlite_path(parse_url(self.settings.credentials_url, PURPOSE))

    @property
    def credentials_place(self) -> str:
        """Where the credentials are, for messages."""
        return shown(parse_url(self.settings.credentials_url, PURPOSE))

    @cached_property
    def key_file(self) -> Path | None:
        """Where the key is if no setting gives it."""
        return None if self.settings.encryption_key else key_file(self.settings.credentials_url)

    @cached_property
    def ledger(self) -> Ledger | None:
        """The ledger, for looking only; None if there is none yet."""
        settings = self.settings
        return Ledger.open_to_read(settings.ledger_url, source=settings.source, clock=self.clock)

    @cached_property
    def store(self) -> CredentialStore | None:
        """The credentials, for looking only; None if nothing is stored."""
        return open_store_to_read(self.settings.credentials_url, self.settings.encryption_key)

    @property
    def login(self) -> Mapping[str, Any]:
        """The stored tokens with what is known of them; empty if there are none."""
        store = self.store
        document = None if store is None else store.read(entry_name(self.settings.client_id))
        return document or {}

    @cached_property
    def contact(self) -> Contact:
        """What came of asking FreshBooks for something, without a login."""
        address = f"{self.settings.api_url}{OPERATION.partition(' ')[2]}"
        return make_contact(address, self.settings.user_agent, self.clock)

    @cached_property
    def identity(self) -> Identity | None:
        """Whose the login is, as FreshBooks says.

        Returns:
            None if none is stored; the setting `refresh_token` is left to the first run.

        Raises:
            FreshBooksError: FreshBooks does not take it, or cannot tell now.
        """
        if not self.login.get("refresh_token"):
            return None
        tokens = _LivingToken(self.login, self.clock, lambda: self._renewing)
        return connect(self.settings, tokens, most_seconds=MOST_SECONDS).me()

    @cached_property
    def _renewing(self) -> TokenSource:
        return token_source(self.settings, open_store(self.settings))

    def close(self) -> None:
        """Let go of the databases."""
        for name in ("ledger", "store"):
            opened = self.__dict__.get(name)
            if isinstance(opened, Ledger):
                opened.dispose()
            elif isinstance(opened, CredentialStore):
                opened.close()


@dataclass(frozen=True, slots=True)
class _LivingToken:
    """The stored access token while it lives, then the ordinary source of tokens."""

    document: Mapping[str, Any] = field(repr=False)
    clock: Callable[[], datetime]
    renewing: Callable[[], TokenSource]

    def access_token(self) -> str:
        if is_usable(self.document, self.clock()):
            return str(self.document["access_token"])
        return self.renewing().access_token()

    def refresh(self, rejected: str) -> str:
        return self.renewing().refresh(rejected)
