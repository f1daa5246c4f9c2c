"""The lines of an invoice or a credit note: read, priced, and numbered.

A list of lines replaces all lines there were; a line that names a ``lineid`` keeps it. A line
takes two taxes at most, each a name and a percent (``taxAmount1`` is a percent in spite of its
name); FreshBooks computes the money.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from connector_sandbox.freshbooks import errors, values
from connector_sandbox.freshbooks.totals import line_amount

if TYPE_CHECKING:
    from connector_sandbox.documents import Document
    from connector_sandbox.freshbooks.account import Account

_NEGATIVE = "Invalid negative value."


def read_lines(
    account: Account, kind: str, owner: Document, sent: object, *, creating: bool
) -> list[Document]:
    """Make an invoice's new lines of those that were sent.

    Args:
        account: for taxes and switches.
        kind: ``invoice`` or ``credit_note``, for errors.
        owner: the document the lines belong to, with its currency and present ``lines``.
        sent: the ``lines`` of the body.
        creating: whether the owner is being created.
    """
    rows = sent if isinstance(sent, list) else [None]
    words = "The field 'lines' must be a list." if sent is not rows else "A line must be an object."
    strange = not all(isinstance(row, dict) for row in rows)
    errors.refuse(strange, errors.invalid(kind, "lines", "", words))
    most = account.switches.number("fb.lines_max")
    words = f"At most {most} lines are allowed."
    refusal = errors.invalid(kind, "lines", len(rows), words, errno=errors.TOO_LONG)
    errors.refuse(most and len(rows) > most, refusal)
    free = {line["lineid"] for line in owner["lines"]}
    last = max((int(str(lineid).rpartition("-")[2]) for lineid in free), default=0)
    refusals = {"refuse", "refuse_create" if creating else "refuse_update"}
    negatives = account.switches["fb.negative_line"] not in refusals
    lines = []
    for taskno, body in enumerate(rows, start=1):
        lineid = body.get("lineid")
        if lineid in free:
            free.remove(lineid)
        else:
            lineid = last = last + 1
        line = _read_line(account, kind, body, owner["currency_code"], negatives=negatives)
        lines.append({**line, "lineid": lineid, "taskno": taskno})
    return lines


def _read_line(
    account: Account, kind: str, body: Document, currency: str, *, negatives: bool
) -> Document:
    switches = account.switches
    qty = values.decimal(kind, "qty", body.get("qty", "1") or "0")
    sent = body.get("unit_cost")
    sent = {"amount": "0"} if sent is None else sent
    other_currency = switches["fb.line_currency"]
    cost = values.sum_of_money(kind, "unit_cost", sent, currency, other_currency=other_currency)
    negative = partial(errors.invalid, kind, words=_NEGATIVE, errno=errors.NEGATIVE)
    errors.refuse(cost < 0 and not negatives, negative("unit_cost", cost))
    errors.refuse(qty < 0 and switches["fb.negative_qty"] == "refuse", negative("qty", qty))
    words = "Value must not be less than one."
    less = errors.invalid(kind, "qty", qty, words, errno=errors.LESS_THAN_ONE)
    errors.refuse(qty == 0 and switches["fb.zero_qty"] == "refuse", less)
    shown_cost = account.unit_cost(cost, currency)
    exact = line_amount(qty, Decimal(shown_cost["amount"]), currency, switches)
    texts = {
        name: values.text(kind, name, body.get(name), switches.number(f"fb.line_{name}_max")) or ""
        for name in ("name", "description")
    }
    return {
        **texts,
        "type": values.whole(kind, "type", body.get("type") or 0),
        "qty": values.plain(qty),
        "unit_cost": shown_cost,
        "amount": values.money(exact, currency),
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
    return {
        f"taxName{which}": name or "",
        f"taxAmount{which}": kept if name else "0",
        f"taxNumber{which}": record and record["number"],
    }
