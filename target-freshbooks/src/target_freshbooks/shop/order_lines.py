"""Record decoding inside an order: its lines, fees and shipping addresses with their costs."""

from target_freshbooks.money import ZERO
from target_freshbooks.shop.facts import Cost, Fee, OrderLine, ShippingAddress
from target_freshbooks.shop.fields import Fields


def read_line(fields: Fields) -> OrderLine:
    """A v2 order product."""
    quantity = fields.required_money("quantity")
    price_ex = fields.money("price_ex_tax", "base_price")
    price_inc = fields.money("price_inc_tax", default=price_ex)
    total_ex = fields.money("total_ex_tax", default=price_ex * quantity)
    total_inc = fields.money("total_inc_tax", default=price_inc * quantity)
    return OrderLine(
        id=fields.integer("id"),
        product_id=fields.optional_integer("product_id") or 0,
        variant_id=fields.optional_integer("variant_id") or 0,
        name=fields.text("name", "name_customer", "name_merchant"),
        sku=fields.text("sku"),
        type=fields.text("type").lower() or "physical",
        quantity=quantity,
        price_ex_tax=price_ex,
        total_ex_tax=total_ex,
        total_inc_tax=total_inc,
        total_tax=fields.money("total_tax", default=total_inc - total_ex),
        discounted_total_inc_tax=fields.optional_money("discounted_total_inc_tax"),
        discounts=tuple(abs(row.money("amount")) for row in fields.rows("applied_discounts")),
        options=_options(fields),
        wrapping=_wrapping(fields),
        wrapping_name=fields.text("wrapping_name"),
    )


def _options(fields: Fields) -> tuple[tuple[str, str], ...]:
    pairs = (
        (
            row.text("display_name", "display_name_customer", "name"),
            row.text("display_value", "display_value_customer", "value"),
        )
        for row in fields.rows("product_options")
    )
    return tuple(pair for pair in pairs if pair[1])


def _wrapping(fields: Fields) -> Cost | None:
    cost = read_cost(fields, "wrapping_cost")
    return cost if cost.ex_tax or cost.inc_tax else None


def read_cost(fields: Fields, name: str) -> Cost:
    """The cost under `<name>_ex_tax`, `_inc_tax` and `_tax`; what is missing is worked out."""
    ex = fields.optional_money(f"{name}_ex_tax", f"{name}_exc_tax")
    inc = fields.optional_money(f"{name}_inc_tax")
    tax = fields.optional_money(f"{name}_tax")
    if ex is None and inc is None:
        ex = fields.money(f"base_{name}")
    if inc is None:
        inc = (ex or ZERO) + (tax or ZERO)
    if ex is None:
        ex = inc - (tax or ZERO)
    return Cost(ex, inc, inc - ex if tax is None else tax)


def read_fee(fields: Fields) -> Fee:
    """An order fee."""
    return Fee(
        id=fields.optional_integer("id") or 0,
        name=fields.text("display_name_customer", "display_name_merchant", "name"),
        cost=read_cost(fields, "cost"),
    )


def read_addresses(fields: Fields) -> tuple[ShippingAddress, ...]:
    """The shipping addresses with their costs, from the order's consignments."""
    return tuple(
        ShippingAddress(
            row.integer("id"),
            read_cost(row, "cost"),
            read_cost(row, "handling_cost"),
            tuple(filter(None, (row.text("country_iso2").upper(), row.text("state")))),
        )
        for row in fields.inside("consignments").rows("shipping")
        if row.optional_integer("id")
    )
