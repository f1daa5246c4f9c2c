"""Record decoding: from the shop's records to facts.

Records have BigCommerce's own field names: v2 for orders, order products, fees and order taxes; v3
for transactions, refunds, customers and products. A field nobody needs is not looked at, a field
that may be absent is taken as nothing, and a record that cannot be understood raises `ReadError`
with the field and what is wrong there, since a guess would be booked.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from target_freshbooks.money import ZERO, total
from target_freshbooks.shop.facts import (
    Address,
    Customer,
    FormFields,
    Order,
    OrderFacts,
    Product,
    Refund,
    RefundItem,
    RefundPayment,
    TaxRow,
    Transaction,
    Variant,
)
from target_freshbooks.shop.fields import Fields, ReadError
from target_freshbooks.shop.order_lines import read_addresses, read_cost, read_fee, read_line

__all__ = [
    "ReadError",
    "read_customer",
    "read_facts",
    "read_order",
    "read_product",
    "read_refund",
    "read_tax_row",
    "read_timezone",
    "read_transaction",
]

_ID = re.compile("[0-9]{1,18}")


def read_facts(
    order: Mapping[str, Any],
    transactions: Iterable[Mapping[str, Any]] = (),
    refunds: Iterable[Mapping[str, Any]] = (),
    taxes: Iterable[Mapping[str, Any]] = (),
    customer: Mapping[str, Any] | None = None,
    store: Mapping[str, Any] | None = None,
) -> OrderFacts:
    """Everything known of one order but for products.

    Raises:
        ReadError: A record cannot be understood.
    """
    placed = read_order(order)
    return OrderFacts(
        order=placed,
        transactions=tuple(sorted(map(read_transaction, transactions), key=lambda row: row.id)),
        refunds=tuple(sorted(map(read_refund, refunds), key=lambda row: row.id)),
        taxes=tuple(_at_its_place(read_tax_row(row), placed) for row in taxes),
        customer=read_customer(customer) if customer else None,
        store_timezone=read_timezone(store),
        store_country=str((store or {}).get("country_code") or "").upper(),
    )


def _at_its_place(row: TaxRow, order: Order) -> TaxRow:
    """The tax row with where it was charged: at its shipping address, else where the bill goes."""
    shipped = [one.places for one in order.addresses if one.id == row.address_id and one.places]
    return replace(row, places=shipped[0] if shipped else order.places)


def read_timezone(store: Mapping[str, Any] | None) -> str:
    """The name of the time zone in a v2 store; empty where there is none that can be read."""
    try:
        return Fields(store or {}, "store").inside("timezone").text("name")
    except ReadError:
        return ""  # told by `calendar.zone`, unless the setting names another


def read_order(body: Mapping[str, Any]) -> Order:
    """A v2 order with `line_items`, `fees` and `consignments` inside.

    Raises:
        ReadError: A field that the books need is missing or no such thing.
    """
    fields = Fields(body)
    if parts := list(map(str, body.get("unreadable_parts") or ())):
        named = ", ".join(path.rpartition("/")[2] for path in parts)
        asked = ", GET ".join(parts)
        raise ReadError(named, f"of order {fields.integer('id')} cannot be read (GET {asked})")
    if "line_items" not in body:
        raise ReadError("line_items", "is missing: the order came without its lines")
    store_hash = fields.required_text("store_hash")
    inc, ex, tax = _totals(fields)
    return Order(
        id=fields.integer("id"),
        store_hash=store_hash,
        customer_id=fields.optional_integer("customer_id") or 0,
        created=fields.moment("date_created"),
        modified=fields.moment("date_modified" if fields.text("date_modified") else "date_created"),
        status_id=fields.integer("status_id"),
        payment_method=fields.text("payment_method"),
        payment_status=fields.text("payment_status").lower(),
        archived=fields.flag("is_deleted"),
        source=fields.text("order_source"),
        external_source=fields.text("external_source"),
        channel_id=fields.optional_integer("channel_id") or 0,
        currency=_currency(fields),
        tax_inclusive=fields.flag("is_tax_inclusive_pricing"),
        total_ex_tax=ex,
        total_inc_tax=inc,
        total_tax=tax,
        shipping=read_cost(fields, "shipping_cost"),
        handling=read_cost(fields, "handling_cost"),
        wrapping=read_cost(fields, "wrapping_cost"),
        discount_amount=abs(fields.money("discount_amount")),
        coupon_discount=abs(fields.money("coupon_discount")),
        store_credit=fields.money("store_credit_amount"),
        gift_certificate=fields.money("gift_certificate_amount"),
        billing=read_address(fields.inside("billing_address")),
        # A line that was edited away has the quantity 0.
        lines=tuple(
            read_line(row)
            for row in fields.rows("line_items")
            if row.required_money("quantity") != 0
        ),
        fees=tuple(read_fee(row) for row in fields.rows("fees")),
        form_fields=_form_fields(fields.inside("billing_address").body),
        addresses=read_addresses(fields),
        transactions_truncated=fields.flag("transactions_truncated"),
    )


def _currency(fields: Fields) -> str:
    """The currency of the amounts: the one named, or the one shown if both have the same id."""
    if not fields.text("default_currency_code"):
        paid, shown = (fields.optional_integer(f"{of}currency_id") for of in ("default_", ""))
        if paid and paid == shown:
            return fields.required_text("currency_code").upper()
    return fields.required_text("default_currency_code").upper()


def _totals(fields: Fields) -> tuple[Decimal, Decimal, Decimal]:
    inc = fields.required_money("total_inc_tax")
    ex, tax = fields.optional_money("total_ex_tax"), fields.optional_money("total_tax")
    if tax is None:
        tax = ZERO if ex is None else inc - ex
    return inc, inc - tax if ex is None else ex, tax


def read_address(fields: Fields) -> Address:
    """A v2 order address, or a v3 customer address with its other names."""
    return Address(
        first_name=fields.text("first_name"),
        last_name=fields.text("last_name"),
        company=fields.text("company"),
        street_1=fields.text("street_1", "address1"),
        street_2=fields.text("street_2", "address2"),
        city=fields.text("city"),
        state=fields.text("state", "state_or_province"),
        zip=fields.text("zip", "postal_code"),
        country=fields.text("country", "country_iso2", "country_code"),
        email=fields.text("email"),
        country_code=fields.text("country_iso2", "country_code").upper(),
    )


def _form_fields(body: Mapping[str, Any]) -> FormFields:
    """The form fields that hold text; no other, and no odd list of them, keeps from booking."""
    try:
        rows = Fields(body).rows("form_fields")
    except ReadError:
        return ()
    pairs = ((row.body.get("name"), row.body.get("value")) for row in rows)
    return tuple((str(name), str(value)) for name, value in pairs if isinstance(value, str | int))


def read_transaction(body: Mapping[str, Any]) -> Transaction:
    """A v3 transaction."""
    fields = Fields(body, f"transaction {body.get('id', '?')}")
    status = fields.text("status").lower()
    event = fields.text("event").lower()
    # One that failed, or took another back, moved nothing, and may not say of how much.
    moved = status == "ok" and event != "void"
    amount = fields.required_money("amount") if moved else fields.money("amount")
    return Transaction(
        id=fields.integer("id"),
        event=event,
        method=fields.text("method").lower(),
        gateway=fields.text("gateway").lower(),
        amount=amount,
        currency=fields.text("currency").upper(),
        created=fields.moment("date_created"),
        status=status,
        test=fields.flag("test"),
        reference_id=fields.optional_integer("reference_transaction_id"),
        payment_method_id=fields.text("payment_method_id").lower(),
    )


def read_refund(body: Mapping[str, Any]) -> Refund:
    """A v3 refund."""
    fields = Fields(body, f"refund {body.get('id', '?')}")
    return Refund(
        id=fields.integer("id"),
        created=fields.moment("created"),
        total_amount=fields.required_money("total_amount"),
        total_tax=fields.money("total_tax"),
        items=tuple(
            RefundItem(
                item_type=item.text("item_type").upper(),
                item_id=item.optional_integer("item_id") or 0,
                quantity=item.optional_money("quantity"),
                requested_amount=item.optional_money("requested_amount"),
                adjustment=total(row.money("amount") for row in item.rows("adjustments")),
            )
            for item in fields.rows("items")
        ),
        payments=tuple(map(_refund_payment, fields.rows("payments"))),
    )


def _refund_payment(fields: Fields) -> RefundPayment:
    transaction, amount = fields.text("transaction_id"), fields.required_money("amount")
    if amount < 0:
        raise ReadError(fields.place("amount"), "is below zero")
    return RefundPayment(
        provider_id=fields.text("provider_id").lower(),
        amount=amount,
        declined=fields.flag("is_declined"),
        # A gateway's own id may stand here; only BigCommerce's are numbers.
        transaction_id=int(transaction) if _ID.fullmatch(transaction) else None,
    )


def read_tax_row(body: Mapping[str, Any]) -> TaxRow:
    """A v2 order tax, with or without `details`."""
    fields = Fields(body, f"order tax {body.get('id', '?')}")
    return TaxRow(
        name=fields.text("name"),
        tax_class=fields.text("class"),
        rate=fields.money("rate"),
        priority=fields.optional_integer("priority") or 0,
        amount=fields.money("line_amount", "priority_amount"),
        item_type=fields.text("line_item_type").lower(),
        line_id=fields.optional_integer("order_product_id") or None,
        address_id=fields.optional_integer("order_address_id") or None,
    )


def read_customer(body: Mapping[str, Any]) -> Customer:
    """A v3 customer; of several addresses the first."""
    fields = Fields(body, f"customer {body.get('id', '?')}")
    addresses = fields.rows("addresses")
    return Customer(
        id=fields.integer("id"),
        email=fields.text("email"),
        first_name=fields.text("first_name"),
        last_name=fields.text("last_name"),
        company=fields.text("company"),
        address=read_address(addresses[0]) if addresses else None,
        form_fields=_form_fields(body),
    )


def read_product(body: Mapping[str, Any]) -> Product:
    """A v3 catalog product with its variants."""
    fields = Fields(body, f"product {body.get('id', '?')}")
    return Product(
        id=fields.integer("id"),
        name=fields.text("name"),
        sku=fields.text("sku"),
        price=fields.optional_money("price"),
        variants=tuple(
            Variant(
                id=variant.integer("id"),
                sku=variant.text("sku"),
                price=variant.optional_money("price"),
                options=tuple(
                    (option.text("option_display_name"), option.text("label"))
                    for option in variant.rows("option_values")
                ),
            )
            for variant in fields.rows("variants")
        ),
    )
