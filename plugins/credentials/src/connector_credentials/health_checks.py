"""Health checks: what `doctor` of each program looks at, how it is told, and what it ends with.

A program has one list of checks. Each is a small function that looks at one thing of the set-up
and gives a finding; none writes anything. A new one is a function, a line of that list and a test.
What a check needs to have been found well stands beside it: if it was not, the check is not made,
so that one fault is told once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from .output import places

Setup = TypeVar("Setup")


class Level(StrEnum):
    """How well something is."""

    OK = "ok"
    WARN = "warn"
    """Runs go on, and a person should look."""
    FAIL = "fail"
    """Runs stop, or would do what nobody wants."""
    SKIPPED = "skipped"
    """Not looked at, since what it rests on is not well."""


WELL = frozenset({Level.OK, Level.WARN})


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        level: How well it is.
        sentence: What is so. No secret, no personal data.
        cure: What to do, naming the setting, file or command; empty only if all is well.
    """

    level: Level
    sentence: str
    cure: str = ""


class Result(NamedTuple):
    """A check's name and what it found."""

    name: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Check(Generic[Setup]):
    """One thing to look at.

    Attributes:
        name: In a word or two.
        look: Gives the finding. It may raise what the program tells its operators in a sentence.
        cure: Of such an error.
        needs: The names of checks before it that it rests on.
    """

    name: str
    look: Callable[[Setup], Finding]
    cure: str
    needs: tuple[str, ...] = ()


def ok(sentence: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, sentence)


def warn(sentence: str, cure: str) -> Finding:
    """Runs go on, and a person should look."""
    return Finding(Level.WARN, sentence, cure)


def fail(sentence: str, cure: str) -> Finding:
    """Runs stop, or would do what nobody wants."""
    return Finding(Level.FAIL, sentence, cure)


def examine(
    checks: Sequence[Check[Setup]], setup: Setup, operator_errors: tuple[type[Exception], ...]
) -> Iterator[Result]:
    """Make the checks, one after the other.

    Args:
        checks: In their order.
        setup: What they look at.
        operator_errors: Their words are for operators; of any other error its kind and place are
            told.
    """
    levels: dict[str, Level] = {}
    for check in checks:
        unwell = [name for name in check.needs if levels.get(name) not in WELL]
        finding = _not_looked_at(unwell) if unwell else _look(check, setup, operator_errors)
        levels[check.name] = finding.level
        yield Result(check.name, finding)


def _not_looked_at(unwell: Sequence[str]) -> Finding:
    names = ", ".join(unwell)
    sentence = f"not looked at: it rests on {names}"
    return Finding(Level.SKIPPED, sentence, f"See to {names} first, then run doctor again.")


def _look(
    check: Check[Setup], setup: Setup, operator_errors: tuple[type[Exception], ...]
) -> Finding:
    try:
        return check.look(setup)
    except operator_errors as error:
        return fail(str(error), check.cure)
    except Exception as error:  # noqa: BLE001 - a doctor that dies of one check tells nothing of the others
        kind = type(error).__name__
        return fail(
            f"it cannot be looked at, for {kind} was raised at {places(error)}",
            f"{check.cure} If that does not help, report this line as a defect.",
        )


def exit_code(results: Iterable[Result]) -> int:
    """1 if anything failed, else 0."""
    return int(any(result.finding.level is Level.FAIL for result in results))


def lines(results: Iterable[Result]) -> Iterator[str]:
    """The findings for a terminal; below each that is not well its cure."""
    for name, finding in results:
        yield f"{finding.level:<8}{name}: {finding.sentence}"
        if finding.cure:
            yield f"{'':8}  cure: {finding.cure}"


def document(results: Iterable[Result]) -> dict[str, Any]:
    """The findings as JSON: `ok`, whether nothing failed, and `checks`, one object each."""
    results = list(results)
    return {
        "ok": exit_code(results) == 0,
        "checks": [
            {"name": name, "level": one.level, "sentence": one.sentence, "cure": one.cure}
            for name, one in results
        ],
    }
