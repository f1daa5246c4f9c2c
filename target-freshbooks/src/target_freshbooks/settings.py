"""The target's settings: their JSON Schema for Singer and Meltano, and their typed form.

Longer than other modules, so that whoever adds a setting finds its three places on one page.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector_credentials.settings import Form, SettingError
from singer_sdk import typing as th

from target_freshbooks.books.capabilities import FRESHBOOKS, clean
from target_freshbooks.books.marketplaces import TREATMENTS, Treatment
from target_freshbooks.books.policy import (
    IN_HAND,
    ON_ACCOUNT,
    ExcludedOrder,
    GenericClient,
    LineNames,
    Policy,
    TaxName,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    th.Property("api_url", th.URIType, default="https://api.freshbooks.com"),
    th.Property("auth_url", th.URIType, default="https://auth.freshbooks.com"),
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
    th.Property(
        "exclude_orders",
        th.CustomType(
            {
                "type": ["array", "null"],
                "items": {
                    "type": "object",
                    "properties": {
                        "sku": {"type": "string"},
                        "name": {"type": "string"},
                        "product_id": {"type": "integer"},
                        "channel_id": {"type": "integer"},
                    },
                    "additionalProperties": False,
                },
            }
        ),
        description="Orders that are no sale: a list of objects, each of which one line must fit.",
    ),
    th.Property("timezone", th.StringType, description="IANA name; default: the store's."),
    th.Property(
        "tax_mode", th.StringType, allowed_values=["rates", "amount_lines"], default="rates"
    ),
    th.Property(
        "tax_mapping",
        th.ObjectType(additional_properties=th.StringType),
        description="BigCommerce tax name, class or rate → FreshBooks tax name.",
    ),
    th.Property("rounding_tolerance_cents", th.IntegerType(minimum=0), default=5),
    th.Property(
        "payment_type_mapping",
        th.ObjectType(additional_properties=th.StringType),
        description="BigCommerce gateway or method → FreshBooks payment type.",
    ),
    th.Property(
        "derived_payment_methods",
        th.ArrayType(th.StringType),
        default=list(IN_HAND),
        description="Methods of payment, by their whole names, that mean money in hand.",
    ),
    th.Property(
        "on_account_methods",
        th.ArrayType(th.StringType),
        default=list(ON_ACCOUNT),
        description="Words of methods of payment that mean on account; # is a number of days.",
    ),
    th.Property("payment_terms_days", th.IntegerType(minimum=0), default=30),
    th.Property(
        "on_account_reminders",
        th.BooleanType,
        default=False,
        description="Whether FreshBooks may send reminders and charge late fees to new clients.",
    ),
    th.Property(
        "stored_value",
        th.StringType,
        allowed_values=["line", "payment"],
        default="line",
        description="line: gift certificates and store credit are lines of an item each, whose"
        " balance is what is owed; payment: they pay for orders.",
    ),
    th.Property(
        "refund_mode",
        th.StringType,
        allowed_values=["adjust_invoice", "credit_note"],
        default="adjust_invoice",
    ),
    th.Property("order_refund_tax", th.StringType, allowed_values=["share", "none"]),
    th.Property(
        "marketplace_sources",
        th.ObjectType(additional_properties=th.StringType),
        description="Marketplace (amazon, ebay, … or channel:5) → net (it remits the tax), own (you"
        " do) or skip.",
    ),
    th.Property(
        "on_cancel", th.StringType, allowed_values=["park", "void", "delete"], default="park"
    ),
    th.Property(
        "on_order_change", th.StringType, allowed_values=["update", "park"], default="update"
    ),
    th.Property(
        "closed_through",
        th.CustomType({"type": ["string", "null"], "format": "date-or-auto"}),
        description="Nothing dated on this day or before is created or changed; auto: last month"
        " closes on the 11th.",
    ),
    th.Property(
        "closed_refunds",
        th.StringType,
        allowed_values=["park", "correction"],
        default="park",
        description="What becomes of a refund whose invoice is of a closed day.",
    ),
    th.Property(
        "refunds_expense_category",
        th.StringType,
        description="Name or id of the FreshBooks category of expenses under which the money of a"
        " correction is booked; default: no expense is written.",
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
        "vat_number_field",
        th.StringType,
        description="Name of the shop's form field (checkout or account) with the customer's VAT"
        " number.",
    ),
    th.Property(
        "client_mode",
        th.StringType,
        allowed_values=["customer", "one"],
        default="customer",
        description="one: all orders go to a single client, generic_client; each invoice bears the"
        " shopper's own name and address.",
    ),
    th.Property(
        "generic_client",
        th.CustomType(
            {
                "type": ["string", "object", "null"],
                "properties": {"organization": {"type": "string"}, "email": {"type": "string"}},
                "additionalProperties": False,
            }
        ),
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
    th.Property("store_credit_line_name", th.StringType, default=_NAMES.store_credit),
    th.Property("ledger_retention_days", th.IntegerType(minimum=0), default=90),
    th.Property("max_parallel_orders", th.IntegerType(minimum=1), default=4),
    th.Property("request_timeout", th.IntegerType(minimum=1), default=60, description="Seconds."),
    th.Property("max_retry_seconds", th.IntegerType(minimum=0), default=120),
    th.Property(
        "settle_seconds",
        th.IntegerType(minimum=0),
        default=15,
        description="How long FreshBooks' searches may not show a record just made: a creation"
        " whose answer was lost is repeated only after that.",
    ),
    th.Property(
        "lease_wait_seconds",
        th.IntegerType(minimum=0),
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
        th.IntegerType(minimum=0),
        default=20,
        description="A run that has rewritten, voided or deleted so many invoices of earlier runs"
        " stops before the next.",
    ),
    th.Property("on_parked", th.StringType, allowed_values=["warn", "fail"], default="warn"),
    th.Property("user_agent", th.CustomType({"type": ["string", "null"], "format": "http-header"})),
).to_dict()


FORM = Form("TARGET_FRESHBOOKS_", schema["properties"])


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
    on_account_reminders: bool
    ledger_retention_days: int
    max_parallel_orders: int
    request_timeout: int
    max_retry_seconds: int
    settle_seconds: int
    lease_wait_seconds: int
    dry_run: bool
    max_rewritten_invoices: int | None
    on_parked: str
    user_agent: str
    policy: Policy


def read_settings(config: Mapping[str, Any], *, version: str = "0") -> Settings:
    """Check and type the settings.

    Raises:
        SettingError: Names the setting and says what it must be.
    """
    properties = schema["properties"].items()
    defaults = {name: entry["default"] for name, entry in properties if "default" in entry}
    given = {**defaults, **FORM.read(config)}
    for name in ("client_id", "client_secret"):
        if not given.get(name):
            raise SettingError(
                f"The setting {name} is missing: create an app in FreshBooks' developer page and"
                f" set TARGET_FRESHBOOKS_{name.upper()}."
            )
    return Settings(
        client_id=given["client_id"],
        client_secret=given["client_secret"],
        redirect_uri=given.get("redirect_uri", "https://localhost/callback"),
        refresh_token=given.get("refresh_token"),
        account_id=given.get("account_id"),
        api_url=given["api_url"].rstrip("/"),
        auth_url=given["auth_url"].rstrip("/"),
        ledger_url=given["ledger_url"],
        encryption_key=given.get("encryption_key"),
        credentials_url=given.get("credentials_url", given["ledger_url"]),
        source=given["source"],
        client_sync=given["client_sync"],
        item_sync=given["item_sync"],
        client_email_changes=given["client_email_changes"],
        on_account_reminders=given["on_account_reminders"],
        ledger_retention_days=given["ledger_retention_days"],
        max_parallel_orders=given["max_parallel_orders"],
        request_timeout=given["request_timeout"],
        max_retry_seconds=given["max_retry_seconds"],
        settle_seconds=given["settle_seconds"],
        lease_wait_seconds=given["lease_wait_seconds"],
        dry_run=given["dry_run"],
        max_rewritten_invoices=given["max_rewritten_invoices"],
        on_parked=given["on_parked"],
        user_agent=given.get("user_agent", f"target-freshbooks/{version}"),
        policy=_policy(given),
    )


def _policy(given: Mapping[str, Any]) -> Policy:
    """The settings the accounting rules depend on."""
    day = given.get("invoice_start_date")
    return Policy(
        invoice_number_prefix=given["invoice_number_prefix"],
        paid_status_ids=frozenset(given["paid_status_ids"]),
        invoice_start_date=date.fromisoformat(day) if day else None,
        exclude_external_sources=frozenset(given["exclude_external_sources"]),
        exclude_orders=tuple(map(_excluded, given.get("exclude_orders") or ())),
        timezone=_zone(given.get("timezone")),
        tax_mode=given["tax_mode"],
        tax_mapping=tuple(TaxName(*pair) for pair in given.get("tax_mapping", {}).items()),
        rounding_tolerance_cents=given["rounding_tolerance_cents"],
        payment_type_mapping=tuple(
            (match.lower(), _payment_type(match, kind))
            for match, kind in given.get("payment_type_mapping", {}).items()
        ),
        derived_payment_methods=tuple(given["derived_payment_methods"]),
        on_account_methods=tuple(given["on_account_methods"]),
        payment_terms_days=given["payment_terms_days"],
        stored_value=given["stored_value"],
        refund_mode=given["refund_mode"],
        order_refund_tax=given.get("order_refund_tax"),
        marketplace_sources=tuple(
            (place.strip().lower(), _treatment(place, text))
            for place, text in given.get("marketplace_sources", {}).items()
        ),
        on_cancel=given["on_cancel"],
        on_order_change=given["on_order_change"],
        closed_through=_closed_through(given.get("closed_through")),
        vat_number_field=(given.get("vat_number_field") or "").strip(),
        client_mode=given["client_mode"],
        closed_refunds=given["closed_refunds"],
        refunds_expense_category=given.get("refunds_expense_category") or None,
        generic_client=_generic(given.get("generic_client")),
        names=LineNames(
            **{
                name: clean(given[f"{name}_line_name"], FRESHBOOKS.name_length, default)
                for name, default in asdict(_NAMES).items()
            }
        ),
        post_as=given["post_as"],
    )


def _excluded(entry: Mapping[str, Any]) -> ExcludedOrder:
    if not entry or "" in entry.values():
        raise SettingError(
            "The setting exclude_orders has an entry that names nothing, or something blank: it"
            " would keep orders out that nobody means. Name its sku, name, product_id or"
            " channel_id, or take it out."
        )
    return ExcludedOrder(**entry)


def _closed_through(text: str | None) -> date | Literal["auto"] | None:
    if not text or text == "auto":
        return "auto" if text else None
    return date.fromisoformat(text)


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
