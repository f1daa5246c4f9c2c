"""Takes each safety line out in a copy of the repository and runs the tests that must go red.

`make mutate` prints a line per safety line and ends with 1 if any was not missed: if no test
failed, if the one that did fails with the line as well, or if it only ran into its time limit (but
for lines whose tests are given one of their own).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from mutate.copies import Misplaced, changed, copy, run
from mutate.lines import MUTATIONS, Mutation

if TYPE_CHECKING:
    from collections.abc import Sequence

TESTS_FAILED = 1
TIMED_OUT = "Failed: Timeout ("


def tried(place: Path, mutation: Mutation) -> tuple[bool, str]:
    """Whether the tests noticed, and the first of them that did, or what went wrong."""
    try:
        with changed(place, mutation):
            code, failed, output = run(place, mutation.tests)
    except Misplaced as misplaced:
        return False, str(misplaced)
    if code != TESTS_FAILED or not failed:
        return False, f"pytest ended with {code}: {output[-300:]}"
    limited = any(argument.startswith("--timeout=") for argument in mutation.tests)
    if not limited and TIMED_OUT in output:
        return False, f"{failed[0]} ran into its time limit, which says nothing of the line"
    name = failed[0].rpartition("::")[2]
    code, _, output = run(place, (*marks(mutation.tests), failed[0]))
    if code != 0:
        return False, f"{name} fails with the line as well: {output[-300:]}"
    return True, name


def marks(arguments: Sequence[str]) -> list[str]:
    """What chooses tests by their mark, without which a single test is not chosen either."""
    return [
        argument
        for before, argument in zip(("", *arguments), arguments, strict=False)
        if "-m" in {before, argument}
    ]


def line_of(places: SimpleQueue[Path], mutation: Mutation) -> tuple[bool, str]:
    """Try a mutation in a copy that is free: whether it was noticed, and a line on it."""
    place, began = places.get(), time.monotonic()
    try:
        red, words = tried(place, mutation)
    finally:
        places.put(place)
    seconds = time.monotonic() - began
    return red, f"{'red  ' if red else 'GREEN'} {seconds:4.0f} s  {mutation.name}: {words}"


def main() -> int:
    """Try all mutations, or those whose name has a word."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("word", nargs="*", help="only mutations whose name has one of these")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="tried at once")
    given = parser.parse_args()
    chosen = [
        mutation
        for mutation in MUTATIONS
        if not given.word or any(word in mutation.name for word in given.word)
    ]
    green = 0
    with (
        tempfile.TemporaryDirectory(prefix="mutate-") as folder,
        ThreadPoolExecutor(given.workers) as workers,
    ):
        places: SimpleQueue[Path] = SimpleQueue()
        for _ in range(given.workers):
            places.put(copy(Path(folder)))
        for running in as_completed(workers.submit(line_of, places, one) for one in chosen):
            red, line = running.result()
            green += not red
            print(line, flush=True)
    print(f"{len(chosen)} safety lines taken out, {green} not missed by any test")
    return 1 if green else 0


if __name__ == "__main__":
    sys.exit(main())
