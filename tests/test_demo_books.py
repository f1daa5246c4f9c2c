"""Both sides of the books side by side: what is not as the shop has it is told."""

from __future__ import annotations

from typing import Any

import pytest

from demo import books

ORDER: dict[str, Any] = {
    "order_id": 1001,
    "currency": "USD",
    "date": "2026-11-20",
    "due": "2026-11-20",
    "marketplace": None,
    "invoice_total": "32.48",
    "paid": "32.48",
    "outstanding": "0.00",
    "credit_notes": "0.00",
    "stored_value": {"gift_certificate": "0.00", "store_credit": "3.00"},
    "refunds": [{"money": "7.83"}],
    "corrections": [
        {
            "number": "1001-R5",
            "date": "2026-12-14",
            "money": "7.83",
            "stored_value": "3.00",
            "expense": "7.83",
        }
    ],
}


def invoice(number: str, day: str, amount: str, *lines: tuple[str, str]) -> dict[str, Any]:
    return {
        "invoice_number": number,
        "create_date": day,
        "v3_status": "paid",
        "vis_state": 0,
        "currency_code": "USD",
        "amount": {"amount": amount},
        "paid": {"amount": amount},
        "outstanding": {"amount": "0.00"},
        "lines": [
            {"name": name, "qty": "1", "unit_cost": {"amount": price}} for name, price in lines
        ],
    }


def standing() -> dict[str, Any]:
    correction = ("Refund 5", "-10.00"), ("Refunds paid", "7.83"), ("Store credit", "3.00")
    return {
        "invoices": [
            invoice("1001", "2026-11-20", "32.48", ("Mug", "30.00")),
            invoice("1001-R5", "2026-12-14", "0.00", *correction),
        ],
        "credit_notes": [],
        "expenses": [
            {
                "notes": "BigCommerce order 1001, refund 5 (store sandbox)",
                "vis_state": 0,
                "amount": {"amount": "7.83"},
            }
        ],
    }


def differing(held: dict[str, Any]) -> dict[int, str]:
    return books.compare([ORDER], held).differing


def test_a_refund_booked_beside_its_invoice_agrees() -> None:
    assert differing(standing()) == {}


@pytest.mark.parametrize("what", ["missing", "a draft", "of another day", "not over nothing"])
def test_a_correction_that_is_not_as_it_should_be_is_told(what: str) -> None:
    held = standing()
    correction = held["invoices"][1]
    correction |= {
        "missing": {"vis_state": 1},
        "a draft": {"v3_status": "draft"},
        "of another day": {"create_date": "2026-11-30"},
        "not over nothing": {"amount": {"amount": "0.01"}},
    }[what]
    assert "corrections" in differing(held)[1001]


def test_a_correction_without_its_expense_or_with_two_is_told() -> None:
    held = standing()
    held["expenses"] *= 2
    assert "corrections" in differing(held)[1001]
    held["expenses"] = []
    assert "corrections" in differing(held)[1001]


def test_what_is_booked_in_a_way_of_its_own_is_counted_of_posted_orders() -> None:
    on_account = ORDER | {"order_id": 1002, "due": "2026-12-20", "outstanding": "32.48"}
    found = books.kinds([ORDER, on_account], {1001, 1002})
    told = {name: (one.orders, dict(one.sums)) for name, one in found.items()}
    assert {name: (orders, str(sums["USD"])) for name, (orders, sums) in told.items()} == {
        "on account, open": (1, "32.48"),
        "refunds, money": (2, "15.66"),
        "store credit, owed": (2, "6.00"),
    }
    assert books.kinds([ORDER], set()) == {}
