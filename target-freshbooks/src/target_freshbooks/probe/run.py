"""A run of the probe: the checks one after another, what they found, and the end of its records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from target_freshbooks.freshbooks import FreshBooks, Refused
from target_freshbooks.ledger import Ledger
from target_freshbooks.probe.bench import Bench
from target_freshbooks.probe.checks import CHECKS
from target_freshbooks.probe.finding import Check, Depth, Measurement, Untold, shows_fresh


@dataclass(frozen=True, slots=True)
class ProbeFinding:
    """What came of a check.

    Attributes:
        check: The check.
        value: What is so, as JSON; None if it could not be told.
        evidence: What that follows from.
        why: Why it could not be told, else "".
    """

    check: Check
    value: Any
    evidence: Mapping[str, Any]
    why: str = ""

    @property
    def change(self) -> str:
        """What follows from it."""
        return "nothing: as careful as before" if self.why else self.check.change(self.value)

    def kept(self, at: datetime) -> dict[str, Any]:
        """The finding as the account profile keeps it."""
        outcome = {"why": self.why} if self.why else {"value": self.value}
        return {**outcome, "evidence": dict(self.evidence), "at": at.isoformat(timespec="seconds")}


def probe(bench: Bench, depth: Depth, check_stop: Callable[[], None]) -> list[ProbeFinding]:
    """Make the checks of the depth; what is found is kept in the account profile at once.

    Args:
        bench: Where they are made.
        depth: How far to go.
        check_stop: Called between two checks; it raises to end the probe.

    Raises:
        FreshBooksError: FreshBooks could not be used any more; what was made may stand there.
    """
    findings: list[ProbeFinding] = []
    for check in CHECKS:
        if check.depth is Depth.FULL and depth is not Depth.FULL:
            continue
        check_stop()
        findings.append(_found(check, bench))
    return findings


def _found(check: Check, bench: Bench) -> ProbeFinding:
    try:
        if check.depth is Depth.FULL:
            # A credit that no search shows could not be deleted again.
            shows_fresh(bench)
        answer = check.find(bench)
    except (Untold, Refused) as untold:
        return ProbeFinding(check, None, {}, str(untold))
    _learn(bench.ledger, answer)
    return ProbeFinding(check, answer.value, answer.evidence)


def _learn(ledger: Ledger, answer: Measurement) -> None:
    for trait, value in answer.traits.items():
        ledger.profile.learn(trait, value)


def keep(ledger: Ledger, findings: list[ProbeFinding], now: datetime) -> None:
    """Keep the findings, in place of earlier ones of the same checks."""
    before = dict(ledger.profile.traits().get("probe", {}))
    kept = {
        one.check.name: one.kept(now)
        for one in findings
        if not one.why or one.check.name not in before
    }
    ledger.profile.learn("probe", before | kept)


def others(books: FreshBooks, ledger: Ledger) -> str:
    """What the account holds that is not the probe's, deleted records too; "" if nothing."""
    own: dict[str, set[int | None]] = {}
    for row in ledger.probe.all():
        own.setdefault(row.record, set()).add(row.remote_id)
    for record in ("invoice", "client", "payment"):
        for gone in (False, True):
            for row in books.collections[record].rows(deleted=gone):
                if row.id not in own.get(record, set()):
                    return f"{record} {row.id}" + (" (deleted)" if gone else "")
    return ""
