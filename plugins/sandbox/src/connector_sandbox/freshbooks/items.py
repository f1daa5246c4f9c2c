"""Items and taxes: the price list, and the named rates that lines may refer to."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from connector_sandbox.freshbooks import errors, search, values
from connector_sandbox.freshbooks.resource import ACTIVE, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector_sandbox.freshbooks.records import Document
    from connector_sandbox.freshbooks.search import Filter


class Items(Resource):
    """The items (``items/items``): ``qty`` is a line's default, ``inventory`` the stock."""

    singular = "item"
    plural = "items"
    path = "items/items"
    scope = "billable_items"
    id_field = "itemid"
    first_id = 4331
    columns: ClassVar[Sequence[str]] = ("sku", "name")

    def blank(self, record_id: int) -> Document:
        """An item without a name."""
        return {
            **self.base(record_id),
            "name": "",
            "description": "",
            "qty": "1",
            "sku": None,
            "inventory": None,
            "unit_cost": values.money(Decimal(0), self.account.home_currency),
            "tax1": 0,
            "tax2": 0,
            "vis_state": ACTIVE,
        }

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields."""
        self.take_text(document, body, ("name",), "fb.item_name_max")
        self.take_text(document, body, ("sku",), "fb.item_sku_max")
        self.take_text(document, body, ("description",))
        if not (document["name"] or "").strip():
            raise errors.required(self.singular, "name")
        for field in ("qty", "inventory"):
            if field in body and body[field] is not None:
                number = values.decimal(self.singular, field, body[field])
                document[field] = values.plain(number)
            elif field in body and field == "inventory":
                document[field] = None
        if body.get("unit_cost") is not None:
            code = body["unit_cost"].get("code") if isinstance(body["unit_cost"], dict) else None
            currency = str(code or document["unit_cost"]["code"])
            cost = values.sum_of_money(
                self.singular, "unit_cost", body["unit_cost"], currency, other_currency="ignore"
            )
            document["unit_cost"] = self.account.unit_cost(cost, currency)
        for field in ("tax1", "tax2"):
            if field in body:
                document[field] = values.whole(self.singular, field, body[field] or 0)
        self._unique(document, "name", self.switches["fb.item_name_unique"])
        self._unique(document, "sku", self.switches["fb.item_sku_unique"])
        del creating

    def own_filters(self) -> dict[str, Filter]:
        """The documented keys; there is none for the name."""
        return {
            "itemid": search.same_number("itemid", column="id"),
            "itemids": search.same_number("itemid", column="id"),
            "sku": search.same_text("sku", column="sku"),
            "description": search.like("description"),
            "unit_cost_min": search.number_from(_cost, "unit_cost_min"),
            "unit_cost_max": search.number_until(_cost, "unit_cost_max"),
            "inventory_min": search.number_from(lambda row: row["inventory"], "inventory_min"),
            "inventory_max": search.number_until(lambda row: row["inventory"], "inventory_max"),
            "qty_min": search.number_from(lambda row: row["qty"], "qty_min"),
            "qty_max": search.number_until(lambda row: row["qty"], "qty_max"),
        }

    def move_stock(self, before: Sequence[Document], after: Sequence[Document]) -> None:
        """Take what an invoice's lines now sell off the stock of the items of those names."""
        moved: dict[str, Decimal] = {}
        for sign, lines in ((1, before), (-1, after)):
            for line in lines:
                name = line["name"] or ""
                moved[name] = moved.get(name, Decimal(0)) + sign * Decimal(line["qty"])
        for name, change in moved.items():
            if not name or not change:
                continue
            for item in self.records.documents(name=name):
                if item["inventory"] is not None and item["name"] == name:
                    item["inventory"] = values.plain(Decimal(item["inventory"]) + change)
                    self.records.update(item["id"], item)

    def _unique(self, document: Document, field: str, switch: str) -> None:
        if switch != "no" and document[field] and self.is_taken(document, field):
            words = f"An item with this {field} already exists."
            status = 409 if switch == "409" else 422
            raise errors.exists(self.singular, field, document[field], words, status)


class Taxes(Resource):
    """The taxes (``taxes/taxes``): unique names, deleted for good, no ``vis_state``."""

    singular = "tax"
    plural = "taxes"
    path = "taxes/taxes"
    scope = "taxes"
    id_field = "taxid"
    first_id = 7840
    columns: ClassVar[Sequence[str]] = ("name",)
    deletes_over_http = "hard"

    def blank(self, record_id: int) -> Document:
        """A tax without a name."""
        return {
            **self.base(record_id),
            "name": "",
            "amount": "0",
            "number": None,
            "compound": False,
        }

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields."""
        self.take_text(document, body, ("name", "number"))
        if not document["name"]:
            raise errors.required(self.singular, "name")
        if "amount" in body:
            document["amount"] = values.percent(
                self.singular, "amount", body["amount"], self.switches
            )
        if "compound" in body:
            document["compound"] = bool(body["compound"])
        if self.is_taken(document, "name"):
            words, value = "A tax with this name exists already.", document["name"]
            raise errors.invalid(self.singular, "name", value, words, errno=errors.DUPLICATE_TAX)
        del creating

    def own_filters(self) -> dict[str, Filter]:
        """The documented keys."""
        return {
            "taxid": search.same_number("taxid", column="id"),
            "taxids": search.same_number("taxid", column="id"),
            "name": search.like("name"),
            "number": search.like("number"),
            "compound": search.truth(lambda row: bool(row["compound"]), "compound"),
        }

    def named(self, name: str | None) -> Document | None:
        """The tax of that name, if there is one."""
        if not name:
            return None
        found = [row for row in self.records.documents(name=name) if row["name"] == name]
        return found[0] if found else None


def _cost(row: Document) -> str | None:
    return None if row["unit_cost"] is None else str(row["unit_cost"]["amount"])
