"""The lines of an invoice or a credit note: read, priced, and numbered.

A list of lines replaces all lines there were; a line that names a ``lineid`` keeps it. A line
takes two taxes at most, each a name and a percent (``taxAmount1`` is a percent in spite of its
name); FreshBooks computes the money.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connector_sandbox.freshbooks import errors, values
from connector_sandbox.freshbooks.totals import line_amount

if TYPE_CHECKING:
    from connector_sandbox.freshbooks.account import Account
    from connector_sandbox.freshbooks.records import Document


def read_lines(
    account: Account, kind: str, owner: Document, sent: object, *, currency: str, creating: bool
) -> list[Document]:
    """Make an invoice's new lines of those that were sent.

    Args:
        account: for taxes and switches.
        kind: ``invoice`` or ``credit_note``, for errors.
        owner: the document the lines belong to, with its present ``lines``.
        sent: the ``lines`` of the body.
        currency: currency of the owner.
        creating: whether the owner is being created.
    """
    if not isinstance(sent, list):
        raise errors.invalid(kind, "lines", "", "The field 'lines' must be a list.")
    most = account.switches.number("fb.lines_max")
    if most and len(sent) > most:
        words = f"At most {most} lines are allowed."
        raise errors.invalid(kind, "lines", len(sent), words, errno=errors.TOO_LONG)
    present = {line["lineid"]: line for line in owner["lines"]}
    last = max((int(str(line["lineid"]).rpartition("-")[2]) for line in owner["lines"]), default=0)
    refusals = {"refuse", "refuse_create" if creating else "refuse_update"}
    negatives = account.switches["fb.negative_line"] not in refusals
    lines = []
    for taskno, body in enumerate(sent, start=1):
        if not isinstance(body, dict):
            raise errors.invalid(kind, "lines", "", "A line must be an object.")
        kept = present.pop(body.get("lineid"), None) if body.get("lineid") else None
        if kept is None:
            last += 1
        lineid = last if kept is None else kept["lineid"]
        line = _read_line(account, kind, body, currency=currency, negatives=negatives)
        lines.append({**line, "lineid": lineid, "taskno": taskno})
    return lines


def _read_line(
    account: Account, kind: str, body: Document, *, currency: str, negatives: bool
) -> Document:
    switches = account.switches
    qty = values.decimal(kind, "qty", body.get("qty", "1") or "0")
    cost = Decimal(0)
    if body.get("unit_cost") is not None:
        cost = values.sum_of_money(
            kind,
            "unit_cost",
            body["unit_cost"],
            currency,
            other_currency=switches["fb.line_currency"],
        )
    if cost < 0 and not negatives:
        raise errors.invalid(
            kind, "unit_cost", cost, "Invalid negative value.", errno=errors.NEGATIVE
        )
    if qty < 0 and switches["fb.negative_qty"] == "refuse":
        raise errors.invalid(kind, "qty", qty, "Invalid negative value.", errno=errors.NEGATIVE)
    if qty == 0 and switches["fb.zero_qty"] == "refuse":
        words = "Value must not be less than one."
        raise errors.invalid(kind, "qty", qty, words, errno=errors.LESS_THAN_ONE)
    shown_cost = account.unit_cost(cost, currency)
    name_most = switches.number("fb.line_name_max")
    words_most = switches.number("fb.line_description_max")
    return {
        "type": values.whole(kind, "type", body.get("type") or 0),
        "name": values.text(kind, "name", body.get("name"), name_most) or "",
        "description": values.text(kind, "description", body.get("description"), words_most) or "",
        "qty": values.plain(qty),
        "unit_cost": shown_cost,
        "amount": values.money(
            line_amount(qty, Decimal(shown_cost["amount"]), currency, switches), currency
        ),
        **_tax(account, kind, body, "1"),
        **_tax(account, kind, body, "2"),
        "compounded_tax": bool(body.get("compounded_tax")),
        "expenseid": values.whole(kind, "expenseid", body.get("expenseid") or 0),
    }


def _tax(account: Account, kind: str, body: Document, which: str) -> dict[str, Any]:
    """One of a line's two taxes; its number comes from the tax record of that name."""
    name = values.text(kind, f"taxName{which}", body.get(f"taxName{which}"))
    record = account.taxes.named(name)
    percent = body.get(f"taxAmount{which}")
    if percent is None and record is not None:
        percent = record["amount"]
    kept = values.percent(kind, f"taxAmount{which}", percent, account.switches)
    if not name:
        return {f"taxName{which}": "", f"taxAmount{which}": "0", f"taxNumber{which}": None}
    return {
        f"taxName{which}": name,
        f"taxAmount{which}": kept,
        f"taxNumber{which}": record["number"] if record else None,
    }
