"""Settings: each is typed right, from a file and from the environment, and told of when wrong."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from connector_credentials.settings import SettingError
from target_freshbooks.books.policy import ExcludedOrder, GenericClient, LineNames, TaxName
from target_freshbooks.settings import read_settings, schema
from target_freshbooks.target import TargetFreshBooks

pytestmark = pytest.mark.more

NEEDED = {"client_id": "id", "client_secret": "secret"}

# Setting: its text in the environment, where it lands in Settings, and as what.
TYPED: dict[str, tuple[str, str, Any]] = {
    "client_id": ("abc", "client_id", "abc"),
    "client_secret": ("s3", "client_secret", "s3"),
    "redirect_uri": ("https://me.example/cb", "redirect_uri", "https://me.example/cb"),
    "refresh_token": ("r0", "refresh_token", "r0"),
    "account_id": ("ACM123", "account_id", "ACM123"),
    "api_url": ("https://api.example/", "api_url", "https://api.example"),
    "auth_url": ("https://auth.example/", "auth_url", "https://auth.example"),
    "ledger_url": ("postgresql://u:p@h/d", "ledger_url", "postgresql://u:p@h/d"),
    "encryption_key": ("k1,k2", "encryption_key", "k1,k2"),
    "credentials_url": ("sqlite:///c.db", "credentials_url", "sqlite:///c.db"),
    "source": ("shop two", "source", "shop two"),
    "invoice_number_prefix": ("BC-", "policy.invoice_number_prefix", "BC-"),
    "paid_status_ids": ("[2, 11]", "policy.paid_status_ids", frozenset({2, 11})),
    "invoice_start_date": ("2026-10-01", "policy.invoice_start_date", date(2026, 10, 1)),
    "exclude_external_sources": (
        '["M-MIG", "POS"]',
        "policy.exclude_external_sources",
        frozenset({"M-MIG", "POS"}),
    ),
    "exclude_orders": (
        '[{"sku": "INV", "product_id": 77}, {"name": "Invoice *", "channel_id": "2"}]',
        "policy.exclude_orders",
        (ExcludedOrder("INV", product_id=77), ExcludedOrder(name="Invoice *", channel_id=2)),
    ),
    "timezone": ("America/Chicago", "policy.timezone", "America/Chicago"),
    "tax_mode": ("amount_lines", "policy.tax_mode", "amount_lines"),
    "tax_mapping": ('{"State": "NY"}', "policy.tax_mapping", (TaxName("State", "NY"),)),
    "rounding_tolerance_cents": ("3", "policy.rounding_tolerance_cents", 3),
    "payment_type_mapping": (
        '{"Braintree": "VISA"}',
        "policy.payment_type_mapping",
        (("braintree", "VISA"),),
    ),
    "derived_payment_methods": ('["Twint"]', "policy.derived_payment_methods", ("Twint",)),
    "on_account_methods": ('["net #"]', "policy.on_account_methods", ("net #",)),
    "payment_terms_days": ("14", "policy.payment_terms_days", 14),
    "on_account_reminders": ("true", "on_account_reminders", True),
    "refund_mode": ("credit_note", "policy.refund_mode", "credit_note"),
    "stored_value": ("payment", "policy.stored_value", "payment"),
    "order_refund_tax": ("share", "policy.order_refund_tax", "share"),
    "marketplace_sources": (
        '{"Amazon": "NET", "channel:5": "skip"}',
        "policy.marketplace_sources",
        (("amazon", "net"), ("channel:5", "skip")),
    ),
    "on_cancel": ("delete", "policy.on_cancel", "delete"),
    "on_order_change": ("park", "policy.on_order_change", "park"),
    "closed_through": ("auto", "policy.closed_through", "auto"),
    "closed_refunds": ("correction", "policy.closed_refunds", "correction"),
    "refunds_expense_category": ("Refunds", "policy.refunds_expense_category", "Refunds"),
    "client_sync": ("all", "client_sync", "all"),
    "item_sync": ("all", "item_sync", "all"),
    "client_email_changes": ("follow", "client_email_changes", "follow"),
    "vat_number_field": ("VAT number", "policy.vat_number_field", "VAT number"),
    "client_mode": ("one", "policy.client_mode", "one"),
    "generic_client": ("Walk-in", "policy.generic_client", GenericClient("Walk-in")),
    "shipping_line_name": ("Post", "policy.names.shipping", "Post"),
    "handling_line_name": ("Packing", "policy.names.handling", "Packing"),
    "wrapping_line_name": ("Paper", "policy.names.wrapping", "Paper"),
    "fee_line_name": ("Charge", "policy.names.fee", "Charge"),
    "discount_line_name": ("Off", "policy.names.discount", "Off"),
    "rounding_line_name": ("Cents", "policy.names.rounding", "Cents"),
    "gift_certificate_line_name": ("Voucher", "policy.names.gift_certificate", "Voucher"),
    "store_credit_line_name": ("Credit", "policy.names.store_credit", "Credit"),
    "ledger_retention_days": ("30", "ledger_retention_days", 30),
    "max_parallel_orders": ("2", "max_parallel_orders", 2),
    "request_timeout": ("9", "request_timeout", 9),
    "allow_insecure_http": ("true", "allow_insecure_http", True),
    "max_retry_seconds": ("7", "max_retry_seconds", 7),
    "settle_seconds": ("5", "settle_seconds", 5),
    "lease_wait_seconds": ("11", "lease_wait_seconds", 11),
    "dry_run": ("true", "dry_run", True),
    "plan_file": ("/m/plans.html", "plan_file", Path("/m/plans.html")),
    "post_as": ("draft", "policy.post_as", "draft"),
    "max_rewritten_invoices": ("0", "max_rewritten_invoices", 0),
    "on_parked": ("fail", "on_parked", "fail"),
    "notify_urls": (
        '["slack://a/b/c", "mailtos://x.example?to=a@x.example,b@x.example"]',
        "monitoring.notify_urls",
        ("slack://a/b/c", "mailtos://x.example?to=a@x.example,b@x.example"),
    ),
    "notify_waiting_days": ("14", "monitoring.notify_waiting_days", 14),
    "notify_silence_hours": ("0", "monitoring.notify_silence_hours", 0),
    "metrics_file": ("/m/target.prom", "monitoring.metrics_file", Path("/m/target.prom")),
    "user_agent": ("books/1 (me@x.example)", "user_agent", "books/1 (me@x.example)"),
}
SECRETS = {
    "client_secret",
    "refresh_token",
    "ledger_url",
    "encryption_key",
    "credentials_url",
    "notify_urls",
}
OF_THE_SDK = {
    "stream_maps",
    "stream_map_config",
    "add_record_metadata",
    "load_method",
    "batch_size_rows",
    "batch_wait_limit_seconds",
    "process_activate_version_messages",
    "validate_records",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
}


def own_settings() -> set[str]:
    return set(schema["properties"]) - OF_THE_SDK


def at(settings: Any, path: str) -> Any:
    for name in path.split("."):
        settings = getattr(settings, name)
    return settings


def test_the_table_below_has_every_setting() -> None:
    assert set(TYPED) == own_settings()


@pytest.mark.parametrize("name", sorted(TYPED))
def test_a_setting_of_the_environment_is_typed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, path, value = TYPED[name]
    for needed, given in NEEDED.items():
        monkeypatch.setenv(f"TARGET_FRESHBOOKS_{needed.upper()}", given)
    monkeypatch.setenv(f"TARGET_FRESHBOOKS_{name.upper()}", text)
    target = TargetFreshBooks(config={}, parse_env_config=True)
    assert at(target.settings, path) == value


@pytest.mark.parametrize("name", sorted(TYPED))
def test_no_setting_is_left_at_its_default_by_the_table(name: str) -> None:
    _, path, value = TYPED[name]
    if name not in NEEDED:
        assert at(read_settings(NEEDED), path) != value


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = read_settings(NEEDED, version="1.2")
    assert settings.api_url == "https://api.freshbooks.com"
    assert settings.auth_url == "https://auth.freshbooks.com"
    assert settings.credentials_url == settings.ledger_url
    assert settings.policy.paid_status_ids == {2, 3, 8, 9, 10, 11}
    assert settings.policy.exclude_external_sources == {"M-MIG"}
    assert settings.policy.rounding_tolerance_cents == 5
    assert settings.policy.payment_terms_days == 30
    assert (settings.max_parallel_orders, settings.ledger_retention_days) == (4, 90)
    assert (settings.policy.refund_mode, settings.policy.on_cancel) == ("adjust_invoice", "park")
    assert (settings.client_sync, settings.item_sync) == ("ordered", "ordered")
    assert (settings.dry_run, settings.on_parked) == (False, "warn")
    assert settings.user_agent == "target-freshbooks/1.2"


def test_the_generic_client_is_a_name_or_an_object() -> None:
    given = {"organization": "Walk-in", "email": "w@x.example"}
    for value in (given, json.dumps(given)):
        settings = read_settings({**NEEDED, "generic_client": value})
        assert settings.policy.generic_client == GenericClient("Walk-in", "w@x.example")


@pytest.mark.parametrize("blank", ["", "  ", "\n", "\u00a0", "\x00"])
def test_a_blank_line_name_is_the_default(blank: str) -> None:
    names = {name: blank for name in schema["properties"] if name.endswith("_line_name")}
    assert len(names) == 8
    assert read_settings({**NEEDED, **names}).policy.names == LineNames()


def test_a_payment_type_is_taken_in_freshbooks_own_spelling() -> None:
    given = {"a": "bank transfer", "b": "visa", "c": " Other "}
    mapping = read_settings({**NEEDED, "payment_type_mapping": given}).policy.payment_type_mapping
    assert mapping == (("a", "Bank Transfer"), ("b", "VISA"), ("c", "Other"))


def test_a_null_setting_is_the_default() -> None:
    nothing = dict.fromkeys(set(TYPED) - set(NEEDED))
    assert read_settings({**nothing, **NEEDED}) == read_settings(NEEDED)


def test_no_setting_is_fractional() -> None:
    assert not [
        name for name, row in schema["properties"].items() if "number" in row.get("type", ())
    ]


def test_the_typed_settings_do_not_show_their_secrets() -> None:
    canaries = {name: f"canary-{name}" for name in SECRETS} | {"notify_urls": "slack://canary-x"}
    assert "canary-" not in repr(read_settings({**NEEDED, **canaries}))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"client_id": ""}, "client_id is missing"),
        ({"client_secret": None}, "client_secret is missing"),
        ({"max_parallel_orders": 0}, "max_parallel_orders is 0: it must be a whole number of at l"),
        ({"max_parallel_orders": "many"}, "max_parallel_orders is 'many': it must be a whole numb"),
        ({"ledger_retention_days": -1}, "it must be a whole number from 0 to 36500"),
        ({"payment_terms_days": 10**9}, "it must be a whole number from 0 to 36500"),
        ({"ledger_retention_days": 10**9}, "it must be a whole number from 0 to 36500"),
        ({"notify_waiting_days": 10**9}, "it must be a whole number from 0 to 36500"),
        ({"notify_silence_hours": 10**9}, "it must be a whole number from 0 to 87600"),
        ({"request_timeout": 10**9}, "it must be a whole number from 1 to 86400"),
        ({"max_retry_seconds": 10**12}, "it must be a whole number from 0 to 315360000"),
        ({"settle_seconds": 10**15}, "it must be a whole number from 0 to 315360000"),
        ({"lease_wait_seconds": 10**12}, "it must be a whole number from 0 to 315360000"),
        ({"max_rewritten_invoices": "-1"}, "it must be a whole number of at least 0"),
        ({"rounding_tolerance_cents": "5.0"}, "rounding_tolerance_cents is '5.0': it must be a "),
        ({"timezone": "Mars/Base"}, "timezone is 'Mars/Base'"),
        ({"invoice_start_date": "yesterday"}, "it must be a day such as 2026-01-31"),
        ({"invoice_start_date": "01.02.2026"}, "invoice_start_date is '01.02.2026': it must be a"),
        ({"invoice_start_date": "2026-02-30"}, "it must be a day such as 2026-01-31"),
        ({"exclude_orders": "INV"}, "a JSON list of objects with sku, name, product_id or channel"),
        ({"exclude_orders": [{"skew": "INV"}]}, "it must be a JSON list of objects with sku"),
        ({"exclude_orders": [{"product_id": "x"}]}, "it must be a JSON list of objects with sku"),
        ({"exclude_orders": [{}]}, "exclude_orders has an entry that names nothing"),
        ({"exclude_orders": '[{"sku": "INV", "name": ""}]'}, "or something blank"),
        ({"tax_mapping": [1]}, "it must be a JSON object of texts"),
        ({"tax_mapping": "{1"}, "it must be a JSON object of texts"),
        ({"generic_client": "{1"}, "it must be text, or a JSON object of texts with org"),
        ({"api_url": "api.example"}, "it must be a web address such as https://api.example"),
        ({"api_url": "ftp://api.example"}, "it must be a web address"),
        ({"api_url": "http://api example"}, "it must be a web address"),
        ({"api_url": "http://api.example:port"}, "it must be a web address"),
        ({"auth_url": "https:///oauth"}, "auth_url is 'https:///oauth': it must be a web address"),
        ({"user_agent": "books ✓"}, "it must be one line"),
        ({"user_agent": "books\nAuthorization: x"}, "it must be one line"),
        ({"user_agent": " books"}, "it must be one line"),
        (
            {"payment_type_mapping": {"square": "Cash", "stripe": "Bitcoin"}},
            "payment_type_mapping has 'Bitcoin' for stripe: FreshBooks knows the payment types Ch",
        ),
        ({"payment_type_mapping": '{"stripe": ""}'}, "payment_type_mapping has '' for stripe"),
        ({"marketplace_sources": {"ebay": "nett"}}, "has 'nett' for 'ebay': give each marketplace"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        read_settings({**NEEDED, **wrong})


# -- the program


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"client_secret": None}, "client_secret is missing"),
        ({"tax_mode": "guess"}, "tax_mode is 'guess': it must be rates or amount_lines."),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"client_secret": 12345678}, "client_secret must be text"),
        ({"ledger_url": "mysql://u:hidden@h/d"}, "ledger"),
        ({"api_url": "nonsense"}, "api_url is 'nonsense': it must be a web address"),
        ({"user_agent": "tëst ✓"}, "user_agent is 'tëst ✓': it must be one line"),
        ({"dry_run": "ture"}, "The setting dry_run is 'ture': it must be true or false."),
        ({"invoice_start_date": "01.02.2026"}, "it must be a day such as 2026-01-31."),
        ({"invoice_numer_prefix": "A"}, "no setting invoice_numer_prefix. If it is invoice_number"),
        ({"payment_type_mapping": {"stripe": "Bitcoin"}}, "FreshBooks knows the payment types"),
    ],
)
def test_wrong_settings_end_the_program_with_1_and_their_name(
    shop: Any, settings: dict[str, Any], words: str
) -> None:
    shop.settings = settings
    given = '{"type":"SCHEMA","stream":"orders","key_properties":["id"],"schema":{"properties":{}}}'
    ended = shop.run(given)
    assert ended.code == 1
    assert words in ended.log
    assert "Traceback" not in ended.log
    assert "12345678" not in ended.log
    assert "hidden" not in ended.log
    assert ended.out == ""


def test_settings_come_from_the_environment(shop: Any) -> None:
    order = shop.place()
    text = {
        f"TARGET_FRESHBOOKS_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in {**shop.config, "invoice_number_prefix": "ENV-"}.items()
    }
    ended = shop.run(None, "--config=ENV", environment=text)
    assert ended.code == 0, ended.log
    assert [row["invoice_number"] for row in shop.books()["invoices"]] == [f"ENV-{order}"]
    assert not [value for name, value in text.items() if _is_secret(name) and value in ended.log]


def _is_secret(variable: str) -> bool:
    return variable.removeprefix("TARGET_FRESHBOOKS_").lower() in SECRETS - {
        "ledger_url",
        "credentials_url",
    }


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("TAX_MAPPING", '{"a":', "tax_mapping is '{\"a\":': it must be a JSON object"),
        ("DRY_RUN", "ture", "dry_run is 'ture': it must be true or false"),
        ("PAID_STATUS_IDS", "2;11", "paid_status_ids is '2;11': it must be a list of whole"),
        ("TAX_MAPPING_STATE", "NY", "tax_mapping comes in pieces (TARGET_FRESHBOOKS_TAX_MAPP"),
        ("INVOICE_NUMER_PREFIX", "A", "If it is TARGET_FRESHBOOKS_INVOICE_NUMBER_PREFIX, mend"),
    ],
)
def test_a_wrong_environment_ends_the_program_with_1_and_its_name(
    shop: Any, name: str, text: str, words: str
) -> None:
    shop.place()
    ended = shop.run(
        shop.messages(), "--config=ENV", environment={f"TARGET_FRESHBOOKS_{name}": text}
    )
    assert ended.code == 1
    assert words in ended.log
    assert "Traceback" not in ended.log
    assert shop.books()["invoices"] == []


@pytest.mark.parametrize("name", ["LOGLEVEL", "TARGET_FRESHBOOKS_LOGLEVEL"])
def test_a_log_level_that_there_is_not_is_told_in_a_sentence(shop: Any, name: str) -> None:
    shop.place()
    ended = shop.run(shop.messages(), environment={name: "verbose"})
    assert ended.code == 1
    assert f"The setting {name} is 'VERBOSE': it must be" in ended.log
    assert "Traceback" not in ended.log
    assert shop.books()["invoices"] == []


def test_beside_a_file_the_environment_is_looked_at_for_names_only(shop: Any) -> None:
    order = shop.place()
    variables = {
        "INVOICE_NUMBER_PREFIX": "ENV-",
        "DRY_RUN": "ture",
        "SHOE_SIZE": "canary",
        "_LOAD_SCHEMA": "x",
        "SERVICE_PORT_HTTP": "80",
        "WEB_PORT": "tcp://10.0.0.1:80",
    }
    environment = {f"TARGET_FRESHBOOKS_{name}": text for name, text in variables.items()}
    ended = shop.run(environment=environment)
    assert ended.code == 0, ended.log
    assert [row["invoice_number"] for row in shop.books()["invoices"]] == [str(order)]
    assert "so it has no effect: TARGET_FRESHBOOKS_SHOE_SIZE.\n" in ended.log
    assert "canary" not in ended.log
    misspelt = environment | {"TARGET_FRESHBOOKS_INVOICE_NUMER_PREFIX": "A"}
    ended = shop.run(environment=misspelt)
    assert ended.code == 1
    assert "If it is TARGET_FRESHBOOKS_INVOICE_NUMBER_PREFIX" in ended.log


@pytest.mark.parametrize("content", ['{"client_secret": "canary",', "[1]", None])
def test_an_unusable_configuration_file_is_told_in_a_sentence(
    shop: Any, content: str | None
) -> None:
    path = shop.home / "mine.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    ended = shop.run("", "--config", str(path))
    assert ended.code == 1
    assert "mine.json" in ended.log
    assert "Traceback" not in ended.log
    assert "canary" not in ended.log


def test_about_lists_all_settings_and_marks_the_secrets(shop: Any) -> None:
    told = json.loads(shop.run("", "--about", "--format=json").out)["settings"]["properties"]
    assert own_settings() <= set(told)
    assert {name for name, row in told.items() if row.get("secret")} == SECRETS
    text = shop.run("", "--about", "--format=markdown").out
    assert not [name for name in own_settings() if f"| {name} " not in text]
