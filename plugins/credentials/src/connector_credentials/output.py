"""What people read of a program: lines that cannot act on a terminal, told while they are read.

Much of what is told comes from shops, from FreshBooks and from child processes. A control character
in it could move the cursor or forge a line of a log, and a bidirectional or invisible one show
another text than there is. So whatever is told is told line by line, and each line is made
`visible`: only the ends of lines are ours. Lines of a log are made so as records, whichever handler
writes them.

The reader of standard output may go away, as in `status | head -1`. Python writes late and flushes
once more at its end; a pipe that was closed meanwhile would then end any command with a traceback,
or with 120 whatever its own exit code was.
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any
from unicodedata import category

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode: controls, formats (bidirectional ones too), halves, ends of lines."""


class OutputClosed(Exception):  # noqa: N818 - the word says it
    """Whoever read standard output has closed it."""

    def __init__(self) -> None:
        super().__init__("The reader of the output went away before its end.")


class VisibleRecord(logging.LogRecord):
    """A record whose message is one visible line; those of its traceback are set off by a bar."""

    def __init__(self, *arguments: Any, **more: Any) -> None:  # noqa: ANN401 - logging's own
        super().__init__(*arguments, **more)
        if not self.args:
            self.msg = self.getMessage()  # some formatters of the Singer SDK take it as it is
        if self.exc_info and self.exc_info[1]:
            self.exc_text = "\n".join(_traceback(self.exc_info[1]))

    def getMessage(self) -> str:  # noqa: N802 - logging's own
        """The message, visible."""
        return visible(super().getMessage())


def visible(line: str) -> str:
    r"""The line with all that acts or does not show written out, as `\x1b`, `\n`, `\u202e`."""
    if line.isprintable():
        return line
    return "".join(
        char.encode("unicode_escape").decode() if category(char) in UNSEEN else char
        for char in line
    )


def json_lines(document: object, indent: int | None = None) -> list[str]:
    """The document as lines of JSON, in ASCII."""
    return json.dumps(document, default=str, indent=indent).split("\n")


def say(*lines: str) -> None:
    """Write lines to standard output, at once.

    Raises:
        OutputClosed: Nobody reads it any more; what is said from here on leads nowhere.
    """
    try:
        sys.stdout.writelines(f"{_encodable(visible(line))}\n" for line in lines)  # noqa: TID251 - the place
        sys.stdout.flush()  # noqa: TID251 - as above
    except BrokenPipeError:
        forget_reader()
        raise OutputClosed from None


def _encodable(line: str) -> str:
    r"""The line with what the encoding of standard output lacks written out, as `\xfc`.

    Standard error does so by itself.
    """
    encoding = sys.stdout.encoding or "utf-8"  # noqa: TID251 - nothing is said
    return line.encode(encoding, "backslashreplace").decode(encoding)


def say_aside(*lines: str) -> None:
    """Write lines to standard error."""
    sys.stderr.writelines(f"{visible(line)}\n" for line in lines)  # noqa: TID251 - the place


def places(error: BaseException) -> str:
    """Where an error came about, without its words, which may quote a record."""
    frames = traceback.extract_tb(error.__traceback__)
    return "; ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)


def forget_reader() -> None:
    """Point standard output at nothing, so that no later flush fails."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())  # noqa: TID251 - nothing is said
    os.close(nothing)


def log_visibly() -> None:
    """Make each record of this process visible, and the traceback that a defect ends it with."""
    logging.setLogRecordFactory(VisibleRecord)
    sys.excepthook = _tell_defect


def heard(command: Callable[[], int]) -> int:
    """Run a command and return its exit code; 1 and one line if its output was not read."""
    log_visibly()
    try:
        try:
            return command()
        finally:
            say()  # what argparse has written is flushed here
    except OutputClosed as error:
        say_aside(str(error))
        return 1


def _tell_defect(
    _kind: type[BaseException], error: BaseException, _trace: TracebackType | None
) -> None:
    say_aside(*_traceback(error))


def _traceback(error: BaseException) -> list[str]:
    lines = "".join(traceback.format_exception(error)).rstrip("\n").split("\n")
    return [f"  | {visible(line)}" for line in lines]
