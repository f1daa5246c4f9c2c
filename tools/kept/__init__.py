"""Books kept as a version wrote them: every later one must find nothing to write in them.

A kept folder holds the shop and the books of a sandbox, and the ledger, as packed SQL, with the
settings they were written under. `python -m kept NAME` writes them.
"""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SHOP, LEDGER, SETTINGS = "sandbox.sql.gz", "ledger.sql.gz", "settings.json"

NOT_KEPT = {"history", "fb_tokens", "fb_codes", "fb_challenges", "fb_token_counts", "bc_tokens"}
"""Tables of the sandbox that say nothing of shop or books, and are filled anew; nor do those of
former versions of its records, `..._before`."""


def to_text(database: Path, text: Path) -> None:
    """Write a SQLite database as the packed SQL that makes it."""
    with closing(sqlite3.connect(":memory:")) as copy:
        with closing(sqlite3.connect(database)) as original:
            original.backup(copy)
        tables = {row[0] for row in copy.execute("SELECT name FROM sqlite_master")}
        for table in tables:
            if table in NOT_KEPT or table.endswith("_before"):
                copy.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of the sandbox's
        copy.commit()
        lines = "\n".join(copy.iterdump())
    text.write_bytes(gzip.compress(f"{lines}\n".encode(), mtime=0))


def from_text(text: Path, database: Path) -> None:
    """Make the SQLite database of the packed SQL."""
    database.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(database)) as made:
        made.executescript(gzip.decompress(text.read_bytes()).decode())
