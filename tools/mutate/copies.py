"""A copy of the repository in which a line is another one, and the tests that run in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mutate.lines import Mutation

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    "tap-bigcommerce-orders/src",
    "target-freshbooks/src",
    "plugins/credentials/src",
    "plugins/sandbox/src",
    "plugins/webhooks/src",
    "tools",
)
LEFT_OUT = (".venv", ".git", ".meltano", "data", "out", "__pycache__", ".*_cache", ".hypothesis")
TEST_SECONDS = 900
CACHE = ".pytest_of_mutations"


class Misplaced(LookupError):  # noqa: N818 - the list is wrong, not the code
    """The text that is to be replaced stands nowhere, or more than once."""


def copy(folder: Path) -> Path:
    """The repository without what is made; the environment is the same one."""
    place = folder / uuid4().hex
    shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (place / ".venv").symlink_to(ROOT / ".venv")
    return place


@contextmanager
def changed(place: Path, mutation: Mutation) -> Iterator[None]:
    """Have the copy without the line for a while.

    Raises:
        Misplaced: It is not there exactly once.
    """
    file = place / mutation.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutation.old) != 1:
        raise Misplaced(f"its line stands {text.count(mutation.old)} times in {mutation.file}")
    file.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")


def run(
    place: Path, arguments: Sequence[str], seconds: int = TEST_SECONDS
) -> tuple[int, list[str], str]:
    """Run tests of the copy to the first that fails.

    Returns:
        The exit code of pytest, the ids of the tests that failed, and the output.
    """
    paths = [str(place / source) for source in SOURCES]
    shutil.rmtree(place / CACHE, ignore_errors=True)
    try:
        done = subprocess.run(
            [
                *(str(ROOT / ".venv/bin/python"), "-m", "pytest", "-q", "-x"),
                *("-o", f"cache_dir={CACHE}"),
                *arguments,
            ],
            cwd=place,
            # First of all: the packages are installed editable, from the repository itself.
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(paths),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, [], "the tests did not come to an end"
    failures = place / CACHE / "v/cache/lastfailed"
    failed = list(json.loads(failures.read_text(encoding="utf-8"))) if failures.exists() else []
    return done.returncode, failed, done.stdout
