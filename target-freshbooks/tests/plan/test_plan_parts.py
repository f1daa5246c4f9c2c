"""What the reconciler asks of the plan's modules beside the next step itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from plan_notation import CLIENT, MARK, Scene, line_of, rows_in, scene_of
from target_freshbooks.books.desired import InvoiceLine, Parked, Reason
from target_freshbooks.freshbooks.observed import ObservedCreditNote
from target_freshbooks.ledger import Link
from target_freshbooks.posting.apply.effects import after, asked_link, without_overpayment
from target_freshbooks.posting.apply.parts import with_links
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.head import differing, head_of, keeps_its_client
from target_freshbooks.posting.plan.overpayment import credit_by_hand, overpaid_by_hand
from target_freshbooks.posting.plan.payments import drop_unexplained, is_left_lowered
from target_freshbooks.posting.plan.steps import Step, StepKind
from target_freshbooks.posting.state import Observed, Recorded

if TYPE_CHECKING:
    from target_freshbooks.freshbooks.observed import ObservedInvoice

D = Decimal


def scene(text: str) -> Scene:
    (row,) = rows_in(f"A scene\n{text}")
    return scene_of(row)


def invoice_of(found: Scene) -> ObservedInvoice:
    assert found.observed.invoice is not None
    return found.observed.invoice


def step(kind: StepKind, body: dict[str, object] | None = None, **more: int) -> Step:
    return Step(kind, "transaction:77", body or {}, "why", remote_id=more.get("remote_id"))


# -- an invoice found again, of which the ledger knows nothing


@pytest.mark.parametrize(
    ("order", "held", "agrees"),
    [
        ("Shirt 1 x 30.00", "Shirt 1 x 30.00", True),
        ("Shirt 1 x 30.00", "Blouse 2 x 15.00", True),
        ("Shirt 1 x 30.00", "Shirt 1 x 29.00", False),
        ("Shirt 1 x 25.00 + VAT 20", "Shirt 1 x 30.00", False),
        ("Shirt 1 x 25.00 + VAT 20", "Shirt 1 x 25.00 + Sales tax 20", True),
    ],
)
def test_an_invoice_agrees_by_its_total_and_the_amounts_and_taxes_of_its_lines(
    order: str, held: str, agrees: bool
) -> None:
    found = scene(f"    order\n        {order}\n    freshbooks\n        invoice\n        {held}")
    assert found.context.is_ours(invoice_of(found))
    assert found.context.agrees(invoice_of(found)) is agrees


def test_a_rounding_line_is_no_disagreement() -> None:
    found = scene("""
    order
        total 30.01
        Shirt 1 x 30.00
    freshbooks
        invoice
        Shirt 1 x 30.00
        Rounding 1 x 0.01""")
    assert found.context.agrees(invoice_of(found))


@pytest.mark.parametrize("left", [20, 25])
def test_refunds_on_the_invoice_are_no_disagreement_even_outdated_ones(left: int) -> None:
    found = scene(f"""
    order
        Shirt 1 x 30.00
        paid transaction:77 30.00
        refund 5 {30 - left}.00 leaves transaction:77 {left}.00
    freshbooks
        invoice
        Shirt 1 x 30.00
        Refund 5 1 x -10.00""")
    assert found.context.agrees(invoice_of(found))
    assert found.context.outdated_refunds(invoice_of(found)) == (set() if left == 20 else {5})


# -- lines


def test_an_item_called_otherwise_in_freshbooks_has_the_shop_s_name_in_the_description() -> None:
    sold = InvoiceLine("Blue shirt", "L", D(1), D(10), (), "sku:A")
    (line,) = wire.named((sold,), {"sku:A": "Shirt"})
    assert (line.name, line.description) == ("Shirt", "Blue shirt; L")
    (bare,) = wire.named((replace(sold, description=""),), {"sku:A": "Shirt"})
    assert bare.description == "Blue shirt"
    (same,) = wire.named((sold,), {})
    assert same == sold


def test_an_item_called_like_a_refund_is_told_apart() -> None:
    sold = InvoiceLine("Shirt", "", D(1), D(10), (), "sku:A")
    (line,) = wire.named((sold,), {"sku:A": "Refund 5"})
    assert wire.refund_of(line) is None


def test_the_notation_reads_what_it_writes() -> None:
    line = line_of("Blue shirt 2 x 15.50 + VAT 20 + City tax 1.5")
    assert line is not None
    assert wire.from_body({"lines": wire.lines_body([line], "USD")}) == (line,)


# -- the head

HEAD = """
    order
        billing Ada Lovelace
        Shirt 1 x 30.00
    freshbooks
        invoice client 9 billed to Ada
        Shirt 1 x 30.00"""


def test_a_head_holds_what_the_invoice_has_of_it() -> None:
    found = scene(HEAD)
    body = found.context.invoice_body(found.context.lines)
    assert head_of(body) == {"customerid": CLIENT, "fname": "Ada", "lname": "Lovelace"}
    assert not differing(invoice_of(found), head_of(body))
    assert differing(invoice_of(found), {"fname": "Grace"})


def test_an_invoice_keeps_its_client_where_a_person_chose_it_or_nobody_may_change_it() -> None:
    found = scene(HEAD + "\n    ledger\n        invoice head asked")
    key = found.context.desired.client.key
    known = Recorded(invoice=found.links[0])
    assert keeps_its_client(known, invoice_of(found), key)
    assert not keeps_its_client(known, invoice_of(found), "customer:8")
    moved = replace(invoice_of(found), customer_id=3)
    assert keeps_its_client(known, moved, "customer:8")
    left = replace(found.links[0], extra={"left": ["customerid"]})
    assert keeps_its_client(Recorded(invoice=left), invoice_of(found), "customer:8")
    assert not keeps_its_client(Recorded(), invoice_of(found), key)


# -- payments and their credits


def test_a_credit_that_a_payment_by_hand_became_is_told() -> None:
    before = scene("""
    order
        Shirt 1 x 30.00
        paid transaction:77 20.00
    freshbooks
        invoice
        Shirt 1 x 30.00
        payment transaction:77 20.00 id 701""")
    after_it = scene("""
    order
        Shirt 1 x 30.00
        paid transaction:77 20.00
    freshbooks
        invoice
        Shirt 1 x 30.00
        payment transaction:77 20.00 id 701 credit 907
        payment by hand 10.00 id 702 credit 908""")
    link = Link("payment", "101:transaction:77", 701)
    ours = replace(before.context, recorded=Recorded(payments={"transaction:77": link}))
    found = overpaid_by_hand(ours, before.observed, after_it.observed)
    assert found is not None
    assert found.id == 702
    assert overpaid_by_hand(ours, after_it.observed, after_it.observed) is None
    credit = ObservedCreditNote(908, CLIENT, "", D(5), "USD", "")
    parked = credit_by_hand("101", found, credit)
    assert parked.reason is Reason.OVERPAYMENT_CREDIT_LEFT
    assert "payment 702" in parked.detail
    assert "5 USD" in parked.detail


PAID = """
    order
        Shirt 1 x 30.00
        paid transaction:77 30.00
    freshbooks
        invoice
        Shirt 1 x 30.00
        payment transaction:77 30.00 id 701
    ledger
        invoice
        payment transaction:77 30.00"""


def test_what_a_payment_is_asked_for_is_remembered_before_it_is_written() -> None:
    found = scene(PAID)
    link = found.links[1]
    lower = step(StepKind.UPDATE_PAYMENT, {"amount": {"amount": "20.00"}}, remote_id=701)
    asked = asked_link(link, lower, found.observed.payments[0])
    assert asked.extra == {"asked": ["20.00"], "wanted": ["30.00", "20.00"]}
    unseen = asked_link(link, lower, None)
    assert unseen.extra == {"asked": ["20.00"]}
    gone = asked_link(
        link,
        step(StepKind.DELETE_PAYMENT, remote_id=701),
        replace(found.observed.payments[0], overpayment_id=907),
    )
    assert gone.extra == {"overpayment": 907}
    assert without_overpayment(gone).extra == {}


def test_a_payment_without_its_invoice_in_sight_changes_no_invoice() -> None:
    found = scene(PAID)
    payment = found.observed.payments[0]
    held = after(Observed(), step(StepKind.CREATE_PAYMENT), payment)
    assert (held.invoice, held.payments) == (None, (payment,))


# -- steps


def test_steps_that_ask_for_the_same_have_one_identity() -> None:
    one = step(StepKind.UPDATE_PAYMENT, {"amount": "1"}, remote_id=1)
    assert one.identity == replace(one, why="another sentence").identity
    assert one.identity != replace(one, remote_id=2).identity


@pytest.mark.parametrize(
    ("kind", "part", "rewrites"),
    [
        (StepKind.UPDATE_HEAD, False, True),
        (StepKind.UPDATE_INVOICE, True, True),
        (StepKind.UPDATE_PAYMENT, True, True),
        (StepKind.UPDATE_INVOICE, False, False),
        (StepKind.MARK_SENT, False, False),
    ],
)
def test_only_what_changes_the_sale_or_is_a_part_of_that_rewrites_an_invoice(
    kind: StepKind, part: bool, rewrites: bool
) -> None:
    assert replace(step(kind), rewriting=part).rewrites is rewrites


def test_a_mark_stands_for_its_order_and_all_its_parts() -> None:
    assert MARK.of("refund 5").is_of_order(MARK)
    assert MARK.of("refund 5").refund_id == 5
    assert MARK.of("transaction 77").refund_id is None


# -- payments that stand for nothing the shop shows


@pytest.mark.parametrize(
    ("paid", "words"),
    [("", "no longer shows"), ("paid transaction:77 30.00", "a second payment of 30.00 USD")],
)
def test_what_is_said_of_a_payment_tells_a_second_one_from_one_without_a_transaction(
    paid: str, words: str
) -> None:
    found = scene(f"""
    order
        Shirt 1 x 30.00
        {paid}
    freshbooks
        invoice
        Shirt 1 x 30.00
        payment transaction:77 30.00 id 701
        payment transaction:77 30.00 id 702""")
    parked = drop_unexplained(found.context, found.observed)
    assert isinstance(parked, Parked)
    assert words in parked.detail


# -- what a run that was killed lowered


@pytest.mark.parametrize(
    ("invoice", "payment", "lowered"),
    [
        ("invoice of other facts", "payment transaction:77 20.00 from 30.00", True),
        ("invoice", "payment transaction:77 20.00 from 30.00", False),
        ("invoice of other facts", "payment transaction:77 20.00 from 10.00", False),
        ("invoice of other facts", "payment transaction:77 20.00", False),
    ],
)
def test_only_an_edit_of_the_order_is_a_rewriting_that_broke_off(
    invoice: str, payment: str, lowered: bool
) -> None:
    found = scene(f"""
    order
        Shirt 1 x 20.00
        paid transaction:77 20.00 received 30.00
    freshbooks
        invoice
        Shirt 1 x 30.00
        payment transaction:77 20.00
    ledger
        {invoice}
        {payment}""")
    context = replace(found.context, recorded=with_links(Recorded(), found.links))
    assert is_left_lowered(context, found.observed) is lowered
