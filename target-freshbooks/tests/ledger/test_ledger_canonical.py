"""The canonical text of bodies: exact, stable, the same for equal documents."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from target_freshbooks.ledger.storage.canonical import from_text, hash_of, to_text

numbers = st.one_of(
    st.integers(min_value=-(10**30), max_value=10**30),
    st.decimals(allow_nan=False, allow_infinity=False),
)
documents = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.text(st.characters(exclude_categories=()))),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=25,
)


@settings(deadline=None, max_examples=60)
@given(documents)
@example([Decimal("-0"), Decimal("1E+2"), Decimal("-0.00"), "\ud83d"])
def test_a_document_comes_back_as_it_was_and_its_text_is_a_fixed_point(document: object) -> None:
    text = to_text(document)
    assert from_text(text) == document
    assert to_text(from_text(text)) == text
    assert text.isascii()
    json.loads(text)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text(), documents))
def test_the_order_of_keys_does_not_change_the_hash(document: dict[str, object]) -> None:
    assert hash_of(document) == hash_of(dict(reversed(document.items())))


@settings(deadline=None, max_examples=60)
@given(documents, documents)
def test_different_texts_have_different_hashes(one: object, other: object) -> None:
    assert (to_text(one) == to_text(other)) == (hash_of(one) == hash_of(other))


@settings(deadline=None, max_examples=60)
@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_the_digits_of_a_number_survive(number: Decimal) -> None:
    back = from_text(to_text([number]))[0]
    assert back == number
    if number == number.to_integral() and "." not in str(number) and "E" not in str(number):
        assert isinstance(back, int | Decimal)
    else:
        assert str(back) == str(number)


@settings(deadline=None, max_examples=60)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_written_by_its_shortest_digits(number: float) -> None:
    assert float(from_text(to_text(number))) == number


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("Infinity"), float("nan")])
def test_what_is_no_number_is_refused(number: object) -> None:
    with pytest.raises(ValueError, match="JSON number"):
        to_text({"amount": number})


@pytest.mark.parametrize("value", [b"bytes", {1}, object()])
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="stored as JSON"):
        to_text([value])


def test_a_key_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="key"):
        to_text({1: "one"})


def test_times_are_written_in_utc_and_must_have_a_zone() -> None:
    berlin = timezone(timedelta(hours=1))
    assert to_text(datetime(2026, 11, 1, 11, tzinfo=berlin)) == '"2026-11-01T10:00:00Z"'
    assert to_text(datetime(2026, 11, 1, 10, tzinfo=UTC)) == '"2026-11-01T10:00:00Z"'
    assert to_text(date(2026, 11, 1)) == '"2026-11-01"'
    with pytest.raises(ValueError, match="zone"):
        to_text(datetime(2026, 11, 1, 10))  # noqa: DTZ001 - the case itself
