"""Figures: what a month's invoices come to, as an income statement has it, by currency.

Each line of an invoice is a sale, a discount, shipping and so on, told by what it is called: the
connector gives lines that are no product names of their own. What FreshBooks adds to the lines is
tax. Which tax it is of follows from the way of rounding by which the lines come to FreshBooks'
total; what no way explains is shown as such, so that all figures add up to what is invoiced.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Self

from target_freshbooks.books.closed import REFUNDS_PAID
from target_freshbooks.books.desired import InvoiceLine, Lines
from target_freshbooks.books.policy import LineNames
from target_freshbooks.books.rounding import tax_amounts, totals, ways_of_rounding
from target_freshbooks.capabilities import FRESHBOOKS, Capabilities
from target_freshbooks.freshbooks.observed import ObservedInvoice
from target_freshbooks.money import ZERO, decimals_of, sum_by_key, total
from target_freshbooks.posting.plan import lines as wire

UNEXPLAINED = ""
"""The name of what FreshBooks adds to the lines and no tax of theirs explains."""

TAX_LINE = "Tax"
"""The description of a tax's line, where taxes are lines (`tax_mode` `amount_lines`)."""


class LineKind(StrEnum):
    """What a line of an invoice is, as a statement calls it; in the statement's order."""

    SALES = "Sales"
    DISCOUNTS = "Discounts"
    WRAPPING = "Gift wrapping"
    SHIPPING = "Shipping"
    HANDLING = "Handling"
    FEES = "Fees"
    ROUNDING = "Rounding"
    REFUNDS = "Refunds"
    TAX = "Tax"
    GIFT_CERTIFICATES = "Gift certificates sold less redeemed"
    STORE_CREDIT = "Store credit given less redeemed"
    REFUNDS_PAID = "Refunds paid, of closed months"


INCOME = tuple(LineKind)[: tuple(LineKind).index(LineKind.TAX)]
"""What makes net sales."""


@dataclass(frozen=True, slots=True)
class LineKinds:
    """How lines are told apart.

    Attributes:
        names: What lines that are no product's are called.
        called: What FreshBooks calls the item of such a line, where it is another name.
        fees: The names of fees.
    """

    names: LineNames = field(default_factory=LineNames)
    called: Mapping[str, str] = field(default_factory=dict)
    fees: frozenset[str] = frozenset()

    def kind_of(self, line: InvoiceLine, at_rates: Collection[str] = ()) -> LineKind:
        """What a line is; `at_rates` has the names of lines that say a refunded tax at its rate."""
        kind = self._by_name().get(line.name)
        if kind in {LineKind.GIFT_CERTIFICATES, LineKind.STORE_CREDIT}:
            return kind  # of a refund too, which names itself in the description
        is_tax = line.description == TAX_LINE and not line.taxes
        if wire.refund_of(line) is not None:
            by_itself = is_tax and _tax_of(line) and line.name not in at_rates
            return LineKind.TAX if by_itself else LineKind.REFUNDS
        if kind is None and is_tax:
            return LineKind.TAX
        if kind is None and line.name in self.fees:
            return LineKind.FEES
        return kind or LineKind.SALES

    def _by_name(self) -> dict[str, LineKind]:
        names = self.names
        kinds = {
            names.discount: LineKind.DISCOUNTS,
            names.wrapping: LineKind.WRAPPING,
            names.shipping: LineKind.SHIPPING,
            names.handling: LineKind.HANDLING,
            names.fee: LineKind.FEES,
            names.rounding: LineKind.ROUNDING,
            names.gift_certificate: LineKind.GIFT_CERTIFICATES,
            names.store_credit: LineKind.STORE_CREDIT,
            REFUNDS_PAID: LineKind.REFUNDS_PAID,
        }
        return {self.called.get(name, name): kind for name, kind in kinds.items()}


@dataclass(frozen=True, slots=True)
class TaxFigures:
    """One tax at one rate in one currency.

    Attributes:
        currency: ISO code.
        name: As FreshBooks has it; `UNEXPLAINED` for what the lines do not explain.
        percent: The rate; None where the tax is a line of its own, or not explained.
        net: What it was charged on, less what of that was refunded.
        charged: Before refunds.
        refunded: On refunds, above zero.
    """

    currency: str
    name: str
    percent: Decimal | None
    net: Decimal
    charged: Decimal
    refunded: Decimal

    @property
    def due(self) -> Decimal:
        """Charged less refunded."""
        return self.charged - self.refunded

    def plus(self, other: Self) -> Self:
        """The sum with the same tax of another invoice."""
        return replace(
            self,
            net=self.net + other.net,
            charged=self.charged + other.charged,
            refunded=self.refunded + other.refunded,
        )


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What was sold and refunded by the invoices of one day, in one currency, without tax."""

    currency: str
    day: date
    invoices: int
    sold: Decimal
    refunded: Decimal


@dataclass(frozen=True, slots=True)
class InvoiceFigures:
    """What one invoice comes to.

    Attributes:
        invoice: The invoice.
        by_kind: Its lines' amounts, without tax.
        taxes: Each of its taxes.
    """

    invoice: ObservedInvoice
    by_kind: Mapping[LineKind, Decimal]
    taxes: tuple[TaxFigures, ...]

    @property
    def sold(self) -> Decimal:
        """Net sales before refunds."""
        return total(self.by_kind.get(kind, ZERO) for kind in INCOME if kind != LineKind.REFUNDS)

    @property
    def refunded(self) -> Decimal:
        """Refunds without tax, above zero."""
        return -self.by_kind.get(LineKind.REFUNDS, ZERO)


@dataclass(frozen=True, slots=True)
class Statement:
    """What all invoices of one currency come to.

    `invoiced` is the sum of net sales, tax, and what is neither: stored value, refunds paid.
    """

    currency: str
    invoices: int
    by_kind: Mapping[LineKind, Decimal]
    taxes: tuple[TaxFigures, ...]
    invoiced: Decimal
    paid: Decimal
    outstanding: Decimal

    def of(self, kind: LineKind) -> Decimal:
        """What the lines of a kind come to."""
        return self.by_kind.get(kind, ZERO)

    @property
    def net_sales(self) -> Decimal:
        """What was earned, without tax."""
        return total(self.of(kind) for kind in INCOME)

    @property
    def tax(self) -> Decimal:
        """All taxes, less those refunded."""
        return total(tax.due for tax in self.taxes)


def figures_of(
    invoice: ObservedInvoice, kinds: LineKinds, account: Capabilities = FRESHBOOKS
) -> InvoiceFigures:
    """Take an invoice apart."""
    lines, currency = wire.standing(invoice), invoice.currency
    at_rates = {line.name for line in lines if line.description == TAX_LINE and line.taxes}
    kind_of = partial(kinds.kind_of, at_rates=at_rates)
    amounts = [(line, kind_of(line), line.quantity * line.unit_cost) for line in lines]
    taxes = _taxes(invoice, lines, account)
    explained = total(net for _, _, net in amounts) + total(tax.due for tax in taxes)
    as_lines = [(line, net) for line, kind, net in amounts if kind is LineKind.TAX]
    charged = sum_by_key((line.name, net) for line, net in as_lines if not _tax_of(line))
    refunded = sum_by_key((_tax_of(line), -net) for line, net in as_lines if _tax_of(line))
    charged[UNEXPLAINED] = invoice.amount - explained
    for name in {**charged, **refunded}:
        one = charged.get(name, ZERO), refunded.get(name, ZERO)
        if any(one):
            taxes.append(TaxFigures(currency, name, None, ZERO, *one))
    by_kind = sum_by_key((kind, net) for _, kind, net in amounts)
    return InvoiceFigures(invoice, by_kind, tuple(taxes))


def _tax_of(line: InvoiceLine) -> str:
    """The tax that a refund's line is of, if it is one's; empty for the invoice's own."""
    return "" if wire.refund_of(line) is None else line.name.partition(", ")[2]


def _taxes(invoice: ObservedInvoice, lines: Lines, account: Capabilities) -> list[TaxFigures]:
    """Each tax at each rate, by the way of rounding that gives FreshBooks' total, if one does."""
    ways = ways_of_rounding(account, decimals_of(invoice.currency))
    answers = zip(ways, totals(lines, ways), strict=True)
    fit = (way for way, answer in answers if answer == invoice.amount)
    way = next(fit, ways[0])
    figures = []
    for tax in dict.fromkeys(tax for line in lines for tax in line.taxes):
        bearing = tuple(replace(line, taxes=(tax,)) for line in lines if tax in line.taxes)
        sold = tuple(line for line in bearing if wire.refund_of(line) is None)
        due, charged = (tax_amounts(some, way).get(tax.name, ZERO) for some in (bearing, sold))
        net = total(line.quantity * line.unit_cost for line in bearing)
        one = (invoice.currency, tax.name, tax.percent, net, charged, charged - due)
        figures.append(TaxFigures(*one))
    return figures


def statements(invoices: Iterable[InvoiceFigures]) -> tuple[Statement, ...]:
    """Sum up the invoices, by currency."""
    by_currency: dict[str, list[InvoiceFigures]] = defaultdict(list)
    for one in invoices:
        by_currency[one.invoice.currency].append(one)
    return tuple(
        Statement(
            currency=currency,
            invoices=len(ones),
            by_kind=sum_by_key(item for one in ones for item in one.by_kind.items()),
            taxes=_sum_taxes(tax for one in ones for tax in one.taxes),
            invoiced=total(one.invoice.amount for one in ones),
            paid=total(one.invoice.paid for one in ones),
            outstanding=total(one.invoice.outstanding for one in ones),
        )
        for currency, ones in sorted(by_currency.items())
    )


def _sum_taxes(taxes: Iterable[TaxFigures]) -> tuple[TaxFigures, ...]:
    sums: dict[tuple[str, Decimal | None], TaxFigures] = {}
    for tax in taxes:
        at = (tax.name, tax.percent)
        so_far = sums.get(at)
        sums[at] = tax if so_far is None else so_far.plus(tax)
    return tuple(sums[at] for at in sorted(sums, key=lambda at: (not at[0], at[0], at[1] or ZERO)))


def days(invoices: Iterable[InvoiceFigures]) -> tuple[DayFigures, ...]:
    """Sum up what was sold and refunded, by day and currency."""
    sums: dict[tuple[str, date], DayFigures] = {}
    for one in invoices:
        at = (one.invoice.currency, one.invoice.create_date)
        so_far = sums.get(at, DayFigures(*at, 0, ZERO, ZERO))
        sums[at] = DayFigures(
            *at, so_far.invoices + 1, so_far.sold + one.sold, so_far.refunded + one.refunded
        )
    return tuple(sums[at] for at in sorted(sums, key=lambda at: (at[1], at[0])))
