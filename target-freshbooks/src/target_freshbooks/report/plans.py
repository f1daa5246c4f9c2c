"""Plans of orders as lines of text, JSON, CSV and HTML; all but the text show `Plan.document`."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from connector_credentials.output import json_lines

from target_freshbooks.posting.plan.render import Plan, sign
from target_freshbooks.report.page import cell, page

COLUMNS = ("order_id", "outcome", "reason", "number", "date", "currency", "total", "kind", "why")


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
    """For a spreadsheet: a row for each step, or one for an order without any."""
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for plan in plans:
        document, desired = plan.document(), plan.result.desired
        figures = {"total": desired.invoice.total} if desired else {}  # a number, not its text
        for step in document["steps"] or [{}]:
            row = {**document, **(document["invoice"] or {}), **figures, **step}
            writer.writerow({name: cell(row.get(name)) for name in COLUMNS})
    return table.getvalue().split("\n")[:-1]


def as_html(plans: Iterable[Plan]) -> list[str]:
    """For a browser."""
    return page("plans.html", plans=[plan.document() for plan in plans], sign=sign).split("\n")


FORMS: dict[str, Callable[[Iterable[Plan]], list[str]]] = {
    "text": as_text,
    "json": as_json,
    "csv": as_csv,
    "html": as_html,
}
