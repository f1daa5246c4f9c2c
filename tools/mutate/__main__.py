"""Takes each safety line out in a copy of the repository and runs the tests that must go red.

`make mutate` prints a line per safety line and ends with 1 if any was not missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mutate.lines import MUTATIONS, Mutation

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
TESTS_FAILED = 1


def copy(folder: Path) -> Path:
    """The repository without what is made; the environment is the same one."""
    place = folder / "copy"
    shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (place / ".venv").symlink_to(ROOT / ".venv")
    return place


def tried(place: Path, mutation: Mutation) -> tuple[bool, str]:
    """Whether the tests noticed, and the first of them that did, or what went wrong."""
    file = place / mutation.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutation.old) != 1:
        return False, f"its line stands {text.count(mutation.old)} times in {mutation.file}"
    file.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        return _noticed(place, mutation)
    finally:
        file.write_text(text, encoding="utf-8")


def _noticed(place: Path, mutation: Mutation) -> tuple[bool, str]:
    paths = [str(place / source) for source in SOURCES]
    command = [
        str(place / ".venv/bin/python"),
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
    ]
    try:
        done = subprocess.run(
            [*command, *mutation.tests],
            cwd=place,
            # First of all: the packages are installed editable, from the repository itself.
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(paths),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            timeout=TEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True, "the tests did not come to an end"
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode == TESTS_FAILED and failed:
        return True, failed[0].split(" - ")[0].removeprefix("FAILED ").rpartition("::")[2]
    if "Timeout" in done.stdout + done.stderr:
        return True, "a test ran into its time limit"
    return False, f"pytest ended with {done.returncode}: {done.stdout[-300:]}"


def main() -> int:
    """Try all mutations, or those whose name has a word."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("word", nargs="*", help="only mutations whose name has one of these")
    given = parser.parse_args()
    chosen = [
        mutation
        for mutation in MUTATIONS
        if not given.word or any(word in mutation.name for word in given.word)
    ]
    green = 0
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder:
        place = copy(Path(folder))
        for mutation in chosen:
            began = time.monotonic()
            red, words = tried(place, mutation)
            green += not red
            colour = "red  " if red else "GREEN"
            seconds = time.monotonic() - began
            print(f"{colour} {seconds:4.0f} s  {mutation.name}: {words}", flush=True)
    print(f"{len(chosen)} safety lines taken out, {green} not missed by any test")
    return 1 if green else 0


if __name__ == "__main__":
    sys.exit(main())
