"""A server that answers as a test tells it, and FreshBooks clients that talk to it."""

from __future__ import annotations

import json
import random
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.testing import Asked, Reply, answering
from target_freshbooks.freshbooks import FreshBooks, Pacer, RequestRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Scripted:
    """What a server is to answer: replies in the order given; the last one is repeated."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.replies: list[Reply] = []
        self.answer: Callable[[Asked], Reply] | None = None
        self.lock = threading.Lock()
        self.listening = ExitStack()

    def next_reply(self, asked: Asked) -> Reply:
        with self.lock:
            self.asked.append(asked)
            if self.answer is not None:
                return self.answer(asked)
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def script(self, *replies: Reply) -> None:
        self.replies = list(replies)


class Clock:
    """A clock that only sleeping moves. Thread-safe."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
        self.slept: list[float] = []
        self.lock = threading.Lock()

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.slept.append(seconds)
            self.now += timedelta(seconds=seconds)


class FixedTokens:
    """Tokens that are always there; a rejected one gets a number more."""

    def __init__(self) -> None:
        self.token = "token-0"
        self.rejected: list[str] = []

    def access_token(self) -> str:
        return self.token

    def refresh(self, rejected: str) -> str:
        self.rejected.append(rejected)
        self.token = f"token-{len(self.rejected)}"
        return self.token


@dataclass
class Bench:
    """A client with all that stands around it."""

    server: Scripted
    clock: Clock
    tokens: FixedTokens
    records: list[RequestRecord]
    client: FreshBooks

    def say(self, *replies: Reply) -> None:
        self.server.script(*replies)


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted()
    with scripted.listening as stack:
        scripted.url = stack.enter_context(answering(scripted.next_reply))
        yield scripted


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seed() -> int:
    """Printed with a failure, so that it can be run again."""
    value = random.SystemRandom().randrange(10**6)
    print(f"seed {value}")
    return value


@pytest.fixture
def bench(server: Scripted, clock: Clock, seed: int) -> Bench:
    tokens, records = FixedTokens(), []
    rng = random.Random(seed)  # noqa: S311 - jitter
    client = FreshBooks(
        api_url=server.url,
        account_id="ACM123",
        tokens=tokens,
        user_agent="target-freshbooks/test",
        request_timeout=1,
        max_retry_seconds=60,
        pacer=Pacer(clock=clock, sleep=clock.sleep, random=rng),
        random=rng,
        clock=clock,
        sleep=clock.sleep,
        on_request=records.append,
    )
    return Bench(server, clock, tokens, records, client)


@pytest.fixture
def recorded() -> Callable[[str], Any]:
    """An answer recorded from FreshBooks by its SDKs' authors, where the files are at hand."""
    folder = Path(__file__).parents[4] / "shared" / "reference" / "freshbooks" / "fixtures"

    def _recorded(name: str) -> Any:
        path = folder / name
        if not path.is_file():
            pytest.skip("the recorded answers of FreshBooks' SDKs are not beside this clone")
        return json.loads(path.read_text())

    return _recorded
