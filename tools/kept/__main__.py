"""Has a sandbox's shop booked, one order of each kind, and keeps what came of it.

`python -m kept NAME` makes `tests/fixtures/books-NAME` and its siblings of other settings.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from connector_sandbox.seed import DEFAULT_MONTH, seed_shop
from connector_sandbox.seed.cases import cases
from connector_sandbox.server import running
from connector_sandbox.testing import Harness

from kept import LEDGER, SETTINGS, SHOP, to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

FIXTURES = Path(__file__).parents[2] / "tests" / "fixtures"

WAYS: dict[str, dict[str, Any]] = {
    "": {},
    "-other-ways": {"refund_mode": "credit_note", "tax_mode": "amount_lines"},
}
"""What is added to the folder's name → settings, over the defaults."""


def main() -> int:
    """Write the folders; they must not be there yet."""
    parser = argparse.ArgumentParser(prog="kept", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", help="what the folders are called, such as a version")
    asked = parser.parse_args()
    for suffix, settings in WAYS.items():
        folder = FIXTURES / f"books-{asked.name}{suffix}"
        write(folder, settings)
        size = sum(file.stat().st_size for file in folder.iterdir())
        print(f"{folder}: {size // 1000} kB")
    return 0


def write(folder: Path, settings: Mapping[str, Any]) -> None:
    """Book one order of each named case of the sandbox's seed, and keep shop, books and ledger."""
    folder.mkdir(parents=True)
    with TemporaryDirectory() as temporary:
        home = Path(temporary)
        # The ledger's journal says who wrote; that is no concern of whoever reads the fixture.
        with (
            patch.dict("os.environ", LOGNAME="writer"),
            patch.object(platform, "node", lambda: "fixture"),
            running(home, fb__rate_limit=0, bc__plan_quota=0) as sandbox,
        ):
            harness = Harness(sandbox.url, home, dict(settings))
            named = len(cases())
            seed_shop(sandbox.context, orders=named, seed=named, month=DEFAULT_MONTH)
            for _ in range(2):  # the second time, what waited for another order's client or item
                harness.sync()
        to_text(home / "sandbox.sqlite", folder / SHOP)
        to_text(home / "ledger.sqlite", folder / LEDGER)
    (folder / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
