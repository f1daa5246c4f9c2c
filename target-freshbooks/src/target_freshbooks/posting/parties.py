"""Clients and items: found before they are made, made once, kept up to date with the shop.

One worker at a time looks after one client or item, so that two orders of a new customer cannot
both make the client. What was found or made is remembered in the ledger and costs no request again.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from target_freshbooks.books import (
    client_body,
    email_key,
    item_body,
    items_of_product,
    read_product,
)
from target_freshbooks.freshbooks.errors import Conflict, NotFound, Refused
from target_freshbooks.ledger import Link
from target_freshbooks.posting.digests import request_digest
from target_freshbooks.posting.steps import StepKind
from target_freshbooks.posting.writer import Unanswered, client_links, item_links, sku_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from target_freshbooks.books.desired import ClientDraft, ItemDraft
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.freshbooks.observed import ObservedItem
    from target_freshbooks.ledger import Intent, Ledger
    from target_freshbooks.ledger.links import LinkKind
    from target_freshbooks.posting.simulate import LedgerOverlay, PlanningWriter
    from target_freshbooks.posting.writer import Writer

ACTIVE, DELETED = 0, 1
NAME_TAKEN = frozenset({1029, 1004})
NAME_FIELDS = frozenset({"name", "sku"})

CONFLICT_PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds before each new try of what "is being changed by another request"."""


class Locks:
    """One lock per key, for as long as the run lasts."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[tuple[str, str], threading.RLock] = defaultdict(threading.RLock)

    @contextmanager
    def held(self, kind: str, key: str) -> Iterator[None]:
        """Hold the lock of one client or item."""
        with self._guard:
            lock = self._locks[kind, key]
        with lock:
            yield


class Parties:
    """Finds or makes the clients and items of one run."""

    def __init__(
        self,
        books: FreshBooks,
        ledger: Ledger | LedgerOverlay,
        writer: Writer | PlanningWriter,
        settle_unknown: Callable[[Unanswered], bool],
        look: Callable[[Intent], bool],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._books = books
        self._ledger = ledger
        self._writer = writer
        self._settle_unknown = settle_unknown
        self._look = look
        self._sleep = sleep
        self._locks = Locks()

    # -- clients

    def client(
        self, draft: ClientDraft, order_id: int | None, registered: ClientDraft | None
    ) -> int:
        """FreshBooks' id of the client, found by what the ledger knows, then by e-mail, else made.

        Args:
            draft: The client as the order needs it.
            order_id: The order, for the audit trail.
            registered: The client as the customer's own record has it now, where that is known:
                a later record that differs is a change to carry over.
        """
        baseline = None if registered is None else request_digest(client_body(registered))
        # By both, the customer first: of one customer's orders two may bear different e-mails.
        with (
            self._locks.held("client", draft.key),
            self._locks.held("client", _email_key(draft)),
        ):
            known = self._known_client(draft, baseline)
            if known is not None:
                return known.remote_id
            body = client_body(draft)
            self._finish(StepKind.CREATE_CLIENT, lambda sent: _same_client(sent, body))
            known = self._known_client(draft, baseline)
            if known is not None:
                return known.remote_id
            found = self._find_client(draft)
            if found is not None:
                self._ledger.put_link(_client_link(draft.key, found, baseline))
                return found
            self._written(
                StepKind.CREATE_CLIENT,
                draft.key,
                body,
                order_id,
                lambda answer: self._client_links(draft, answer.id, baseline),
                lambda: self._ledger.link("client", draft.key) is not None,
                baseline=baseline,
            )
        link = self._ledger.link("client", draft.key)
        if link is None:
            raise LookupError(f"No link to client {draft.key} although it was just made.")
        return link.remote_id

    def forget_client(self, draft: ClientDraft) -> None:
        """Drop the links to a client that FreshBooks no longer has."""
        self._ledger.drop_link("client", draft.key)
        self._ledger.drop_link("client", _email_key(draft))

    def update_client(self, draft: ClientDraft) -> bool:
        """Bring a linked client up to date with the shop; True if something was written."""
        with (
            self._locks.held("client", draft.key),
            self._locks.held("client", _email_key(draft)),
        ):
            link = self._ledger.link("client", draft.key)
            if link is None:
                return False
            body = client_body(draft)
            body_hash = request_digest(body)
            if link.content_hash == body_hash:
                return False
            self._written(
                StepKind.UPDATE_CLIENT,
                draft.key,
                body,
                None,
                lambda answer: self._client_links(draft, answer.id, body_hash),
                lambda: self._stands("client", draft.key, body_hash),
                remote_id=link.remote_id,
            )
            return True

    def _client_links(
        self, draft: ClientDraft, client_id: int, content_hash: str | None
    ) -> list[Link]:
        return client_links(
            self._ledger, client_id, key=draft.key, email=draft.email, content=content_hash
        )

    def _known_client(self, draft: ClientDraft, baseline: str | None) -> Link | None:
        link = self._ledger.link("client", draft.key)
        if link is None and draft.email:
            link = self._ledger.link("client", _email_key(draft))
            if link is not None:
                # A guest who registered: as the customer's record is now, so be it; a later change
                # of it is carried over.
                self._ledger.put_link(_client_link(draft.key, link.remote_id, baseline))
        return link

    def _find_client(self, draft: ClientDraft) -> int | None:
        if draft.email:
            rows = self._books.find_clients(draft.email)
        else:
            rows = self._books.find_clients_named(draft.address.company)
        rows = [row for row in rows if row.vis_state != DELETED]
        rows.sort(key=lambda row: (row.vis_state != ACTIVE, row.id))
        return rows[0].id if rows else None

    # -- items

    def items(self, drafts: tuple[ItemDraft, ...], order_id: int | None) -> dict[str, str]:
        """Item key → the name FreshBooks has for it; each is found, or made once."""
        return {draft.key: self._item(draft, order_id) for draft in drafts}

    def _item(self, draft: ItemDraft, order_id: int | None) -> str:
        # By SKU or name, not by key: two products that share an SKU share the item.
        with self._locks.held("item", draft.sku or draft.name):
            link = self._ledger.link("item", draft.key)
            if link is None:
                body = item_body(draft)
                self._finish(StepKind.CREATE_ITEM, lambda sent: _same_item(sent, body))
                link = self._ledger.link("item", draft.key) or self._standing_item(draft)
            if link is None:
                self._make_item(draft, order_id)
                link = self._ledger.link("item", draft.key)
            if link is None:
                raise LookupError(f"No link to item {draft.key} although it was just made.")
            return str(link.extra["name"])

    def _standing_item(self, draft: ItemDraft) -> Link | None:
        """The link to an item that is there already, put into the ledger."""
        item = self._item_of_sku(draft.sku) or self._find_item(draft)
        if item is None:
            return None
        own, *by_sku = item_links(item, key=draft.key, sku=draft.sku, content=self._baseline(draft))
        if self._ledger.is_linked("item", item.id):
            # One SKU on two products: the first keeps the item's name to itself.
            own = replace(own, extra=own.extra | {"shared": True})
        for link in (own, *by_sku):
            self._ledger.put_link(link)
        return own

    def _item_of_sku(self, sku: str) -> ObservedItem | None:
        """The item the ledger knows by its SKU, which searches may not show yet.

        Read by its id: since it was linked a person, or a change of the product, may have deleted
        it or given it another SKU.
        """
        link = self._ledger.link("item", sku_key(sku)) if sku else None
        if link is None or link.remote_id < 0:  # one that is only planned
            return None
        try:
            item = self._books.get_item(link.remote_id)
        except NotFound:
            return None
        return item if item.sku == sku and item.vis_state != DELETED else None

    def update_item(self, draft: ItemDraft) -> bool:
        """Bring a linked item up to date with the shop; True if something was written."""
        with self._locks.held("item", draft.sku or draft.name):
            link = self._ledger.link("item", draft.key)
            if link is None or link.extra.get("shared"):
                return False
            body = item_body(draft)
            body_hash = request_digest(body)
            first_met = link.content_hash is None and link.extra.get("name") == draft.name
            if first_met:
                # Made from an order's line: the catalogue's price and options are no change of it.
                self._ledger.put_link(replace(link, content_hash=body_hash))
            if first_met or link.content_hash == body_hash:
                return False
            self._written(
                StepKind.UPDATE_ITEM,
                draft.key,
                body,
                None,
                lambda answer: item_links(answer, key=draft.key, sku=draft.sku, content=body_hash),
                lambda: self._stands("item", draft.key, body_hash),
                remote_id=link.remote_id,
            )
            return True

    def _baseline(self, draft: ItemDraft) -> str | None:
        """Digest of the item as the catalogue has it now: a later one that differs is a change."""
        product_id = draft.key.split(":")[1] if draft.key.startswith("variant:") else ""
        body = self._ledger.body("products", (int(product_id),)) if product_id else None
        if body is None:
            return None
        for now in items_of_product(read_product(body), store_currency(self._ledger) or ""):
            if now.key == draft.key:
                return request_digest(item_body(now))
        return None

    def _find_item(self, draft: ItemDraft) -> ObservedItem | None:
        if draft.sku:
            rows = self._books.find_items_by_sku(draft.sku)
        else:
            names = (draft.name, _apart(draft.name, draft))
            found = [self._books.find_items_by_name(name) for name in names]
            rows = [row for named in found for row in named if not row.sku]
        rows = [row for row in rows if row.vis_state != DELETED]
        rows.sort(key=lambda row: (row.vis_state != ACTIVE, row.id))
        return rows[0] if rows else None

    def _make_item(self, draft: ItemDraft, order_id: int | None) -> None:
        body = item_body(draft)
        try:
            self._create_item(draft, body, order_id)
        except Refused as refused:
            if refused.errno not in NAME_TAKEN and refused.field not in NAME_FIELDS:
                raise
            # The name belongs to another item (perhaps a deleted one): the SKU tells them apart.
            renamed = body | {"name": _apart(body["name"], draft)}
            self._create_item(draft, renamed, order_id)

    def _create_item(self, draft: ItemDraft, body: Mapping[str, Any], order_id: int | None) -> None:
        self._written(
            StepKind.CREATE_ITEM,
            draft.key,
            body,
            order_id,
            lambda answer: item_links(
                answer, key=draft.key, sku=draft.sku, content=self._baseline(draft)
            ),
            lambda: self._ledger.link("item", draft.key) is not None,
            baseline=self._baseline(draft),
        )

    # -- both

    def _finish(self, kind: StepKind, same: Callable[[Mapping[str, Any]], bool]) -> None:
        """See to creations of the same that an order left without an answer when it broke off.

        Whose lock is held has no creation under way.
        """
        for intent in self._ledger.open_intents():
            if intent.kind == kind.value and same(intent.payload["body"]):
                self._look(intent)

    def _stands(self, kind: LinkKind, key: str, content_hash: str) -> bool:
        link = self._ledger.link(kind, key)
        return link is not None and link.content_hash == content_hash

    def _written(
        self,
        kind: StepKind,
        key: str,
        body: Mapping[str, Any],
        order_id: int | None,
        links: Callable[[Any], list[Link]],
        is_there: Callable[[], bool],
        *,
        remote_id: int | None = None,
        baseline: str | None = None,
    ) -> None:
        """Write until it is known to be done: after an unknown outcome look, then perhaps again.

        Raises:
            Refused: FreshBooks declined, or kept saying that another request is at it.
        """
        pauses = iter(CONFLICT_PAUSES)
        while True:
            try:
                self._writer.write(
                    kind=kind,
                    key=key,
                    body=body,
                    order_id=order_id,
                    remote_id=remote_id,
                    content=baseline,
                    links=links,
                )
            except Unanswered as unknown:
                self._settle_unknown(unknown)
                if is_there():
                    return
                continue
            except Conflict as conflict:
                pause = next(pauses, None)
                if pause is None or conflict.field in NAME_FIELDS:
                    raise
                self._sleep(pause)
                continue
            return


def store_currency(ledger: Ledger | LedgerOverlay) -> str | None:
    """The store's own currency, in which the catalogue's prices are; None while unknown."""
    store = next(iter(ledger.bodies("store")), None)
    return str(store["currency"]) if store and store.get("currency") else None


def _same_client(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    email = str(one.get("email", "")).casefold()
    if email or other.get("email"):
        return email == str(other.get("email", "")).casefold()
    return one.get("organization") == other.get("organization")


def _same_item(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    # By the name only where neither has an SKU: otherwise they are items of different locks.
    key = "sku" if one.get("sku") or other.get("sku") else "name"
    return one.get(key) == other.get(key)


def _email_key(draft: ClientDraft) -> str:
    return email_key(draft.email) if draft.email else draft.key


def _apart(name: str, draft: ItemDraft) -> str:
    """The item's name where the plain one belongs to another item."""
    return f"{name} ({draft.sku or draft.key})"


def _client_link(key: str, remote_id: int, content_hash: str | None) -> Link:
    return Link(kind="client", key=key, remote_id=remote_id, content_hash=content_hash)
