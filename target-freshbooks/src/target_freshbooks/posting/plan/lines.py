"""Invoice lines on both sides: ours as FreshBooks' body, and whether the two agree."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import chain
from typing import Any

from target_freshbooks.books.desired import InvoiceLine, Lines, LineTax, round_trip
from target_freshbooks.capabilities import FRESHBOOKS, clean
from target_freshbooks.freshbooks.observed import ObservedInvoice, ObservedLine
from target_freshbooks.marks import is_refund_line, other_than_refund


def line_body(line: InvoiceLine, currency: str) -> dict[str, Any]:
    """One line as FreshBooks takes it (type 0; money and percents as text)."""
    body: dict[str, Any] = {
        "type": 0,
        "name": line.name,
        "description": line.description,
        "qty": round_trip(line.quantity),
        "unit_cost": {"amount": round_trip(line.unit_cost), "code": currency},
    }
    for position, tax in enumerate(line.taxes, start=1):
        body[f"taxName{position}"] = tax.name
        body[f"taxAmount{position}"] = round_trip(tax.percent)
    return body


def lines_body(lines: Iterable[InvoiceLine], currency: str) -> list[dict[str, Any]]:
    """All lines, since a PUT replaces the whole set."""
    return [line_body(line, currency) for line in lines]


def standing(invoice: ObservedInvoice) -> Lines:
    """The lines that stand on the invoice, as our values."""
    return tuple(from_observed(line) for line in invoice.lines or ())


def from_observed(line: ObservedLine) -> InvoiceLine:
    """A line FreshBooks holds, as our value."""
    taxes = tuple(
        LineTax(name, percent)
        for name, percent in (
            (line.tax_name1, line.tax_percent1),
            (line.tax_name2, line.tax_percent2),
        )
        if name
    )
    return InvoiceLine(line.name, line.description, line.qty, line.unit_cost, taxes)


def from_body(body: Mapping[str, Any]) -> Lines:
    """The lines of a body that was (perhaps) sent, as our values."""
    return tuple(
        InvoiceLine(
            line["name"],
            line["description"],
            Decimal(line["qty"]),
            Decimal(line["unit_cost"]["amount"]),
            tuple(
                LineTax(line[f"taxName{position}"], Decimal(line[f"taxAmount{position}"]))
                for position in (1, 2)
                if f"taxName{position}" in line
            ),
        )
        for line in body["lines"]
    )


def _plain(value: Decimal) -> Decimal:
    return value.normalize() + 0  # + 0 turns -0 into 0


def _shape(line: InvoiceLine) -> tuple[object, ...]:
    return (
        " ".join(line.name.split()),
        _plain(line.quantity),
        _plain(line.unit_cost),
        frozenset((tax.name.strip(), _plain(tax.percent)) for tax in line.taxes),
    )


def agree(ours: Lines, theirs: Lines) -> bool:
    """Whether both say the same: names, quantities, prices and taxes, in order; texts folded.

    Descriptions may be cut or cleaned by FreshBooks and carry no money: they are not compared.
    """
    return [_shape(line) for line in ours] == [_shape(line) for line in theirs]


def amounts_and_taxes(lines: Iterable[InvoiceLine]) -> Counter[tuple[object, ...]]:
    """How often each amount with its tax percents stands in the lines, in whichever order."""
    return Counter(
        (
            _plain(line.quantity * line.unit_cost),
            tuple(sorted(_plain(tax.percent) for tax in line.taxes)),
        )
        for line in lines
    )


def refund_of(line: InvoiceLine) -> int | None:
    """The refund that the line is of; None for the invoice's own.

    A line of stored value bears the name of its item, and tells the refund in its description.
    """
    own = is_refund_line(line.name)
    return is_refund_line(line.description) if own is None else own


def stored_on(lines: Lines) -> Decimal:
    """What a refund's lines add to the items of stored value."""
    return sum(
        (line.quantity * line.unit_cost for line in lines if is_refund_line(line.name) is None),
        start=Decimal(0),
    )


def sale_on(invoice: ObservedInvoice) -> Lines:
    """The lines of the invoice itself, without those of refunds."""
    return tuple(line for line in standing(invoice) if refund_of(line) is None)


def refunds_on(invoice: ObservedInvoice) -> dict[int, Lines]:
    """The refund lines that stand on the invoice, by refund id."""
    by_refund: dict[int, Lines] = {}
    for line in standing(invoice):
        refund_id = refund_of(line)
        if refund_id is not None:
            by_refund[refund_id] = (*by_refund.get(refund_id, ()), line)
    return by_refund


def refund_lines_on(invoice: ObservedInvoice) -> Lines:
    """The same, one refund after the other."""
    return tuple(chain.from_iterable(refunds_on(invoice).values()))


def named(lines: Lines, item_names: Mapping[str, str]) -> Lines:
    """The lines with each item's line called as FreshBooks calls the item.

    If that is another name (two products that share an SKU share the item, or the product was
    renamed since), the shop's own name for what was sold stands in the description.
    """
    return tuple(_named(line, item_names.get(line.item_key, line.name)) for line in lines)


def _named(line: InvoiceLine, name: str) -> InvoiceLine:
    if line.item_key:
        name = other_than_refund(name)
    description = line.description
    if refund_of(line) is None and not name.startswith(line.name):
        description = f"{line.name}; {description}" if description else line.name
        description = clean(description, FRESHBOOKS.description_length)
    return replace(line, name=name, description=description)
