"""Every kind of order as a file: the shop's records and, written by hand, what the books must hold.

A new case costs a file in `books_cases` and, so that people can read it too, a section in
`docs/accounting.md`. Amounts of tax in the expectations are what FreshBooks makes of the lines
(each line, half up), computed here apart from the code under test.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from target_freshbooks import books, shop
from target_freshbooks.books.closed import ClosedDays, book_apart, on_open_days
from target_freshbooks.books.desired import (
    Billable,
    Correction,
    Desired,
    InvoiceLine,
    LineTax,
    Parked,
    Waiting,
)
from target_freshbooks.books.policy import ExcludedOrder, GenericClient, LineNames, Policy, TaxName
from target_freshbooks.marks import marks_in
from target_freshbooks.posting.plan.closed import day_closed
from target_freshbooks.posting.results import unreadable

CASES = sorted((Path(__file__).parent / "books_cases").glob("*.json"))
MANUAL = Path(__file__).parents[2] / "docs" / "accounting.md"
CENT = Decimal("0.01")


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    return loaded


def policy_of(case: dict[str, Any]) -> Policy:
    """The settings of a case, as the target hands them over."""
    made: dict[str, Any] = dict(case.get("policy", {}))
    readers = {
        "tax_mapping": lambda rows: tuple(TaxName(*row) for row in rows),
        "account_taxes": lambda rows: tuple(LineTax(name, Decimal(rate)) for name, rate in rows),
        "payment_type_mapping": lambda rows: tuple(tuple(row) for row in rows),
        "generic_client": lambda row: GenericClient(**row),
        "invoice_start_date": date.fromisoformat,
        "paid_status_ids": frozenset,
        "exclude_orders": lambda rows: tuple(ExcludedOrder(**row) for row in rows),
        "derived_payment_methods": tuple,
        "names": lambda row: LineNames(**row),
        "marketplace_sources": lambda rows: tuple(tuple(row) for row in rows),
    }
    for name, reader in readers.items():
        if name in made:
            made[name] = reader(made[name])
    return Policy(**made)


def facts_of(case: dict[str, Any]) -> Any:
    facts = shop.read_facts(
        case["order"],
        case["transactions"],
        case["refunds"],
        case["order_taxes"],
        case.get("customer"),
        case.get("store"),
    )
    paid, by_hand = case.get("paid_day"), case.get("paid_by_hand")
    noted = case.get("credit_notes", {}).items()
    return replace(
        facts,
        paid_day=paid and date.fromisoformat(paid),
        paid_by_hand=by_hand and Decimal(by_hand),
        credit_notes={int(refund_id): Decimal(amount) for refund_id, amount in noted},
    )


def tax_of(lines: tuple[InvoiceLine, ...], rounding: str = ROUND_HALF_UP) -> dict[str, Decimal]:
    """FreshBooks' tax by name, rounded for each line."""
    found: dict[str, Decimal] = {}
    for line in lines:
        for tax in line.taxes:
            exact = line.quantity * line.unit_cost * tax.percent / 100
            found[tax.name] = found.get(tax.name, Decimal(0)) + exact.quantize(CENT, rounding)
    return found


def amount_of(lines: tuple[InvoiceLine, ...], rounding: str = ROUND_HALF_UP) -> Decimal:
    net = sum((line.quantity * line.unit_cost for line in lines), Decimal(0))
    return net + sum(tax_of(lines, rounding).values(), Decimal(0))


def said(line: InvoiceLine) -> str:
    about = f" ({line.description})" if line.description else ""
    taxes = "".join(f" + {tax.name} {tax.percent:f} %" for tax in line.taxes)
    return f"{line.quantity:f} x {line.unit_cost:f} {line.name}{about}{taxes}"


def rendered(case: dict[str, Any]) -> list[str]:
    """What the books make of a case, one thing a line."""
    try:
        facts, policy = facts_of(case), policy_of(case)
    except shop.ReadError as error:
        parked = unreadable(error)
        return [f"parked {parked.reason}: {parked.detail}"]
    verdict = books.assess(facts, policy, already_invoiced=case.get("already_invoiced", False))
    if isinstance(verdict, Waiting):
        return [f"waits: {verdict.why}"]
    if isinstance(verdict, Parked):
        return [f"parked {verdict.reason}: {verdict.detail}"]
    assert isinstance(verdict, Billable)
    desired = books.desire(facts, policy)
    if isinstance(desired, Parked):
        return [f"parked {desired.reason}: {desired.detail}"]
    days = {name: date.fromisoformat(day) for name, day in case.get("closed", {}).items()}
    closed = ClosedDays(**days)
    desired = on_open_days(desired, closed, ordered=desired.invoice.day, has_invoice=False)
    if desired.invoice.day in closed:
        parked = day_closed(desired.invoice.number, desired.invoice.day, closed)
        return [f"parked {parked.reason}: {parked.detail}"]
    return list(_told(book_apart(desired, case.get("corrected", ()), policy, closed), policy))


def _told(desired: Desired, policy: Policy) -> Any:
    invoice = desired.invoice
    yield f"invoice {invoice.number} of {invoice.day} for {desired.client.key}"
    if invoice.due_days:
        yield f"due {invoice.day + timedelta(invoice.due_days)}"
    lines = invoice.lines
    if not desired.hold:
        mended = books.mend(lines, amount_of(lines), invoice.total, policy, 2)
        assert mended is not None
        lines = mended
    yield from (said(line) for line in lines)
    yield from (f"tax {name} {amount:f}" for name, amount in tax_of(lines).items())
    if desired.hold:
        yield f"total {invoice.total:f} {invoice.currency} in the shop, left a Draft"
    else:
        assert amount_of(lines) == invoice.total
        yield f"total {invoice.total:f} {invoice.currency}"
    yield from (f'notes "{line}"' for line in invoice.notes.splitlines()[1:])
    for payment in desired.payments:
        note = marks_in(payment.note)[0].part
        told = f"paid {payment.amount:f} {payment.type} on {payment.day} ({note})"
        yield f"once its total agrees: {told}" if desired.hold else told
    standing, total = lines, invoice.total
    for entry in desired.refunds:
        if entry.taken:
            total -= entry.money
            ways = books.fit_refund(entry, standing, total, policy, invoice.currency)
            assert amount_of((*standing, *ways[0])) == total
            standing = (*standing, *ways[0])
            yield from (said(line) for line in ways[0])
            yield f"total {total:f} {invoice.currency}"
            moved = "lowered to" if entry.money > 0 else "raised to"
            after = entry.payments_after if entry.money else ()
            yield from (f"{moved} {amount:f} ({key})" for key, amount in after)
        if entry.credit_note is not None:
            note_lines = entry.credit_note.variants[0]
            assert amount_of(note_lines) == entry.credit_note.total
            (mark,) = marks_in(entry.credit_note.notes)
            yield f"credit note of {entry.credit_note.day} ({mark.part})"
            yield from (said(line) for line in note_lines)
            yield f"credit {entry.credit_note.total:f} {invoice.currency}"
    for one in desired.corrections:
        yield from _corrected(one, invoice.currency)
    if desired.flag is not None:
        yield f"parked {desired.flag.reason}: {desired.flag.detail}"


def _corrected(one: Correction, currency: str) -> Any:
    lines = one.variants[0]
    yield f"invoice {one.number} of {one.day} ({one.notes.splitlines()[0]})"
    yield from (said(line) for line in lines)
    yield from (f"tax {name} {amount:f}" for name, amount in tax_of(lines).items())
    yield f"total {amount_of(lines):f} {currency}"
    if one.expense:
        yield f"expense of {one.day}: {one.money:f} {currency}"


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_the_case_is_booked_as_a_bookkeeper_wrote_it(path: Path) -> None:
    case = read(path)
    assert rendered(case) == case["expected"]


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_the_case_comes_out_exact_under_every_rounding(path: Path) -> None:
    case = read(path)
    if case["order"].get("unreadable_parts"):
        return
    policy = policy_of(case)
    desired = books.desire(facts_of(case), policy)
    if isinstance(desired, Parked) or desired.hold:
        return
    lines, total = desired.invoice.lines, desired.invoice.total
    decimals = 0 if desired.invoice.currency == "JPY" else 2
    predicted = books.predict_totals(lines, decimals)
    assert {amount_of(lines, way) for way in (ROUND_HALF_UP, ROUND_HALF_EVEN)} <= predicted
    for answer in predicted:
        mended = books.mend(lines, answer, total, policy, decimals)
        assert mended is not None
        assert answer - amount_of(lines) + amount_of(mended) == total


def blocks() -> dict[str, list[str]]:
    """The manual's examples by the name of their case."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in MANUAL.read_text("utf-8").splitlines():
        if line.startswith("```"):
            name = line.partition("case=")[2]
            if name:
                assert name not in found, f"{name} stands twice in the manual"
                found[name] = []
        elif name:
            found[name].append(line)
    return found


def test_every_example_of_the_manual_is_what_the_books_say() -> None:
    cases = {path.stem: read(path) for path in CASES}
    for name, block in blocks().items():
        assert block == rendered(cases[name]), name


def test_every_case_is_explained_in_the_manual() -> None:
    assert {path.stem for path in CASES} == set(blocks())
