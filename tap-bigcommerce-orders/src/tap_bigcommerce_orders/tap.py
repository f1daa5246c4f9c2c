"""The tap: its settings, its streams, and how it ends."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

import click
from connector_credentials.sandbox_guard import keep_apart
from connector_credentials.settings import SettingError
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities, TapCapabilities

from tap_bigcommerce_orders.connection import Connection
from tap_bigcommerce_orders.credentials import find_token
from tap_bigcommerce_orders.errors import BigCommerceError
from tap_bigcommerce_orders.given_state import check_store, checked
from tap_bigcommerce_orders.settings import FORM, SETTINGS, store_hash_of
from tap_bigcommerce_orders.streams.catalog import ProductsStream
from tap_bigcommerce_orders.streams.customers import CustomersStream
from tap_bigcommerce_orders.streams.orders import OrdersStream
from tap_bigcommerce_orders.streams.parts import (
    OrderCouponsStream,
    OrderTaxesStream,
    RefundsStream,
    TransactionsStream,
)
from tap_bigcommerce_orders.streams.store import (
    CurrenciesStream,
    OrderStatusesStream,
    StoreStream,
    TaxClassesStream,
)
from tap_bigcommerce_orders.targeted import TargetedOrders
from tap_bigcommerce_orders.writing import StoresState, UntouchedState, WholeMessageWriter

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from connector_credentials.settings import Form
    from singer_sdk.helpers.types import TapState
    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.streams import Stream

    from tap_bigcommerce_orders.streams.base import BigCommerceStream

# In this order they are read: what orders refer to comes before the orders.
STREAMS: tuple[type[BigCommerceStream], ...] = (
    StoreStream,
    CurrenciesStream,
    TaxClassesStream,
    OrderStatusesStream,
    CustomersStream,
    ProductsStream,
    TransactionsStream,
    RefundsStream,
    OrderTaxesStream,
    OrderCouponsStream,
    OrdersStream,
)


class TapBigCommerceOrders(Tap):
    """Singer tap for BigCommerce orders and everything that belongs to them."""

    name = "tap-bigcommerce-orders"
    config_jsonschema: ClassVar[dict[str, Any]] = {
        **SETTINGS.to_dict(),
        "properties": dict(FORM.properties),  # a copy: the SDK adds its own settings in place
    }
    message_writer_class = WholeMessageWriter
    # Without BATCH: an order's parts must come before it on one and the same way.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [stream(tap=self) for stream in STREAMS]

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        found = super().streams
        return {
            stream.name: stream
            for kind in STREAMS
            for stream in found.values()
            if type(stream) is kind
        }

    @cached_property
    def store_hash(self) -> str:
        """The store that is read."""
        return store_hash_of(self.config)

    @cached_property
    def connection(self) -> Connection:
        """The store's API; the token is looked for at the first request."""
        api_url = self.config["api_url"].rstrip("/")
        return Connection(
            base_url=f"{api_url}/stores/{self.store_hash}",
            token=lambda: self._token,
            user_agent=self.config.get("user_agent") or f"{self.name}/{self.plugin_version}",
            request_timeout=self.config["request_timeout"],
            max_retry_seconds=self.config["max_retry_seconds"],
            quota_percent=self.config["quota_percent"],
            max_concurrency=self.config["max_concurrency"],
        )

    @cached_property
    def targeted(self) -> TargetedOrders | None:
        """The orders of ``order_ids``; None in an ordinary run."""
        order_ids = self.config.get("order_ids")
        if not order_ids:
            return None
        return TargetedOrders(self.connection, order_ids, self.config["max_concurrency"])

    @property
    @override
    def _env_var_config(self) -> dict[str, Any]:
        """What `--config=ENV` gives, as text; the SDK would read misspelt values as others."""
        return self._form.of_environment(os.environ)

    @property
    def _form(self) -> Form:
        """Our settings and the SDK's."""
        self.append_builtin_config(self.config_jsonschema)
        return replace(FORM, properties=self.config_jsonschema["properties"])

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        if not raise_errors:
            self._config = {}  # discovery needs no setting, so none can be wrong
            return []
        self._form.check_names(self._config, os.environ, self.logger)
        self._config = self._form.read(self._config)
        store_hash_of(self._config)
        errors = super()._validate_config()
        keep_apart(
            os.environ,
            addresses={f"{FORM.prefix}API_URL": self.config["api_url"]},
            databases={f"{FORM.prefix}CREDENTIALS_URL": self.config.get("credentials_url")},
        )
        return errors

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        if not self.config.get("store_hash"):
            return  # to be discovered only
        check_store(state, self.store_hash)
        if self.config.get("order_ids"):
            self._state_writer = UntouchedState(self.message_writer, cast("TapState", state))
        else:
            self._state_writer = StoresState(self.message_writer, self.store_hash)

    @cached_property
    def _token(self) -> str:
        return find_token(self.config)

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, ValueError, TypeError) as error:
            # Nothing of what is in the file is told: it holds secrets.
            what = "cannot be read" if isinstance(error, OSError) else "is no JSON object"
            raise click.ClickException(f"The configuration {' '.join(value)} {what}.") from None

    @classmethod
    @override
    def invoke(cls, **kwargs: Any) -> None:
        with cls._told_in_a_sentence():
            if kwargs.get("state") is not None:
                kwargs["state"] = checked(kwargs["state"])
            super().invoke(**kwargs)

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        with cls._told_in_a_sentence():
            super().cb_test(ctx, param, value)

    @classmethod
    @contextmanager
    def _told_in_a_sentence(cls) -> Iterator[None]:
        """Exit with 1 and one line of log where a traceback would tell an operator nothing."""
        try:
            try:
                yield
            finally:
                sys.stdout.flush()  # what is left to write must not fail after this
        except (BigCommerceError, SettingError) as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - the sentence says it all
            sys.exit(1)
        except ConfigValidationError as error:
            for words in error.errors:
                cls.logger.error("%s", words)  # noqa: TRY400 - as above
            sys.exit(1)
        except BrokenPipeError:
            # What the target did not read cannot be told to it either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            cls.logger.error("The target has closed the pipe; the run ends.")  # noqa: TRY400
            sys.exit(1)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Write the last true state and exit with 143 (130), so that a scheduler sees it."""
        writer = cast("WholeMessageWriter", self.message_writer)
        writer.when_whole(lambda: self._terminate(signum))

    def _terminate(self, signum: int) -> None:
        self.logger.warning(
            "Stopping on signal %d; the state covers what has been written.", signum
        )
        if "connection" in self.__dict__:
            self.connection.stop()
        self.state_writer.write_state(self.state)
        sys.exit(128 + signum)
