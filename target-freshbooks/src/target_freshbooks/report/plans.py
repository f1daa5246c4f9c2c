"""Plans of orders as lines of text, JSON, CSV and HTML; all but the text show `Plan.document`.

A dry run has thousands of them, so it keeps the documents, not the plans.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector_credentials.output import json_lines
from connector_credentials.private_files import replace_file

from target_freshbooks.money import total
from target_freshbooks.posting.plan.render import AGREE, Plan, sign
from target_freshbooks.posting.plan.summary import Summary
from target_freshbooks.report.page import cell, page

_Documents = Sequence[dict[str, Any]]

COLUMNS = (
    *("order_id", "outcome", "reason", "number", "date", "currency", "total", "taxes"),
    *("difference", "paid", "refunded", "steps", "detail", "next_step"),
)
"""Of a table of plans: a row for each order, so that the sum of a column is a sum of money."""


def paragraphs(*texts: Sequence[str]) -> list[str]:
    """The lines of several texts, an empty one between two of them."""
    return [line for text in texts if text for line in ("", *text)][1:]


def as_text(plans: Iterable[Plan]) -> list[str]:
    """For a terminal."""
    return paragraphs(*(plan.lines() for plan in plans))


def as_json(plans: Iterable[Plan]) -> list[str]:
    """For a program."""
    return json_lines([plan.document() for plan in plans], indent=2)


def as_csv(plans: Iterable[Plan]) -> list[str]:
    """For a spreadsheet: a row for each order."""
    return _table([plan.document() for plan in plans])


def as_html(plans: Sequence[Plan]) -> list[str]:
    """For a browser, the sums on top."""
    return _page([plan.document() for plan in plans], summary_of(plans))


def summary_of(plans: Iterable[Plan]) -> Summary:
    """The figures of plans."""
    summary = Summary()
    for plan in plans:
        summary.add(plan)
    return summary


def write_plans(path: Path, documents: _Documents, summary: Summary) -> None:
    """Write all plans into a private file, a page or a table by its ending, in one step.

    Raises:
        OSError: The file cannot be written; the former one stands.
    """
    of_orders = sorted(documents, key=lambda one: one["order_id"])
    lines = _table(of_orders) if path.suffix.lower() == ".csv" else _page(of_orders, summary)
    replace_file(path, "\n".join([*lines, ""]))


def _table(documents: _Documents) -> list[str]:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for document in documents:
        row = document | _figures(document["invoice"])
        row["steps"] = "; ".join(step["why"] for step in document["steps"])
        writer.writerow([cell(row.get(name)) for name in COLUMNS])
    return table.getvalue().split("\n")[:-1]


def _figures(invoice: dict[str, Any] | None) -> dict[str, Any]:
    """The invoice's columns; amounts are numbers, not their text."""
    if invoice is None:
        return {}
    refunds = [*invoice["refunds"], *invoice["corrections"]]
    parts = ("money", "stored_value", "credit_note")
    given_back = (Decimal(one.get(part) or 0) for one in refunds for part in parts)
    return invoice | {
        "total": Decimal(invoice["total"]),
        "taxes": total(map(Decimal, invoice["taxes"].values())),
        "difference": Decimal(invoice["difference"]),
        "paid": total(Decimal(one["amount"]) for one in invoice["payments"]),
        "refunded": total(given_back),
    }


def _page(documents: _Documents, summary: Summary) -> list[str]:
    figures = summary.document()
    return page("plans.html", plans=documents, figures=figures, sign=sign, agree=AGREE).split("\n")


FORMS: dict[str, Callable[[Sequence[Plan]], list[str]]] = {
    "text": as_text,
    "json": as_json,
    "csv": as_csv,
    "html": as_html,
}
