"""What a check finds, and on what grounds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Found = bool | int | str


@dataclass(frozen=True, slots=True)
class Finding:
    """Which way it is here.

    Attributes:
        found: One of the values of the sandbox's switch, where there is one; None: not to be seen.
        grounds: From what that is known, in counts; or what it would take to see it.
    """

    found: Found | None
    grounds: str


def unseen(needed: str) -> Finding:
    """It could not be seen, for want of what is named."""
    return Finding(None, f"not to be seen: there is no {needed} here")


def told_by(found: Iterable[Found], what: str, mixed: Found | None = None) -> Finding:
    """What each of several rows tells; where they tell different things, that.

    Args:
        found: What each tells.
        what: Their kind, in the plural.
        mixed: The value that stands for several; None: it stays open.
    """
    counts = Counter(found)
    if not counts:
        return unseen(f"case among the {what} read")
    grounds = ", ".join(f"{count} {what}: {shown(one)}" for one, count in counts.most_common())
    return Finding(next(iter(counts)) if len(counts) == 1 else mixed, grounds)


def shown(found: Found | None) -> str:
    """The value as people read it."""
    if found is None:
        return "open"
    return {True: "yes", False: "no"}[found] if isinstance(found, bool) else str(found)
