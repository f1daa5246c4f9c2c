"""Parsers that take bytes as they are and need nothing beside them, for an engine of bytes."""

from __future__ import annotations

from connector_credentials.json_text import read_json
from connector_webhooks import hook
from hypothesis import strategies as st
from target_freshbooks.freshbooks.answers import read
from target_freshbooks.message_reader import DamagedInput, Reader

from fuzz.engine import Parser

SEEDS = [
    {"scope": "store/order/updated", "data": {"type": "order", "id": 250}, "producer": "stores/a"},
    {"type": "RECORD", "stream": "orders", "record": {"id": 1, "total_inc_tax": "1.00"}},
    {"response": {"errors": [{"errno": 1012, "field": "userid", "message": "No."}]}},
    {"response": {"result": {"invoices": [{"id": 1}], "pages": 1}}},
    {"details": [{"reason": "1012", "metadata": {"message": "x", "field": "y"}}], "message": "z"},
]


def _message(body: bytes) -> None:
    Reader().deserialize_json(body.decode("utf-8", "surrogateescape"))


PARSERS = {
    parser.name: parser
    for parser in (
        Parser("json", st.binary(), lambda body: read_json(body, str), (ValueError,)),
        Parser("hook", st.binary(), lambda body: hook.read(body, "a")),
        Parser("message", st.binary(), _message, (DamagedInput,)),
        Parser("freshbooks answer", st.binary(), lambda body: read(422, body)),
    )
}
