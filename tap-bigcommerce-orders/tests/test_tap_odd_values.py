"""A record is always what its schema says; what is of another type is set apart, none is lost."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR
from tap_bigcommerce_orders.normalize import decode, normalize
from tap_bigcommerce_orders.odd_values import set_apart
from tap_bigcommerce_orders.schemas.orders import ORDER
from tap_bigcommerce_orders.tap import STREAMS
from target_freshbooks.sinks import put_back

if TYPE_CHECKING:
    from tap_bigcommerce_orders.schemas.types import Schema

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.decimals(-9, 9, places=2) | st.text("a~/1"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("a~/1"), inner, max_size=2),
    max_leaves=6,
)


def errors(record: Any, schema: Schema) -> list[str]:
    validator = DEFAULT_JSONSCHEMA_VALIDATOR(schema)
    document = json.loads(json.dumps(record, default=float))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def apart(row: dict[str, Any], schema: Schema = ORDER) -> dict[str, Any]:
    record = normalize({"id": 1, **row}, schema) | {"store_hash": "abc"}
    set_apart(record, schema)
    return record


@pytest.mark.parametrize(
    ("row", "odd"),
    [
        ({"customer_id": "abc"}, {"/customer_id": "abc"}),
        ({"staff_notes": ["a"]}, {"/staff_notes": ["a"]}),
        ({"billing_address": "x"}, {"/billing_address": "x"}),
        ({"date_created": "soon"}, {"/date_created": "soon"}),
        ({"date_created": 10**14}, {"/date_created": 10**14}),
        ({"date_created": True}, {"/date_created": True}),
        ({"billing_address": {"form_fields": ["a"]}}, {"/billing_address/form_fields/0": "a"}),
        ({"line_items": [{}, {"quantity": Decimal("1.5")}]}, {"/line_items/1/quantity": 1.5}),
        ({"line_items": [{"product_options": ["a"]}]}, {"/line_items/0/product_options/0": "a"}),
        ({"consignments": [{"shipping": []}, {"shipping": []}]},
         {"/consignments": [{"shipping": []}, {"shipping": []}]}),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_set_apart(row: dict[str, Any], odd: dict[str, Any]) -> None:
    record = apart(row)
    assert record["odd_values"] == odd
    assert errors(record, ORDER) == []


def test_consignments_in_a_list_of_one_are_the_object_they_are_described_as() -> None:
    record = apart({"consignments": [{"shipping": [{"id": 7}], "pickups": []}]})
    assert record["consignments"] == {"shipping": [{"id": 7}], "pickups": []}
    assert "odd_values" not in record


@pytest.mark.parametrize("nothing", ["", 0, "0", None, "0000-00-00", "0000-00-00 00:00:00", {}])
def test_no_date_is_null_and_nothing_odd(nothing: Any) -> None:
    record = apart({"date_shipped": nothing})
    assert record["date_shipped"] is None
    assert "odd_values" not in record


def test_a_logo_is_no_link() -> None:
    store = next(stream.schema for stream in STREAMS if stream.name == "store")
    assert normalize({"logo": {"url": "x"}}, store) == {"logo": {"url": "x"}}


@given(st.sampled_from(STREAMS), st.data())
def test_whatever_a_field_holds_the_record_is_valid_and_comes_back_whole(
    stream: Any, data: st.DataObject
) -> None:
    schema = stream.schema
    keys = dict.fromkeys(schema["required"], 1)
    fields = data.draw(st.sets(st.sampled_from(sorted({*schema["properties"]} - {*keys}))))
    row = {name: data.draw(ANYTHING) for name in sorted(fields - {"odd_values"})}
    formed = {**normalize(decode(json.dumps(row, default=str)), schema), **keys, "store_hash": "a"}
    if isinstance(schema["properties"].get("id", {}).get("type"), str) and "id" in keys:
        formed["id"] = "1" if schema["properties"]["id"]["type"] == "string" else 1
    record = decode(json.dumps(formed, default=str))
    before = json.dumps(record, sort_keys=True, default=str)
    set_apart(record, schema)
    assert errors(record, schema) == []
    put_back(record)
    assert json.dumps(record, sort_keys=True, default=str) == before
