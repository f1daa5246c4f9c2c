"""The tap: its settings, its streams, and how it ends."""

from __future__ import annotations

import copy
import os
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

import click
from connector_credentials.addresses import require_tls
from connector_credentials.output import OutputClosed, forget_reader, say
from connector_credentials.sandbox_guard import keep_apart
from connector_credentials.settings import SettingError
from connector_credentials.settings.singer import CONFIG_FILES
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities, TapCapabilities
from typing_extensions import override

from tap_bigcommerce_orders.catalog_validation import checked_catalog
from tap_bigcommerce_orders.connection import Connection
from tap_bigcommerce_orders.credentials import find_token
from tap_bigcommerce_orders.errors import BigCommerceError
from tap_bigcommerce_orders.sdk import PlainTap
from tap_bigcommerce_orders.selected_orders import SelectedOrders
from tap_bigcommerce_orders.settings import (
    API_URL,
    FORM,
    SETTINGS,
    check_hooks_store,
    store_hash_of,
)
from tap_bigcommerce_orders.state_memory import digest_of, forget_unproven, with_digests
from tap_bigcommerce_orders.state_validation import (
    check_store,
    checked,
    stamped,
    warn_of_future,
)
from tap_bigcommerce_orders.streams.listed import CustomersStream, ProductsStream
from tap_bigcommerce_orders.streams.order_children import (
    OrderCouponsStream,
    OrderTaxesStream,
    RefundsStream,
    TransactionsStream,
)
from tap_bigcommerce_orders.streams.orders import OrdersStream
from tap_bigcommerce_orders.streams.store import (
    CurrenciesStream,
    OrderStatusesStream,
    StoreStream,
    TaxClassesStream,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import TapState
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

LOOKING: dict[str, Any] = {
    "is_flag": False,
    "flag_value": "text",
    "type": click.Choice(["text", "json"]),
    "expose_value": False,
}
"""Options that look and tell instead of a run; `=json` tells it for programs."""


class TapBigCommerceOrders(PlainTap):
    """Singer tap for BigCommerce orders and everything that belongs to them."""

    name = "tap-bigcommerce-orders"
    form = FORM
    config_jsonschema: ClassVar[dict[str, Any]] = {
        **SETTINGS.to_dict(),
        "properties": dict(FORM.properties),  # a copy: the SDK adds its own settings in place
    }
    # Without BATCH: an order's children must come before it on one and the same way.
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
    def started(self) -> datetime:
        """The run's start."""
        return datetime.fromtimestamp(self.initialized_at // 1000, UTC)

    @cached_property
    def connection(self) -> Connection:
        """The store's API; the token is looked for at the first request."""
        api_url = self.config["api_url"].rstrip("/")
        return Connection(
            base_url=f"{api_url}/stores/{self.store_hash}",
            token=cache(lambda: find_token(self.config)),
            user_agent=self.config.get("user_agent") or f"{self.name}/{self.plugin_version}",
            request_timeout=self.config["request_timeout"],
            max_retry_seconds=self.config["max_retry_seconds"],
            quota_percent=self.config["quota_percent"],
            max_concurrency=self.config["max_concurrency"],
        )

    @cached_property
    def selected_orders(self) -> SelectedOrders | None:
        """The orders of ``order_ids``; None in an ordinary run."""
        order_ids = self.config.get("order_ids")
        if not order_ids:
            return None
        return SelectedOrders(self.connection, order_ids, self.config["max_concurrency"])

    @override
    def check_settings(self, settings: Mapping[str, Any]) -> None:
        check_hooks_store(settings, os.environ)
        keep_apart(
            os.environ,
            addresses={f"{FORM.prefix}API_URL": settings.get("api_url", API_URL)},
            databases={f"{FORM.prefix}CREDENTIALS_URL": settings.get("credentials_url")},
        )
        require_tls(
            {"api_url": settings.get("api_url")},
            allow_insecure_http=settings.get("allow_insecure_http", False),
        )

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        if not self.config.get("store_hash"):
            return  # to be discovered only
        check_store(state, self.store_hash)
        warn_of_future(state, self.started)
        around = self._surroundings()
        forget_unproven(self.state, around)
        if self.config.get("order_ids"):
            given = copy.deepcopy(state) or None  # no bookmark of ours is kept
            self.write_state_as(lambda _: cast("TapState | None", given))
        else:
            self.write_state_as(lambda state: with_digests(stamped(state, self.store_hash), around))

    def _surroundings(self) -> str:
        """A digest of what a state's memory is true under: the program, store, settings, catalog.

        But for secrets, and for `order_ids`, which name what else is read.
        """
        public = {
            name: value
            for name, value in self.config.items()
            if name != "order_ids" and not FORM.properties.get(name, {}).get("secret")
        }
        return digest_of([self.plugin_version, self.store_hash, public, self.catalog.to_dict()])

    @classmethod
    @override
    def invoke(cls, **kwargs: Any) -> None:
        with cls._told_in_a_sentence():
            if kwargs.get("state") is not None:
                kwargs["state"] = checked(kwargs["state"])
            if kwargs.get("catalog") is not None:
                kwargs["catalog"] = checked_catalog(kwargs["catalog"])
            super().invoke(**kwargs)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        doctor = "Look whether runs can go on here, and tell what to do where not."
        probing = "Find out how the store's API behaves, by reading only."
        command.params += [
            click.Option(["--doctor"], callback=cls.cb_doctor, help=doctor, **LOOKING),
            click.Option(["--probe"], callback=cls.cb_probe, help=probing, **LOOKING),
        ]
        return command

    @classmethod
    def cb_doctor(cls, ctx: click.Context, _param: click.Option, value: str | None) -> None:
        """Examine the set-up instead of a run."""
        if value is None:
            return
        from tap_bigcommerce_orders.doctor import examined  # noqa: PLC0415 - no run needs it

        given, files = ctx.params["config"], ctx.meta[CONFIG_FILES]
        with cls._told_in_a_sentence():
            as_json = value == "json"
            code = examined(given.config, files, parse_env=given.parse_env, as_json=as_json)
        ctx.exit(code)

    @classmethod
    def cb_probe(cls, ctx: click.Context, _param: click.Option, value: str | None) -> None:
        """Find out how the store's API behaves, tell it, and end."""
        if value is None:
            return
        from tap_bigcommerce_orders.probe import probe  # noqa: PLC0415 - no run needs it

        with cls._told_in_a_sentence():
            given = ctx.params["config"]
            tap = cls(config=given.config, parse_env_config=given.parse_env)
            ctx.exit(probe(tap.connection, tap.store_hash, value))

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
                say()  # what is left to write must not fail after this
        except (BigCommerceError, SettingError) as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - the sentence says it all
            sys.exit(1)
        except ConfigValidationError as error:
            for words in error.errors:
                cls.logger.error("%s", words)  # noqa: TRY400 - as above
            sys.exit(1)
        except (BrokenPipeError, OutputClosed):
            forget_reader()  # what the target did not read cannot be told to it either
            cls.logger.error("The target has closed the pipe; the run ends.")  # noqa: TRY400
            sys.exit(1)

    @override
    def terminate(self, signum: int) -> None:
        self.logger.warning("Stopping on signal %d", signum)
        if "connection" in self.__dict__:
            self.connection.stop()
        if self.has_written:
            self.state_writer.write_state(self.state)  # it covers what has been written
        sys.exit(128 + signum)
