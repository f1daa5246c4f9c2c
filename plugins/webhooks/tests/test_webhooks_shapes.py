"""The documented shapes of hooks, and everything that only looks like one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from connector_webhooks.hook import read
from hypothesis import given
from hypothesis import strategies as st


def body(scope: Any, data: Any, **more: Any) -> bytes:
    document = {"producer": "stores/abc123", "scope": scope, "data": data, **more}
    return json.dumps(document).encode()


ORDER = {"type": "order", "id": 250}
TRANSACTION = {
    "type": "transaction",
    "order_id": "250",
    "transaction_id": "176342342",
    "transaction_type": "capture",
}


@pytest.mark.parametrize(
    ("scope", "data"),
    [
        ("store/order/created", ORDER),
        ("store/order/updated", ORDER),
        ("store/order/archived", ORDER),
        ("store/order/statusUpdated", {**ORDER, "status": {"new_status_id": 11}}),
        ("store/order/refund/created", {**ORDER, "refund": {"refund_id": 7}}),
        ("store/order/transaction/created", TRANSACTION),
        ("store/order/transaction/updated", {"order_id": 250}),
        ("store/order/*", ORDER),
        ("store/order/*", TRANSACTION),
        ("store/channel/667/order/created", ORDER),
        ("store/channel/667/order/*", ORDER),
        ("store/channel/667/order/refund/created", ORDER),
        ("store/channel/667/order/transaction/created", TRANSACTION),
        ("store/order/updated", {"type": "order", "id": "250"}),
    ],
)
def test_the_order_is_found_in_every_documented_shape(scope: str, data: dict[str, Any]) -> None:
    hook = read(body(scope, data), "abc123")
    assert (hook.scope, hook.order_id, hook.ignored) == (scope, 250, "")


@pytest.mark.parametrize(
    ("scope", "data"),
    [
        ("store/order/message/created", {**ORDER, "message": {"order_message_id": 1}}),
        ("store/order/metafield/created", {"metafield_id": 1, "resource_id": "270"}),
        ("store/order/*", {"metafield_id": 1, "resource_id": "270", "id": 1}),
        ("store/customer/created", {"type": "customer", "id": 250}),
        ("store/shipment/created", {"type": "shipment", "id": 1, "orderId": 250}),
        ("store/app/uninstalled", {}),
        ("store/order/created", {"type": "order"}),
        ("store/order/created", {"type": "order", "id": 0}),
        ("store/order/created", {"type": "order", "id": -4}),
        ("store/order/created", {"type": "order", "id": True}),
        ("store/order/created", {"type": "order", "id": 2.5}),
        ("store/order/created", {"type": "order", "id": 2**63}),
        ("store/order/created", {"type": "order", "id": "٢٥٠"}),
        ("store/order/created", [250]),
        ("store/order/created\n", ORDER),
        ("store/order/\ud800", ORDER),
        ("elsewhere/order/created", ORDER),
        (None, ORDER),
    ],
)
def test_what_names_no_order_is_ignored_with_a_reason(scope: Any, data: Any) -> None:
    hook = read(body(scope, data), "abc123")
    assert hook.order_id is None
    assert hook.ignored


def test_a_hook_without_created_at_and_with_keys_in_any_order_is_read() -> None:
    raw = (
        b'{"data":{"id":9,"type":"order"},"producer":"stores/abc123","scope":"store/order/created"}'
    )
    assert read(raw, "abc123").order_id == 9


def test_a_number_beside_it_that_nobody_could_read_hides_no_order() -> None:
    data = f'{{"id": 9, "type": "order", "more": {"9" * 5000}, "most": 1e999999999}}'
    raw = f'{{"scope": "store/order/created", "producer": "stores/abc123", "data": {data}}}'
    assert read(raw.encode(), "abc123").order_id == 9


@pytest.mark.parametrize("producer", ["stores/other", "abc123", "", None, ["stores/abc123"]])
def test_another_stores_hook_is_none_of_ours(producer: Any) -> None:
    hook = read(body("store/order/created", ORDER, producer=producer), "abc123")
    assert (hook.order_id, hook.other_store) == (None, True)


@pytest.mark.parametrize("code", [90001, 90002, 90003, 1])
def test_a_delivery_exception_is_a_notice(code: int) -> None:
    data = {"type": "webhook", "id": 5, "error_code": code, "message": "x"}
    hook = read(body("store/hook/deliveryException", data), "abc123")
    assert hook.order_id is None
    assert hook.notice
    assert hook.ignored == f"Delivery exception {code} for hook 5."


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[]", b"\xff", b"{", b"[" * 100_000, b'{"scope":' + b"9" * 5000 + b"}"]
)
def test_what_is_no_json_object_is_ignored(raw: bytes) -> None:
    assert read(raw, "abc123").order_id is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(data=_JSON, scope=st.sampled_from(["store/order/created", "store/order/transaction/x"]))
def test_no_data_makes_it_raise(data: Any, scope: str) -> None:
    hook = read(body(scope, data), "abc123")
    assert bool(hook.order_id) != bool(hook.ignored)
