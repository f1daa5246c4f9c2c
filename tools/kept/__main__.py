"""Has a sandbox's shop booked, one order of each kind, and keeps what came of it.

`python -m kept NAME` makes `tests/fixtures/books-NAME` and its siblings of other settings.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import platform
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from connector_sandbox import constants
from connector_sandbox.seed import DEFAULT_MONTH, seed_shop
from connector_sandbox.seed.cases import cases
from connector_sandbox.server import running
from cryptography.fernet import Fernet
from tap_bigcommerce_orders.tap import TapBigCommerceOrders
from target_freshbooks.target import TargetFreshBooks

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
            named = len(cases())
            seed_shop(sandbox.context, orders=named, seed=named, month=DEFAULT_MONTH)
            for _ in range(2):  # the second time, what waited for another order's client or item
                _sync(sandbox.url, home, settings)
        to_text(home / "sandbox.sqlite", folder / SHOP)
        to_text(home / "ledger.sqlite", folder / LEDGER)
    (folder / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def _sync(url: str, home: Path, settings: Mapping[str, Any]) -> None:
    tap = TapBigCommerceOrders(
        config={
            "store_hash": constants.STORE_HASH,
            "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
            "api_url": url,
        }
    )
    key = home / "key"
    if not key.exists():
        key.write_bytes(Fernet.generate_key())
    target = TargetFreshBooks(
        config={
            "client_id": constants.FRESHBOOKS_CLIENT_ID,
            "client_secret": constants.FRESHBOOKS_CLIENT_SECRET,
            "redirect_uri": constants.FRESHBOOKS_REDIRECT_URI,
            "refresh_token": constants.FRESHBOOKS_REFRESH_TOKEN,
            "api_url": url,
            "auth_url": url,
            "ledger_url": f"sqlite:///{home}/ledger.sqlite",
            "credentials_url": f"sqlite:///{home}/credentials.sqlite",
            "encryption_key": key.read_text("ascii"),
            "settle_seconds": 0,
            **settings,
        }
    )
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        tap.sync_all()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            target.listen(io.StringIO(said.getvalue()))
    finally:
        target.close()


if __name__ == "__main__":
    sys.exit(main())
