"""Text and JSON's own types are read strictly, and what cannot be read is told in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from connector_credentials.settings import SettingError, read_value

BOOLEAN = {"type": ["boolean", "null"]}
WHOLE = {"type": ["integer", "null"]}
PAGE = {"type": ["integer", "null"], "minimum": 1, "maximum": 250}
DAY = {"type": ["string", "null"], "format": "date"}
DAY_OR_AUTO = {"type": ["string", "null"], "format": "date-or-auto"}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
NUMBERS = {"type": ["array", "null"], "items": {"type": ["integer"], "minimum": 1}}
TEXTS = {"type": ["array", "null"], "items": {"type": ["string"]}}
MAPPING = {
    "type": ["object", "null"],
    "properties": {},
    "additionalProperties": {"type": ["string"]},
}
CLIENT = {
    "type": ["string", "object", "null"],
    "properties": {"organization": {"type": "string"}, "email": {"type": "string"}},
    "additionalProperties": False,
}
MODE = {"type": ["string", "null"], "enum": ["rates", "amount_lines", None]}
THREE = {"type": ["string"], "enum": ["a", "b", "c"]}
TEXT = {"type": ["string", "null"]}
SECRET = {"type": ["string", "null"], "secret": True}
ADDRESS = {"type": ["string", "null"], "format": "uri"}
HEADER = {"type": ["string", "null"], "format": "http-header"}


@pytest.mark.parametrize(
    ("schema", "given", "read"),
    [
        (BOOLEAN, "true", True),
        (BOOLEAN, " False ", False),
        (BOOLEAN, "TRUE", True),
        (BOOLEAN, False, False),
        (WHOLE, "-7", -7),
        (WHOLE, " 300 ", 300),
        (WHOLE, 0, 0),
        (PAGE, "250", 250),
        (DAY, "2026-02-01", "2026-02-01"),
        (DAY_OR_AUTO, "2026-02-01", "2026-02-01"),
        (DAY_OR_AUTO, " auto ", "auto"),
        (MOMENT, "2026-02-01", "2026-02-01"),
        (MOMENT, " 2026-02-01T09:30:00Z ", "2026-02-01T09:30:00Z"),
        (MOMENT, "2026-02-01 09:30+02:00", "2026-02-01 09:30+02:00"),
        (NUMBERS, "101,102", [101, 102]),
        (NUMBERS, "101", [101]),
        (NUMBERS, "[101, 102]", [101, 102]),
        (NUMBERS, '["101"]', [101]),
        (NUMBERS, [101, 102], [101, 102]),
        (NUMBERS, 101, [101]),
        (NUMBERS, "[]", []),
        (TEXTS, "M-MIG, POS", ["M-MIG", "POS"]),
        (TEXTS, '["M-MIG", "a,b"]', ["M-MIG", "a,b"]),
        (TEXTS, "['M-MIG', \"it's\"]", ["M-MIG", "it's"]),
        (MAPPING, '{"8.25": "NY", "DE/VAT": "MwSt"}', {"8.25": "NY", "DE/VAT": "MwSt"}),
        (MAPPING, {"State": "NY"}, {"State": "NY"}),
        (CLIENT, "Walk-in", "Walk-in"),
        (CLIENT, '{"email": "w@x.example"}', {"email": "w@x.example"}),
        (CLIENT, {"organization": "Walk-in"}, {"organization": "Walk-in"}),
        (MODE, " rates ", "rates"),
        (TEXT, " kept as it is ", " kept as it is "),
        (ADDRESS, "http://127.0.0.1:8787", "http://127.0.0.1:8787"),
        (HEADER, "books/1 (tëst)", "books/1 (tëst)"),
        ({}, [1.5], [1.5]),
        ({"type": "object", "additionalProperties": {"anyOf": []}}, {"a": 1}, {"a": 1}),
    ],
)
def test_what_can_be_read_is_read(schema: dict[str, Any], given: object, read: object) -> None:
    got = read_value("x", given, schema)
    assert got == read
    assert type(got) is type(read)
    assert read_value("x", got, schema) == read, "what was read cannot be read again"


@pytest.mark.parametrize(
    ("schema", "given", "must_be"),
    [
        (BOOLEAN, "ture", "true or false"),
        (BOOLEAN, "yes", "true or false"),
        (BOOLEAN, "1", "true or false"),
        (BOOLEAN, 0, "true or false"),
        (WHOLE, "5.0", "a whole number"),
        (WHOLE, 5.0, "a whole number"),
        (WHOLE, True, "a whole number"),
        (WHOLE, "true", "a whole number"),
        (WHOLE, "1_000", "a whole number"),
        (WHOLE, "٣", "a whole number"),
        (WHOLE, "1e3", "a whole number"),
        (PAGE, "251", "a whole number from 1 to 250"),
        (PAGE, 0, "a whole number from 1 to 250"),
        ({"type": "integer", "minimum": 0}, -1, "a whole number of at least 0"),
        (DAY, "01.02.2026", "a day such as 2026-01-31"),
        (DAY, "20260201", "a day such as 2026-01-31"),
        (DAY, "2026-02-30", "a day such as 2026-01-31"),
        (DAY, "2026-02-01T00:00:00Z", "a day such as 2026-01-31"),
        (DAY, 20260201, "a day such as 2026-01-31"),
        (DAY_OR_AUTO, "automatic", "a day such as 2026-01-31, or auto"),
        (MOMENT, "01.02.2026", "an ISO 8601 date or date-time such as 2026-01-31 or"),
        (MOMENT, "2026-W05-7", "an ISO 8601 date or date-time"),
        (MOMENT, "0001-01-01T00:00:00+23:00", "an ISO 8601 date or date-time"),
        (NUMBERS, "101,", "a list of whole numbers such as 101,102 or [101, 102]"),
        (NUMBERS, "101 102", "a list of whole numbers"),
        (NUMBERS, "0", "a list of whole numbers"),
        (NUMBERS, "[101", "a list of whole numbers"),
        (NUMBERS, [1.5], "a list of whole numbers"),
        (NUMBERS, True, "a list of whole numbers"),
        (TEXTS, "a,,b", 'a list of texts such as a,b or ["a", "b"]'),
        (TEXTS, [7], "a list of texts"),
        (TEXTS, {"a": "b"}, "a list of texts"),
        (MAPPING, "{1", 'a JSON object of texts such as {"a": "b"}'),
        (MAPPING, "a=b", "a JSON object of texts"),
        (MAPPING, "[]", "a JSON object of texts"),
        (MAPPING, "{[]: 1}", "a JSON object of texts"),
        (MAPPING, {"8": {"25": "NY"}}, "a JSON object of texts"),
        (CLIENT, {"organisation": "Walk-in"}, "text, or a JSON object of texts with organization"),
        (CLIENT, 7, "text, or a JSON object"),
        (MODE, "Rates", "rates or amount_lines"),
        (THREE, ["a"], "a, b or c"),
        (TEXT, 7, "text"),
        (ADDRESS, "api.example", "a web address such as https://api.example.com, without blanks"),
        (ADDRESS, "https://api.example/a b", "a web address"),
        (HEADER, "a\nb", "one line of letters that a header may hold"),
    ],
)
def test_what_cannot_be_read_is_told_with_name_value_and_what_it_must_be(
    schema: dict[str, Any], given: object, must_be: str
) -> None:
    with pytest.raises(SettingError) as told:
        read_value("x", given, schema)
    text = str(told.value)
    assert text.startswith("The setting x is ")
    assert f": it must be {must_be}" in text
    assert text.endswith(".")
    assert "\n" not in text


def test_a_secret_is_not_shown() -> None:
    with pytest.raises(SettingError) as told:
        read_value("key", ["canary"], SECRET)
    assert str(told.value) == "The setting key must be text."


def test_a_long_value_is_shown_in_part() -> None:
    with pytest.raises(SettingError) as told:
        read_value("x", "9" * 5000, WHOLE)
    assert len(str(told.value)) < 150


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        (TEXT, "a\udcff"),
        (SECRET, "a\udcff"),
        (TEXTS, "a,\udcff"),
        (MAPPING, '{"a": "\\ud800"}'),
        (MAPPING, {"\ud800": "a"}),
        (CLIENT, {"email": "\ud800@b.c"}),
    ],
)
def test_what_is_no_utf8_is_refused_without_showing_it(
    schema: dict[str, Any], given: object
) -> None:
    with pytest.raises(SettingError) as told:
        read_value("x", given, schema)
    assert str(told.value) == "The setting x holds what is no UTF-8: write it again."
