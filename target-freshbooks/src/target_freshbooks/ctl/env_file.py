"""The file `.env`, from which Meltano takes settings: read, and changed line by line.

Whatever is in it but the values that are set stays: comments, order, lines of others. It is put in
place in one step, and only its owner may read it from its first moment on.
"""

import re
from pathlib import Path

from connector_credentials.private_files import replace_file

_ASSIGNMENT = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)")
_QUOTED = re.compile(r"(['\"])(.*)\1[ \t]*(?:#.*)?")
_COMMENT = re.compile(r"(?:^|[ \t]+)#.*")

PLAIN = re.compile(r"[A-Za-z0-9_.~:/?@!&=+,;%*()-]+")
"""What a value may consist of to mean the same to Meltano, to a shell's `source`, and to us."""


class EnvFile:
    """The lines of a `.env`.

    Args:
        path: Where it is, or is to be.
        model: Whose lines a new one begins with, if that is there.

    Attributes:
        path: Where it is, links resolved.
        is_new: Whether it was not there.
    """

    def __init__(self, path: Path, model: Path | None = None) -> None:
        self.path = path.resolve()
        self.is_new = not self.path.exists()
        begin = model if self.is_new else self.path
        text = begin.read_text(encoding="utf-8") if begin and begin.exists() else ""
        self._lines = text.splitlines()

    def values(self) -> dict[str, str]:
        """What is set, by name; the last of several lines counts."""
        assignments = (_ASSIGNMENT.fullmatch(line) for line in self._lines)
        return {one[1]: _value(one[2]) for one in assignments if one}

    def put(self, name: str, value: str) -> None:
        """Set a value: in the line that sets it now, else in a new one.

        Raises:
            ValueError: It holds something that is read in more ways than one.
        """
        if not PLAIN.fullmatch(value):
            raise ValueError(name)
        line = f"{name}={value}"
        places = [
            at
            for at, old in enumerate(self._lines)
            if (assignment := _ASSIGNMENT.fullmatch(old)) and assignment[1] == name
        ]
        if places:
            self._lines[places[-1]] = line
        else:
            self._lines.append(line)

    def write(self) -> None:
        """Put it in its place, for its owner alone."""
        replace_file(self.path, "".join(f"{line}\n" for line in self._lines))


def _value(text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    return quoted[2] if quoted else _COMMENT.sub("", text).strip()
