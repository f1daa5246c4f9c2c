"""SIGINT and SIGTERM at an operator's command.

What only looks ends at once. A command that writes finishes the steps in hand first, and a token
that is being spent is stored first.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from target_freshbooks.freshbooks.undisturbed import held, told_when_over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Blocked:
    """The wish that a signal stands for."""

    def __init__(self) -> None:
        self._signal: int | None = None
        self._wishes: set[threading.Event] = set()

    @property
    def exit_code(self) -> int:
        """143 after SIGTERM, 130 after SIGINT and where a person leaves a prompt."""
        return 128 + (self._signal or signal.SIGINT)

    @contextmanager
    def wish(self) -> Iterator[threading.Event]:
        """An event that a signal sets, for a run; a run sets it too, when it fails."""
        event = threading.Event()
        self._wishes.add(event)
        try:
            yield event
        finally:
            self._wishes.discard(event)

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Heed the signals in the block, which has to be in the main thread.

        One that is ignored stays so: the shell has a program in the background ignore SIGINT.
        """
        self._signal = None
        before = {
            number: signal.signal(number, self._handle)
            for number in SIGNALS
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            with told_when_over(self._remind):
                yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number
        for event in tuple(self._wishes):
            event.set()
        if not held():
            # Nothing that handles errors takes this for one.
            raise KeyboardInterrupt

    def _remind(self) -> None:
        """Send the signal anew that came too early: the main thread is to heed it, not this one."""
        if self._signal is not None:
            os.kill(os.getpid(), self._signal)


STOP = Blocked()
"""Of the process, as signals are."""
