"""Both sides, order by order: what the shop says each order is worth, what FreshBooks holds for it.

The shop's side is the sandbox's own account of its orders (`/_sandbox/truth`), worked out without
the connector's code; the books' side is what was written over HTTP (`/_sandbox/books`). An order
counts as posted when its invoice has left Draft and the ledger does not say that it is parked.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DRAFT = "draft"
STORED_VALUE = ("Gift certificate", "Store credit")
REFUNDS_PAID = "Refunds paid"
ZERO = Decimal(0)


class _Correction(NamedTuple):
    """An invoice of its own for a refund of a closed month: what it comes to, and takes back."""

    number: str
    day: str
    amount: Decimal
    money: Decimal
    stored_value: Decimal
    expense: Decimal


@dataclass(slots=True)
class Totals:
    """Sums of one currency over the posted orders, in that currency's unit.

    What is `receivable` is open on both sides and no difference: orders on account, and those of
    which nothing tells that their money came.
    """

    shop: Decimal = ZERO
    invoiced: Decimal = ZERO
    shop_paid: Decimal = ZERO
    paid: Decimal = ZERO
    receivable: Decimal = ZERO
    orders: int = 0

    @property
    def difference(self) -> Decimal:
        """Invoices less orders."""
        return self.invoiced - self.shop

    @property
    def paid_difference(self) -> Decimal:
        """Payments booked less payments received."""
        return self.paid - self.shop_paid


@dataclass(slots=True)
class Comparison:
    """What a run has come to.

    Attributes:
        posted: ids of orders with a finished invoice.
        totals: by currency, of the posted orders.
        differing: orders whose invoice or payments differ from the shop's figures, with a sentence.
        left: orders without a finished invoice, id to the case they stand for in the month.
        doubled: invoice numbers that exist more than once.
    """

    orders: int = 0
    posted: set[int] = field(default_factory=set)
    totals: dict[str, Totals] = field(default_factory=lambda: defaultdict(Totals))
    differing: dict[int, str] = field(default_factory=dict)
    left: dict[int, dict[str, Any]] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)


def compare(
    truth: list[dict[str, Any]], books: Mapping[str, Any], parked: Collection[int] = ()
) -> Comparison:
    """Put the shop's orders and FreshBooks' invoices side by side.

    Args:
        truth: the shop's orders with the figures their invoices should have.
        books: what FreshBooks holds.
        parked: orders that the ledger lists for a person, whatever stage they got to.
    """
    outcome = Comparison(orders=len(truth))
    invoices: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for invoice in books["invoices"]:
        if invoice["vis_state"] == 0:
            invoices[invoice["invoice_number"]].append(invoice)
    outcome.doubled = sorted(number for number, held in invoices.items() if len(held) > 1)
    credit, beside = _credit_notes(books), _corrections(books)
    for order in truth:
        held = invoices.get(str(order["order_id"]), [])
        finished = [invoice for invoice in held if invoice["v3_status"] != DRAFT]
        if finished and order["order_id"] not in parked:
            number = order["order_id"]
            _count(outcome, order, finished[0], credit[number], beside[str(number)])
        else:
            outcome.left[order["order_id"]] = order
    return outcome


def _credit_notes(books: Mapping[str, Any]) -> dict[int, Decimal]:
    """Sum the credit notes of each order, known by what their notes say."""
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for note in books["credit_notes"]:
        named = re.match(r"BigCommerce order (\d+), refund ", note.get("notes") or "")
        if note["vis_state"] == 0 and named:
            sums[int(named[1])] += Decimal(note["amount"]["amount"])
    return sums


def _corrections(books: Mapping[str, Any]) -> dict[str, list[_Correction]]:
    """The sent corrections of each order, known by their numbers."""
    spent: dict[str, Decimal] = defaultdict(Decimal)
    for expense in books["expenses"]:
        named = re.match(r"BigCommerce order (\d+), refund (\d+) ", expense["notes"])
        if expense["vis_state"] == 0 and named:
            spent[f"{named[1]}-R{named[2]}"] += Decimal(expense["amount"]["amount"])
    found: dict[str, list[_Correction]] = defaultdict(list)
    for invoice in books["invoices"]:
        number = str(invoice["invoice_number"])
        order, is_one, _ = number.partition("-R")
        if is_one and invoice["vis_state"] == 0 and invoice["v3_status"] != DRAFT:
            found[order].append(
                _Correction(
                    number,
                    invoice["create_date"],
                    Decimal(invoice["amount"]["amount"]),
                    _sum_of((REFUNDS_PAID,), invoice),
                    _sum_of(STORED_VALUE, invoice),
                    spent[number],
                )
            )
    return found


def _count(
    outcome: Comparison,
    order: Mapping[str, Any],
    invoice: Mapping[str, Any],
    noted: Decimal,
    beside: list[_Correction],
) -> None:
    number = order["order_id"]
    totals = outcome.totals[order["currency"]]
    outcome.posted.add(number)
    totals.orders += 1
    worth, amount = Decimal(order["invoice_total"]), Decimal(invoice["amount"]["amount"])
    received, paid = Decimal(order["paid"]), Decimal(invoice["paid"]["amount"])
    credited = Decimal(order["credit_notes"])
    totals.shop += worth
    totals.invoiced += amount
    totals.shop_paid += received
    totals.paid += paid
    totals.receivable += Decimal(invoice["outstanding"]["amount"])
    if invoice["currency_code"] != order["currency"]:
        outcome.differing[number] = f"in {invoice['currency_code']}, ordered in {order['currency']}"
    elif worth != amount:
        outcome.differing[number] = f"invoice {amount}, order {worth} {order['currency']}"
    elif received != paid:
        outcome.differing[number] = f"paid {paid}, received {received} {order['currency']}"
    elif credited != noted:
        outcome.differing[number] = f"credit notes {noted}, store credit {credited}"
    elif (wanted := sorted(_wanted(order))) != sorted(beside):
        outcome.differing[number] = f"corrections {sorted(beside)}, in the shop {wanted}"
    else:
        owed = sum(map(Decimal, order["stored_value"].values()))
        lines = sum((one.stored_value for one in beside), _sum_of(STORED_VALUE, invoice))
        if owed != lines:
            outcome.differing[number] = f"stored value {lines}, in the shop {owed}"


def _wanted(order: Mapping[str, Any]) -> list[_Correction]:
    return [
        _Correction(
            one["number"],
            one["date"],
            ZERO,
            *(Decimal(one[name]) for name in ("money", "stored_value", "expense")),
        )
        for one in order["corrections"]
    ]


def _sum_of(names: Collection[str], invoice: Mapping[str, Any]) -> Decimal:
    """The invoice's lines of these names."""
    return sum(
        (
            Decimal(line["qty"]) * Decimal(line["unit_cost"]["amount"])
            for line in invoice.get("lines") or []
            if line["name"] in names
        ),
        ZERO,
    )


@dataclass(slots=True)
class Kind:
    """Orders of which something is booked in a way of its own, and what that comes to."""

    orders: int = 0
    sums: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """By currency."""


def kinds(truth: list[dict[str, Any]], posted: Collection[int]) -> dict[str, Kind]:
    """The posted orders of each kind, by what an auditor asks for."""
    found: dict[str, Kind] = defaultdict(Kind)
    for order in truth:
        if order["order_id"] not in posted:
            continue
        owed = {name: Decimal(amount) for name, amount in order["stored_value"].items()}
        amounts = {
            "refunds, money": sum((Decimal(one["money"]) for one in order["refunds"]), ZERO),
            "gift certificates, owed": owed["gift_certificate"],
            "store credit, owed": owed["store_credit"],
        }
        on_account = order["due"] != order["date"]
        marked = {"on account, open": on_account, "marketplaces, sold": order["marketplace"]}
        named = {name for name, amount in amounts.items() if amount}
        named |= {name for name, applies in marked.items() if applies}
        amounts["on account, open"] = Decimal(order["outstanding"])
        amounts["marketplaces, sold"] = Decimal(order["invoice_total"])
        for name in named:
            found[name].orders += 1
            found[name].sums[order["currency"]] += amounts[name]
    return dict(sorted(found.items()))


def documents(held: Mapping[str, Any]) -> dict[str, int]:
    """Count what FreshBooks holds, deleted things left out."""
    alive = {
        kind: [row for row in held[kind] if row.get("vis_state", 0) == 0]
        for kind in ("clients", "items", "invoices", "payments", "credit_notes")
    }
    refunds = sum(
        1
        for invoice in alive["invoices"]
        for line in invoice.get("lines") or []
        if str(line.get("name", "")).startswith("Refund ")
    )
    return {
        "clients": len(alive["clients"]),
        "items": len(alive["items"]),
        "invoices": len(alive["invoices"]),
        "of them drafts": sum(1 for one in alive["invoices"] if one["v3_status"] == DRAFT),
        "payments": len(alive["payments"]),
        "refund lines": refunds,
        "credit notes": len(alive["credit_notes"]),
    }
