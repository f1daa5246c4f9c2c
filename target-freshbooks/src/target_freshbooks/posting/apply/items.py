"""The items of one run: found before they are made, made once, and changed only if ours."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from target_freshbooks.books import item_body, items_of_product
from target_freshbooks.books.desired import ItemDraft
from target_freshbooks.books.items import is_of_lines
from target_freshbooks.capabilities import FRESHBOOKS, clean
from target_freshbooks.freshbooks.errors import Refused
from target_freshbooks.freshbooks.observed import ACTIVE, DELETED, ObservedItem
from target_freshbooks.freshbooks.refusals import RefusalKind, classify
from target_freshbooks.ledger import Ledger, Link
from target_freshbooks.posting.apply import ownership
from target_freshbooks.posting.apply.upsert import Upserts
from target_freshbooks.posting.apply.writer import item_links, sku_key
from target_freshbooks.posting.digests import request_digest
from target_freshbooks.posting.facts import product_of
from target_freshbooks.posting.plan.steps import StepKind


class ItemUpserts(Upserts):
    """Finds, makes and changes items."""

    CREATION = StepKind.CREATE_ITEM

    def names_of(
        self, drafts: Iterable[ItemDraft], order_id: int | None, *, make: bool = True
    ) -> dict[str, str]:
        """Item key → the name FreshBooks has for it; each is found, or made once.

        With `make` false one that is not found has the name that the shop gives it.
        """
        return {draft.key: self._name_of(draft, order_id, make=make) for draft in drafts}

    def _name_of(self, draft: ItemDraft, order_id: int | None, *, make: bool) -> str:
        # By SKU or name, not by key: two products that share an SKU share the item.
        with self._held("item", draft.sku or draft.name):
            link = self._ledger.links.get("item", draft.key)
            if link is None and not make:
                link = self._standing(draft)
                if link is None:
                    return draft.name
            link = link or self._find_or_make(
                (draft.name, apart(draft)),
                lambda _: self._standing(draft),
                lambda name: self._create(draft, item_body(draft) | {"name": name}, order_id),
            )
            return str(link.extra["name"])

    # -- finding and making

    def _standing(self, draft: ItemDraft) -> Link | None:
        """The link to an item that is there already; one just found is not ours."""
        body = item_body(draft)
        self._finish(StepKind.CREATE_ITEM, lambda sent: _same(sent, body))
        link = self._ledger.links.get("item", draft.key)
        if link is not None:
            return link
        item = self._of_sku(draft.sku) or self._found(draft)
        if item is None:
            return None
        own, *by_sku = item_links(item, key=draft.key, sku=draft.sku, content=self._baseline(draft))
        if self._ledger.links.has_remote("item", item.id):
            # One SKU on two products: the first keeps the item's name to itself.
            own = replace(own, extra=own.extra | {"shared": True})
        for link in (own, *by_sku):
            self._ledger.links.put(link)
        return own

    def _of_sku(self, sku: str) -> ObservedItem | None:
        """The item the ledger knows by its SKU, which searches may not show yet.

        Read by its id: since it was linked a person, or a change of the product, may have deleted
        it or given it another SKU.
        """
        link = self._ledger.links.get("item", sku_key(sku)) if sku else None
        if link is None or link.remote_id < 0:  # one that is only planned
            return None
        item = self._books.items.standing(link.remote_id)
        return item if item is not None and item.sku == sku else None

    def _found(self, draft: ItemDraft) -> ObservedItem | None:
        if draft.sku:
            items = self._books.items
            rows = items.cached_of_sku(draft.sku) or items.of_sku(draft.sku)
        else:
            any_sku = is_of_lines(draft.key)  # its name is all that such an item is
            namesakes = [self._books.items.named(name) for name in (draft.name, apart(draft))]
            rows = [row for named in namesakes for row in named if not row.sku or any_sku]
        rows = [row for row in rows if row.vis_state != DELETED]
        rows.sort(key=lambda row: (row.vis_state != ACTIVE, row.id))
        return rows[0] if rows else None

    def _create(self, draft: ItemDraft, body: Mapping[str, Any], order_id: int | None) -> Link:
        baseline = self._baseline(draft)

        def links(answer: ObservedItem) -> list[Link]:
            extra = ownership.made(answer)
            return item_links(answer, key=draft.key, sku=draft.sku, content=baseline, extra=extra)

        try:
            return self._make(StepKind.CREATE_ITEM, draft.key, body, order_id, links, baseline)
        except Refused as refused:
            if classify(refused).kind is RefusalKind.TAKEN:
                # By another item (perhaps a deleted one), or by this one, made by somebody else
                # since we looked.
                self._books.items.forget()
            raise

    def _baseline(self, draft: ItemDraft) -> str | None:
        """Digest of the item as the catalogue has it now: a later one that differs is a change."""
        product_id = draft.key.split(":")[1] if draft.key.startswith("variant:") else ""
        product = product_of(self._ledger, int(product_id)) if product_id else None
        if product is None:
            return None
        for now in items_of_product(product, store_currency(self._ledger) or ""):
            if now.key == draft.key:
                return request_digest(item_body(now))
        return None

    # -- changing

    def update(self, draft: ItemDraft) -> bool:
        """Carry the catalogue's record over to the item made for it.

        Returns:
            Whether something was written.
        """
        with self._held("item", draft.sku or draft.name):
            link = self._ledger.links.get("item", draft.key)
            if link is None or not ownership.is_made(link):
                return False
            wanted = item_body(draft)
            content = request_digest(wanted)
            first_met = link.content_hash is None and link.extra.get("name") == draft.name
            if first_met:
                # Made from an order's line: the catalogue's price and options are no change of it.
                self._ledger.links.put(replace(link, content_hash=content))
            if first_met or link.content_hash == content:
                return False
            standing = self._books.items.standing(link.remote_id)
            if standing is None:
                self._ledger.links.drop("item", draft.key)  # made again when it is sold
                return False
            called = apart(draft)
            if standing.name == called:
                wanted["name"] = called
            return self._change(
                StepKind.UPDATE_ITEM,
                replace(link, extra=link.extra | {"name": standing.name}),
                standing,
                wanted,
                content,
                instead=lambda refused: {**refused, "name": called},
                links=lambda answer, own: item_links(
                    answer, key=own.key, sku=answer.sku, content=own.content_hash, extra=own.extra
                ),
            )


def store_currency(ledger: Ledger) -> str | None:
    """The store's own currency, in which the catalogue's prices are; None while unknown."""
    store = ledger.inbox.shop()
    currency = store and store.get("currency")
    return currency if isinstance(currency, str) and currency else None


def apart(draft: ItemDraft) -> str:
    """The item's name if the plain one belongs to another item."""
    suffix = f" ({draft.sku or draft.key})"
    return f"{clean(draft.name, max(FRESHBOOKS.name_length - len(suffix), 1))}{suffix}"


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    # By the name only if neither has an SKU: otherwise they are items of different locks.
    key = "sku" if one.get("sku") or other.get("sku") else "name"
    return one.get(key) == other.get(key)
