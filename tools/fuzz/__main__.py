"""Fuzzes each parser of outside text for a time, and prints figures; exits 1 if one has findings.

make fuzz                                                          ten minutes each
PYTHONPATH=tools .venv/bin/python -m fuzz --seconds 30             all of them, sooner
PYTHONPATH=tools .venv/bin/python -m fuzz --seed 7 shop "hooks api"     some of them
PYTHONPATH=tools .venv/bin/python -m fuzz --engine atheris         those of bytes, by that engine
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import warnings
from contextlib import ExitStack
from pathlib import Path

from hypothesis.errors import HypothesisWarning

from fuzz import books, byte_parsers, guided, hooks, login, orders, samples, shared, shop
from fuzz.engine import Figures, fuzz

SECONDS = 600
FAMILIES = (shared, shop, books, login, hooks, orders)


warnings.simplefilter("ignore", HypothesisWarning)  # of long examples


def main() -> int:
    """Run the parsers asked for."""
    words = argparse.ArgumentParser(prog="make fuzz", description=(__doc__ or "").split("\n")[0])
    words.add_argument("--seconds", type=float, default=SECONDS, help="for each parser")
    words.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    words.add_argument("--engine", choices=["hypothesis", "atheris"], default="hypothesis")
    words.add_argument("parsers", nargs="*", help="their names; all if none is given")
    asked = words.parse_args()
    print(f"seed {asked.seed}")
    with ExitStack() as stack:
        if asked.engine == "atheris":
            known = byte_parsers.PARSERS
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="fuzz-"))
            said = stack.enter_context(samples.taken(Path(folder)))
            known = {one.name: one for family in FAMILIES for one in family.parsers(said)}
        if unknown := set(asked.parsers) - known.keys():
            words.error(f"no such parser: {', '.join(unknown)}; there are {', '.join(known)}")
        count = 0
        for name in asked.parsers or known:
            if asked.engine == "atheris":
                figures = guided.fuzz(name, asked.seconds, asked.seed)
            else:
                figures = fuzz(known[name], asked.seconds, asked.seed)
            print(line_of(name, figures), flush=True)
            for finding in figures.findings.values():
                print(f"  finding: {finding.what}\n  example: {finding.example}", flush=True)
            count += len(figures.findings)
    print(f"{count} findings")
    return 1 if count else 0


def line_of(name: str, figures: Figures) -> str:
    """A parser's figures in a line."""
    return (
        f"{name}: {figures.examples} examples in {figures.seconds:.0f} s, slowest"
        f" {figures.slowest:.0f} ms, {len(figures.findings)} findings"
    )


if __name__ == "__main__":
    sys.exit(main())
