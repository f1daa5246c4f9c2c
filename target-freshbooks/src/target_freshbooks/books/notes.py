"""The notes of an invoice: the order's mark, then what is to be said of its tax, each on a line.

The mark has a line of its own, since only a whole line proves whose an invoice is. What a person
adds stays; what is said of the tax follows an order that is edited.
"""

from __future__ import annotations

import re

_SAID = re.compile(
    r".+ collected and remits [0-9.]+ tax|Reverse charge: .+|Exempt from tax(?:; .+)?"
)


def renewed(notes: str, wanted: str) -> str:
    """The notes as they stand, but saying of the tax what the wanted ones say."""
    kept = [line for line in notes.splitlines() if not _SAID.fullmatch(line.strip())]
    said = [line for line in wanted.splitlines() if _SAID.fullmatch(line)]
    return "\n".join([*kept, *said])
