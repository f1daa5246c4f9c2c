"""Account profile: what FreshBooks' answers have shown of the account's ways, trait by trait.

It is the account's, so all shops of the ledger share it. With the ledger lost it is learnt anew.
"""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import select

from target_freshbooks.ledger.section import Section
from target_freshbooks.ledger.storage.tables import profile

Trait = Literal[
    "roundings",
    "percent_decimals",
    "unmarked_field",
    "number_length",
    "unseen_seconds",
    "refuses_taken_numbers",
    "probe",
]
"""`number_length`: characters of an invoice's number; `unseen_seconds`: how long searches did not
show a fresh record; `refuses_taken_numbers`: no second invoice of a standing one's number is made;
`probe`: all that the probe found, by the name of its check.
"""


class Profile(Section):
    """The traits of the ledger's account."""

    def traits(self) -> Mapping[str, Any]:
        """All that are known, as JSON."""
        return {row.trait: row.value for row in self._rows(select(profile))}

    def settle_seconds(self, asked: int) -> int:
        """How long a record just made may stay unseen: as set, or longer if that was measured."""
        measured: int = self.traits().get("unseen_seconds", 0)
        return max(asked, measured)

    def learn(self, trait: Trait, value: Any) -> None:  # noqa: ANN401 - JSON
        """Remember a trait, in place of what was known of it."""
        with self._database.write() as connection:
            row = {"trait": trait, "value": value, "learnt_at": self._clock()}
            self._put(connection, profile, row)
