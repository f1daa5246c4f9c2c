"""Spare notes: where it is noted what was told while the ledger cannot be used.

A small file of this user's, `$XDG_STATE_HOME/target-freshbooks/told.json`. It holds ways in which
runs fail and nothing else, and goes with the next round that the ledger can be used in.
"""

import json
import os
from pathlib import Path

from connector_credentials.private_files import replace_file


class SpareNotes:
    """What services were told of one source's failing runs."""

    def __init__(self, source: str) -> None:
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        self._file = Path(home) / "target-freshbooks" / "told.json"
        self._source = source

    def told(self, service: str, kind: str) -> bool:
        """Whether the service was told that runs fail so."""
        return [self._source, service, kind] in self._rows()

    def note(self, service: str, kind: str) -> None:
        """Note that it was."""
        replace_file(self._file, json.dumps([*self._rows(), [self._source, service, kind]]))

    def clear(self) -> None:
        """Forget all of this source."""
        rows = self._rows()
        others = [row for row in rows if row[:1] != [self._source]]
        if others != rows:
            replace_file(self._file, json.dumps(others))

    def _rows(self) -> list[list[str]]:
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []  # none yet, or not to be read: then it is told once more
        return [row for row in rows if isinstance(row, list)] if isinstance(rows, list) else []
