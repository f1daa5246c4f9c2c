"""FreshBooks items: one for each thing the shop sells, found again under the shop's own identity.

An item stands for a variant of a product, since that is what has a SKU and a price. A custom
product (typed into one order) has no identity but its SKU or its name. What a line is otherwise
called (Shipping, Discount, Rounding, a fee, a gift certificate) is an item too, once for the
account, since it is on items that FreshBooks keeps the income accounts. An item's price is a
default for invoices typed by hand; the lines of posted orders say their own, and keep their name
and price when the item is renamed later.
"""

from collections.abc import Iterable
from typing import Any

from target_freshbooks.books.desired import ExactLine, InvoiceLine, ItemDraft, round_trip
from target_freshbooks.capabilities import FRESHBOOKS, clean
from target_freshbooks.money import ZERO, in_currency
from target_freshbooks.shop.facts import Order, OrderFacts, OrderLine, Product

_LINE = "line:"


def item_key(line: OrderLine) -> str:
    """The ledger key of the line's item; empty for a line that is none (gift certificates)."""
    if line.type == "giftcertificate":
        return ""
    if line.product_id:
        return f"variant:{line.product_id}:{line.variant_id}"
    sku = clean(line.sku, FRESHBOOKS.sku_length)
    return (
        f"sku:{sku}"
        if sku
        else f"name:{clean(line.name, FRESHBOOKS.name_length, f'Item {line.id}')}"
    )


def line_key(name: str) -> str:
    """The ledger key of the item for lines that are no product's, by what they are called."""
    return f"{_LINE}{name}"


def is_of_lines(key: str) -> bool:
    """Whether the item is one for lines that are no product's."""
    return key.startswith(_LINE)


def catalogued(order: Order) -> tuple[int, ...]:
    """The products that an order's items need the catalogue for: those of lines without SKU."""
    return tuple(
        dict.fromkeys(
            line.product_id
            for line in order.lines
            if line.product_id and item_key(line) and not line.sku
        )
    )


def items_for(facts: OrderFacts, lines: Iterable[InvoiceLine | ExactLine]) -> tuple[ItemDraft, ...]:
    """The items of the order and of all lines its invoice may get, each once."""
    item_by_key: dict[str, ItemDraft] = {}
    for line in facts.order.lines:
        key = item_key(line)
        if key and key not in item_by_key:
            item_by_key[key] = _from_line(key, line, facts.order, facts.products)
    for other in lines:
        key = other.item_key
        if is_of_lines(key) and key not in item_by_key:
            item_by_key[key] = ItemDraft(key, other.name, "", "", ZERO, facts.order.currency)
    return tuple(item_by_key.values())


def _from_line(key: str, line: OrderLine, order: Order, products: tuple[Product, ...]) -> ItemDraft:
    product = next((p for p in products if p.id == line.product_id and p.id), None)
    return ItemDraft(
        key=key,
        name=clean(line.name, FRESHBOOKS.name_length, f"Item {line.product_id or line.id}"),
        sku=clean(line.sku or _catalog_sku(product, line.variant_id), FRESHBOOKS.sku_length),
        description=clean(options_in_words(line.options), FRESHBOOKS.description_length),
        unit_cost=in_currency(line.price_ex_tax, order.currency),
        currency=order.currency,
    )


def _catalog_sku(product: Product | None, variant_id: int) -> str:
    """The variant's SKU, else the product's."""
    if product is None:
        return ""
    own = next((v.sku for v in product.variants if v.id == variant_id), "")
    return own or product.sku


def items_of_product(product: Product, currency: str) -> tuple[ItemDraft, ...]:
    """The items of a catalog product: one for each variant.

    Args:
        product: The product as the catalog has it now.
        currency: The store's currency, in which the catalog's prices are.
    """
    return tuple(
        ItemDraft(
            key=f"variant:{product.id}:{variant.id}",
            name=clean(product.name, FRESHBOOKS.name_length, f"Item {product.id}"),
            sku=clean(variant.sku or product.sku, FRESHBOOKS.sku_length),
            description=clean(options_in_words(variant.options), FRESHBOOKS.description_length),
            unit_cost=in_currency(
                next((p for p in (variant.price, product.price) if p is not None), ZERO), currency
            ),
            currency=currency,
        )
        for variant in product.variants
    )


def options_in_words(options: tuple[tuple[str, str], ...]) -> str:
    """The options chosen, each after what it is called."""
    return "; ".join(f"{name}: {value}" if name else value for name, value in options)


def item_body(draft: ItemDraft) -> dict[str, Any]:
    """The item as FreshBooks takes it; stock is not tracked (`inventory` is left alone)."""
    body: dict[str, Any] = {
        "name": draft.name,
        "description": draft.description,
        "unit_cost": {"amount": round_trip(draft.unit_cost), "code": draft.currency},
    }
    return body | ({"sku": draft.sku} if draft.sku else {})
