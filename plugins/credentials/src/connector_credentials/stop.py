"""Stop request: SIGINT and SIGTERM end the work if that does no harm, and not otherwise.

A signal is of the whole process, and so is this. In a critical section, such as spending a token,
it is only noted, whichever thread is in the section; nothing is held up by that but the end of the
process.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """What a signal asks for.

    Attributes:
        event: Set once a stop is asked for; a run sets it too, when it fails.
        signal: The last signal that came, if any.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signal: int | None = None
        # Changed in one step: a handler may look between any two.
        self._sections: set[object] = set()
        self._heeding = False

    def exit_code(self, otherwise: int) -> int:
        """143 after SIGTERM, 130 after SIGINT."""
        return otherwise if self.signal is None else 128 + self.signal

    @contextmanager
    def critical_section(self) -> Iterator[None]:
        """Let no signal end the block. Others may begin inside it and in other threads."""
        section = object()
        self._sections.add(section)
        try:
            yield
        finally:
            self._sections.discard(section)
            if self._heeding and not self._sections and self.signal is not None:
                # It came too early. Sent anew, for the main thread is to heed it, not this one.
                os.kill(os.getpid(), self.signal)

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Heed the signals in the block, which has to be in the main thread.

        One that is ignored stays so: the shell has a program in the background ignore SIGINT.

        Raises:
            KeyboardInterrupt: At a signal outside all critical sections; nothing that handles
                errors takes it for one.
        """
        self.event, self.signal, self._heeding = threading.Event(), None, True
        before = {
            number: signal.signal(number, self._handle)
            for number in SIGNALS
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            yield
        finally:
            self._heeding = False
            for number, handler in before.items():
                signal.signal(number, handler)

    def note(self, number: int) -> None:
        """A signal came."""
        self.signal = number
        self.event.set()

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.note(number)
        if not self._sections:
            raise KeyboardInterrupt


STOP = StopRequest()
"""Of the process, as signals are."""
