"""Checks of lengths: the longest text that a field takes, up to what is ever sent in it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from target_freshbooks.capabilities import FRESHBOOKS
from target_freshbooks.freshbooks import Refused
from target_freshbooks.freshbooks.refusals import RefusalKind, classify
from target_freshbooks.probe.bench import Bench
from target_freshbooks.probe.finding import Check, Measurement, Untold, client_of, draft_of, refusal

NOTES, PO_NUMBER, LINES = 1000, 100, 100
"""More than is ever sent."""

Attempt = Callable[[int], tuple[Any, bool]]
"""Writes a text so long: the record or refusal, and whether all of it stands."""


def longest(attempt: Attempt, most: int, least: int = 1) -> Measurement:
    """The most that is kept, looked for between what is known to fit and the most we send."""
    made, kept_whole = attempt(most)
    if kept_whole:
        return Measurement(f"at least {most}")
    evidence = refusal(made) if isinstance(made, Refused) else {"kept": "cut, without a word"}
    if isinstance(made, Refused) and classify(made).kind is not RefusalKind.TOO_LONG:
        raise Untold(f"it is refused for another reason: {made.words}")
    fits, too_long = least, most
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if attempt(middle)[1]:
            fits = middle
        else:
            too_long = middle
    return Measurement(fits, evidence)


def number_length(bench: Bench) -> Measurement:
    """Give the Draft longer numbers, and its own again."""
    draft_of(bench)

    def attempt(length: int) -> tuple[Any, bool]:
        number = bench.tag.ljust(length, "0")
        made = bench.attempt(lambda: bench.redraft(invoice_number=number))
        return made, not isinstance(made, Refused) and made.number == number

    try:
        limit = longest(attempt, FRESHBOOKS.number_length, len(bench.tag))
    finally:
        bench.redraft(invoice_number=bench.tag)
    most = limit.value if isinstance(limit.value, int) else FRESHBOOKS.number_length
    return Measurement(limit.value, limit.evidence, {"number_length": most})


def of_draft(field: str, most: int, bench: Bench) -> Measurement:
    """Give the Draft a longer text in a field of its own."""
    before = getattr(draft_of(bench), field)

    def attempt(length: int) -> tuple[Any, bool]:
        text = "p" * length
        made = bench.attempt(lambda: bench.redraft(**{field: text}))
        return made, not isinstance(made, Refused) and getattr(made, field) == text

    try:
        return longest(attempt, most)
    finally:
        bench.redraft(**{field: before})


def of_line(field: str, most: int, bench: Bench) -> Measurement:
    """Give a line of the Draft a longer text."""
    draft_of(bench)

    def attempt(length: int) -> tuple[Any, bool]:
        text = "p" * length
        made = bench.attempt(lambda: bench.redraft(lines=[bench.line() | {field: text}]))
        if isinstance(made, Refused):
            return made, False
        return made, bool(made.lines) and getattr(made.lines[0], field) == text

    return longest(attempt, most)


def lines(bench: Bench) -> Measurement:
    """Give the Draft many lines, and one again."""
    draft_of(bench)

    def attempt(count: int) -> tuple[Any, bool]:
        made = bench.attempt(lambda: bench.redraft(lines=[bench.line("0.01")] * count))
        return made, not isinstance(made, Refused) and len(made.lines or ()) == count

    try:
        return longest(attempt, LINES)
    finally:
        bench.redraft(lines=[bench.line()])


def of_item(field: str, most: int, bench: Bench) -> Measurement:
    """Give the item a longer text, and its own again."""
    item = bench.item
    if item is None:
        raise Untold("the probe could make no item")

    def attempt(length: int) -> tuple[Any, bool]:
        text = bench.tag.ljust(length, "p")
        made = bench.attempt(lambda: bench.alter("item", item.id, {field: text}))
        return made, not isinstance(made, Refused) and getattr(made, field) == text

    try:
        return longest(attempt, most, len(bench.tag))
    finally:
        bench.alter("item", item.id, {field: bench.tag})


def client_name(bench: Bench) -> Measurement:
    """Give the client a longer organisation, and its own again."""
    client = client_of(bench)

    def attempt(length: int) -> tuple[Any, bool]:
        text = bench.tag.ljust(length, "p")
        made = bench.attempt(lambda: bench.alter("client", client.id, {"organization": text}))
        return made, not isinstance(made, Refused) and made.organization == text

    try:
        return longest(attempt, FRESHBOOKS.address_length, len(bench.tag))
    finally:
        bench.alter("client", client.id, {"organization": bench.tag})


def beyond_bmp(bench: Bench) -> Measurement:
    """Give the Draft's notes a character beyond the Basic Multilingual Plane."""
    before = draft_of(bench).notes
    made = bench.attempt(lambda: bench.redraft(notes="PROBE \U0001f600"))
    if isinstance(made, Refused):
        return Measurement("refused", refusal(made))
    bench.redraft(notes=before)
    return Measurement("accepted" if "\U0001f600" in made.notes else "dropped")


_CUT = {"*": "longer texts are refused; what meets it is parked, or written shorter"}


def _length(
    name: str, what: str, find: Callable[[Bench], Measurement], switch: str, most: int
) -> Check:
    assumed = f"{what} may have {most} characters"
    return Check(name, assumed, {f"at least {most}": "nothing", **_CUT}, find, (switch,))


CHECKS = (
    Check(
        "number_length",
        f"an invoice's number may have {FRESHBOOKS.number_length} characters",
        {
            f"at least {FRESHBOOKS.number_length}": "nothing",
            "*": "an order whose number would be longer is parked before anything is written",
        },
        number_length,
        ("fb.invoice_number_max",),
    ),
    _length("notes_length", "notes", partial(of_draft, "notes", NOTES), "fb.notes_max", NOTES),
    _length(
        "po_number_length",
        "a PO number",
        partial(of_draft, "po_number", PO_NUMBER),
        "fb.po_number_max",
        PO_NUMBER,
    ),
    _length(
        "line_name_length",
        "the name of a line",
        partial(of_line, "name", FRESHBOOKS.name_length),
        "fb.line_name_max",
        FRESHBOOKS.name_length,
    ),
    _length(
        "line_description_length",
        "the description of a line",
        partial(of_line, "description", FRESHBOOKS.description_length),
        "fb.line_description_max",
        FRESHBOOKS.description_length,
    ),
    _length(
        "item_name_length",
        "the name of an item",
        partial(of_item, "name", FRESHBOOKS.name_length),
        "fb.item_name_max",
        FRESHBOOKS.name_length,
    ),
    _length(
        "item_sku_length",
        "a SKU",
        partial(of_item, "sku", FRESHBOOKS.sku_length),
        "fb.item_sku_max",
        FRESHBOOKS.sku_length,
    ),
    _length(
        "client_name_length",
        "the organisation of a client",
        client_name,
        "fb.client_name_max",
        FRESHBOOKS.address_length,
    ),
    Check(
        "lines",
        f"an invoice may have {LINES} lines",
        {f"at least {LINES}": "nothing", "*": "orders of more lines are parked"},
        lines,
        ("fb.lines_max",),
    ),
    Check(
        "beyond_bmp",
        "emoji and other characters beyond the BMP are refused, so they are dropped",
        {},
        beyond_bmp,
        ("fb.non_bmp",),
    ),
)
