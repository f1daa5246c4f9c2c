"""One form for what BigCommerce writes in several ways."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_bigcommerce_orders.normalize import decode, format_time, normalize, parse_time
from tap_bigcommerce_orders.schemas.orders import ORDER
from tap_bigcommerce_orders.schemas.types import (
    FLAG,
    INTEGER,
    KEY,
    MONEY,
    NUMBER,
    OBJECT,
    OBJECTS,
    WHEN,
    parts,
    record,
)

SCHEMA = record(
    {
        "id": KEY,
        "money": MONEY,
        "time": WHEN,
        "flag": FLAG,
        "count": INTEGER,
        "weight": NUMBER,
        "thing": OBJECT,
        "things": OBJECTS,
        "rows": parts({"amount": MONEY}),
    },
    keys=("id",),
)


@pytest.mark.parametrize(
    ("text", "formed"),
    [
        ('{"money": 5}', "5"),
        ('{"money": 50.5}', "50.5"),
        ('{"money": 50.50}', "50.50"),
        ('{"money": "361.9500"}', "361.9500"),
        ('{"money": 0.1}', "0.1"),
        ('{"money": 1e2}', "100"),
        ('{"money": -1.00}', "-1.00"),
        ('{"money": 12345678901234567890.12}', "12345678901234567890.12"),
        ('{"money": ""}', None),
        ('{"money": null}', None),
        ('{"money": {}}', None),
        ('{"time": "Tue, 05 Mar 2019 21:40:11 +0000"}', "2019-03-05T21:40:11Z"),
        ('{"time": "2018-05-08T15:06:12+00:00"}', "2018-05-08T15:06:12Z"),
        ('{"time": "2018-05-08T15:06:12.789-05:00"}', "2018-05-08T20:06:12Z"),
        ('{"time": "2024-05-14T09:34:00Z"}', "2024-05-14T09:34:00Z"),
        ('{"time": "2024-05-14"}', "2024-05-14T00:00:00Z"),
        ('{"time": 1529512970}', "2018-06-20T16:42:50Z"),
        ('{"time": ""}', None),
        ('{"time": "0000-00-00"}', None),
        ('{"flag": "true"}', True),
        ('{"flag": 0}', False),
        ('{"count": "121"}', 121),
        ('{"count": 4.0}', 4),
        ('{"weight": "1.5000"}', Decimal("1.5000")),
        ('{"thing": []}', None),
        ('{"thing": {"a": "", "b": {"url": "x", "resource": "y"}}}', {"a": None}),
        ('{"things": []}', []),
        ('{"things": ""}', None),
        (
            '{"rows": [{"amount": 1.10, "other": 1.10}]}',
            [{"amount": "1.10", "other": Decimal("1.10")}],
        ),
        ('{"rows": {"45": {"amount": 1.10}, "46": {}}}', [{"amount": "1.10"}, None]),
        ('{"rows": {"amount": 1.10}}', [{"amount": "1.10"}]),
        ('{"unknown": {"deep": ""}}', {"deep": None}),
        ('{"unknown": 1.10}', Decimal("1.10")),
        ('{"unknown": ["a", {"b": {}}]}', ["a", {"b": None}]),
    ],
)
def test_a_value_takes_the_form_of_its_schema(text: str, formed: Any) -> None:
    ((_, value),) = normalize(decode(text), SCHEMA).items()
    assert value == formed
    assert type(value) is type(formed)


def test_links_are_left_out() -> None:
    row = {"id": 1, "coupons": {"url": "https://x", "resource": "/x"}}
    assert normalize(row, ORDER) == {"id": 1}


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9
    )
)
def test_money_keeps_its_digits(amount: Decimal) -> None:
    text = format(amount, "f")
    assert normalize(decode(f'{{"money": {text}}}'), SCHEMA) == {"money": text}


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_every_format_of_a_time_is_the_same_time(naive: datetime) -> None:
    from email.utils import format_datetime  # noqa: PLC0415

    time = naive.replace(microsecond=0, tzinfo=UTC)
    forms: list[Any] = [
        format_datetime(time),
        time.isoformat(),
        format_time(time),
        int(time.timestamp()),
    ]
    assert {parse_time(form) for form in forms} == {time}


def test_unknown_fields_pass_through_to_the_record(shop: Any, run: Any) -> None:
    shop.order(1, 1, brand_new={"nested": 1.10, "nothing": ""})
    (order,) = run(shop, streams=("orders",)).records("orders")
    assert order["brand_new"] == {"nested": 1.10, "nothing": None}


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_json_has_no_number_for_is_refused(constant: str) -> None:
    with pytest.raises(ValueError, match="is no JSON"):
        decode(f'{{"total": {constant}}}')
