"""The books as plain values, so that two of them can be compared, and doubles be counted."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

DELETED = 1
DRAFT = 1


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that counts, as multisets; ids, times and deleted records do not.

    Deleted invoices do count: an invoice that was made twice and deleted once was made twice.
    """

    invoices: Counter[tuple[Any, ...]]
    payments: Counter[tuple[Any, ...]]
    credit_notes: Counter[tuple[Any, ...]]
    clients: Counter[str]
    items: Counter[tuple[str, str]]
    expenses: Counter[tuple[Any, ...]]


def read(document: Mapping[str, Any]) -> Books:
    """From the sandbox's `books`."""
    numbers = {row["id"]: row["invoice_number"] for row in document["invoices"]}
    return Books(
        invoices=Counter(_invoice(row) for row in document["invoices"]),
        payments=Counter(
            (numbers.get(row["invoiceid"]), _amount(row), row["note"], row["date"], row["type"])
            for row in _standing(document["payments"])
        ),
        credit_notes=Counter(
            (row.get("notes"), _amount(row), row.get("credit_type"))
            for row in _standing(document["credit_notes"])
        ),
        clients=Counter(str(row["email"]).casefold() for row in _standing(document["clients"])),
        items=Counter((row["name"], row["sku"] or "") for row in _standing(document["items"])),
        expenses=Counter(
            (row["notes"], _amount(row), row["date"], row["categoryid"])
            for row in _standing(document["expenses"])
        ),
    )


def _standing(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row.get("vis_state", 0) != DELETED]


def _invoice(row: Mapping[str, Any]) -> tuple[Any, ...]:
    lines = tuple(
        (
            line["name"],
            Decimal(str(line["qty"])),
            _money(line["unit_cost"]),
            line.get("taxName1") or "",
            line.get("taxName2") or "",
        )
        for line in row.get("lines") or ()
    )
    return (
        row["invoice_number"],
        row["status"] == DRAFT,
        _amount(row),
        _money(row["paid"]),
        row["create_date"],
        row.get("vis_state", 0),
        lines,
    )


def _amount(row: Mapping[str, Any]) -> Decimal:
    return _money(row["amount"])


def _money(value: Any) -> Decimal:  # noqa: ANN401 - JSON
    return Decimal(str(value["amount"] if isinstance(value, dict) else value))


def doubled(books: Books, wanted: Books) -> list[str]:
    """What is there more often than it should be."""
    return _surplus(books, wanted, "doubled or wrong")


def repeated(books: Books) -> list[str]:
    """What bears the same name twice, whatever its amounts: the names are ours, each for one."""
    named: dict[str, Counter[Any]] = {
        "invoice": Counter(entry[0] for entry in books.invoices.elements()),
        "payment": Counter((entry[0], entry[2]) for entry in books.payments.elements()),
        "credit note": Counter(entry[0] for entry in books.credit_notes.elements()),
        "client": books.clients,
        "item": Counter(sku or name for name, sku in books.items.elements()),
        "expense": Counter(entry[0] for entry in books.expenses.elements()),
    }
    return [
        f"{kind} {name} stands {count} times"
        for kind, names in named.items()
        for name, count in names.items()
        if count > 1
    ]


def of_orders(books: Books, numbers: Collection[str]) -> Books:
    """Only what belongs to the invoices of these numbers, and no clients and items."""

    def theirs(entries: Counter[Any], order_of: Callable[[str], str]) -> Counter[Any]:
        return Counter({e: n for e, n in entries.items() if order_of(e[0]) in numbers})

    return Books(
        invoices=theirs(books.invoices, _order_numbered),
        payments=theirs(books.payments, _order_numbered),
        credit_notes=theirs(books.credit_notes, _order_of),
        clients=Counter(),
        items=Counter(),
        expenses=theirs(books.expenses, _order_of),
    )


def _order_numbered(invoice: str) -> str:
    """A correction belongs to the order of the invoice that it corrects."""
    return str(invoice).partition("-R")[0]


def without_item_names(books: Books) -> Books:
    """The books with the items known by SKU alone, where they have one."""
    items: Counter[tuple[str, str]] = Counter()
    for (name, sku), count in books.items.items():
        items["" if sku else name, sku] += count
    return replace(books, items=items)


def _order_of(notes: str) -> str:
    found = re.match(r"BigCommerce order (\d+), refund ", notes or "")
    return found[1] if found else ""


def lost(books: Books, wanted: Books) -> list[str]:
    """What is missing."""
    return _surplus(wanted, books, "missing")


def differences(books: Books, wanted: Books) -> list[str]:
    """What bears a name twice, is there more often than it should be, or is missing."""
    return repeated(books) + doubled(books, wanted) + lost(books, wanted)


def _surplus(more: Books, less: Books, word: str) -> list[str]:
    found = []
    for name in Books.__slots__:
        surplus: Counter[Any] = getattr(more, name) - getattr(less, name)
        found += [f"{name} {word}: {entry}" for entry in surplus.elements()]
    return found
