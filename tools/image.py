"""A Dockerfile's instructions carried out in a folder, for tests where no container engine is.

Of all that a Dockerfile may hold it knows what ours holds, and refuses the rest. The image's own
folders are looked for below the folder; who makes users there would make them on this machine, so
that one instruction is left out.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = re.compile(r"(?<![\w.-])/(opt|src|project|data|run/secrets)\b")
"""The image's own, where they begin a path."""
LEFT_OUT = "useradd "
NOT_COPIED = shutil.ignore_patterns("tests", "__pycache__", "*.sqlite*", ".env")
"""As .dockerignore has it."""
OF_A_BUILD = {"FROM", "USER", "VOLUME", "EXPOSE"}
"""What changes nothing in a folder."""


class Instruction(NamedTuple):
    """One instruction: its word, and what stands behind that, without line breaks."""

    word: str
    rest: str


def instructions(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile in their order."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", lines)
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


@dataclass(slots=True)
class Image:
    """What the instructions have made.

    Attributes:
        root: Stands for the root of the image's file system.
        environment: Of each program that is started in it.
        folder: Where they start.
        entrypoint: What every command is handed to.
        command: What is started where nothing else is asked for.
        health: The command that ends with 0 as long as all is well.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def inside(self, text: str) -> str:
        """The text with each folder of the image where it is on this machine."""
        return FOLDERS.sub(lambda found: f"{self.root}{found[0]}", text)

    def at(self, path: str) -> Path:
        """A path of the image, which may be seen from its working folder, on this machine."""
        return Path(self.inside(str(Path(self.folder) / path)))

    def carry_out(self, one: Instruction) -> None:
        """Carry one instruction out.

        Raises:
            ValueError: It is of a kind that is not known here.
            subprocess.CalledProcessError: Its command failed.
        """
        match one.word:
            case "ENV":
                pairs = (pair.split("=", 1) for pair in shlex.split(one.rest))
                self.environment |= {name: self.inside(value) for name, value in pairs}
            case "WORKDIR":
                self.folder = one.rest
                self.at(".").mkdir(parents=True, exist_ok=True)
            case "COPY":
                self._copy(one.rest.split())
            case "RUN":
                self._run(one.rest)
            case "ENTRYPOINT":
                self.entrypoint = self._words(one.rest)
            case "CMD":
                self.command = self._words(one.rest)
            case "HEALTHCHECK":
                self.health = self._words(one.rest.partition(" CMD ")[2])
            case word if word not in OF_A_BUILD:
                raise ValueError(f"no test knows what {word} does: teach it tools/image.py")

    def _words(self, text: str) -> list[str]:
        return [self.inside(word) for word in json.loads(text)]

    def _copy(self, words: list[str]) -> None:
        if words[0].startswith("--from="):  # all stages are made in one folder
            return
        *sources, goal = words
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, self.at(goal), ignore=NOT_COPIED)
            else:
                place = self.at(goal) / Path(source).name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, place)

    def _run(self, command: str) -> None:
        if command.startswith(LEFT_OUT):
            return
        subprocess.run(
            ["/bin/bash", "-ec", self.inside(command)],
            cwd=self.at("."),
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            check=True,
        )


def build(root: Path) -> Image:
    """Make in a folder what the Dockerfile of this repository makes."""
    image = Image(root)
    for one in instructions((ROOT / "Dockerfile").read_text(encoding="utf-8")):
        if one.word == "FROM":
            image.folder = "/"
        image.carry_out(one)
    (root / "data").mkdir(mode=0o700)
    return image
