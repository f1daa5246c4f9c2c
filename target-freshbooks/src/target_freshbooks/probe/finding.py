"""Findings: what a check is, and what it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from target_freshbooks.freshbooks import ObservedClient, ObservedInvoice, Refused
from target_freshbooks.freshbooks.refusals import RefusalKind, classify
from target_freshbooks.ledger.profile import Trait
from target_freshbooks.probe.bench import Bench

MOST_WORDS = 200
"""Characters kept of FreshBooks' words."""


class Depth(Enum):
    """How far a probe goes."""

    PLAIN = "plain"
    """Reads; one client, one item and one Draft, which is never sent or paid."""
    FULL = "full"
    """Invoices that are sent and paid as well: for an account that holds nothing else."""


class Untold(Exception):  # noqa: N818 - the word says it
    """The account's answers do not tell it; the message says why."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a check found.

    Attributes:
        value: The side that is so, as JSON.
        evidence: What it follows from: codes, figures and FreshBooks' words, which name nobody.
        traits: What is remembered of the account for the accounting rules, by trait.
    """

    value: Any
    evidence: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[Trait, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One open point.

    Attributes:
        name: The point, in snake case.
        assumed: What we assume, or do to be safe on all sides.
        changes: What follows from an answer, by its value as text; `*` stands for any other.
        find: Finds out, on the probe's own records.
        switches: The switches of the sandbox that stand for it.
        depth: The least depth that it is made at.
    """

    name: str
    assumed: str
    changes: Mapping[str, str]
    find: Callable[[Bench], Measurement]
    switches: tuple[str, ...] = ()
    depth: Depth = Depth.PLAIN

    def change(self, value: object) -> str:
        """What follows from the answer."""
        fits = self.changes.get(str(value), self.changes.get("*", ""))
        return fits or "nothing: both are provided for"


def refusal(refused: Refused) -> dict[str, Any]:
    """A refusal as evidence: its words are of the probe's own records, and name nobody."""
    facts = {
        "status": refused.status,
        "errno": refused.errno,
        "field": refused.field,
        "taken_for": classify(refused).kind.value,
        "words": refused.words[:MOST_WORDS],
    }
    return {name: value for name, value in facts.items() if value not in {None, ""}}


def unique(attempt: object) -> Measurement:
    """`refused` if another record has the same already, else `accepted`.

    Raises:
        Untold: It was refused for another reason.
    """
    if isinstance(attempt, Refused) and classify(attempt).kind is not RefusalKind.TAKEN:
        raise Untold(f"it is refused for another reason: {attempt.words}")
    return taken(attempt)


def taken(attempt: object) -> Measurement:
    """`refused` or `accepted`, with the refusal."""
    if isinstance(attempt, Refused):
        return Measurement("refused", refusal(attempt))
    return Measurement("accepted")


def client_of(bench: Bench) -> ObservedClient:
    """The probe's client.

    Raises:
        Untold: There is none.
    """
    if bench.client is None:
        raise Untold("the probe could make no client")
    return bench.client


def draft_of(bench: Bench) -> ObservedInvoice:
    """The probe's Draft.

    Raises:
        Untold: There is none.
    """
    if bench.draft is None:
        raise Untold("the probe could make no Draft")
    return bench.draft


def shows_fresh(bench: Bench) -> None:
    """See that searches show what the probe has made.

    Raises:
        Untold: They do not, for longer than it waits.
    """
    if bench.unseen:
        raise Untold(f"searches do not show fresh records within {bench.patience:.0f} s")
    bench.settle()
