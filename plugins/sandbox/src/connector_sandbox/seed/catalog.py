"""The shop's standing data: tax rates, products with variants, customers, statuses, currencies.

All of it comes from lists here and a seeded random generator, so that one seed always gives the
same shop. Records are what the shop knows; `connector_sandbox.bigcommerce` renders them.
"""

import random
from dataclasses import dataclass
from decimal import Decimal

from connector_sandbox.seed.model import Address, Tax

STORE_TIMEZONE = "America/New_York"
STORE_CURRENCY = "USD"
PAID_STATUSES = frozenset({2, 3, 8, 9, 10, 11})

STATE = Tax(name="NY State Tax", percent=Decimal("4.0000"), id=1)
CITY = Tax(name="New York City Tax", percent=Decimal("4.5000"), id=2)
TRANSIT = Tax(name="MCTD Surcharge", percent=Decimal("0.3750"), id=3)
LUXURY = Tax(name="Luxury Levy", percent=Decimal("1.2500"), id=4)
TEXAS = Tax(name="Texas Sales Tax", percent=Decimal("8.2500"), id=5)
GST = Tax(name="GST", percent=Decimal("5.0000"), id=6)
PST_COMPOUND = Tax(name="PST", percent=Decimal("9.9750"), priority=1, id=7)
VAT = Tax(name="VAT", percent=Decimal("20.0000"), id=8)
VAT_REDUCED = Tax(
    name="VAT reduced", percent=Decimal("5.0000"), id=9, tax_class="Reduced", tax_class_id=2
)
JAPAN = Tax(name="Consumption Tax", percent=Decimal("10.0000"), id=10)
AUTOMATIC = Tax(
    name="Automatic Tax",
    percent=Decimal("7.1250"),
    id=11,
    tax_class="Automatic Tax",
    tax_class_id=None,
)
API_OVERRIDE = Tax(
    name="API Tax Override",
    percent=Decimal("6.2500"),
    id=12,
    tax_class="API Tax Override",
    tax_class_id=None,
)

STATUSES = (
    (0, "Incomplete", 0),
    (1, "Pending", 1),
    (2, "Shipped", 8),
    (3, "Partially Shipped", 6),
    (4, "Refunded", 11),
    (5, "Cancelled", 9),
    (6, "Declined", 10),
    (7, "Awaiting Payment", 2),
    (8, "Awaiting Pickup", 5),
    (9, "Awaiting Shipment", 4),
    (10, "Completed", 7),
    (11, "Awaiting Fulfillment", 3),
    (12, "Manual Verification Required", 13),
    (13, "Disputed", 12),
    (14, "Partially Refunded", 14),
)
STATUS_NAMES = {number: name for number, name, _ in STATUSES}

TAX_CLASSES = ((1, "Non-Taxable Products"), (2, "Reduced"), (3, "Shipping"), (4, "Gift Wrapping"))

# id, code, name, token, decimals, country, rate against the store's currency
CURRENCIES = (
    (1, "USD", "US Dollar", "$", 2, "US", "1.0000000000"),
    (2, "EUR", "Euro", "€", 2, "DE", "0.9210000000"),
    (3, "GBP", "Pound Sterling", "£", 2, "GB", "0.7840000000"),
    (4, "JPY", "Yen", "¥", 0, "JP", "151.3000000000"),
    (5, "BHD", "Bahraini Dinar", "BD", 3, "BH", "0.3770000000"),
    (6, "CAD", "Canadian Dollar", "$", 2, "CA", "1.3620000000"),
)
CURRENCY_IDS = {code: number for number, code, *_ in CURRENCIES}
CURRENCY_RATES = {code: rate for _, code, _, _, _, _, rate in CURRENCIES}


@dataclass(frozen=True, slots=True)
class Variant:
    """A sellable form of a product; `price` None inherits the product's."""

    id: int
    sku: str
    price: Decimal | None
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """A catalogue product with its variants (at least the base variant)."""

    id: int
    name: str
    kind: str
    sku: str
    price: Decimal
    taxable: bool
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Customer:
    """A registered customer with addresses."""

    id: int
    address: Address
    addresses: tuple[Address, ...]
    tax_exempt: bool = False
    store_credit: Decimal = Decimal(0)


_NAMES = (
    "Linen Towel", "Stoneware Mug", "Oak Cutting Board", "Wool Throw", "Brass Candle Holder",
    "Ceramic Planter", "Cotton Apron", "Enamel Kettle", "Walnut Tray", "Glass Carafe",
    "Beeswax Candle", "Canvas Tote", "Leather Notebook", "Copper Watering Can", "Jute Rug",
    "Soap Bar", "Bamboo Brush", "Cast Iron Pan", "Paper Lantern", "Rye Flour 1 kg",
    "Espresso Beans 250 g", "Herbal Tea", "Field Guide", "Garden Twine", "Picnic Blanket",
    "Salad Bowl", "Serving Spoon", "Table Runner", "Wall Clock", "Reading Lamp",
)  # fmt: skip
_PRICES = (
    "24.00", "14.95", "49.00", "129.00", "38.50", "27.25", "31.99", "64.00", "42.75", "29.90",
    "12.49", "18.00", "34.65", "57.30", "210.00", "6.95", "8.35", "72.00", "16.15", "4.80",
    "11.20", "9.40", "22.00", "3.75", "59.99", "45.45", "13.33", "26.67", "88.88", "115.00",
)  # fmt: skip
_UNTAXED = frozenset({"Rye Flour 1 kg", "Espresso Beans 250 g", "Herbal Tea"})
_SIZED = frozenset({"Wool Throw", "Cotton Apron", "Jute Rug", "Canvas Tote"})


def products() -> tuple[Product, ...]:
    """The catalogue: 30 ordinary products, some with variants, and the odd ones."""
    made: list[Product] = []
    variant = 500
    for position, (name, price) in enumerate(zip(_NAMES, _PRICES, strict=True)):
        sku = "".join(word[0] for word in name.split()) + f"-{position + 1:03d}"
        options = [("Size", size) for size in "SML"] if name in _SIZED else [None]
        variants = []
        for step, option in enumerate(options):
            variant += 1
            variants.append(
                Variant(
                    variant,
                    sku + (f"-{option[1]}" if option else ""),
                    Decimal(price) + 5 * step if option and step else None,
                    (option,) if option else (),
                )
            )
        made.append(
            Product(
                101 + position,
                name,
                "physical",
                sku,
                Decimal(price),
                name not in _UNTAXED,
                tuple(variants),
            )
        )
    odd = [
        (140, "Pattern Download", "digital", "PD-140", "7.50"),
        (141, "Nameless Sample", "physical", "", "5.00"),
        (142, "Twin Vase, left", "physical", "TWIN-1", "33.00"),
        (143, "Twin Vase, right", "physical", "TWIN-1", "33.00"),
        (144, "Breakfast Bundle", "physical", "BB-144", "39.00"),
        (145, "Bulk Screw", "physical", "SCR-145", "0.1234"),
        (146, "Decimal Ribbon", "physical", "DR-146", "9.0909"),
        (147, "Free Catalogue", "physical", "CAT-147", "0.00"),
        (148, "Renamed Stool (was Footrest)", "physical", "ST-148", "54.00"),
    ]
    made += [
        Product(number, name, kind, sku, Decimal(price), taxable=True,
                variants=(Variant(600 + number, sku, None),))
        for number, name, kind, sku, price in odd
    ]  # fmt: skip
    return tuple(made)


_FIRST = (
    "Ada", "Ben", "Chloe", "Dmitri", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jamal",
    "Kira", "Liam", "Mona", "Noor", "Otto", "Priya", "Quinn", "Rosa", "Sven", "Tara",
)  # fmt: skip
_LAST = (
    "Abbott", "Bianchi", "Castillo", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad",
    "Ivanova", "Jensen", "Kowalski", "Lindqvist", "Moreau", "Nakamura", "O'Brien", "Petrov",
)  # fmt: skip
_CITIES = (
    ("Albany", "New York", "12207"),
    ("New York", "New York", "10013"),
    ("Austin", "Texas", "78701"),
    ("Dallas", "Texas", "75201"),
    ("Buffalo", "New York", "14202"),
)


def customers(random: random.Random, count: int = 64) -> tuple[Customer, ...]:
    """Registered customers; ids from 11. Number 12 has more than ten addresses."""
    made = []
    for position in range(count):
        first, last = random.choice(_FIRST), random.choice(_LAST)
        city, state, code = random.choice(_CITIES)
        plain = last.replace("'", "").lower()
        address = Address(
            first_name=first,
            last_name=last,
            company=f"{last} & Co" if position % 9 == 0 else "",
            street_1=f"{random.randint(1, 980)} {random.choice(('Elm', 'Canal', 'Mill'))} Street",
            city=city,
            state=state,
            zip=code,
            phone=f"555-01{position:02d}",
            email=f"{first.lower()}.{plain}.{position + 11}@example.com",
        )
        extra = 12 if position == 1 else position % 3
        made.append(
            Customer(
                11 + position,
                address,
                (address,) * (1 + extra),
                tax_exempt=not (position + 9) % 16,
                store_credit=Decimal(25) if not (position + 6) % 10 else Decimal(0),
            )
        )
    return tuple(made)
