"""Examined set-up: what the checks of `--doctor` look at, each part read once and when needed.

Nothing is made or changed: the credential store is opened for looking only, and the API is read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector_credentials.first_contact import Contact, make_contact
from connector_credentials.shared_checks import installed_version

from tap_bigcommerce_orders.connection import Connection
from tap_bigcommerce_orders.credentials import find_token
from tap_bigcommerce_orders.errors import UnexpectedAnswer
from tap_bigcommerce_orders.pages import rows_of
from tap_bigcommerce_orders.settings import FORM, store_hash_of
from tap_bigcommerce_orders.tap import TapBigCommerceOrders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_bigcommerce_orders.pages import Row

MOST_SECONDS = 10
"""How long one request is tried."""

STORE = "/v2/store"


utc_now = partial(datetime.now, UTC)
"""Tells the machine's time, aware UTC."""


@dataclass
class SetUp:
    """A set-up as the tap would find it.

    Attributes:
        given: The settings of the configuration.
        files: The paths it was read from.
        parse_env: Whether the environment's settings count.
        clock: Aware UTC now.
        installed: Tells the version of a distribution, or of `Python`.
        environment: The process'.
    """

    given: Mapping[str, Any]
    files: Sequence[str] = ()
    parse_env: bool = False
    clock: Callable[[], datetime] = utc_now
    installed: Callable[[str], str | None] = installed_version
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @cached_property
    def strange_names(self) -> list[str]:
        """Names that look like settings and are none."""
        TapBigCommerceOrders.append_builtin_config(TapBigCommerceOrders.config_jsonschema)
        return FORM.strange_names(self.given, self.environment)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The settings as a run has them."""
        tap = TapBigCommerceOrders(config=dict(self.given), parse_env_config=self.parse_env)
        return tap.config

    @property
    def settings_files(self) -> list[Path]:
        """Where settings are written: the files that were named, and Meltano's."""
        project = Path(self.environment.get("MELTANO_PROJECT_ROOT", ""))
        return [*map(Path, self.files), project / ".env"]

    @cached_property
    def key_file(self) -> Path | None:
        """Where the credential store's key is if no setting gives it."""
        url = self.config.get("credentials_url")
        if not url or self.config.get("encryption_key"):
            return None
        from connector_credentials.read_only import key_file  # noqa: PLC0415 - SQLAlchemy

        return key_file(url)

    @cached_property
    def token(self) -> str:
        """The access token.

        Raises:
            TokenMissing: There is none.
            CredentialError: The credential store cannot be read.
        """
        url = self.config.get("credentials_url")
        if self.config.get("access_token") or not url:
            return find_token(self.config)
        from connector_credentials.read_only import open_store_to_read  # noqa: PLC0415 - as above

        store = open_store_to_read(url, self.config.get("encryption_key"))
        name = f"bigcommerce:{store_hash_of(self.config)}"
        document: Mapping[str, Any] = (store and store.read(name)) or {}
        return find_token({"access_token": document.get("access_token")})

    @property
    def address(self) -> str:
        """Where the store's API is."""
        return f"{self.config['api_url'].rstrip('/')}/stores/{store_hash_of(self.config)}"

    @cached_property
    def contact(self) -> Contact:
        """What came of asking BigCommerce for something, without a token."""
        return make_contact(f"{self.address}{STORE}", self.user_agent, self.clock)

    @property
    def user_agent(self) -> str:
        """Names us to BigCommerce."""
        return str(self.config.get("user_agent") or f"{TapBigCommerceOrders.name}/doctor")

    @cached_property
    def api(self) -> Connection:
        """The store's API."""
        return self.connected(self.token)

    def connected(self, token: str) -> Connection:
        """The store's API with a token, tried for seconds only."""
        return Connection(
            base_url=self.address,
            token=lambda: token,
            user_agent=self.user_agent,
            request_timeout=min(self.config["request_timeout"], MOST_SECONDS),
            max_retry_seconds=min(self.config["max_retry_seconds"], MOST_SECONDS),
            quota_percent=self.config["quota_percent"],
            max_concurrency=1,
        )

    @cached_property
    def store(self) -> Row:
        """What the store says of itself.

        Raises:
            BigCommerceError: It does not answer, or not to this token.
        """
        answer = self.api.get(STORE)
        (row,) = [answer] if isinstance(answer, dict) else rows_of(STORE, answer) or [{}]
        if row.get("id") != store_hash_of(self.config):
            raise UnexpectedAnswer(
                f"GET {STORE} answered for another store than {store_hash_of(self.config)}, the"
                " setting store_hash."
            )
        return row

    def close(self) -> None:
        """Close the open connections."""
        if "api" in self.__dict__:
            self.api.close()
