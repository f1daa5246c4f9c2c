"""JSON of others: what no database and no file could take does not come out of it."""

from __future__ import annotations

import pytest
from connector_credentials.json_text import read_json


@pytest.mark.parametrize(
    "text",
    [
        r'{"name": "Mug \ud800", "\udfff": ["\ud83d"]}',
        r'{"name": "Mug \uD800", "\uDFFF": ["\uD83D"]}',
        b'{"name": "Mug \xed\xa0\x80", "\xed\xbf\xbf": ["\xed\xa0\xbd"]}',
        '{"name": "Mug \udc80", "\udcff": ["\udc80"]}',
    ],
)
def test_half_a_character_is_shown_as_what_cannot_be_read(text: str | bytes) -> None:
    assert read_json(text, str) == {"name": "Mug \ufffd", "\ufffd": ["\ufffd"]}


@pytest.mark.parametrize("text", ['"\\ud83d\\ude00 \\\\ud800"', b'"\\uD83D\\uDE00 \\\\ud800"'])
def test_a_whole_character_and_a_written_backslash_stay(text: str | bytes) -> None:
    assert read_json(text, str) == "\U0001f600 \\ud800"
