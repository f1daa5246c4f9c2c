"""What stands about the store itself: v2 store, time, currencies, tax classes, v3 profile."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.routing import BaseRoute

from connector_sandbox.bigcommerce.access import INFORMATION, Answer, Call, StoreGuard, answer
from connector_sandbox.bigcommerce.dates import epoch, rfc2822
from connector_sandbox.seed import catalog

STORE_ID = 1025646


def routes(guard: StoreGuard) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        guard.route("v2/store", get_store, INFORMATION),
        guard.route("v2/time", get_time, INFORMATION),
        guard.route("v2/currencies", list_currencies, INFORMATION),
        guard.route("v2/tax_classes", list_tax_classes, INFORMATION),
        guard.route("v3/settings/store/profile", get_profile, INFORMATION),
    ]


def _timezone(now: datetime) -> dict[str, Any]:
    zone = ZoneInfo(catalog.STORE_TIMEZONE)
    winter = datetime(now.year, 1, 1, tzinfo=zone).utcoffset() or timedelta()
    summer = datetime(now.year, 7, 1, tzinfo=zone).utcoffset() or timedelta()
    return {
        "name": catalog.STORE_TIMEZONE,
        "raw_offset": int(winter.total_seconds()),
        "dst_offset": int(summer.total_seconds()),
        "dst_correction": winter != summer,
        "date_format": {
            "display": "M jS Y",
            "export": "M jS Y",
            "extended_display": "M jS Y @ g:i A",
        },
    }


def get_store(call: Call) -> Answer:
    """GET /v2/store."""
    store_hash = call.ctx.switches["bc.store_hash"]
    return answer(
        {
            "id": store_hash,
            "account_uuid": "8d4d492f-17a1-4d95-b396-e1c5720815a5",
            "domain": "sandbox-shop.example.com",
            "secure_url": "https://sandbox-shop.example.com",
            "control_panel_base_url": f"https://store-{store_hash}.example.com",
            "status": "live",
            "name": "Sandbox Shop",
            "first_name": "Sam",
            "last_name": "Shop",
            "address": "1 Main Street, Albany",
            "country": "United States",
            "country_code": "US",
            "infrastructure_region": "us-central1",
            "phone": "555-0199",
            "admin_email": "admin@example.com",
            "order_email": "orders@example.com",
            "favicon_url": "",
            "timezone": _timezone(call.ctx.clock.now()),
            "language": "en",
            "currency": catalog.STORE_CURRENCY,
            "currency_symbol": "$",
            "decimal_separator": ".",
            "thousands_separator": ",",
            "decimal_places": 2,
            "currency_symbol_location": "left",
            "weight_units": "Ounces",
            "dimension_units": "Inches",
            "dimension_decimal_places": 2,
            "dimension_decimal_token": ".",
            "dimension_thousands_token": ",",
            "plan_name": "Standard",
            "plan_level": "Standard",
            "plan_is_trial": False,
            "industry": "Home",
            "logo": {"url": ""},
            "is_price_entered_with_tax": False,
            "store_id": STORE_ID,
            "default_channel_id": 1,
            "default_site_id": 1000,
            "active_comparison_modules": [],
            "features": {"multi_storefront_enabled": False},
        }
    )


def get_time(call: Call) -> Answer:
    """GET /v2/time."""
    return answer({"time": epoch(call.ctx.clock.now())})


def list_currencies(call: Call) -> Answer:
    """GET /v2/currencies."""
    del call
    updated = rfc2822(datetime(2026, 9, 1, 6, 0, tzinfo=UTC))
    return answer(
        [
            {
                "id": number,
                "is_default": code == catalog.STORE_CURRENCY,
                "country_iso2": country,
                "default_for_country_codes": [],
                "currency_code": code,
                "currency_exchange_rate": rate,
                "auto_update": False,
                "token_location": "left",
                "token": token,
                "decimal_token": ".",
                "thousands_token": ",",
                "decimal_places": places,
                "name": name,
                "enabled": True,
                "is_transactional": True,
                "use_default_name": True,
                "last_updated": updated,
            }
            for number, code, name, token, places, country, rate in catalog.CURRENCIES
        ]
    )


def list_tax_classes(call: Call) -> Answer:
    """GET /v2/tax_classes; the default class is missing unless switched in."""
    made = rfc2822(datetime(2024, 1, 5, 9, 0, tzinfo=UTC))
    classes = list(catalog.TAX_CLASSES)
    if call.switches["bc.tax_class_zero"]:
        classes.insert(0, (0, "Default Tax Class"))
    as_text = call.switches["bc.tax_class_id"] == "text"
    return answer(
        [
            {
                "id": str(number) if as_text else number,
                "name": name,
                "created_at": made,
                "updated_at": made,
            }
            for number, name in classes
        ]
    )


def get_profile(call: Call) -> Answer:
    """GET /v3/settings/store/profile."""
    del call
    return answer(
        {
            "data": {
                "store_name": "Sandbox Shop",
                "store_address": "1 Main Street, Albany",
                "store_address_type": "Home Office",
                "store_country": "United States",
                "store_country_code": "US",
                "store_email": "admin@example.com",
                "store_phone": "555-0199",
            },
            "meta": {},
        }
    )
