"""Runs a task for many items at once and hands the results back in the items' order."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """A fixed number of threads.

    They are daemons: a run that stops (SIGTERM, a failed request) does not wait for answers that
    nobody needs any more, as the standard library's pool does at exit.
    """

    def __init__(self, count: int) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._count = count
        for number in range(count):
            threading.Thread(
                target=self._work, name=f"bigcommerce-{number + 1}", daemon=True
            ).start()

    def in_order(self, task: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield ``task(item)`` for each item, in order, a few items ahead of the reader.

        The first failure is raised in its place; what was queued behind it is not begun.
        """
        pending: deque[Future[Result]] = deque()
        try:
            for item in items:
                future: Future[Result] = Future()
                self._jobs.put((future, partial(task, item)))
                pending.append(future)
                if len(pending) >= 2 * self._count:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()

    def close(self) -> None:
        """Let the threads end when they have finished what they are doing."""
        for _ in range(self._count):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, task = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = task()
            except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for it
                future.set_exception(error)
            else:
                future.set_result(result)
