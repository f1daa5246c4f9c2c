"""Account profile: what FreshBooks' answers have shown of the account's ways, trait by trait.

It is the account's, so all shops of the ledger share it. With the ledger lost it is learnt anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from connector_credentials.database import insert
from sqlalchemy import select

from target_freshbooks.ledger.section import Section
from target_freshbooks.ledger.storage.canonical import from_text, to_text
from target_freshbooks.ledger.storage.tables import profile

if TYPE_CHECKING:
    from collections.abc import Mapping

Trait = Literal["roundings", "percent_decimals", "unmarked_field"]


class Profile(Section):
    """The traits of the ledger's account."""

    def traits(self) -> Mapping[str, Any]:
        """All that are known, as JSON."""
        return {row.trait: from_text(row.value) for row in self._rows(select(profile))}

    def learn(self, trait: Trait, value: Any) -> None:  # noqa: ANN401 - JSON
        """Remember a trait, in place of what was known of it."""
        row = {"trait": trait, "value": to_text(value), "learnt_at": self._clock()}
        with self._database.write() as connection:
            statement = insert(connection.dialect.name, profile)
            changed = {"value": row["value"], "learnt_at": row["learnt_at"]}
            connection.execute(
                statement.on_conflict_do_update(index_elements=["trait"], set_=changed), row
            )
