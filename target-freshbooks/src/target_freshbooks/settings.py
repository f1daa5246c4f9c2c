"""The target's settings: their JSON Schema for Singer and Meltano, and their typed form."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from singer_sdk import typing as th

from target_freshbooks.books.policy import GenericClient, LineNames, Policy, TaxName
from target_freshbooks.books.text import NAME_LIMIT, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_LEDGER = "data/target-freshbooks.sqlite"
PAID = [2, 3, 8, 9, 10, 11]
PAYMENT_TYPES = (
    *("Check", "Credit", "Cash", "Bank Transfer", "Credit Card", "Debit", "PayPal", "2Checkout"),
    *("VISA", "MASTERCARD", "DISCOVER", "AMEX", "DINERS", "JCB", "ACH", "Nova", "Eurocard"),
    "Other",
)
"""All that FreshBooks takes as a payment's `type` (the enums of its Node and Java SDKs)."""

_NAMES = LineNames()

schema: dict[str, Any] = th.PropertiesList(
    th.Property("client_id", th.StringType, description="Client id of your FreshBooks app."),
    th.Property(
        "client_secret", th.StringType, secret=True, description="Secret of your FreshBooks app."
    ),
    th.Property(
        "redirect_uri",
        th.StringType,
        description="Redirect URI registered with the app, e.g. https://localhost/callback.",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        description="Only to seed the credential store; `target-freshbooks-ctl login` is easier.",
    ),
    th.Property(
        "account_id",
        th.StringType,
        description="FreshBooks account; needed only if the user has more than one that fits.",
    ),
    th.Property("api_url", th.StringType, default="https://api.freshbooks.com"),
    th.Property("auth_url", th.StringType, default="https://auth.freshbooks.com"),
    th.Property(
        "ledger_url",
        th.StringType,
        default=f"sqlite:///{DEFAULT_LEDGER}",
        secret=True,
        description="SQLAlchemy URL of the ledger (SQLite or PostgreSQL).",
    ),
    th.Property(
        "encryption_key",
        th.StringType,
        secret=True,
        description="Fernet key of the credential store; several, comma-separated, rotate."
        " Default: a key file of mode 600 beside the ledger.",
    ),
    th.Property(
        "credentials_url",
        th.StringType,
        secret=True,
        description="SQLAlchemy URL of the credential store; default: the ledger's database.",
    ),
    th.Property(
        "source",
        th.StringType,
        default="bigcommerce",
        description="Names the store when several feed one ledger.",
    ),
    th.Property("invoice_number_prefix", th.StringType, default=""),
    th.Property("paid_status_ids", th.ArrayType(th.IntegerType), default=PAID),
    th.Property(
        "invoice_start_date", th.DateType, description="Orders before this day are not booked."
    ),
    th.Property("exclude_external_sources", th.ArrayType(th.StringType), default=["M-MIG"]),
    th.Property("timezone", th.StringType, description="IANA name; default: the store's."),
    th.Property(
        "tax_mode", th.StringType, allowed_values=["rates", "amount_lines"], default="rates"
    ),
    th.Property(
        "tax_mapping",
        th.ObjectType(additional_properties=th.StringType),
        description="BigCommerce tax name, class or rate → FreshBooks tax name.",
    ),
    th.Property("rounding_tolerance_cents", th.IntegerType, default=5),
    th.Property(
        "payment_type_mapping",
        th.ObjectType(additional_properties=th.StringType),
        description="BigCommerce gateway or method → FreshBooks payment type.",
    ),
    th.Property("derive_offline_payments", th.BooleanType, default=True),
    th.Property(
        "refund_mode",
        th.StringType,
        allowed_values=["adjust_invoice", "credit_note"],
        default="adjust_invoice",
    ),
    th.Property("on_cancel", th.StringType, allowed_values=["park", "delete"], default="park"),
    th.Property(
        "on_order_change", th.StringType, allowed_values=["update", "park"], default="update"
    ),
    th.Property("client_sync", th.StringType, allowed_values=["ordered", "all"], default="ordered"),
    th.Property("item_sync", th.StringType, allowed_values=["ordered", "all"], default="ordered"),
    th.Property(
        "client_email_changes",
        th.StringType,
        allowed_values=["keep", "follow"],
        default="keep",
        description="Whether a client that we made follows its shopper's new e-mail address.",
    ),
    th.Property(
        "generic_client",
        # With a bare `"type"` the SDK would read any text of the environment as JSON.
        th.CustomType({"allOf": [{"type": ["string", "object", "null"]}]}),
        description="Organisation name of the client for orders without an e-mail address, or an"
        " object with organization and email.",
    ),
    th.Property("shipping_line_name", th.StringType, default=_NAMES.shipping),
    th.Property("handling_line_name", th.StringType, default=_NAMES.handling),
    th.Property("wrapping_line_name", th.StringType, default=_NAMES.wrapping),
    th.Property("fee_line_name", th.StringType, default=_NAMES.fee),
    th.Property("discount_line_name", th.StringType, default=_NAMES.discount),
    th.Property("rounding_line_name", th.StringType, default=_NAMES.rounding),
    th.Property("gift_certificate_line_name", th.StringType, default=_NAMES.gift_certificate),
    th.Property("ledger_retention_days", th.IntegerType, default=90),
    th.Property("max_parallel_orders", th.IntegerType, default=4),
    th.Property("request_timeout", th.IntegerType, default=60, description="Seconds."),
    th.Property("max_retry_seconds", th.IntegerType, default=120),
    th.Property(
        "settle_seconds",
        th.IntegerType,
        default=15,
        description="How long FreshBooks' searches may not show a record just made: a creation"
        " whose answer was lost is repeated only after that.",
    ),
    th.Property(
        "lease_wait_seconds",
        th.IntegerType,
        default=300,
        description="How long to wait for another run of the same account to end.",
    ),
    th.Property("dry_run", th.BooleanType, default=False),
    th.Property(
        "post_as",
        th.StringType,
        allowed_values=["sent", "draft"],
        default="sent",
        description="draft: invoices are made and proven, but left Drafts without payments.",
    ),
    th.Property(
        "max_rewritten_invoices",
        th.IntegerType,
        default=20,
        description="A run that has rewritten, voided or deleted so many invoices of earlier runs"
        " stops before the next.",
    ),
    th.Property("on_parked", th.StringType, allowed_values=["warn", "fail"], default="warn"),
    th.Property("user_agent", th.StringType),
).to_dict()


ENVIRONMENT_PREFIX = "TARGET_FRESHBOOKS_"

_IN_ENVIRONMENT: dict[str, tuple[Callable[[str], Any], str]] = {
    "integer": (int, "a whole number"),
    "array": (json.loads, 'a JSON array such as ["a", "b"]'),
    "object": (json.loads, 'a JSON object such as {"a": "b"}'),
}


class SettingError(ValueError):
    """A setting is missing or cannot be understood."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The target's settings, typed. Secrets are kept out of `repr`."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    refresh_token: str | None = field(repr=False)
    account_id: str | None
    api_url: str
    auth_url: str
    ledger_url: str = field(repr=False)
    encryption_key: str | None = field(repr=False)
    credentials_url: str = field(repr=False)
    source: str
    client_sync: str
    item_sync: str
    client_email_changes: str
    ledger_retention_days: int
    max_parallel_orders: int
    request_timeout: int
    max_retry_seconds: int
    settle_seconds: int
    lease_wait_seconds: int
    dry_run: bool
    post_as: str
    max_rewritten_invoices: int
    on_parked: str
    user_agent: str
    policy: Policy


def check_secrets(config: Mapping[str, Any]) -> None:
    """Refuse secrets of a wrong type, before a validation would quote them.

    Raises:
        SettingError: Names the setting, not its value.
    """
    for name, entry in schema["properties"].items():
        if entry.get("secret") and not isinstance(config.get(name), str | None):
            raise SettingError(f"The setting {name} must be text.")


def check_environment(environment: Mapping[str, str]) -> None:
    """Find the environment variable that cannot be understood.

    Raises:
        SettingError: Names the variable and says what it must be; its value is not shown.
    """
    for name, entry in schema["properties"].items():
        variable = f"{ENVIRONMENT_PREFIX}{name.upper()}"
        for kind, (read, words) in _IN_ENVIRONMENT.items():
            if variable in environment and kind in entry.get("type", ()):
                try:
                    read(environment[variable])
                except ValueError:
                    raise SettingError(
                        f"The setting {name} ({variable}) must be {words}."
                    ) from None


_KINDS = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "array": "an array",
    "object": "an object of text to text",
}
"""Per JSON Schema type, how an operator calls it."""


def check_values(given: Mapping[str, Any]) -> None:
    """Check the settings against the schema, as the SDK does for the target.

    The text of a number or an object, which the environment gives, is read and checked later.

    Raises:
        SettingError: Names the setting and says what it must be, not what it is: it may be secret.
    """
    entries = schema["properties"]
    read_later = {"integer", "object"}
    checked = {
        name: value
        for name, value in given.items()
        if not (isinstance(value, str) and read_later & set(entries.get(name, {}).get("type", ())))
    }
    for error in th.DEFAULT_JSONSCHEMA_VALIDATOR(schema).iter_errors(checked):
        name = str(error.path[0])
        raise SettingError(f"The setting {name} must be {_allowed(entries[name])}.")


def _allowed(entry: Mapping[str, Any]) -> str:
    if "enum" in entry:
        return " or ".join(entry["enum"])
    if "type" not in entry:
        return "text or an object"
    held = {"integer": "whole numbers", "string": "texts"}
    items = f" of {held[entry['items']['type'][0]]}" if "items" in entry else ""
    return f"{_KINDS[entry['type'][0]]}{items}"


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the schema's defaults for what is missing or null."""
    defaults = {
        name: entry["default"] for name, entry in schema["properties"].items() if "default" in entry
    }
    return {**defaults, **{name: value for name, value in config.items() if value is not None}}


def read_settings(config: Mapping[str, Any], *, version: str = "0") -> Settings:
    """Check and type the settings.

    Raises:
        SettingError: Names the setting and says what it must be.
    """
    given = with_defaults(config)
    check_values(given)
    for name in ("client_id", "client_secret"):
        if not given.get(name):
            raise SettingError(
                f"The setting {name} is missing: create an app in FreshBooks' developer page and"
                f" set TARGET_FRESHBOOKS_{name.upper()}."
            )
    ledger_url = str(given["ledger_url"])
    return Settings(
        client_id=given["client_id"],
        client_secret=given["client_secret"],
        redirect_uri=given.get("redirect_uri") or "https://localhost/callback",
        refresh_token=given.get("refresh_token") or None,
        account_id=given.get("account_id") or None,
        api_url=_address(given, "api_url"),
        auth_url=_address(given, "auth_url"),
        ledger_url=ledger_url,
        encryption_key=given.get("encryption_key") or None,
        credentials_url=given.get("credentials_url") or ledger_url,
        source=given["source"],
        client_sync=given["client_sync"],
        item_sync=given["item_sync"],
        client_email_changes=given["client_email_changes"],
        ledger_retention_days=_whole(given, "ledger_retention_days", least=0),
        max_parallel_orders=_whole(given, "max_parallel_orders", least=1),
        request_timeout=_whole(given, "request_timeout", least=1),
        max_retry_seconds=_whole(given, "max_retry_seconds", least=0),
        settle_seconds=_whole(given, "settle_seconds", least=0),
        lease_wait_seconds=_whole(given, "lease_wait_seconds", least=0),
        dry_run=bool(given["dry_run"]),
        post_as=given["post_as"],
        max_rewritten_invoices=_whole(given, "max_rewritten_invoices", least=0),
        on_parked=given["on_parked"],
        user_agent=_header(given, "user_agent") or f"target-freshbooks/{version}",
        policy=read_policy(given),
    )


def read_policy(config: Mapping[str, Any]) -> Policy:
    """The settings the accounting rules depend on."""
    given = with_defaults(config)
    return Policy(
        invoice_number_prefix=given["invoice_number_prefix"],
        paid_status_ids=frozenset(int(status) for status in given["paid_status_ids"]),
        invoice_start_date=_day(given.get("invoice_start_date")),
        exclude_external_sources=frozenset(given["exclude_external_sources"]),
        timezone=_zone(given.get("timezone")),
        tax_mode=given["tax_mode"],
        tax_mapping=tuple(TaxName(match, name) for match, name in _pairs(given, "tax_mapping")),
        rounding_tolerance_cents=_whole(given, "rounding_tolerance_cents", least=0),
        payment_type_mapping=tuple(
            (match.lower(), _payment_type(match, kind))
            for match, kind in _pairs(given, "payment_type_mapping")
        ),
        derive_offline_payments=bool(given["derive_offline_payments"]),
        refund_mode=given["refund_mode"],
        on_cancel=given["on_cancel"],
        on_order_change=given["on_order_change"],
        generic_client=_generic(given.get("generic_client")),
        names=LineNames(
            **{
                name: clean(given[f"{name}_line_name"], NAME_LIMIT, default)
                for name, default in asdict(_NAMES).items()
            }
        ),
    )


def _whole(given: Mapping[str, Any], name: str, *, least: int) -> int:
    try:
        value = int(given[name])
    except (TypeError, ValueError) as error:
        raise SettingError(f"The setting {name} must be a whole number.") from error
    if value < least:
        raise SettingError(f"The setting {name} must be at least {least}.")
    return value


def _address(given: Mapping[str, Any], name: str) -> str:
    address = str(given[name])
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(map(str.isspace, address)):
        default = schema["properties"][name]["default"]
        raise SettingError(
            f"The setting {name} must be a web address such as {default}, without blanks."
        )
    return address.rstrip("/")


def _header(given: Mapping[str, Any], name: str) -> str:
    text = str(given.get(name) or "")
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        sendable = False
    else:
        sendable = text.isprintable() and text == text.strip()
    if not sendable:
        raise SettingError(
            f"The setting {name} must be one line of letters that a header may hold (latin-1),"
            " without blanks around it."
        )
    return text


def _day(value: str | date | None) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value[:10])
    except ValueError as error:
        raise SettingError("The setting invoice_start_date must be YYYY-MM-DD.") from error


def _zone(name: str | None) -> str | None:
    if not name:
        return None
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingError(
            f"The setting timezone is {name!r}: use an IANA name such as America/Chicago."
        ) from error
    return name


def _pairs(given: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
    value = given.get(name)
    if not value:
        return []
    if isinstance(value, str):
        value = _object(value, name)
    if isinstance(value, dict):
        return [(str(match), str(text)) for match, text in value.items()]
    raise SettingError(f"The setting {name} must be an object of text to text.")


def _payment_type(match: str, text: str) -> str:
    for known in PAYMENT_TYPES:
        if text.strip().lower() == known.lower():
            return known
    raise SettingError(
        f"The setting payment_type_mapping has {text!r} for {match}: FreshBooks knows the payment"
        f" types {', '.join(PAYMENT_TYPES)}."
    )


def _object(text: str, name: str) -> Any:  # noqa: ANN401 - settings are JSON
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise SettingError(f"The setting {name} must be a JSON object.") from None


def _generic(value: Any) -> GenericClient | None:  # noqa: ANN401 - settings are JSON
    if not value:
        return None
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = _object(value, "generic_client")  # from the environment
    if isinstance(value, dict):
        return GenericClient(str(value.get("organization", "")), str(value.get("email", "")))
    return GenericClient(str(value))
