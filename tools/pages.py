"""What a page of the documentation holds besides prose: code blocks, and the commands in them.

Commands stand in fenced blocks marked `console`, `sh` or `bash`, one a line; a line that ends
within quotes or with a backslash goes on in the next. Where a line begins with `$ `, those without
are what the commands print.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHELLS = frozenset({"console", "sh", "bash"})
INDENTED = "indented"
"""The language of a block that is set off by four blanks alone."""
_FENCE = re.compile(r"( *)(`{3,}|~{3,})(\S*)(.*)")
_SECTION = re.compile(r"## (.+)")
_ITEM = re.compile(r" *(?:[-*+]|\d+[.)]) ")


@dataclass(frozen=True, slots=True)
class Block:
    """A code block.

    Attributes:
        line: The number of its first line on the page, from 1.
        language: The word behind its fence, which may be empty; or `INDENTED`.
        text: Its lines without their common indentation.
        section: The heading of the second level above it, else empty.
    """

    line: int
    language: str
    text: str
    section: str


@dataclass(frozen=True, slots=True)
class Command:
    """What a person types, without a prompt; it may have several lines."""

    line: int
    text: str


def blocks(page: Path) -> list[Block]:
    """Return the page's code blocks in their order."""
    return list(_blocks(page.read_text(encoding="utf-8").splitlines()))


def _blocks(lines: list[str]) -> Iterator[Block]:
    section, in_list, at = "", False, 0
    while at < len(lines):
        line = lines[at]
        begin = at + 1
        if opened := _FENCE.fullmatch(line):
            while not lines[begin].strip().startswith(opened[2]):
                begin += 1
            yield _block(at + 2, opened[3], lines[at + 1 : begin], section)
            at = begin + 1
            continue
        if line.startswith("    ") and not in_list and (at == 0 or not lines[at - 1].strip()):
            while begin < len(lines) and (not lines[begin] or lines[begin].startswith("    ")):
                begin += 1
            yield _block(at + 1, INDENTED, lines[at:begin], section)
        elif heading := _SECTION.fullmatch(line):
            section = heading[1]
        if line and (_ITEM.match(line) or not line.startswith(" ")):
            in_list = bool(_ITEM.match(line))
        at = begin


def _block(line: int, language: str, lines: list[str], section: str) -> Block:
    return Block(line, language, textwrap.dedent("\n".join(lines)).strip("\n"), section)


def commands(block: Block) -> list[Command]:
    """Return the commands of a block; none of a block that is no shell's.

    Raises:
        ValueError: The last of them does not end.
    """
    if block.language not in SHELLS:
        return []
    lines = block.text.splitlines()
    prompted = any(line.startswith("$ ") for line in lines)
    found: list[Command] = []
    begun = ""
    for number, line in enumerate(lines, block.line):
        if begun:
            begun += "\n" + line
        elif prompted and not line.startswith("$ "):
            continue
        else:
            begun = line.removeprefix("$ ").strip()
        if begun and _is_whole(begun):
            if not begun.startswith("#"):
                found.append(Command(number - begun.count("\n"), begun))
            begun = ""
    if begun:
        raise ValueError(f"line {block.line}: a command does not end: {begun}")
    return found


def _is_whole(text: str) -> bool:
    if text.endswith("\\"):
        return False
    try:
        shlex.split(text, comments=True)
    except ValueError:  # quotes are open
        return False
    return True
