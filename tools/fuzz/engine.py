"""Engine: feeds one parser with examples for a time, and shrinks what it makes of none of them.

A parser may give a value, or an error of the project's own kinds whose words are a sentence. All
else is a finding: any other exception, an example that takes long, a secret in the words.
"""

from __future__ import annotations

import re
import signal
import time
import traceback
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from hypothesis.strategies import SearchStrategy

HANGING_SECONDS = 30
"""By the clock of the wall; what takes long is judged by the time of the processor."""
LONGEST_SHOWN = 6_000
AT_ONCE = 200
LONGEST_WORDS = 400
MOST_FRAMES = 6
_RUN = re.compile(r"(.)\1{49,}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Parser:
    """Something that reads the text of others.

    Attributes:
        name: As it is asked for.
        examples: What it is given.
        read: Reads one example; raises `Unexpected` for a value that breaks a promise.
        expected: The kinds of errors that tell of what cannot be read.
        secrets: What no sentence may hold.
        most_seconds: Of the processor, for one example.
    """

    name: str
    examples: SearchStrategy[Any]
    read: Callable[[Any], object]
    expected: tuple[type[Exception], ...] = ()
    secrets: tuple[str, ...] = ()
    most_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a parser makes of an example, and the smallest example found."""

    what: str
    example: str


@dataclass(slots=True)
class Figures:
    """What was tried of a parser.

    Attributes:
        examples: How many.
        seconds: For how long.
        slowest: Milliseconds of the processor for one example.
        findings: By what and where.
    """

    examples: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    findings: dict[str, Finding] = field(default_factory=dict)


class Unexpected(Exception):  # noqa: N818 - the word says it
    """A parser gave a value, or said a sentence, that it must not."""


class Hanging(BaseException):
    """An example came to no end."""


def judge(parser: Parser, example: object) -> float:
    """Have an example read; milliseconds of the processor that it took.

    Raises:
        BaseException: It is a finding.
    """
    began = time.process_time()
    with _alarm():
        try:
            parser.read(example)
        except parser.expected as error:
            _judge_words(str(error), parser.secrets)
    took = time.process_time() - began
    if took > parser.most_seconds:
        raise Unexpected(f"took {took:.1f} s")
    return 1000 * took


def fuzz(parser: Parser, seconds: float, first_seed: int) -> Figures:
    """Feed a parser with examples for some seconds; with one at least, however slow the machine."""
    figures = Figures()
    began = time.monotonic()
    for number in count():
        left = seconds - (time.monotonic() - began)
        if left <= 0:
            break
        _some(parser, figures, time.monotonic() + left, first_seed + number)
    figures.seconds = time.monotonic() - began
    return figures


def _some(parser: Parser, figures: Figures, end: float, with_seed: int) -> None:
    """Try some hundred examples; a finding is shrunk, and no longer looked for after that."""
    smallest: list[tuple[str, Finding]] = []

    @seed(with_seed)
    @settings(
        max_examples=AT_ONCE,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        print_blob=False,
        report_multiple_bugs=False,
    )
    @given(parser.examples)
    def attempt(example: object) -> None:
        if figures.examples and time.monotonic() > end and not smallest:
            return
        figures.examples += 1
        try:
            figures.slowest = max(figures.slowest, judge(parser, example))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is a finding
            where = place_of(error)
            if where in figures.findings:
                return
            smallest[:] = [(where, Finding(_told(error), _shown(example)))]
            raise Found(where) from None

    with suppress(Found):
        attempt()
    if smallest:
        where, finding = smallest[0]
        figures.findings[where] = finding


class Found(Exception):  # noqa: N818 - the word says it
    """A finding, on its way through hypothesis."""


def place_of(error: BaseException) -> str:
    """Kind and line of an error: two of one place are one finding."""
    frames = traceback.extract_tb(error.__traceback__)
    last = next((one for one in reversed(frames) if "/src/" in one.filename), frames[-1])
    words = str(error).split(" ", 1)[0] if isinstance(error, Unexpected) else ""
    return f"{type(error).__name__} {words} {last.filename}:{last.lineno}"


def _shown(example: object) -> str:
    """The example in Python, a run of one letter as a product."""
    text = _RUN.sub(lambda run: f"{run[1]}(x{len(run[0])})", repr(example))
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _told(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    frames = "".join(f"\n    {one.filename}:{one.lineno} {one.line}" for one in last)
    return f"{type(error).__name__}: {str(error)[:LONGEST_WORDS]}{frames}"


def _judge_words(words: str, secrets: tuple[str, ...]) -> None:
    if not words.strip():
        raise Unexpected("no-words for what happened")
    if any(secret in words for secret in secrets):
        raise Unexpected("secret in the sentence")


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise Hanging

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, HANGING_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
