"""Policy: the bookkeeper's choices, settings of the target as the accounting rules see them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Literal, Self

from target_freshbooks.books.desired import LineTax
from target_freshbooks.capabilities import FRESHBOOKS, Capabilities
from target_freshbooks.shop.facts import Order

IN_HAND = (
    *("cash", "cash on delivery", "cod", "cheque", "check", "money order", "bank deposit"),
    *("bank transfer", "pay in store", "manual"),
)
"""The default of `derived_payment_methods`."""

ON_ACCOUNT = ("purchase order", "terms", "invoice", "on account", "net #")
"""The default of `on_account_methods`."""


@dataclass(frozen=True, slots=True)
class LineNames:
    """What the lines that are no product are called."""

    shipping: str = "Shipping"
    handling: str = "Handling"
    wrapping: str = "Gift wrapping"
    fee: str = "Fee"
    discount: str = "Discount"
    rounding: str = "Rounding"
    gift_certificate: str = "Gift certificate"
    store_credit: str = "Store credit"


@dataclass(frozen=True, slots=True)
class TaxName:
    """One entry of `tax_mapping`: a shop tax (by name, class or rate) and what FreshBooks calls it.

    `match` is compared case-insensitively with the row's name, then its class, then its rate
    ("8.875"), each with the place before it (`DE/VAT`: a country's code or a state), then without.
    """

    match: str
    name: str


@dataclass(frozen=True, slots=True)
class GenericClient:
    """The client for orders without an e-mail address."""

    organization: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class ExcludedOrder:
    """One entry of `exclude_orders`: orders that are no sale, told by one of their lines.

    All that is given must fit one line; None of a field: any. Paying an invoice of B2B Edition
    makes a second order, of one digital line over the amount: with the first, the sale would count
    twice.
    """

    sku: str | None = None
    name: str | None = None
    """A shell pattern (`*`, `?`, `[…]`) of the whole name; letters of either case are the same."""
    product_id: int | None = None
    channel_id: int | None = None
    """The order's."""

    def fits(self, order: Order) -> bool:
        """Whether the order is one of those."""
        return self.channel_id in (None, order.channel_id) and any(
            self.product_id in (None, line.product_id)
            and (self.sku is None or self.sku.casefold() == line.sku.casefold())
            and (self.name is None or fnmatchcase(line.name.casefold(), self.name.casefold()))
            for line in order.lines
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """All choices the rules depend on.

    Those that shape an invoice are its terms: an order that is posted keeps them, whatever the
    settings say later. All others always count as they are now.
    """

    invoice_number_prefix: str = ""
    paid_status_ids: frozenset[int] = frozenset({2, 3, 8, 9, 10, 11})
    invoice_start_date: date | None = None
    exclude_external_sources: frozenset[str] = frozenset({"M-MIG"})
    exclude_orders: tuple[ExcludedOrder, ...] = ()
    timezone: str | None = None
    """IANA name; None: the store's own."""
    tax_mode: Literal["rates", "amount_lines"] = "rates"
    tax_mapping: tuple[TaxName, ...] = ()
    rounding_tolerance_cents: int = 5
    payment_type_mapping: tuple[tuple[str, str], ...] = ()
    """Pairs of (gateway, method, payment_method_id or payment_method, in lower case) and
    FreshBooks payment type."""
    derived_payment_methods: tuple[str, ...] = IN_HAND
    on_account_methods: tuple[str, ...] = ON_ACCOUNT
    payment_terms_days: int = 30
    """After how many days an invoice on account is due, unless its method says so."""
    stored_value: Literal["line", "payment"] = "line"
    """Whether gift certificates and store credit are lines of an item each, whose balance is what
    the shop owes, or payments."""
    refund_mode: Literal["adjust_invoice", "credit_note"] = "adjust_invoice"
    on_cancel: Literal["park", "void", "delete"] = "park"
    on_order_change: Literal["update", "park"] = "update"
    vat_number_field: str = ""
    """Name of the shop's form field with the customer's VAT number; empty: there is none."""
    client_mode: Literal["customer", "one"] = "customer"
    """Whether each customer is a client, or all orders go to the generic client."""
    generic_client: GenericClient | None = None
    names: LineNames = field(default_factory=LineNames)
    post_as: Literal["sent", "draft"] = "sent"
    """Whether an invoice whose total is proven is sent, or stays a Draft for a person to see."""
    order_refund_tax: Literal["share", "none"] | None = None
    """What an amount refunded of the whole order bears: its taxes pro rata, or none; None: a share
    if the order's prices include tax."""
    closed_refunds: Literal["park", "correction"] = "park"
    """What becomes of a refund whose invoice is of a closed day."""
    refunds_expense_category: str | None = None
    """FreshBooks' category, by name or id, of the expense beside a correction; None: there is
    none, since the bank feed brings it in."""
    closed_through: date | Literal["auto"] | None = None
    """Until which day the books are closed; see `closed`."""
    account_taxes: tuple[LineTax, ...] | None = None
    """FreshBooks' own taxes, for orders whose tax rows are missing; None: not asked for. An order
    that is posted keeps the one that it was taken to have."""
    marketplace_sources: tuple[tuple[str, Literal["net", "own", "skip"]], ...] = ()
    """Pairs of a marketplace (a word of the order's source in lower case, or `channel:<id>`) and
    whether its orders are booked without the tax it remits, as the shop's own, or not at all."""
    capabilities: Capabilities = FRESHBOOKS
    """What the account of FreshBooks can hold; no choice, and no term of an order."""

    def terms(self) -> dict[str, Any]:
        """The choices that shape an invoice, as a JSON object; see `under`."""
        generic = self.generic_client
        return {
            "version": TERMS_VERSION,
            "invoice_number_prefix": self.invoice_number_prefix,
            "timezone": self.timezone,
            "tax_mode": self.tax_mode,
            "tax_mapping": [[entry.match, entry.name] for entry in self.tax_mapping],
            "account_taxes": [[tax.name, str(tax.percent)] for tax in self.account_taxes or ()],
            "payment_type_mapping": [list(pair) for pair in self.payment_type_mapping],
            "derived_payment_methods": list(self.derived_payment_methods),
            "on_account_methods": list(self.on_account_methods),
            "payment_terms_days": self.payment_terms_days,
            "stored_value": self.stored_value,
            "refund_mode": self.refund_mode,
            "order_refund_tax": self.order_refund_tax,
            "marketplace_sources": [list(pair) for pair in self.marketplace_sources],
            "vat_number_field": self.vat_number_field,
            "client_mode": self.client_mode,
            "generic_client": None if generic is None else [generic.organization, generic.email],
            "line_names": asdict(self.names),
            "post_as": self.post_as,
        }

    def under(self, terms: Mapping[str, Any]) -> Self:
        """These choices, but with the terms that an order was posted under."""
        generic = terms["generic_client"]
        return replace(
            self,
            invoice_number_prefix=terms["invoice_number_prefix"],
            timezone=terms["timezone"],
            tax_mode=terms["tax_mode"],
            tax_mapping=tuple(TaxName(*entry) for entry in terms["tax_mapping"]),
            account_taxes=tuple(
                LineTax(name, Decimal(percent)) for name, percent in terms["account_taxes"]
            )
            or None,
            payment_type_mapping=tuple(
                (match, kind) for match, kind in terms["payment_type_mapping"]
            ),
            derived_payment_methods=tuple(terms["derived_payment_methods"]),
            on_account_methods=tuple(terms["on_account_methods"]),
            payment_terms_days=terms["payment_terms_days"],
            stored_value=terms["stored_value"],
            refund_mode=terms["refund_mode"],
            order_refund_tax=terms["order_refund_tax"],
            marketplace_sources=tuple(
                (place, treatment) for place, treatment in terms["marketplace_sources"]
            ),
            vat_number_field=terms["vat_number_field"],
            client_mode=terms["client_mode"],
            generic_client=None if generic is None else GenericClient(*generic),
            names=LineNames(**terms["line_names"]),
            post_as=terms["post_as"],
        )


TERMS_VERSION = 1
