"""Standard output whose reader may go away, as in `status | head -1`.

Python writes late and flushes once more at its end; a pipe that was closed meanwhile would then
end any command with a traceback, or with 120 whatever its own exit code was.
"""

import os
import sys
from collections.abc import Callable


class OutputClosed(Exception):  # noqa: N818 - the word says it
    """Whoever read standard output has closed it."""

    def __init__(self) -> None:
        super().__init__("The reader of the output went away before its end.")


def say(text: str) -> None:
    """Write to standard output, at once.

    Raises:
        OutputClosed: Nobody reads it any more; what is said from here on leads nowhere.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        forget_reader()
        raise OutputClosed from None


def forget_reader() -> None:
    """Point standard output at nothing, so that no later flush fails."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def heard(command: Callable[[], int]) -> int:
    """Run a command and return its exit code; 1 and one line if its output was not read."""
    try:
        try:
            return command()
        finally:
            say("")  # what argparse has written is flushed here
    except OutputClosed as error:
        sys.stderr.write(f"{error}\n")
        return 1
