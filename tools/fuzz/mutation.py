"""Mutation: real documents with something strange in them, and text that is no document at all."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

TOKENS = {
    "@digits@": "9" * 5_000,
    "@exponent@": "1e999999999",
    "@tiny@": "-1e-999999999",
    "@nan@": "NaN",
    "@infinity@": "-Infinity",
    "@nested@": "[" * 500 + "]" * 500,
    "@abyss@": "[" * 100_000,
    "@objects@": '{"a":' * 70 + "1" + "}" * 70,
    "@forty@": "9" * 40,
    "@point@": "0." + "1" * 39,
    "@negative zero@": "-0.0",
}
"""What is written into the JSON text in the place of each of these."""

ODD_TEXTS = (
    *("", " ", "0", "-1", "1e400", "NaN", "Infinity", "-0", "9" * 5_000, "1_000", "٣", "²", "½"),
    *("\x00", "\x1b[2J\x07", "a\r\nb", "\u2028\u202e", "\ud800", "\U0001f600" * 50, "é" * 300),
    *("true", "null", "{}", "[]", '{"a": [', "[" * 5_000, "{" * 5_000, "%s%n{0}", "'\"<&>"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0000-00-00", "2026-02-30"),
    *("Mon, 01 Jan 0001 00:00:00 +0100", "Tue, 32 Foo 2026 25:61:61 +9999", "1e5", "253402300800"),
    *("a@" * 500, "http://[", "https://u:p@h:99999/", "../../etc/passwd", "a" * 20_000),
)
SECRET = "canary-"  # noqa: S105 - made up
"""How made up secrets begin, which are not put where none belongs."""
ODD_NUMBERS = (0, -1, 1, 2**31, 2**63 - 1, 2**63, 10**39, -(10**39), 0.1, 1e300, 1.5)

odd_values: SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, False, [], {}, [None], [[]], {"": None}, *ODD_NUMBERS]),
    st.sampled_from(ODD_TEXTS),
    st.sampled_from(sorted(TOKENS)),
    st.text(max_size=30),
    st.integers(-(10**12), 10**12),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map(str),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=6,
    ),
)


def written(document: object) -> str:
    """The document as JSON text, its tokens as they stand for."""
    text = json.dumps(document)
    for token, instead in TOKENS.items():
        text = text.replace(f'"{token}"', instead)
    return text


@st.composite
def mutated(draw: DrawFn, samples: Sequence[Any], most: int = 3) -> Any:  # noqa: ANN401 - JSON
    """One of the documents with up to so many strange things in it."""
    document = copy.deepcopy(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, most))):
        document = _changed(draw, document)
    return document


def texts(samples: Sequence[Any]) -> SearchStrategy[str]:
    """JSON text: of a document with something strange in it, cut, or of anything."""
    whole = mutated(samples).map(written)
    cut = st.builds(lambda text, at: text[:at], whole, st.integers(0, 3_000))
    anything = st.one_of(odd_values.map(written), st.text(max_size=200))
    return st.one_of(whole, whole, whole, cut, anything)


def octets(samples: Sequence[Any]) -> SearchStrategy[bytes]:
    """The same in bytes, and bytes that are no text."""
    encoded = texts(samples).map(lambda text: text.encode("utf-8", "surrogatepass"))
    spoiled = st.builds(
        lambda body, at, byte: body[:at] + byte + body[at + 1 :],
        encoded,
        st.integers(0, 2_000),
        st.binary(max_size=3),
    )
    return st.one_of(encoded, encoded, spoiled, st.binary(max_size=300))


def _changed(draw: DrawFn, document: Any) -> Any:  # noqa: ANN401 - JSON
    """Change one place of a document, which may be all of it."""
    places = list(_places(document))
    if not places:
        return copy.deepcopy(draw(odd_values))
    container, key = places[draw(st.integers(0, len(places) - 1))]
    how = draw(st.sampled_from(("instead", "instead", "gone", "twice", "inside", "elsewhere")))
    if how == "gone":
        del container[key]
    elif how == "twice" and isinstance(container, list):
        container.append(copy.deepcopy(container[key]))
    elif how == "inside":
        container[key] = [container[key]]
    elif how == "elsewhere":
        other, of = places[draw(st.integers(0, len(places) - 1))]
        if SECRET not in str(other[of]):
            container[key] = copy.deepcopy(other[of])
    else:
        container[key] = copy.deepcopy(draw(odd_values))
    return document


def _places(document: Any) -> Any:  # noqa: ANN401 - pairs of a container and a key
    entries = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in list(entries):
        yield document, key
        yield from _places(value)
