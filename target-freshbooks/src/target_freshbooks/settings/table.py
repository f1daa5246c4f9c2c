"""Table of settings: each one's name, type, default and meaning, declared once, as a JSON Schema.

The strict reading of values, the check of names, `--about`, and the tests of README and meltano.yml
all follow it. A setting besides needs its place in `Settings` or `Policy` only.
"""

from typing import Any

from connector_credentials.settings import Form

from target_freshbooks.books.policy import IN_HAND, ON_ACCOUNT, LineNames

from . import property_types as th

DEFAULT_LEDGER = "data/target-freshbooks.sqlite"
A_DAY, TEN_YEARS = 86_400, 315_360_000  # in seconds; beyond, the system's clocks and dates end
A_CENTURY = 36_500  # in days
PAID = [2, 3, 8, 9, 10, 11]
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
        description="Only to seed the credential store; the command `login` is easier.",
    ),
    th.Property(
        "account_id",
        th.StringType,
        description="FreshBooks account; needed only if the user has more than one that fits.",
    ),
    th.Property("api_url", th.URIType, default="https://api.freshbooks.com"),
    th.Property("auth_url", th.URIType, default="https://auth.freshbooks.com"),
    th.Property(
        "allow_insecure_http",
        th.BooleanType,
        default=False,
        description="Whether api_url, auth_url and redirect_uri may be http:// on another machine.",
    ),
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
    th.Property("payment_terms_days", th.IntegerType(minimum=0, maximum=A_CENTURY), default=30),
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
    th.Property("ledger_retention_days", th.IntegerType(minimum=0, maximum=A_CENTURY), default=90),
    th.Property("max_parallel_orders", th.IntegerType(minimum=1), default=4),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=A_DAY),
        default=60,
        description="Seconds.",
    ),
    th.Property("max_retry_seconds", th.IntegerType(minimum=0, maximum=TEN_YEARS), default=120),
    th.Property(
        "settle_seconds",
        th.IntegerType(minimum=0, maximum=TEN_YEARS),
        default=15,
        description="How long FreshBooks' searches may not show a record just made: a creation"
        " whose answer was lost is repeated only after that.",
    ),
    th.Property(
        "lease_wait_seconds",
        th.IntegerType(minimum=0, maximum=TEN_YEARS),
        default=300,
        description="How long to wait for another run of the same account to end.",
    ),
    th.Property("dry_run", th.BooleanType, default=False),
    th.Property(
        "plan_file",
        th.StringType,
        description="File, .html or .csv, for the plans of all orders of the run, which is a dry"
        " run by that: nothing is written to FreshBooks.",
    ),
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
    th.Property(
        "notify_urls",
        th.ArrayType(th.StringType),
        secret=True,
        description="URLs of apprise: who is told of parked orders, failing runs and the like.",
    ),
    th.Property(
        "notify_waiting_days",
        th.IntegerType(minimum=0, maximum=A_CENTURY),
        default=30,
        description="An order that waits so many days after it was placed is told; 0: none.",
    ),
    th.Property(
        "notify_silence_hours",
        th.IntegerType(minimum=0, maximum=87_600),
        default=24,
        description="It is told when no run has ended well for so long; 0: never.",
    ),
    th.Property(
        "metrics_file",
        th.StringType,
        description="File for the textfile collector of Prometheus' node_exporter (name.prom).",
    ),
    th.Property("user_agent", th.CustomType({"type": ["string", "null"], "format": "http-header"})),
).to_dict()


FORM = Form("TARGET_FRESHBOOKS_", schema["properties"])
