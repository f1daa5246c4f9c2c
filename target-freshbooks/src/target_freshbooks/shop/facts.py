"""Shop facts: what the shop says of an order, parsed; every accounting rule starts from them.

All money is `Decimal` in the order's transactional currency, exactly as the shop stores it (up to
four decimals); nothing is rounded here. All times are aware UTC. Nothing in this module computes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum


class OrderStatus(IntEnum):
    """BigCommerce's statuses of an order, as far as a rule names them."""

    INCOMPLETE = 0
    PENDING = 1
    REFUNDED = 4
    CANCELLED = 5
    DECLINED = 6
    AWAITING_PAYMENT = 7
    COMPLETED = 10
    TO_VERIFY = 12
    DISPUTED = 13
    PARTIALLY_REFUNDED = 14


FormFields = tuple[tuple[str, str], ...]
"""Name and value of each field of a form that the merchant made."""


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount with and without tax (shipping, handling, gift wrapping, a fee)."""

    ex_tax: Decimal
    inc_tax: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address with the person and the e-mail it belongs to; empty text where unknown."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    street_1: str = ""
    street_2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""
    email: str = ""
    country_code: str = ""
    """ISO 3166, two letters."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order product (BigCommerce v2 order products). `id` is what refunds refer to."""

    id: int
    product_id: int
    variant_id: int
    name: str
    sku: str
    type: str
    """`physical`, `digital` or `giftcertificate`."""
    quantity: Decimal
    price_ex_tax: Decimal
    total_ex_tax: Decimal
    total_inc_tax: Decimal
    total_tax: Decimal
    discounted_total_inc_tax: Decimal | None
    """Line total after all discounts, tax included; None where the shop does not say it."""
    discounts: tuple[Decimal, ...] = ()
    """The line's own and its shares of order discounts: the same money as the order's, not more."""
    options: tuple[tuple[str, str], ...] = ()
    """Display name and value of each chosen option."""
    wrapping: Cost | None = None
    wrapping_name: str = ""


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee of the order, with its own id since refunds may name it."""

    id: int
    name: str
    cost: Cost


@dataclass(frozen=True, slots=True)
class ShippingAddress:
    """What shipping and handling to one address of the order cost; refunds name its id."""

    id: int
    shipping: Cost
    handling: Cost
    places: tuple[str, ...] = ()
    """Its country's code and its state, as far as they are told."""


@dataclass(frozen=True, slots=True)
class TaxRow:
    """One tax on one thing (BigCommerce v2 order taxes with details)."""

    name: str
    tax_class: str
    rate: Decimal
    """Percent, e.g. 8.8750."""
    priority: int
    amount: Decimal
    item_type: str
    """`item`, `shipping`, `handling`, `gift-wrapping`, or empty where the shop does not say."""
    line_id: int | None
    address_id: int | None
    places: tuple[str, ...] = ()
    """Where it was charged: codes of the country and names of the state."""


@dataclass(frozen=True, slots=True)
class Order:
    """A BigCommerce v2 order."""

    id: int
    store_hash: str
    """The store it was placed in: order numbers are of a store's own."""
    customer_id: int
    created: datetime
    modified: datetime
    status_id: int
    payment_method: str
    payment_status: str
    """In lower case; empty where the shop says none."""
    archived: bool
    source: str
    """Through which channel it was ordered (`order_source`), such as `www`, `manual`, `amazon`."""
    external_source: str
    channel_id: int
    currency: str
    """The transactional currency (`default_currency_code`): the one of all amounts."""
    tax_inclusive: bool
    """True: the amounts with tax are the exact ones; False: those without."""
    total_ex_tax: Decimal
    total_inc_tax: Decimal
    total_tax: Decimal
    shipping: Cost
    handling: Cost
    wrapping: Cost
    discount_amount: Decimal
    coupon_discount: Decimal
    store_credit: Decimal
    gift_certificate: Decimal
    billing: Address
    lines: tuple[OrderLine, ...]
    fees: tuple[Fee, ...]
    form_fields: FormFields = ()
    """Of the billing address."""
    addresses: tuple[ShippingAddress, ...] = ()
    """Empty where the shop does not say what each address costs."""
    transactions_truncated: bool = False
    """The shop has more transactions of it than it gives."""

    @property
    def is_cancelled(self) -> bool:
        """Whether the shop took the order back: its status itself says that no money stands."""
        return self.status_id in (OrderStatus.CANCELLED, OrderStatus.DECLINED)

    @property
    def places(self) -> tuple[str, ...]:
        """The places of the only shipping address, else of the billing address."""
        shipped = {address.places for address in self.addresses} - {()}
        billed = tuple(filter(None, (self.billing.country_code, self.billing.state)))
        return shipped.pop() if len(shipped) == 1 else billed


@dataclass(frozen=True, slots=True)
class Transaction:
    """A payment event (BigCommerce v3 transactions)."""

    id: int
    event: str
    method: str
    gateway: str
    amount: Decimal
    currency: str
    created: datetime
    status: str
    test: bool
    reference_id: int | None = None
    payment_method_id: str = ""
    """E.g. `squarev2.card`; for the mapping of payment types."""


@dataclass(frozen=True, slots=True)
class RefundItem:
    """What was refunded."""

    item_type: str
    """`PRODUCT`, `GIFT_WRAPPING`, `SHIPPING`, `HANDLING`, `ORDER`, `FEE` or `TAX`."""
    item_id: int
    quantity: Decimal | None
    requested_amount: Decimal | None
    adjustment: Decimal
    """Sum of the item's adjustments, zero or negative."""


@dataclass(frozen=True, slots=True)
class RefundPayment:
    """How the money went back."""

    provider_id: str
    amount: Decimal
    declined: bool
    transaction_id: int | None


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund (BigCommerce v3 payment actions)."""

    id: int
    created: datetime
    total_amount: Decimal
    total_tax: Decimal
    items: tuple[RefundItem, ...]
    payments: tuple[RefundPayment, ...]


@dataclass(frozen=True, slots=True)
class Customer:
    """A registered customer (BigCommerce v3 customers)."""

    id: int
    email: str
    first_name: str
    last_name: str
    company: str
    address: Address | None
    form_fields: FormFields = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of a product (BigCommerce v3 catalog)."""

    id: int
    sku: str
    price: Decimal | None
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """A product (BigCommerce v3 catalog)."""

    id: int
    name: str
    sku: str
    price: Decimal | None
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """Everything known of one order."""

    order: Order
    transactions: tuple[Transaction, ...]
    refunds: tuple[Refund, ...]
    """In the order of their ids."""
    taxes: tuple[TaxRow, ...]
    customer: Customer | None = None
    products: tuple[Product, ...] = ()
    """The catalog's products of the order's lines without SKU, as far as they are known."""
    store_timezone: str = ""
    """IANA name of the shop's time zone; empty where the shop has not said it."""
    store_country: str = ""
    """ISO 3166, two letters; empty where the shop has not said it."""
    paid_day: date | None = None
    """The day on which a run saw the order go from unpaid to paid; None if it never did."""
    paid_by_hand: Decimal | None = None
    """The most that the books took as paid without a transaction; None if they never did."""
    credit_notes: Mapping[int, Decimal | None] = field(default_factory=dict)
    """Refund id → amount of its credit note in the books, as far as it is known."""
