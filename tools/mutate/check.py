"""Whether the list of safety lines is in order: a part of `make lint`, in a blink.

Each line stands exactly once in its file, which is sound Python without it; its tests exist; and no
promise is guarded by fewer lines than before. Who takes a safety line away for a good reason lowers
its figure in the same change.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from mutate.lines import MUTATIONS
from mutate.planted import PLANTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mutate.lines import Mutation

ROOT = Path(__file__).resolve().parents[2]

AT_LEAST = {
    "P1": 100,
    "P2": 52,
    "P3": 28,
    "P4": 12,
    "P5": 130,
    "P6": 38,
    "P7": 38,
    "P8": 25,
    "P9": 48,
    "P10": 78,
    "P11": 148,
    "P12": 25,
    "P13": 10,
    "P14": 15,
}
"""How many safety lines each promise has, at the least; raised when lines are added."""


def faults_of(mutation: Mutation, root: Path = ROOT) -> Iterator[str]:
    """What is wrong with one entry of the list, a sentence each."""
    stands = (root / mutation.file).read_text(encoding="utf-8").count(mutation.old)
    if stands != 1:
        yield f"{mutation.name}: its line stands {stands} times in {mutation.file}, not once"
    for argument in mutation.tests:
        path, _, name = argument.partition("::")
        if path.startswith("-") or "/" not in path:
            continue
        if not (root / path).exists():
            yield f"{mutation.name}: there is no {path}"
        elif name and f"def {name}(" not in (root / path).read_text(encoding="utf-8"):
            yield f"{mutation.name}: {path} has no test {name}"


def strange(mutations: Sequence[Mutation], root: Path = ROOT) -> list[str]:
    """The entries whose text without the line is no sound Python: any test is red for that."""
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder:
        for number, mutation in enumerate(mutations):
            text = (root / mutation.file).read_text(encoding="utf-8")
            mutated = text.replace(mutation.old, mutation.new)
            (Path(folder) / f"{number}.py").write_text(mutated, encoding="utf-8")
        ruff = [str(Path(sys.executable).with_name("ruff")), "check", "--isolated", "--no-cache"]
        rules = ["--select", "E9,F821,TC004", "--output-format", "json"]
        done = subprocess.run(
            [*ruff, *rules, folder], stdout=subprocess.PIPE, text=True, check=False
        )
    return [
        f"{mutations[int(Path(row['filename']).stem)].name}: without it, {row['message']}"
        for row in json.loads(done.stdout)
    ]


def thinned(present: Mapping[str, int], at_least: Mapping[str, int] = AT_LEAST) -> Iterator[str]:
    """The promises that have fewer safety lines than before, a sentence each."""
    for promise, number in at_least.items():
        if present.get(promise, 0) < number:
            yield f"{promise} has {present.get(promise, 0)} safety lines, and had {number}"
    for promise in present.keys() - at_least.keys():
        yield f"{promise} is no promise with a number of safety lines; add it to AT_LEAST"


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    faults = [fault for one in MUTATIONS + PLANTED for fault in faults_of(one)]
    faults += strange(MUTATIONS + PLANTED)
    faults += thinned(Counter(mutation.promise for mutation in MUTATIONS))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
