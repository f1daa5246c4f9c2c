"""The Singer SDK's own test suite for taps, against the small shop."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_bigcommerce_orders.tap import TapBigCommerceOrders

# The SDK builds its class while tests are collected, so the shop must be open by then: fixtures
# come too late, and tests are no package to import from.
_spec = importlib.util.spec_from_file_location(
    "shop_of_the_suite", Path(__file__).parent / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_conftest = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_conftest)

_open = contextlib.ExitStack()
_shop = _open.enter_context(_conftest.serving(_conftest.Shop()))
atexit.register(_open.close)

for _number in range(1, 11):
    _shop.order(_number, _number, total_tax="1.0000", coupon_discount="1.0000")
    _shop.taxes[_number] = [{"id": _number, "name": "GST", "rate": "8.0000", "priority": 0}]
    _shop.coupons[_number] = [
        {"id": _number, "coupon_id": 1, "code": "X", "amount": 5, "discount": 5}
    ]
    _shop.refund(_number, _number, 60)
_shop.customers = [{"id": 1, "date_modified": "2026-11-01T00:00:00Z", "email": "a@example.com"}]
_shop.products = [{"id": 1, "date_modified": "2026-11-01T00:00:00+00:00", "price": 9.5}]

# The shop's rows are not full ones, of which the suite warns.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records"),
    pytest.mark.filterwarnings("ignore:No records were available to test"),
]

_settings = _conftest.settings(_shop)
_catalog = TapBigCommerceOrders(config=dict(_settings)).catalog
for _entry in _catalog.streams:
    _entry.metadata.root.selected = True  # order_coupons is not by default

_Suite: Any = get_tap_test_class(
    TapBigCommerceOrders,
    config=_settings,
    catalog=_catalog.to_dict(),
    suite_config=SuiteConfig(max_records_limit=5),
    parse_env_config=False,
)


class TestTapBySdk(_Suite):  # type: ignore[misc]  # its base is made at run time
    """4 tests of the tap, 6 of each stream, and one for each typed attribute."""
