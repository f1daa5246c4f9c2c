"""Typed settings: what the rest of the target reads, checked as strictly as money asks for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector_credentials.addresses import require_tls
from connector_credentials.sandbox_guard import keep_apart
from connector_credentials.settings import SettingError

from target_freshbooks.books.marketplaces import TREATMENTS, Treatment
from target_freshbooks.books.policy import (
    ExcludedOrder,
    GenericClient,
    LineNames,
    Policy,
    TaxName,
)
from target_freshbooks.capabilities import FRESHBOOKS, clean

from .monitoring import Monitoring, read_monitoring
from .table import FORM, schema

PAYMENT_TYPES = (
    *("Check", "Credit", "Cash", "Bank Transfer", "Credit Card", "Debit", "PayPal", "2Checkout"),
    *("VISA", "MASTERCARD", "DISCOVER", "AMEX", "DINERS", "JCB", "ACH", "Nova", "Eurocard"),
    "Other",
)
"""All that FreshBooks takes as a payment's `type` (the enums of its Node and Java SDKs)."""


_NOTES_BESIDE_LINES = (
    "refund_mode is credit_note and stored_value is line: store credit that is given as a credit"
    " note is taken off as a line when it is spent, so the notes have to be applied, and the"
    " balance of the item for store credit kept, by hand."
)

PLAN_FILES = (".html", ".csv")
"""What a file of plans may end in: a page or a table."""


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
    allow_insecure_http: bool
    ledger_url: str = field(repr=False)
    encryption_key: str | None = field(repr=False)
    credentials_url: str = field(repr=False)
    source: str
    client_sync: str
    item_sync: str
    client_email_changes: str
    on_account_reminders: bool
    ledger_retention_days: int
    max_parallel_orders: int
    request_timeout: int
    max_retry_seconds: int
    settle_seconds: int
    lease_wait_seconds: int
    dry_run: bool
    plan_file: Path | None
    max_rewritten_invoices: int | None
    on_parked: str
    user_agent: str
    policy: Policy
    monitoring: Monitoring

    @property
    def at_odds(self) -> str:
        """What two settings together leave to be done by hand, in a sentence; empty if nothing."""
        policy = self.policy
        beside = policy.refund_mode == "credit_note" and policy.stored_value == "line"
        return _NOTES_BESIDE_LINES if beside else ""


def read_settings(
    config: Mapping[str, Any],
    *,
    version: str = "0",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Settings:
    """Check and type the settings.

    Args:
        config: The values as they were given.
        version: Of this package, for the user agent.
        environment: The process': a run for the sandbox has settings of the sandbox only.

    Raises:
        SettingError: Names the setting and says what it must be.
    """
    properties = schema["properties"].items()
    defaults = {name: entry["default"] for name, entry in properties if "default" in entry}
    values = {**defaults, **FORM.read(config)}
    for name in ("client_id", "client_secret"):
        if not values.get(name):
            raise SettingError(
                f"The setting {name} is missing: create an app in FreshBooks' developer page and"
                f" set TARGET_FRESHBOOKS_{name.upper()}."
            )
    plain: dict[str, Any] = {one.name: values.get(one.name) for one in fields(Settings)}
    typed: dict[str, Any] = {
        "redirect_uri": values.get("redirect_uri", "https://localhost/callback"),
        "api_url": values["api_url"].rstrip("/"),
        "auth_url": values["auth_url"].rstrip("/"),
        "credentials_url": values.get("credentials_url", values["ledger_url"]),
        "user_agent": values.get("user_agent", f"target-freshbooks/{version}"),
        "plan_file": (plan_file := plan_file_of(values.get("plan_file"))),
        "dry_run": values["dry_run"] or plan_file is not None,
        "policy": _policy(values),
        "monitoring": read_monitoring(config, environment),
    }
    settings = Settings(**plain | typed)
    _keep_apart(settings, environment)
    require_tls(
        {name: getattr(settings, name) for name in ("api_url", "auth_url", "redirect_uri")},
        allow_insecure_http=settings.allow_insecure_http,
    )
    return settings


def plan_file_of(text: str | None) -> Path | None:
    """Where the plans of a run go.

    Raises:
        SettingError: It is neither a page nor a table.
    """
    if not text:
        return None
    path = Path(text).expanduser()
    if path.suffix.lower() not in PLAN_FILES or path.is_dir():
        raise SettingError(
            f"The setting plan_file is {text!r}: it must name a file that ends in .html or .csv."
        )
    return path


def _keep_apart(settings: Settings, environment: Mapping[str, str]) -> None:
    """Stop a run for the sandbox whose settings lead to something real."""

    def by_variable(*names: str) -> dict[str, str | None]:
        return {f"{FORM.prefix}{name.upper()}": getattr(settings, name) for name in names}

    databases = ["ledger_url", "credentials_url"]
    if settings.credentials_url == settings.ledger_url:  # as by default: not to be told twice
        databases.remove("credentials_url")
    addresses = by_variable("api_url", "auth_url")
    keep_apart(environment, addresses=addresses, databases=by_variable(*databases))


def _policy(values: Mapping[str, Any]) -> Policy:
    """The settings the accounting rules depend on."""
    plain = {one.name: values[one.name] for one in fields(Policy) if one.name in values}
    typed: dict[str, Any] = {
        "paid_status_ids": frozenset(values["paid_status_ids"]),
        "invoice_start_date": _day(values.get("invoice_start_date")),
        "exclude_external_sources": frozenset(values["exclude_external_sources"]),
        "exclude_orders": tuple(map(_excluded, values.get("exclude_orders") or ())),
        "timezone": _zone(values.get("timezone")),
        "tax_mapping": tuple(TaxName(*pair) for pair in values.get("tax_mapping", {}).items()),
        "payment_type_mapping": tuple(
            (match.lower(), _payment_type(match, kind))
            for match, kind in values.get("payment_type_mapping", {}).items()
        ),
        "derived_payment_methods": tuple(values["derived_payment_methods"]),
        "on_account_methods": tuple(values["on_account_methods"]),
        "marketplace_sources": tuple(
            (place.strip().lower(), _treatment(place, text))
            for place, text in values.get("marketplace_sources", {}).items()
        ),
        "closed_through": _closed_through(values.get("closed_through")),
        "vat_number_field": (values.get("vat_number_field") or "").strip(),
        "refunds_expense_category": values.get("refunds_expense_category") or None,
        "generic_client": _generic(values.get("generic_client")),
        "names": LineNames(
            **{
                name: clean(values[f"{name}_line_name"], FRESHBOOKS.name_length, default)
                for name, default in asdict(LineNames()).items()
            }
        ),
    }
    return Policy(**plain | typed)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _excluded(entry: Mapping[str, Any]) -> ExcludedOrder:
    if not entry or "" in entry.values():
        raise SettingError(
            "The setting exclude_orders has an entry that names nothing, or something blank: it"
            " would keep orders out that nobody means. Name its sku, name, product_id or"
            " channel_id, or take it out."
        )
    return ExcludedOrder(**entry)


def _closed_through(text: str | None) -> date | Literal["auto"] | None:
    return "auto" if text == "auto" else _day(text)


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


def _payment_type(match: str, text: str) -> str:
    for known in PAYMENT_TYPES:
        if text.strip().lower() == known.lower():
            return known
    raise SettingError(
        f"The setting payment_type_mapping has {text!r} for {match}: FreshBooks knows the payment"
        f" types {', '.join(PAYMENT_TYPES)}."
    )


def _treatment(place: str, text: str) -> Treatment:
    for known in TREATMENTS:
        if place.strip() and text.strip().lower() == known:
            return known
    raise SettingError(
        f"The setting marketplace_sources has {text!r} for {place!r}: give each marketplace one of"
        f" {', '.join(TREATMENTS)}."
    )


def _generic(value: str | dict[str, str] | None) -> GenericClient | None:
    if isinstance(value, dict):
        return GenericClient(value.get("organization", ""), value.get("email", ""))
    return GenericClient(value) if value else None
