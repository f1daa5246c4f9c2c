"""Updates: carry a change in the shop over to a client or item that we made, field by field."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from target_freshbooks.freshbooks.errors import Refused
from target_freshbooks.freshbooks.observed import ARCHIVED, ObservedClient, ObservedItem
from target_freshbooks.freshbooks.refusals import RefusalKind, classify
from target_freshbooks.posting.apply import ownership

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from target_freshbooks.ledger import Ledger, Link
    from target_freshbooks.posting.apply.create import Creation
    from target_freshbooks.posting.plan.steps import StepKind

logger = logging.getLogger(__name__)

MAY_PASS = frozenset({RefusalKind.BUSY, RefusalKind.NO_RIGHT})
"""Refusals that are not about what was sent: the same may be taken another time."""

Record = TypeVar("Record", bound=ObservedClient | ObservedItem)


class Updates:
    """Changes records that we made, and remembers what is left."""

    def __init__(self, ledger: Ledger, making: Creation) -> None:
        self._ledger = ledger
        self._making = making

    def change(
        self,
        kind: StepKind,
        link: Link,
        standing: Record,
        wanted: Mapping[str, Any],
        content: str,
        *,
        instead: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        links: Callable[[Record, Link], list[Link]],
        kept: Collection[str] = (),
    ) -> bool:
        """Write the fields that differ and are ours; True if something was written.

        Args:
            kind: The write.
            link: The link to the record, which we made.
            standing: The record as it stands.
            wanted: Its fields as the shop has them, in the form of a body.
            content: Digest of all that the shop says of it.
            instead: What to want where another record has the name already.
            links: The links to remember, from the answer and the link.
            kept: Fields that differ and are to be left in any case.

        Raises:
            Refused: FreshBooks declined.
        """
        before = ownership.fields_of(standing)
        differing = ownership.change(link, wanted, before)
        body, left = differing.body, {*kept, *differing.left}
        if standing.vis_state == ARCHIVED:
            # A person filed it away: a change might take it out again.
            body, left = {}, {*left, *body}
        if not body:
            self.leave(link, content, left)
            return False
        # Said before the write, so that it is known even if the run breaks off in it.
        link = self._left(link, left)
        self._ledger.links.put(link)

        def after(answer: Record) -> list[Link]:
            held = ownership.fields_of(answer)
            own = replace(link, content_hash=content, extra=ownership.written(link, body, held))
            ignored = ownership.not_taken(body, before, held)
            return links(answer, self._left(own, {*left, *ignored}))

        try:
            self._making.update(kind, link, body, after, content=content)
        except Refused as refused:
            meant, other = classify(refused).kind, instead(wanted)
            if meant is RefusalKind.TAKEN and other != wanted:
                kept = {*left, *(body.keys() - other.keys())}
                return self.change(
                    kind, link, standing, other, content, instead=instead, links=links, kept=kept
                )
            if meant not in MAY_PASS:
                self.leave(link, content, {*left, *body})
            raise
        return True

    def leave(self, link: Link, content: str, left: Collection[str]) -> None:
        """Remember that the shop's change was looked at, and which fields of it are left."""
        self._ledger.links.put(self._left(replace(link, content_hash=content), left))

    def _left(self, link: Link, left: Collection[str]) -> Link:
        """The link, saying that these fields are left; what is new of that is told."""
        fields = sorted(left)
        if fields and fields != link.extra.get("left"):
            logger.warning(
                "FreshBooks keeps %s of %s %d, which differs from the shop: it was changed or made"
                " there, or is not to follow the shop. Change it by hand if it is to be as in the"
                " shop.",
                ", ".join(fields),
                link.kind,
                link.remote_id,
            )
        return replace(link, extra=ownership.leaving(link.extra, fields))
