"""Identity: which records, of FreshBooks and of the ledger, are an order's, under which key."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from plan_notation import MARK, ORDER, rows_in, scene_of
from target_freshbooks.ledger import Link, OrderRow
from target_freshbooks.marks import DERIVED, Mark, marks_in, received_line
from target_freshbooks.posting.identity import adopt, bears, find_note, find_payment, part_of
from target_freshbooks.posting.state import Recorded

if TYPE_CHECKING:
    from target_freshbooks.ledger import OrderState

BOOKS = """
    order
        Shirt 1 x 30.00
        paid transaction:77 20.00
        credit 5 3.00
    freshbooks
        invoice
        Shirt 1 x 30.00
        payment transaction:77 20.00 id 701
        payment transaction:77 20.00 id 702
        payment store_credit 5.00 id 703
        payment by hand 5.00 id 704
        credit note 5 3.00 id 801
        credit note 6 3.00 id 802
"""


@pytest.mark.parametrize(
    ("part", "key"),
    [
        ("transaction 77", "transaction:77"),
        ("refund 5", "refund:5"),
        ("store credit", "store_credit"),
        ("gift certificate", "gift_certificate"),
        ("derived", "derived"),
    ],
)
def test_a_part_of_an_order_has_a_mark_and_a_key_that_follows_from_it(part: str, key: str) -> None:
    mark = MARK.of(part)
    assert mark.key == key
    assert marks_in(f"Thank you.\n  {mark}  \n") == [mark]


def test_what_a_payment_s_note_holds_at_most_is_short() -> None:
    mark = Mark(12_345_678, "abcdefghij", DERIVED)
    assert len(f"{mark}\n{received_line(Decimal('1234567.89'), 'USD')}") <= 80


def test_what_bears_the_mark_of_an_order_is_adopted_and_of_two_alike_the_first() -> None:
    (row,) = rows_in("A lost ledger" + BOOKS)
    scene = scene_of(row)
    links = {link.key: link for link in adopt(MARK, scene.observed, "facts of now")}
    assert {key: link.remote_id for key, link in links.items()} == {
        "101": 500,
        "101:transaction:77": 701,
        "101:store_credit": 703,
        "101:5": 801,
        "101:6": 802,
    }
    assert links["101"].content_hash == "facts of now"
    assert {link.order_id for link in links.values()} == {ORDER}
    assert part_of(links["101:transaction:77"]) == "transaction:77"
    assert len(adopt(Mark(ORDER, "another store"), scene.observed, "")) == 1


def test_a_record_is_found_by_its_id_before_its_mark() -> None:
    (row,) = rows_in("A second payment of one mark" + BOOKS)
    scene = scene_of(row)
    payment = scene.context.desired.payments[0]
    note = scene.context.desired.refunds[0].credit_note
    assert note is not None
    known = Recorded(
        payments={"transaction:77": Link("payment", "101:transaction:77", 702)},
        credit_notes={5: Link("credit_note", "101:5", 801)},
    )
    found = [find_payment(payment, one, scene.observed) for one in (Recorded(), known)]
    assert [one and one.id for one in found] == [701, 702]
    given = [find_note(note, one, scene.observed) for one in (Recorded(), known)]
    assert [one and one.id for one in given] == [801, 801]


@pytest.mark.parametrize(
    ("prefix", "refund", "wording", "number"),
    [
        ("", 5, 0, "R5"),
        ("BC-", 123456, 0, "BC-R123456"),
        ("BC-", 1234567, 0, "R1234567"),
        ("BC-", 5, 1, "BC-R5-2"),
        ("", 1234567890, 0, ""),
    ],
)
def test_a_credit_note_s_number_has_at_most_ten_characters(
    prefix: str, refund: int, wording: int, number: str
) -> None:
    (row,) = rows_in("An order" + BOOKS)
    context = scene_of(row).context
    context = replace(context, policy=replace(context.policy, invoice_number_prefix=prefix))
    assert context.credit_number(refund, wording) == number


def test_a_mark_counts_as_a_whole_line_only() -> None:
    note = str(MARK.of("transaction 77"))
    assert bears(f"{note}\nby hand", note)
    assert not bears(f"see {note}", note)
    assert not bears(str(MARK.of("transaction 7")), note)


@pytest.mark.parametrize(
    ("state", "linked", "in_books"),
    [
        ("posted", False, True),
        ("new", True, True),  # it changed in the shop, and what we wrote of it stands
        ("new", False, False),
        ("parked", True, False),  # it may be in a person's hands
        (None, True, False),
    ],
)
def test_an_order_is_in_the_books_as_we_left_it_once_posted_and_until_it_is_parked(
    state: OrderState | None, linked: bool, in_books: bool
) -> None:
    row = None if state is None else OrderRow(ORDER, state, invoice_number="101")
    recorded = Recorded(row, Link("invoice", "101", 500) if linked else None)
    assert recorded.is_in_books is in_books
    assert recorded.number == (None if state is None else "101")
    assert recorded.invoice_id == (500 if linked else None)
