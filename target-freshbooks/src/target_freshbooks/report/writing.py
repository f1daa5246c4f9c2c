"""`report`: a month as a page to close it with, and as tables for a spreadsheet."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from connector_credentials.private_files import replace_file

from target_freshbooks.access import open_account
from target_freshbooks.ctl.context import Context, command
from target_freshbooks.ledger import AuditHead, utc_now
from target_freshbooks.posting.tally import WORKED_OUT, sentences
from target_freshbooks.report.addresses import Addresses
from target_freshbooks.report.charts import chart_counts, chart_month
from target_freshbooks.report.content import MonthReport
from target_freshbooks.report.figures import INCOME, LineKind, Statement
from target_freshbooks.report.gather import Gathering
from target_freshbooks.report.month import Month, Standing
from target_freshbooks.report.page import money, page
from target_freshbooks.report.receipts import sums_by_day, sums_by_method
from target_freshbooks.report.tables import orders_table, payments_table
from target_freshbooks.settings.table import schema

ALWAYS = {LineKind.SALES, LineKind.DISCOUNTS, LineKind.SHIPPING, LineKind.REFUNDS}
"""What a statement shows even where it is nothing."""


@command("report")
@click.option("--month", "text", metavar="TEXT", required=True, help="YYYY-MM")
@click.option("--output", default="output", help="Folder for the HTML and CSV files.")
def report(context: Context, *, text: str, output: str) -> None:
    """Write the month's report: sales, tax, payments, what is open, and what does not agree."""
    try:
        month = Month.parse(text)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    settings = context.settings
    with context.ledger() as ledger:
        account = open_account(settings, ledger=ledger)
        month_report = Gathering(account, ledger, settings.policy, month).read()
        head = ledger.audit.head()
        addresses = Addresses(ledger.ownership.store_hash(), account.pinned.account_id)
    out = Path(output)
    files = {
        "html": out / f"report-{month}.html",
        "csv": out / f"report-{month}.csv",
        "payments_csv": out / f"report-{month}-payments.csv",
    }
    replace_file(files["html"], html(month_report, addresses, head, settings.api_url))
    replace_file(
        files["csv"], orders_table(month_report.rows, month_report.absent, month_report.figures)
    )
    replace_file(files["payments_csv"], payments_table(month_report.payments.receipts))
    names = {kind: str(file) for kind, file in files.items()}
    context.show(document(month_report, head) | names, lines(month_report, head, names))


def html(
    month_report: MonthReport, addresses: Addresses, head: AuditHead | None, api_url: str
) -> str:
    """The page."""
    return page(
        "month.html",
        report=month_report,
        now=utc_now(),
        head=head,
        addresses=addresses,
        elsewhere="" if api_url == schema["properties"]["api_url"]["default"] else api_url,
        Standing=Standing,
        income=[
            kind
            for kind in INCOME
            if kind in ALWAYS or any(one.of(kind) for one in month_report.statements)
        ],
        beside=[
            kind
            for kind in LineKind
            if kind not in {*INCOME, LineKind.TAX}
            and any(one.of(kind) for one in month_report.statements)
        ],
        charts=chart_month(month_report.month.first, month_report.month.last, month_report.days),
        delays=chart_counts(month_report.delays) if month_report.delays else None,
        by_method=sums_by_method(month_report.payments.receipts),
        by_day=sums_by_day(month_report.payments.receipts),
    )


def document(month_report: MonthReport, head: AuditHead | None) -> dict[str, Any]:
    """What the command answers in JSON; it names no client."""
    counts = month_report.headline.counts
    return {
        "month": str(month_report.month),
        "headline": str(month_report.headline),
        "standing": {standing.name.lower(): counts.get(standing, 0) for standing in Standing},
        "orders": len(month_report.rows),
        "parked": len(month_report.parked),
        "undated": list(month_report.undated),
        "settled": len(month_report.settled),
        "open": len(month_report.receivables),
        "worked_out_taxes": len(month_report.worked_out),
        "agrees": month_report.agrees,
        "changed_afterwards": [asdict(one) for one in month_report.changed],
        "earlier_months": [asdict(one) for one in month_report.earlier],
        "totals": [asdict(sums) for sums in month_report.totals],
        "statements": [_statement(one) for one in month_report.statements],
        "payments": [asdict(one) for one in sums_by_method(month_report.payments.receipts)],
        "corrections": [asdict(one) for one in month_report.corrections],
        "owed": [asdict(one) for one in month_report.owed],
        "findings": [
            {"order_id": row.order_id, "finding": one}
            for row in month_report.rows
            for one in row.findings
        ]
        + [
            {"order_id": one.order_id, "finding": f"{one.kind}: {one.detail}"}
            for one in month_report.findings
        ],
        "audit_head": str(head),
        "audit_chain_whole": month_report.chain.ok,
    }


def _statement(one: Statement) -> dict[str, Any]:
    return {
        "currency": one.currency,
        "invoices": one.invoices,
        **{kind.name.lower(): one.by_kind[kind] for kind in LineKind if kind in one.by_kind},
        "net_sales": one.net_sales,
        "tax": one.tax,
        "invoiced": one.invoiced,
        "paid": one.paid,
        "outstanding": one.outstanding,
        "taxes": [asdict(tax) | {"due": tax.due} for tax in one.taxes],
    }


def lines(month_report: MonthReport, head: AuditHead | None, files: dict[str, str]) -> list[str]:
    """The same for a terminal."""
    text = [
        f"Report of {month_report.month}: {', '.join(files.values())}",
        f"  {month_report.headline}",
    ]
    text += [
        f"  {sums.currency}: {sums.orders} orders {money(sums.order_total, sums.currency)},"
        f" redeemed {money(sums.redeemed, sums.currency)},"
        f" refunded {money(sums.refunded, sums.currency)},"
        f" invoices {money(sums.invoice_total, sums.currency)},"
        f" difference {money(sums.difference, sums.currency)},"
        f" open {money(sums.outstanding, sums.currency)}"
        for sums in month_report.totals
    ]
    text += [
        f"  {one.number} takes {money(one.given_back, one.currency)} {one.currency} back, of order"
        f" {one.order_id}"
        for one in month_report.corrections
    ]
    text += [
        f"  owed at the end of the month, {one.item}: {money(one.balance, one.currency)}"
        f" {one.currency}"
        for one in month_report.owed
    ]
    text.append(f"  parked: {len(month_report.parked)}")
    if month_report.worked_out:
        text.append(f"  with {WORKED_OUT}: {len(month_report.worked_out)}")
    if month_report.undated:
        numbers = ", ".join(map(str, month_report.undated))
        text.append(f"  parked, of a day that could not be read: {numbers}")
    text += [f"  {change}, after it was over" for change in sentences(month_report.changed)]
    if not month_report.chain.ok:
        text.append("The audit journal is BROKEN: see verify.")
    return [*text, f"Head of the audit journal: {head}"]
