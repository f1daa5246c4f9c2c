"""Fault rules: which requests go wrong, and how. What that means on the wire is in ``wire``.

A rule is made of matching (side, method, path, query, body), of choosing among the matches
(``skip``, ``times``, ``probability_percent`` with ``seed``) and of a kind.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from random import Random
from typing import Annotated, Any, Literal

from connector_sandbox import acting
from connector_sandbox.decoding import Matching, Within, decode


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    """Answered with ``status``, before or after the request is handled."""
    RESET_BEFORE = "reset_before"
    """The connection is reset; the request is not handled."""
    RESET_AFTER = "reset_after"
    """The request is handled, then the connection is reset without an answer."""
    TIMEOUT = "timeout"
    """No answer until the client gives up (or ``delay_ms`` have passed: then a reset)."""
    SLOW = "slow"
    """Answered ``delay_ms`` late."""
    TRUNCATE = "truncate"
    """Handled; half of the body is sent under the full content length, then the end."""
    HTML = "html"
    """An HTML page of a proxy in place of JSON, with ``status`` (502)."""
    STALE_SEARCH = "stale_search"
    """Searches do not see what was written within the last ``delay_ms``."""
    HOLD = "hold"
    """Held until released (or ``delay_ms`` have passed), so that a client can be killed there."""
    REFUSED = "refused"
    """Refused in the API's own format, with ``status``, ``errno``, ``field_name`` and ``words``."""
    IGNORED = "ignored"
    """Answered as if it had been a GET: nothing of what was sent is taken."""
    ACT = "act"
    """Handled rightly; before or after it somebody else makes the requests in ``writes``."""


_PATTERNS = {"method": re.fullmatch, "path": re.search, "query": re.search, "body": re.search}
_DEFAULT_DELAY = {FaultKind.SLOW: 1_000, FaultKind.STALE_SEARCH: 5_000, FaultKind.HOLD: 60_000}
_DEFAULT_STATUS = {FaultKind.HTML: 502, FaultKind.REFUSED: 422}
_HeaderText = Annotated[str, Matching(r"[\x20-\x7e]*", "a header's text")]
_Count = Annotated[int, Within(0, 10**6)]


@dataclass(slots=True, kw_only=True)
class FaultOrder:
    """One fault as it is ordered.

    Attributes:
        method: pattern for the whole method, such as ``POST|PUT``; None for any.
        path: pattern searched for in the path (without the query).
        query: pattern searched for in the unquoted query string.
        body: pattern searched for in the request's body text.
        status: of the answer; 500 (502 for ``html``, 422 for ``refused``) when None.
        when: before or after the request is handled and committed.
        headers: for answers made by the fault: True for the API's own quota headers, or
            a mapping of header to value.
        answer: text of the body in place of the API's own way of saying this status.
        skip: how many matches pass unharmed first.
        times: how many are harmed, None for no end.
        errno, field_name, words: of a refusal.
        writes: what somebody else does (see ``acting``).
    """

    kind: FaultKind
    side: Literal["bigcommerce", "freshbooks"] | None = None
    method: str | None = None
    path: str | None = None
    query: str | None = None
    body: str | None = None
    status: Annotated[int, Within(100, 599)] | None = None
    headers: bool | dict[_HeaderText, _HeaderText] = False
    answer: str | None = None
    when: Literal["before", "after"] = "before"
    times: Annotated[int, Within(1)] | None = None
    probability_percent: Annotated[float, Within(0, 100)] = 100
    seed: int = 0
    skip: _Count = 0
    delay_ms: Annotated[int, Within(0, 86_400_000)] | None = None
    handle_gone: bool = False
    errno: _Count = 1004
    field_name: str = ""
    words: str = "Refused."
    writes: Any = ()


@dataclass(slots=True, kw_only=True)
class Rule(FaultOrder):
    """A fault in force, with what became of it.

    Attributes:
        outcomes: what the ``writes`` were answered, per request they were made at.
    """

    id: int = 0
    outcomes: list[list[dict[str, Any]]] = field(default_factory=list)
    matches: int = 0
    hits: int = 0
    random: Random = field(default_factory=Random, repr=False)


@dataclass(slots=True)
class Hold:
    """One request that is being held."""

    id: int
    rule: int
    method: str
    path: str
    when: str
    released: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop, repr=False)
    client_gone: bool = False


def _told(of: Rule | Hold) -> dict[str, Any]:
    """Tell a rule with its counts, or a hold, as JSON."""
    return {one.name: getattr(of, one.name) for one in fields(of) if one.repr}


@dataclass(frozen=True, slots=True)
class ErrorRenderer:
    """How one API words an answer that a fault makes in its name.

    Attributes:
        body: from a status, the body and its content type.
        quota_headers: the headers with which the API tells its quota, exhausted or not.
        refusal: from errno, field and words, the body of a refusal.
    """

    body: Callable[[int], tuple[bytes, str]]
    quota_headers: Callable[[bool], Mapping[str, str]]
    refusal: Callable[[int, str, str], bytes]


class Faults:
    """The rules in force, in the order they were added; the first that fires wins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: dict[int, Rule] = {}
        self._holds: dict[int, Hold] = {}
        self._last_id = 0
        self.renderers: dict[str, ErrorRenderer] = {}

    def add(self, *orders: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Put rules in force and tell them, or none when one of them is not understood.

        Raises:
            ValueError: saying which part of which is not understood.
        """
        rules = [_understood(order) for order in orders]
        with self._lock:
            for rule in rules:
                self._last_id += 1
                rule.id = self._last_id
                rule.random.seed(rule.seed)
                self._rules[rule.id] = rule
            return [_told(rule) for rule in rules]

    def remove(self, rule_id: int | None = None) -> None:
        """Lift one rule or all, and let go what they hold."""
        self.release(rule_id)
        with self._lock:
            if rule_id is None:
                self._rules.clear()
            else:
                self._rules.pop(rule_id, None)

    def release(self, rule_id: int | None = None) -> int:
        """Let go the requests held by a rule (or by all) and say how many there were."""
        with self._lock:
            held = [hold for hold in self._holds.values() if rule_id in {None, hold.rule}]
        for hold in held:
            hold.loop.call_soon_threadsafe(hold.released.set)
        return len(held)

    def told(self) -> dict[str, Any]:
        """Tell the rules with their counts, and the requests being held."""
        with self._lock:
            return {
                "rules": [_told(rule) for rule in self._rules.values()],
                "held": [_told(hold) for hold in self._holds.values()],
            }

    @property
    def none(self) -> bool:
        """Whether no rule is in force."""
        return not self._rules

    @property
    def read_bodies(self) -> bool:
        """Whether some rule looks into the request's body."""
        return any(rule.body is not None for rule in self._rules.values())

    def match(self, side: str, call: Mapping[str, str]) -> Rule | None:
        """Find the rule that this request falls to, and count it.

        Args:
            side: the API it is made to.
            call: its method, path, unquoted query, and body (empty unless a rule reads it).
        """
        with self._lock:
            for rule in self._rules.values():
                if not _matches(rule, side, call):
                    continue
                rule.matches += 1
                if rule.matches <= rule.skip:
                    continue
                if rule.times is not None and rule.hits >= rule.times:
                    continue
                if rule.random.uniform(0, 100) > rule.probability_percent:
                    continue
                rule.hits += 1
                return rule
        return None

    def hold(self, rule: Rule, method: str, path: str) -> Hold:
        """Note that a request is being held."""
        with self._lock:
            self._last_id += 1
            hold = Hold(self._last_id, rule.id, method, path, rule.when)
            self._holds[hold.id] = hold
        return hold

    def let_go(self, hold: Hold) -> None:
        """Note that a request is no longer held."""
        with self._lock:
            self._holds.pop(hold.id, None)


def _understood(order: Mapping[str, Any]) -> Rule:
    asked = decode(FaultOrder, order)
    for name in _PATTERNS:
        try:
            re.compile(getattr(asked, name) or "")
        except re.error as error:
            raise ValueError(f"{name} is no regular expression: {error}") from error
    try:
        asked.writes = acting.checked(asked.writes or [])
    except acting.ActError as error:
        raise ValueError(f"writes: {error}") from error
    given = {one.name: getattr(asked, one.name) for one in fields(FaultOrder)}
    given["status"] = asked.status or _DEFAULT_STATUS.get(asked.kind, 500)
    if asked.delay_ms is None:
        given["delay_ms"] = _DEFAULT_DELAY.get(asked.kind)
    return Rule(**given)


def _matches(rule: Rule, side: str, call: Mapping[str, str]) -> bool:
    return rule.side in {None, side} and all(
        (pattern := getattr(rule, name)) is None or finds(pattern, call[name])
        for name, finds in _PATTERNS.items()
    )
