"""Items and taxes: the price list, and the named rates that lines may refer to."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connector_sandbox.documents import Document
from connector_sandbox.filters import Filter, like
from connector_sandbox.freshbooks import errors, search, values
from connector_sandbox.freshbooks.readers import flag, own_currency, percent, text, whole
from connector_sandbox.freshbooks.resource import Kind, Resource
from connector_sandbox.freshbooks.templates import BLANK


def _number(of: Resource, name: str, sent: Any) -> str | None:  # noqa: ANN401 - JSON
    """A number as text, or none."""
    kind = of.kind.singular
    return None if sent is None else values.plain(values.decimal(kind, name, sent))


class Items(Resource):
    """The items (``items/items``): ``qty`` is a line's default, ``inventory`` the stock."""

    kind = Kind(
        singular="item",
        path="items/items",
        scope="billable_items",
        id_field="itemid",
        first_id=4331,
        indexed=("sku", "name"),
        blank=BLANK["item"],
        fields={
            "name": text("fb.item_name_max"),
            "sku": text("fb.item_sku_max"),
            "description": text(),
            "inventory": _number,
            "tax1": whole,
            "tax2": whole,
        },
    )

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields."""
        del creating
        kind = self.kind.singular
        self.take(document, body)
        nameless = not (document["name"] or "").strip()
        errors.refuse(nameless, errors.required(kind, "name"))
        if body.get("qty") is not None:
            document["qty"] = _number(self, "qty", body["qty"])
        if body.get("unit_cost") is not None:
            cost = own_currency(self, "unit_cost", body["unit_cost"], document)
            document["unit_cost"] = self.account.unit_cost(*cost)
        for field in ("name", "sku"):
            words = f"An item with this {field} already exists."
            self.refuse_taken(document, field, words, self.switches[f"fb.item_{field}_unique"])

    def filters(self) -> dict[str, Filter]:
        """The documented keys; there is none for the name."""
        compared = {"unit_cost": "unit_cost.amount", "inventory": "inventory", "qty": "qty"}
        return {
            **super().filters(),
            **self.ids("id", "itemid"),
            "sku": search.same_text("sku"),
            "description": like(search.at("description")),
            **{
                f"{name}_{end}": search.amount(field, sign, f"{name}_{end}")
                for name, field in compared.items()
                for end, sign in (("min", ">="), ("max", "<="))
            },
        }

    def move_stock(self, before: Sequence[Document], after: Sequence[Document]) -> None:
        """Take what an invoice's lines now sell off the stock of the items of those names."""
        moved: dict[str, Decimal] = {}
        for sign, lines in ((1, before), (-1, after)):
            for line in lines:
                name = line["name"] or ""
                moved[name] = moved.get(name, Decimal(0)) + sign * Decimal(line["qty"])
        for name, change in moved.items():
            for item in self.records.documents(name=name) if name and change else ():
                if item["inventory"] is not None and item["name"] == name:
                    item["inventory"] = values.plain(Decimal(item["inventory"]) + change)
                    self.records.update(item["id"], item)


class Taxes(Resource):
    """The taxes (``taxes/taxes``): unique names, deleted for good, no ``vis_state``."""

    kind = Kind(
        singular="tax",
        path="taxes/taxes",
        scope="taxes",
        id_field="taxid",
        first_id=7840,
        indexed=("name",),
        deletes_over_http="hard",
        blank=BLANK["tax"],
        fields={"name": text(), "number": text(), "amount": percent, "compound": flag},
    )

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields."""
        del creating
        self.take(document, body)
        name = document["name"]
        errors.refuse(not name, errors.required(self.kind.singular, "name"))
        words = "A tax with this name exists already."
        taken = self.is_taken(document, "name")
        self.refuse(taken, "name", name, words, errors.DUPLICATE_TAX)

    def filters(self) -> dict[str, Filter]:
        """The documented keys."""
        return {
            **super().filters(),
            **self.ids("id", "taxid"),
            "name": like("name"),
            "number": like(search.at("number")),
            "compound": search.truth(search.at("compound"), "compound"),
        }

    def named(self, name: str | None) -> Document | None:
        """The tax of that name, if there is one."""
        same = self.records.documents(name=name) if name else ()
        return next((row for row in same if row["name"] == name), None)
