"""Messages that cannot be booked as they were meant end the run; a state goes out as it came in."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from target_freshbooks.failures import explain
from target_freshbooks.message_reader import DamagedInput
from target_freshbooks.sinks import RecordError
from target_freshbooks.target import TargetFreshBooks


def schema_of(stream: str, keys: list[str] | None) -> dict[str, Any]:
    described = {name: {"type": ["integer", "null"]} for name in ("id", "order_id", "row")}
    schema = {"type": "object", "properties": described}
    return {"type": "SCHEMA", "stream": stream, "key_properties": keys, "schema": schema}


def lines(*messages: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(message)}\n" for message in messages)


BATCH = {
    "type": "BATCH",
    "stream": "orders",
    "encoding": {"format": "jsonl", "compression": "gzip"},
    "manifest": ["file:///orders.jsonl.gz"],
}


@pytest.mark.parametrize("left_out", ["", "encoding", "stream"])
def test_records_that_come_as_a_file_are_refused(shop: Any, left_out: str) -> None:
    batch = {name: part for name, part in BATCH.items() if name != left_out}
    state = {"type": "STATE", "value": {"bookmarks": {"orders": "later"}}}
    with pytest.raises(DamagedInput, match="batch_config"):
        shop.sync(lines(schema_of("orders", ["id"]), batch, state))


@pytest.mark.parametrize(
    ("stream", "keys"),
    [
        ("transactions", []),
        ("transactions", None),
        ("refunds", ["order_id"]),
        ("order_coupons", []),
        ("order_taxes", ["id"]),
        ("order_taxes", ["order_id"]),
        ("customers", []),
        ("products", ["sku"]),
    ],
)
def test_a_stream_whose_key_would_make_two_records_one_is_refused(
    shop: Any, stream: str, keys: list[str] | None
) -> None:
    with pytest.raises(RecordError, match=f"The key properties of {stream} lack"):
        shop.sync(lines(schema_of(stream, keys)))
    assert shop.asked() == []


def test_a_longer_key_will_do(shop: Any) -> None:
    keys = ["order_id", "id", "row"]
    shop.sync(lines(schema_of("order_taxes", keys), schema_of("transactions", keys[:2])))


@pytest.mark.parametrize("number", ["1.5", "0.12345678901234567890123", "-2.50E-7"])
def test_a_state_keeps_its_numbers(shop: Any, capsys: Any, number: str) -> None:
    TargetFreshBooks(config=shop.config).listen(
        io.StringIO(f'{{"type": "STATE", "value": {{"at": {number}}}}}\n')
    )
    out = capsys.readouterr().out
    assert json.loads(out, parse_float=str) == {"at": str(json.loads(number, parse_float=str))}


@pytest.mark.parametrize("value", ["NaN", "1" * 50, "1e999", "[" * 80 + "]" * 80])
def test_a_state_that_would_go_out_as_another_is_refused(shop: Any, value: str) -> None:
    with pytest.raises(DamagedInput):
        shop.sync(f'{{"type": "STATE", "value": {{"at": {value}}}}}\n')


@pytest.mark.parametrize(
    "given",
    ['{"type": "RECORD", "stream": "other", "record": {"name": "Zo\xeb'.encode()[:-1], b"\xe9\n"],
    ids=["cut off within a character", "no UTF-8"],
)
def test_input_that_is_no_text_is_damaged_and_no_defect(shop: Any, given: bytes) -> None:
    schema = lines(schema_of("other", ["id"])).encode()
    file = io.TextIOWrapper(io.BytesIO(schema + given), encoding="utf-8")
    with pytest.raises(DamagedInput, match="UTF-8") as refused:
        TargetFreshBooks(config=shop.config).listen(file)
    assert "Zo" not in (explain(refused.value) or "")


@pytest.mark.parametrize(
    "message",
    [{}, {"stream": "orders"}, {"stream": "orders", "version": 3}, {"stream": "other"}],
    ids=["bare", "no version", "whole", "no schema"],
)
def test_a_new_version_of_a_stream_is_no_news_to_books(shop: Any, message: dict[str, Any]) -> None:
    version = {"type": "ACTIVATE_VERSION", **message}
    shop.sync(lines(schema_of("orders", ["id"]), version))


@pytest.mark.parametrize("stream", ["transactions", "other"])
@pytest.mark.parametrize(
    "odd",
    [
        {"key_properties": 5},
        {"key_properties": [["id"]]},
        {"schema": {"properties": 5}},
        {"schema": {"properties": []}},
        {"schema": {}},
    ],
)
def test_a_schema_that_is_none_is_damaged_and_no_defect(
    shop: Any, stream: str, odd: dict[str, Any]
) -> None:
    with pytest.raises(DamagedInput, match="no whole Singer message"):
        shop.sync(lines({**schema_of(stream, ["id"]), **odd}))
