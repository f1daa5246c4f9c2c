"""Plans of orders as text, JSON, CSV and HTML; `Plan.document` has what all but the text show."""

import csv
import io
import json
from collections.abc import Callable, Iterable

from target_freshbooks.posting.plan.render import Plan, sign
from target_freshbooks.report.page import cell, page

COLUMNS = ("order_id", "outcome", "reason", "number", "date", "currency", "total", "kind", "why")


def as_text(plans: Iterable[Plan]) -> str:
    """For a terminal."""
    return "\n\n".join(plan.text() for plan in plans)


def as_json(plans: Iterable[Plan]) -> str:
    """For a program."""
    documents = [plan.document() for plan in plans]
    return json.dumps(documents, ensure_ascii=False, indent=2)


def as_csv(plans: Iterable[Plan]) -> str:
    """For a spreadsheet: a row for each step, or one for an order without any."""
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for plan in plans:
        document = plan.document()
        for step in document["steps"] or [{}]:
            row = {**document, **(document["invoice"] or {}), **step}
            writer.writerow({name: cell(row.get(name)) for name in COLUMNS})
    return table.getvalue().rstrip("\n")


def as_html(plans: Iterable[Plan]) -> str:
    """For a browser."""
    return page("plans.html", plans=[plan.document() for plan in plans], sign=sign)


FORMS: dict[str, Callable[[Iterable[Plan]], str]] = {
    "text": as_text,
    "json": as_json,
    "csv": as_csv,
    "html": as_html,
}
