"""An order as the shop itself knows it: what was entered, before any total is computed.

The same records serve the seeded month and the compact JSON documents of
`POST /_sandbox/shop/orders` (`connector_sandbox.decoding` is the way between records and JSON).
Amounts are in the order's currency, times are aware UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from connector_sandbox.decoding import Within

Id = Annotated[int, Within(0)]
Position = Annotated[int, Within(0, 9_999)]
Quantity = Annotated[int, Within(1, 1_000_000)]
Percent = Annotated[Decimal, Within(0, 100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """One tax rate as it applies to one thing sold.

    Rates of equal priority add up; a higher priority is charged on the amount that already
    holds the lower ones (BigCommerce's compound tax).
    """

    name: str
    percent: Percent
    priority: int = 0
    id: int = 1
    tax_class: str = "Default Tax Class"
    tax_class_id: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """Money taken off.

    `amount` is entered as the shop's prices are: with tax in a tax-inclusive shop, without in an
    exclusive one. `lines` are positions in `Order.lines`; empty means all but gift certificates.
    """

    kind: Literal["manual", "automatic", "coupon"] = "manual"
    amount: Decimal
    name: str = ""
    code: str | None = None
    coupon_type: int = 2
    coupon_id: int = 1
    lines: tuple[Position, ...] = ()
    on_shipping: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A cost beside the goods (shipping, handling, wrapping) and the taxes on it."""

    cost: Decimal = Decimal(0)
    taxes: tuple[Tax, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """A custom fee on the order."""

    id: Id = 0
    cost: Decimal
    taxes: tuple[Tax, ...] = ()
    name: str = "Handling fee"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A chosen product option: Size = L."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One order product. `price` is per unit as entered (with tax in an inclusive order)."""

    id: Id = 0
    product_id: int = 0
    variant_id: int = 0
    name: str
    sku: str = ""
    kind: Literal["physical", "digital", "giftcertificate"] = "physical"
    quantity: Quantity = 1
    price: Decimal
    taxes: tuple[Tax, ...] = ()
    wrapping: Charge | None = None
    options: tuple[Option, ...] = ()
    address: Position = 0  # position in Order.ship_to
    parent_line: Position | None = None  # position in Order.lines of the bundle it belongs to
    gift_certificate_id: int | None = None
    recipient: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address with its e-mail."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    street_1: str = "1 Main Street"
    street_2: str = ""
    city: str = "Albany"
    state: str = "New York"
    zip: str = "12207"
    country: str = "United States"
    country_iso2: str = "US"
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipTo:
    """A shipping address with its shipping and handling cost."""

    id: Id = 0
    to: Address = Address()
    shipping: Charge = Charge()
    handling: Charge = Charge()
    method: str = "Flat Rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A payment event at a gateway; `currency` is the order's."""

    id: Id = 0
    event: str = "purchase"
    method: str = "credit_card"
    amount: Decimal
    gateway: str = "stripe"
    status: str = "ok"
    test: bool = False
    at: datetime | None = None  # None: when the order was created
    reference: int | None = None
    name: str = ""  # what the shopper was told (offline methods)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftUse:
    """A gift certificate redeemed on the order."""

    code: str
    amount: Decimal
    balance_before: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundItem:
    """What a refund was for."""

    item_type: str  # PRODUCT | GIFT_WRAPPING | SHIPPING | HANDLING | ORDER | FEE
    item_id: int
    quantity: int = 0
    requested_amount: Decimal | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPayment:
    """Where a refund's money went."""

    id: Id = 0
    provider_id: str
    amount: Decimal
    offline: bool = False
    is_declined: bool = False
    declined_message: str = ""
    transaction_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A refund object: money back to the shopper, tax included."""

    id: Id = 0
    created: datetime
    total_amount: Decimal
    total_tax: Decimal = Decimal(0)
    reason: str = ""
    user_id: int = 0
    override: bool = False
    items: tuple[RefundItem, ...] = ()
    payments: tuple[RefundPayment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Totals an API creator wrote over the computed ones."""

    total_inc_tax: Decimal
    total_ex_tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as entered. Everything else in the API's answers is computed from it."""

    id: Id = 0
    case: str = "ordinary"
    created: datetime
    modified: datetime
    shipped: datetime | None = None
    status_id: int = 11
    customer_id: int = 0
    billing: Address = Address()
    form_fields: tuple[Option, ...] = ()  # of the billing address
    ship_to: tuple[ShipTo, ...] = ()
    lines: tuple[Line, ...] = ()
    fees: tuple[Fee, ...] = ()
    discounts: tuple[Discount, ...] = ()
    tax_inclusive: bool = False
    tax_exempt: bool = False
    rounding_strategy: Literal["NO_ROUNDING", "RATE_ROUNDING"] = "NO_ROUNDING"
    """The shop's tax setting: whether the tax of each rate on each line is rounded to cents."""
    currency: str = "USD"
    display_currency: str | None = None  # shown to the shopper; None: the order's own
    store_credit: Decimal = Decimal(0)
    gift_certificates: tuple[GiftUse, ...] = ()
    credit_transactions: bool | None = None  # None: as the switch bc.credit_transactions says
    payment_method: str = "Credit Card"
    payment_status: str = "captured"
    payment_provider_id: str = ""
    transactions: tuple[Transaction, ...] = ()
    refunds: tuple[Refund, ...] = ()
    override: Override | None = None
    is_deleted: bool = False
    external_source: str | None = None
    external_id: str | None = None
    external_order_id: str = ""
    order_source: str = "www"
    channel_id: int = 1
    staff_notes: str = ""
    customer_message: str = ""
    tax_provider_id: str = "BasicTaxProvider"
