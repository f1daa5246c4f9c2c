"""JSON of others: what no database and no file could take does not come out of it."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from connector_credentials.json_text import MOST_VALUES, TooManyValues, read_json


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


def test_the_largest_page_of_orders_that_may_be_is_read() -> None:
    """250 orders of 50 lines of 70 fields, some of which hold others."""
    line = {f"field_{number}": "10.0000" for number in range(65)}
    line |= {f"list_{number}": [] for number in range(5)}
    text = json.dumps([{"line_items": [line] * 50}] * 250)
    assert len(read_json(text, str)) == 250


@pytest.mark.parametrize("said", ["[", "{", ",", '"[', "\\[", "\\", '\\"['])
def test_brackets_and_commas_in_what_people_wrote_are_no_values(said: str) -> None:
    comment = said * (MOST_VALUES // len(said) + 1)
    text = json.dumps([{"customer_message": comment}, {"customer_message": ""}])
    assert read_json(text, str)[0] == {"customer_message": comment}
    with pytest.raises(TooManyValues):
        read_json(f"[{text},{'[],' * MOST_VALUES}0]", str)


@pytest.mark.more
@pytest.mark.parametrize("value", ["{}", "[]", '"ab"', "0.1", '{"a":1}', '{"a":{"b":{"c":[[]]}}}'])
def test_as_many_values_as_may_be_take_little_memory_and_more_are_refused(value: str) -> None:
    weight = value.count("{") * 4 + value.count("[") * 4 + 1
    number = (MOST_VALUES - 3) // weight
    text = f"[{','.join([value] * number)}]"
    tracemalloc.start()
    assert len(read_json(text, str)) == number
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 200 * 1024**2
    with pytest.raises(TooManyValues, match="more than 1,500,000 values"):
        read_json(f"[{text},{text}]", str)
