"""Spare notes: where it is noted what was told while the ledger cannot be used.

A small file of this user's, `$XDG_STATE_HOME/target-freshbooks/told.json`. It holds ways in which
runs fail and when that was told, and nothing else. The next round that the ledger can be used in
enters it there, so that services hear when runs end well again.
"""

import json
import os
from datetime import datetime
from pathlib import Path

from connector_credentials.private_files import replace_file

from target_freshbooks.ledger import RUNS, Ledger, Telling

COLUMNS = 4
"""Source, service, way of failing, moment."""


class SpareNotes:
    """What services were told of one source's failing runs."""

    def __init__(self, source: str) -> None:
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        self._file = Path(home) / "target-freshbooks" / "told.json"
        self._source = source

    def told(self, service: str, kind: str) -> bool:
        """Whether the service was told that runs fail so."""
        return any(row[:3] == [self._source, service, kind] for row in self._rows())

    def note(self, service: str, kind: str, now: datetime) -> None:
        """Note that it was."""
        row = [self._source, service, kind, now.isoformat()]
        replace_file(self._file, json.dumps([*self._rows(), row]))

    def hand_over(self, ledger: Ledger) -> None:
        """Note all of this source in the ledger, and no more here."""
        rows = self._rows()
        ours = [row for row in rows if row[0] == self._source]
        if not ours:
            return
        replace_file(self._file, json.dumps([row for row in rows if row not in ours]))
        for _, service, kind, at in ours:
            ledger.told.fail(kind, datetime.fromisoformat(at))
            ledger.told.note(service, [Telling(RUNS, kind)])

    def _rows(self) -> list[list[str]]:
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []  # none yet, or not to be read: then it is told once more
        rows = rows if isinstance(rows, list) else []
        return [row for row in rows if isinstance(row, list) and len(row) == COLUMNS]
