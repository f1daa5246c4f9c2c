"""Gathering a month from the ledger and FreshBooks, and writing it as HTML and CSV."""

import csv
import io
from collections import defaultdict
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import click
from connector_credentials.private_files import replace_file

from target_freshbooks.access import open_account
from target_freshbooks.books.items import line_key
from target_freshbooks.books.policy import LineNames
from target_freshbooks.ctl.context import Context, command
from target_freshbooks.freshbooks import FreshBooks, NotFound, ObservedInvoice
from target_freshbooks.freshbooks.observed import DELETED, DRAFT
from target_freshbooks.ledger import Ledger, OrderRow, utc_now
from target_freshbooks.posting.identity import invoice_key
from target_freshbooks.posting.plan.draft import KEPT_AS_DRAFT
from target_freshbooks.posting.tally import WORKED_OUT, sentences
from target_freshbooks.report.corrections import corrections_among
from target_freshbooks.report.month import Month, MonthReport, Owed, Row, make_row, total_up
from target_freshbooks.report.page import cell, money, page

COLUMNS = (
    "order_id",
    "day",
    "currency",
    "state",
    "reason",
    "order_total",
    "redeemed",
    "refunded",
    "invoice_number",
    "invoice_total",
    "paid",
    "outstanding",
    "difference",
)


@command("report")
@click.option("--month", "text", metavar="TEXT", required=True, help="YYYY-MM")
@click.option("--output", default="output", help="Folder for the HTML and CSV files.")
def report(context: Context, *, text: str, output: str) -> None:
    """Write the month's report: every order, its invoice, payments, refunds, differences."""
    try:
        month = Month.parse(text)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    settings = context.settings
    with context.ledger() as ledger:
        account = open_account(settings, ledger=ledger)
        owed = owed_at(account.books, ledger, settings.policy.names, month.last)
        month_report = replace(gather_month(account.books, ledger, month), owed=owed)
        head = ledger.audit.head()
    out = Path(output)
    html, table = out / f"report-{month}.html", out / f"report-{month}.csv"
    replace_file(html, page("month.html", report=month_report, now=utc_now(), head=head))
    write_csv(month_report, table)
    document = {
        "month": str(month),
        "html": str(html),
        "csv": str(table),
        "orders": len(month_report.rows),
        "parked": len(month_report.parked),
        "settled": len(month_report.settled),
        "open": len(month_report.receivables),
        "worked_out_taxes": len(month_report.worked_out),
        "agrees": month_report.agrees,
        "changed_afterwards": [asdict(one) for one in month_report.changed],
        "totals": [asdict(sums) for sums in month_report.totals],
        "corrections": [asdict(one) for one in month_report.corrections],
        "owed": [asdict(one) for one in month_report.owed],
        "audit_head": str(head),
    }
    lines = [f"Report of {month}: {html} and {table}"]
    lines += [
        f"  {sums.currency}: {sums.orders} orders {money(sums.order_total, sums.currency)},"
        f" redeemed {money(sums.redeemed, sums.currency)},"
        f" refunded {money(sums.refunded, sums.currency)},"
        f" invoices {money(sums.invoice_total, sums.currency)},"
        f" difference {money(sums.difference, sums.currency)},"
        f" open {money(sums.outstanding, sums.currency)}"
        for sums in month_report.totals
    ]
    lines += [
        f"  {one.number} takes {money(one.given_back, one.currency)} {one.currency} back, of order"
        f" {one.order_id}"
        for one in month_report.corrections
    ]
    lines += [
        f"  owed at the end of the month, {one.item}: {money(one.balance, one.currency)}"
        f" {one.currency}"
        for one in month_report.owed
    ]
    lines.append(f"  parked: {len(month_report.parked)}")
    if month_report.worked_out:
        lines.append(f"  with {WORKED_OUT}: {len(month_report.worked_out)}")
    lines += [f"  {change}, after it was over" for change in sentences(month_report.changed)]
    lines.append(f"Head of the audit journal: {head}")
    context.show(document, lines)


def gather_month(books: FreshBooks, ledger: Ledger, month: Month) -> MonthReport:
    """Read the month: FreshBooks' invoices in a few requests, the orders from the ledger.

    Nothing is asked of the shop's own records, which retention drops.
    """
    invoices = {invoice.id: invoice for invoice in books.invoices.dated(month.first, month.last)}
    rows: list[Row] = []
    claimed: set[int] = set()
    waiting = 0
    for order in ledger.orders.all(since=month.first):
        if order.order_date is None or not month.first <= order.order_date <= month.last:
            continue
        posted = order.state == "new" and order.posted_at is not None
        left_out = order.state not in {"posted", "parked", "settled"} and not posted
        if left_out and order.reason != KEPT_AS_DRAFT:
            waiting += 1
            continue
        invoice = _invoice_of(books, ledger, order, invoices)
        if invoice is not None:
            claimed.add(invoice.id)
        row = make_row(order, invoice)
        if row is not None:
            rows.append(row)
    corrections = corrections_among(books, ledger, invoices)
    accounted = claimed | corrections.keys()
    foreign = tuple(one for one in invoices.values() if one.id not in accounted)
    rows.sort(key=lambda row: (row.day, row.order_id))
    return MonthReport(
        month,
        ledger.scope.source,
        tuple(rows),
        total_up(rows),
        waiting,
        foreign,
        tuple(ledger.intents.of_earlier_months(month=str(month))),
        tuple(one for one in corrections.values() if one),
    )


def owed_at(books: FreshBooks, ledger: Ledger, names: LineNames, last: date) -> tuple[Owed, ...]:
    """What the shop owes at the end of the day: balances over all sent invoices, by hand or ours.

    If gift certificates and store credit are lines of items (`stored_value`), all that was sold,
    given and redeemed stands on invoices. FreshBooks has it as income; what is left of it at the
    end of a year is to be booked over to what is owed. Nothing is asked of FreshBooks if no order
    ever had such a line.
    """
    items = {
        str(link.extra["name"]): name
        for name in (names.gift_certificate, names.store_credit)
        if (link := ledger.links.get("item", line_key(name))) is not None
    }
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for invoice in books.invoices.until(last) if items else ():
        for line in invoice.lines or ():
            if line.name in items and invoice.status != DRAFT:
                sums[items[line.name], invoice.currency] += line.qty * line.unit_cost
    return tuple(Owed(*key, balance) for key, balance in sorted(sums.items()))


def _invoice_of(
    books: FreshBooks, ledger: Ledger, order: OrderRow, listed: dict[int, ObservedInvoice]
) -> ObservedInvoice | None:
    link = ledger.links.get("invoice", invoice_key(order.order_id))
    if link is None:
        return None
    if link.remote_id in listed:
        return listed[link.remote_id]
    try:
        invoice = books.invoices.get(link.remote_id)
    except NotFound:
        return None
    return None if invoice.vis_state == DELETED else invoice


def write_csv(report: MonthReport, path: Path) -> None:
    """The rows for a spreadsheet; amounts as plain numbers."""
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    for row in report.rows:
        writer.writerow([cell(getattr(row, column)) for column in COLUMNS])
    replace_file(path, table.getvalue())
