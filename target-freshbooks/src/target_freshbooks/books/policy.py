"""The bookkeeper's choices: settings of the target, as the accounting rules see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date


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


@dataclass(frozen=True, slots=True)
class TaxName:
    """One entry of `tax_mapping`: a shop tax (by name, class or rate) and what FreshBooks calls it.

    `match` is compared case-insensitively with the row's name, then its class, then its rate
    ("8.875").
    """

    match: str
    name: str


@dataclass(frozen=True, slots=True)
class GenericClient:
    """The client for orders without an e-mail address."""

    organization: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """All choices the rules depend on; a change of any of them makes a new plan."""

    invoice_number_prefix: str = ""
    paid_status_ids: frozenset[int] = frozenset({2, 3, 8, 9, 10, 11})
    invoice_start_date: date | None = None
    exclude_external_sources: frozenset[str] = frozenset({"M-MIG"})
    timezone: str | None = None
    """IANA name; None: the store's own."""
    tax_mode: Literal["rates", "amount_lines"] = "rates"
    tax_mapping: tuple[TaxName, ...] = ()
    rounding_tolerance_cents: int = 5
    payment_type_mapping: tuple[tuple[str, str], ...] = ()
    """Pairs of (gateway, method, payment_method_id or payment_method, in lower case) and
    FreshBooks payment type."""
    derive_offline_payments: bool = True
    refund_mode: Literal["adjust_invoice", "credit_note"] = "adjust_invoice"
    on_cancel: Literal["park", "delete"] = "park"
    on_order_change: Literal["update", "park"] = "update"
    generic_client: GenericClient | None = None
    names: LineNames = field(default_factory=LineNames)
