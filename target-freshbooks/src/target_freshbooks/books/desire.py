"""Desired state: client, items, invoice, payments and refunds of an order, put together.

This is the whole of the accounting in one page. The order is taken apart (`breakdown`), said as an
invoice (`draft_lines`), paid up to its total (`payments`, `surplus`) and refunded (`refunds`). What
a person must look at is either `Parked`, when nothing can be written at all, or a flag on what is
written as far as it goes.
"""

from collections.abc import Iterable
from dataclasses import replace

from target_freshbooks.books.breakdown import Breakdown, break_down, without_tax
from target_freshbooks.books.calendar import bookkeeping_day
from target_freshbooks.books.clients import billing_of, client_for
from target_freshbooks.books.desired import (
    Desired,
    ExactLine,
    Invoice,
    InvoiceLine,
    Parked,
    Reason,
    RefundEntry,
)
from target_freshbooks.books.draft_lines import (
    DraftLines,
    draft_lines,
    has_negative,
    lines_without_negatives,
)
from target_freshbooks.books.eligibility import is_to_be_voided, void
from target_freshbooks.books.exemption import exemption_note
from target_freshbooks.books.items import items_for
from target_freshbooks.books.marketplaces import is_net, net_facts, remitted_note, undecided
from target_freshbooks.books.payment_methods import days_until_due
from target_freshbooks.books.payments import receipts
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.refund_allocation import shares_taxes
from target_freshbooks.books.refunds import refunds_of
from target_freshbooks.books.rounding import predict_totals, rounding_line
from target_freshbooks.books.stored_value import redeem
from target_freshbooks.books.surplus import without_surplus
from target_freshbooks.marks import mark_of
from target_freshbooks.money import ZERO, cent, decimals_of, is_whole, rounded
from target_freshbooks.shop.facts import Order, OrderFacts


def desire(facts: OrderFacts, policy: Policy) -> Desired | Parked:
    """What FreshBooks should hold for the order, or why nothing can be written.

    Whether the order is to be booked at all is `assess`'s matter.
    """
    order = facts.order
    number = f"{policy.invoice_number_prefix}{order.id}"
    client = _beyond_freshbooks(order, number, policy) or client_for(facts, policy)
    if isinstance(client, Parked):
        return client
    breakdown = undecided(order, policy) or break_down(facts, policy)
    if isinstance(breakdown, Parked):
        return breakdown
    currency = (order.currency, decimals_of(order.currency))
    if is_net(order, policy):
        breakdown = without_tax(breakdown, order)
    if breakdown.total < 0:
        return Parked(
            Reason.TOTAL_MISMATCH,
            f"Order {order.id} has the negative total {breakdown.total} {order.currency}; an"
            " invoice cannot.",
            "Look up in the shop how the total came about, and book the order by hand.",
        )
    breakdown = redeem(facts, breakdown, policy)
    if isinstance(breakdown, Parked):
        return breakdown
    if is_net(order, policy):
        shares = shares_taxes(order, policy)
        facts = net_facts(facts, policy, breakdown.redeemed, share_taxes=shares)
    drafted = draft_lines(breakdown, order.id, policy, currency)
    received = receipts(facts, breakdown.total, policy)
    due = without_surplus(facts, received.payments, breakdown.total, policy)
    refunded = refunds_of(facts, breakdown, due, policy)
    flags = [*refunded.flags, received.flag, due.flag]
    held = _mismatch(order, drafted.problem) if drafted.problem else None
    entries = () if held else refunded.entries
    invoice = _invoice(facts, breakdown, drafted, number, policy)
    desired = Desired(
        order_id=order.id,
        client=client,
        items=items_for(facts, _possible_lines(invoice, refunded.entries, policy)),
        invoice=invoice,
        payments=due.payments,
        refunds=entries,
        unbooked_refunds=frozenset(one.id for one in facts.refunds)
        - {entry.refund_id for entry in entries},
        flag=held or _together([flag for flag in flags if flag is not None]),
        worked_out=breakdown.worked_out if policy.tax_mode == "rates" else (),
        found_rate=breakdown.found_rate,
        redeemed=breakdown.redeemed,
        no_money=received.no_money,
        hold=held is not None,
    )
    return void(desired, facts, policy) if is_to_be_voided(facts, policy) else desired


def _invoice(
    facts: OrderFacts, breakdown: Breakdown, drafted: DraftLines, number: str, policy: Policy
) -> Invoice:
    order = facts.order
    mark = mark_of(order)
    currency = (order.currency, decimals_of(order.currency))
    return Invoice(
        number=number,
        day=bookkeeping_day(order.created, facts, policy),
        currency=order.currency,
        total=breakdown.total,
        lines=drafted.lines,
        marker=mark,
        notes="\n".join(
            filter(None, (str(mark), remitted_note(order, policy), exemption_note(facts, policy)))
        ),
        po_number=str(mark),
        billing=billing_of(order, policy),
        due_days=days_until_due(order.payment_method, policy),
        without_negatives=lines_without_negatives(breakdown, policy, currency)
        if has_negative(drafted.lines)
        else (),
    )


def _possible_lines(
    invoice: Invoice, refunds: Iterable[RefundEntry], policy: Policy
) -> list[InvoiceLine | ExactLine]:
    """All lines that the invoice may get: FreshBooks' answer may ask for a Rounding line."""
    lines: list[InvoiceLine | ExactLine] = [*invoice.lines, *invoice.without_negatives]
    lines += [line for entry in refunds for line in entry.taken]
    answers = predict_totals(invoice.lines, decimals_of(invoice.currency))
    return lines if answers == {invoice.total} else [*lines, rounding_line(ZERO, policy)]


def _mismatch(order: Order, problem: str) -> Parked:
    """The invoice stays a Draft, with the lines as the shop states them, for a person to look at.

    The payments wait until the person has made the Draft's total the order's.
    """
    return Parked(
        Reason.TOTAL_MISMATCH,
        f"Order {order.id}: {problem}",
        "The invoice is left a Draft: correct its lines in FreshBooks, or the order's totals"
        " in the shop, and replay the order.",
    )


def _together(flags: list[Parked]) -> Parked | None:
    """One flag that tells of all: the first gives the reason."""
    if not flags:
        return None
    return replace(
        flags[0],
        detail=" ".join(dict.fromkeys(flag.detail for flag in flags)),
        next_step=" ".join(dict.fromkeys(flag.next_step for flag in flags)),
    )


def _beyond_freshbooks(order: Order, number: str, policy: Policy) -> Parked | None:
    """Why FreshBooks cannot hold an invoice of the order; None if it can."""
    decimals, capabilities = decimals_of(order.currency), policy.capabilities
    most = capabilities.amount_decimals
    if decimals > most:
        return Parked(
            Reason.UNSUPPORTED_CURRENCY,
            f"Order {order.id} is in {order.currency}, which has {decimals} decimals; FreshBooks"
            f" keeps {most}, so its total of {order.total_inc_tax} cannot be booked exactly.",
            "Enter the order by hand in a currency that FreshBooks can hold.",
        )
    # The shop keeps four decimals; what lies below the cent was never charged, and is rounded.
    if not is_whole(rounded(order.total_inc_tax, most), decimals):
        return Parked(
            Reason.TOTAL_MISMATCH,
            f"Order {order.id} comes to {order.total_inc_tax} {order.currency}, but the smallest"
            f" amount of {order.currency} is {cent(decimals)}, so its total cannot be booked"
            " exactly.",
            "Correct the order's total in the shop, and the decimal places that the currency has"
            " there, or enter the order by hand.",
        )
    if len(number) > capabilities.number_length:
        return Parked(
            Reason.NUMBER_TOO_LONG,
            f"Order {order.id} would get the invoice number {number}, of {len(number)} characters;"
            f" {capabilities.number_length} is the most.",
            "Set a shorter invoice_number_prefix and replay the order.",
        )
    return None
