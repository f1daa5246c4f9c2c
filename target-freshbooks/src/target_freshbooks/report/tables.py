"""The month as CSV: its orders, and its payments; amounts are plain numbers of their currency."""

import csv
import io
from collections.abc import Iterable, Mapping
from decimal import Decimal

from target_freshbooks.money import total
from target_freshbooks.report.figures import InvoiceFigures
from target_freshbooks.report.month import Absent, Row, Standing
from target_freshbooks.report.page import cell, exact
from target_freshbooks.report.receipts import Receipt

ORDERS = (
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
    "standing",
    "method",
    "net_sales",
    "tax",
)
PAYMENTS = (
    "day",
    "order_id",
    "invoice_number",
    "type",
    "method",
    "currency",
    "received",
    "refunded",
    "in_the_books",
    "on_earlier_invoice",
)


def orders_table(
    rows: Iterable[Row], absent: Iterable[Absent], figures: Iterable[InvoiceFigures]
) -> str:
    """A line for each order of the month, those that are not in the books last."""
    by_invoice = {one.invoice.id: one for one in figures}
    lines = [_order(row, by_invoice.get(row.invoice_id or 0)) for row in rows]
    lines += [
        {
            "order_id": one.order_id,
            "day": one.day,
            "currency": one.currency,
            "reason": one.why,
            "order_total": one.order_total,
            "standing": str(Standing.ABSENT),
        }
        for one in absent
    ]
    return _table(ORDERS, lines)


def _order(row: Row, figures: InvoiceFigures | None) -> Mapping[str, object]:
    line: dict[str, object] = {name: getattr(row, name) for name in ORDERS[:-2]}
    line["standing"] = str(row.standing)
    if row.draft:
        line |= {"paid": None, "outstanding": None}  # a Draft is no receivable
    if figures is not None:
        line["net_sales"] = figures.sold - figures.refunded
        line["tax"] = total(tax.due for tax in figures.taxes)
    return line


def payments_table(receipts: Iterable[Receipt]) -> str:
    """A line for each payment of the month."""
    lines = [
        {
            "day": one.day,
            "order_id": one.order_id,
            "invoice_number": one.invoice_number,
            "type": one.kind,
            "method": one.method,
            "currency": one.currency,
            "received": one.received,
            "refunded": one.refunded,
            "in_the_books": one.booked,
            "on_earlier_invoice": "yes" if one.earlier else "no",
        }
        for one in receipts
    ]
    return _table(PAYMENTS, lines)


def _table(columns: tuple[str, ...], lines: Iterable[Mapping[str, object]]) -> str:
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(columns)
    for line in lines:
        currency = str(line["currency"])
        values = (line.get(column) for column in columns)
        writer.writerow(
            [cell(exact(one, currency) if isinstance(one, Decimal) else one) for one in values]
        )
    return table.getvalue()
