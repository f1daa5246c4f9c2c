"""A person at a terminal: types the commands of a page, and answers what programs ask.

The programs have a real terminal (a pty), so that secrets are asked for as they are of a person.
What a command leaves to the next one is what a shell keeps: folder, variables, functions, aliases.
"""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from demo.login import landed_at
from demo.project import end_group

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COMMAND_SECONDS = 600
SHELL = """set -eo pipefail
shopt -s expand_aliases
if [ -e "$KEPT" ]; then . "$KEPT"; fi
keep() { alias; declare -f; export -p; printf "umask %s; cd %q\\n" "$(umask)" "$PWD"; }
trap 'keep > "$KEPT"' EXIT
"""
CONSENT = "@consent"
"""The answer that is where the browser lands from the page of a login."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended: its exit code, what the screen showed, and how long it took."""

    code: int
    screen: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Terminal:
    """A shell in a folder.

    Attributes:
        folder: Where the first command is typed.
        environment: All that the programs find there.
        answers: What is typed when the screen's last line has these words and asks: words, answer.
        kept: The file that holds what the last command left.
        services: The programs that were started to run beside the others.
    """

    folder: Path
    environment: Mapping[str, str]
    answers: Mapping[str, str]
    kept: Path
    services: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, command: str, seconds: float = COMMAND_SECONDS) -> Done:
        """Type a command, and wait for its end.

        Raises:
            TimeoutError: It did not end in time; what the screen showed is told.
        """
        began = time.monotonic()
        ours, theirs = pty.openpty()
        with self._started(command, theirs, theirs) as process:
            os.close(theirs)
            try:
                screen = "".join(self._shown(ours, process, began + seconds))
            finally:
                os.close(ours)
                end_group(process)
        return Done(process.returncode, screen.replace("\r\n", "\n"), time.monotonic() - began)

    def begin(self, command: str, log: Path) -> None:
        """Start a program that goes on until `end`; what it says goes to the file."""
        with log.open("w", encoding="utf-8") as output:
            self.services.append(self._started(command, subprocess.DEVNULL, output.fileno()))

    def end(self) -> None:
        """End what was started to run beside the others."""
        for service in self.services:
            end_group(service)

    def _started(self, command: str, keys: int, screen: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", "-c", SHELL + command],
            stdin=keys,
            stdout=screen,
            stderr=screen,
            cwd=self.folder,
            env={**self.environment, "KEPT": str(self.kept)},
            text=True,
            start_new_session=True,
        )

    def _shown(self, screen: int, process: subprocess.Popen[str], until: float) -> Iterator[str]:
        said = ""
        answered = 0
        while True:
            ended = process.poll() is not None
            if select.select([screen], [], [], 0 if ended else 0.1)[0]:
                try:
                    text = os.read(screen, 65536).decode(errors="replace")
                except OSError:  # nobody has the terminal any more
                    return
                said += text
                yield text
            elif ended:
                return
            if time.monotonic() > until:
                raise TimeoutError(f"it did not end in time: {said[-2000:]}")
            if answer := self._answer(said[answered:], said):
                os.write(screen, answer.encode())
                answered = len(said)

    def _answer(self, fresh: str, said: str) -> str | None:
        last = fresh.rstrip().rpartition("\n")[2]
        for word, answer in self.answers.items():
            if last.endswith((":", word)) and word in last:
                if answer != CONSENT:
                    return answer + "\n"
                return landed_at(re.findall(r"https?://\S+/oauth/authorize\S*", said)[-1]) + "\n"
        return None
