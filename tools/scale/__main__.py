"""`python -m scale` fills the tables of docs/scale.md; `… measure` measures anew before that.

The size of a ledger is that of `make demo`, which is to be run before it measures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from scale.figures import MEASURED, ROOT
from scale.measure import measure
from scale.page import PAGE, filled


def main() -> None:
    """Write the page, and before that what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("measure", nargs="?", choices=["measure"])
    parser.add_argument("--ledger", type=Path, default=ROOT / "out/demo/sandbox/ledger.sqlite")
    given = parser.parse_args()
    if given.measure:
        MEASURED.write_text(json.dumps(measure(given.ledger), indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
