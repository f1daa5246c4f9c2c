"""The `webhooks` program, made to kill itself at a named step. For the crash tests only.

Usage: ``killing_webhooks.py CLASS.METHOD:WHEN arguments…`` where WHEN is ``before`` the call,
``within`` (at the first commit inside it: everything is written, nothing committed) or ``after``.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from connector_webhooks import serve, worker
from connector_webhooks.cli import main
from connector_webhooks.dispatch import Dispatcher
from connector_webhooks.inbox import Inbox
from connector_webhooks.orders import Orders
from sqlalchemy import Engine, event

if TYPE_CHECKING:
    from collections.abc import Callable

OWNERS: dict[str, Any] = {
    "Inbox": Inbox,
    "Orders": Orders,
    "Dispatcher": Dispatcher,
    "ChildWorker": worker.ChildWorker,
    "worker": worker,
    "serve": serve,
}


# Time for an answer that was given too early to reach its sender, so that it is found out.
EARLY_ANSWER_SECONDS = 0.3


def die(*_: object) -> None:
    threading.Event().wait(EARLY_ANSWER_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()  # the signal is on its way


def wrapped(method: Callable[..., Any], when: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def step(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            die()
        if when == "within":
            event.listen(Engine, "commit", die)
        answer = method(*arguments, **named)
        if when == "after":
            die()
        return answer

    return step


def dies_after_its_first_answer(make: Callable[..., Any]) -> Callable[..., Any]:
    def application(*arguments: Any) -> Any:
        inner = make(*arguments)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await inner(scope, receive, send)
            if scope["type"] == "http":
                die()

        return app

    return application


def run() -> int:
    place, _, when = sys.argv[1].partition(":")
    owner, _, name = place.partition(".")
    if place == "serve.application":
        serve.application = dies_after_its_first_answer(serve.application)
    else:
        setattr(OWNERS[owner], name, wrapped(getattr(OWNERS[owner], name), when))
    return main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(run())
