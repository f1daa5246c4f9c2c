"""`audit`: an order's audit rows as plain sentences with times, for a reader who keeps books.

An intent and its outcome are told as one sentence, if the outcome is known and the same run
saw both. Nothing is left out: an event this module does not know is told by its name and data, and
so is a row that was altered, since what it says now is no fact.
"""

import sys
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

import click
from connector_credentials.commands import as_typed

from target_freshbooks.ctl.context import ORDER, Context, command, not_in_ledger
from target_freshbooks.ctl.status import parked_document, parked_text
from target_freshbooks.ledger.audit.journal import AuditRow
from target_freshbooks.money import decimals_of, is_whole

DEEDS: dict[str, tuple[str, str, str]] = {
    "create_client": ("create", "created", "client"),
    "update_client": ("change", "changed", "client"),
    "create_item": ("create", "created", "item"),
    "update_item": ("change", "changed", "item"),
    "create_invoice": ("create", "created", "invoice"),
    "update_invoice": ("change", "changed", "invoice"),
    "mark_sent": ("mark as sent", "marked as sent", "invoice"),
    "delete_invoice": ("delete", "deleted", "invoice"),
    "create_payment": ("record", "recorded", "payment"),
    "update_payment": ("change", "changed", "payment"),
    "delete_payment": ("delete", "deleted", "payment"),
    "create_credit_note": ("create", "created", "credit note"),
    "update_head": ("change", "changed", "invoice's client or billing address"),
    "archive_invoice": ("archive", "archived again", "invoice"),
    "delete_overpayment": ("delete", "deleted", "credit of an overpayment"),
    "delete_credit_note": ("delete", "deleted", "credit note"),
    "create_correction": ("create", "created", "correction"),
    "update_correction": ("change", "changed", "correction"),
    "send_correction": ("send", "sent", "correction"),
    "delete_correction": ("delete", "deleted", "correction"),
    "create_expense": ("create", "created", "expense"),
    "update_expense": ("change", "changed", "expense"),
    "delete_expense": ("delete", "deleted", "expense"),
}
"""Per kind of write: what one is to do, what one did, to what."""

_WHY_NOT = {
    "AuthError": "the login was refused",
    "AppUnknown": "FreshBooks did not know the app by its client_id and client_secret",
    "Outage": "FreshBooks turned it away or could not be reached; nothing was written",
}
"""Per error that ended a write without effect: what it means."""

_VERDICTS = frozenset({"posted", "unchanged"})
OUTCOMES = frozenset({"done", "refused", "not_sent", "found", "not_found"})


@command("audit")
@click.argument("order", type=ORDER)
def audit(context: Context, *, order: int) -> None:
    """Tell an order's story from the audit journal, in plain sentences."""
    with context.ledger() as ledger:
        rows = list(ledger.audit.rows(order))
        row = ledger.orders.get(order)
    if not rows and row is None:
        raise click.ClickException(not_in_ledger([order]))
    document = [
        {
            "seq": row.seq,
            "at": row.at,
            "event": row.event,
            "run_id": row.run_id,
            "who": row.who,
            "data": row.data,
            "hash": row.hash,
            "altered": row.altered,
        }
        for row in rows
    ]
    lines = tell(rows) or [f"No run has looked at order {order} yet; the next one does."]
    if row is not None and row.state == "parked":
        # The journal holds no words of FreshBooks', which may name a person; this row has them.
        lines += parked_text(parked_document(row))
    context.show(document, lines)
    if any(row.altered for row in rows):
        sys.exit(1)


def tell(rows: Iterable[AuditRow]) -> list[str]:
    """Tell audit rows, in the order given, one line each.

    Args:
        rows: Rows of one order or of several, oldest first.

    Returns:
        Lines such as `2026-11-02 09:14:05 UTC  run 3f2a91c0  created the invoice 1042 as a Draft
        in FreshBooks (id 555), 69.84 USD`.
    """
    known_rows = _with_currencies(list(rows))
    finished = {
        (row.source, row.data.get("intent"), row.run_id)
        for row in known_rows
        if row.event in OUTCOMES and not row.altered
    }
    return [
        f"{_time(row)}  run {_short(row.run_id)}  {sentence(row)}"
        for row in known_rows
        if row.altered
        or row.event != "intended"
        or (row.source, row.data.get("intent"), row.run_id) not in finished
    ]


def sentence(row: AuditRow) -> str:
    """Tell one row, without its time and run."""
    if row.altered:
        return (
            f"THIS ROW WAS ALTERED (audit row {row.seq}: its content does not match its hash);"
            f" it now says: {_unknown(row)}"
        )
    known = _SENTENCES.get(row.event)
    return _unknown(row) if known is None else known.format_map(_words(row))


def _with_currencies(rows: list[AuditRow]) -> list[AuditRow]:
    """Give the verdicts, whose rows have a total alone, the currency of their order's invoice."""
    currencies = {
        (row.source, row.order_id): _answer(row)["currency"]
        for row in rows
        if not row.altered
        and DEEDS.get(str(row.data.get("kind")), ("",))[-1] == "invoice"
        and _answer(row).get("currency")
    }
    return [
        replace(row, data={"currency": currencies[row.source, row.order_id], **row.data})
        if row.event in _VERDICTS and (row.source, row.order_id) in currencies and not row.altered
        else row
        for row in rows
    ]


def _time(row: AuditRow) -> str:
    return "at an unreadable time" if row.at is None else f"{row.at:%Y-%m-%d %H:%M:%S} UTC"


def _short(run_id: object) -> str:
    """Shorten a run's uuid, as one does with commits; other names stay whole."""
    run_id = str(run_id)  # SQLite lets anybody put something else there
    hexadecimal = run_id.replace("-", "")
    is_uuid = len(hexadecimal) == 32 and all(c in "0123456789abcdef" for c in hexadecimal.lower())  # noqa: PLR2004 - the length of a uuid
    return f"{hexadecimal[:8]}" if is_uuid else run_id


_SENTENCES = {
    "intended": "is about to {do}; the outcome is not known yet",
    "done": "{did}{draft} in FreshBooks{result}",
    "refused": "was refused to {do}{refusal}",
    "not_sent": "{hindrance}",
    "found": "looked, and found that an attempt to {do} had succeeded{result}",
    "not_found": "looked, and found that an attempt to {do} had no effect",
    "posted": "posted the order: the books agree with it{amount}{noticed}",
    "parked": "parked the order{because}",
    "waiting": "left the order waiting{because}",
    "unchanged": "found nothing to do: the books agree already{amount}{noticed}",
    "adopted": "took up the invoice{adopted} that was in FreshBooks already{adopted_id}{amount}",
    "replayed": "replayed the order on the word of {who}{rest}",
    "day_chosen": "was given an open day, {day}, for what of it belongs on closed days, on the word"
    " of {who}",
    "settled": "left the order to a person from now on, on the word of {who}: {note}",
    "reopened": "took the order up again, on the word of {who}",
    "changed_after_settling": "found the order changed in the shop, and left it to the person who"
    " settled it",
    "run_started": "began, version {version}, as {who}",
    "run_ended": "ended: {ended}",
    "key_rotated": "encrypted the credentials with a new key, on the word of {who}{rest}",
}
"""Per event its sentence, of the words of `_words`."""


def _words(row: AuditRow) -> dict[str, str]:
    """What the sentences are made of; the most of it is empty for any one event."""
    data = row.data
    number = data.get("number") or data.get("invoice_number")
    remote = data.get("invoice_id") or data.get("id")
    counts = data.get("counts")
    figures = _rest(counts) if isinstance(counts, dict) else ""
    notice = data.get("notice")
    return {
        "who": row.who,
        "do": _deed(row, 0),
        "did": _deed(row, 1),
        "draft": " as a Draft" if data.get("kind") == "create_invoice" else "",
        "day": str(data.get("day", "")),
        "result": _result(row),
        "refusal": _refusal(row),
        "hindrance": _hindrance(row),
        "amount": _amount(data),
        "noticed": f"; noticed {notice}" if notice else "",
        "because": _because(row),
        "adopted": f" {number}" if number else "",
        "adopted_id": f" (id {remote})" if remote else "",
        "note": str(data.get("note", "")),
        "version": str(data.get("code_version", "unknown")),
        "ended": f"{data.get('outcome', 'outcome unknown')}{figures}",
        "rest": _rest(data),
    }


def _refusal(row: AuditRow) -> str:
    answer = _answer(row)
    codes = [f"{name} {answer[name]}" for name in ("status", "errno", "field") if answer.get(name)]
    words = answer.get("words")  # rows of the first versions have FreshBooks' own
    reason = f": {words}" if words else ""
    return reason + (f" ({', '.join(codes)})" if codes else "")


def _hindrance(row: AuditRow) -> str:
    why = str(_answer(row).get("why", ""))
    if why == "Forbidden":
        return f"was not allowed to {_deed(row, 0)}"
    reason = _WHY_NOT.get(why, f"nothing was written{f' ({why})' if why else ''}")
    return f"could not {_deed(row, 0)}: {reason}"


def _unknown(row: AuditRow) -> str:
    return f"{str(row.event).replace('_', ' ')}{_rest(row.data)}"


def _deed(row: AuditRow, tense: int) -> str:
    kind = str(row.data.get("kind", "write"))
    if kind not in DEEDS:
        return f"{('carry out', 'carried out')[tense]} {kind.replace('_', ' ')}"
    verb, _, how = DEEDS[kind][tense].partition(" ")
    return f"{verb} the {_thing(row, DEEDS[kind][2])}{f' {how}' if how else ''}"


def _thing(row: AuditRow, name: str) -> str:
    """Name what was written by the number a reader knows it by."""
    key = str(row.data.get("key", ""))
    if name == "invoice":
        return f"{name} {_answer(row).get('number') or key}"
    if key.startswith("sha256:") or not key:
        return name
    if name == "payment":
        return f"{name} for {' '.join(key.split(':')[1:]) or key}"
    if name == "credit note":
        return f"{name} for refund {key.rpartition(':')[2]}"
    return f"{name} {key}"


def _answer(row: AuditRow) -> dict[str, Any]:
    answer = row.data.get("answer")
    return answer if isinstance(answer, dict) else {}


def _result(row: AuditRow) -> str:
    answer = _answer(row)
    links: list[dict[str, Any]] = row.data.get("links", [])
    remote = answer.get("id") or next((link["remote_id"] for link in links), None)
    return f"{f' (id {remote})' if remote else ''}{_amount(answer)}"


def _amount(data: dict[str, Any]) -> str:
    amount: Any = data.get("amount") or data.get("order_total") or data.get("total")
    code: Any = data.get("currency") or data.get("currency_code") or ""
    if isinstance(amount, dict):
        amount, code = amount.get("amount"), amount.get("code") or code
    return f", {_figure(amount, str(code))} {code}".rstrip() if amount is not None else ""


def _figure(amount: object, currency: str) -> str:
    """Write an amount with its currency's decimals, or as it is if that would hide some."""
    decimals = decimals_of(currency)
    try:
        number = Decimal(str(amount))
        no_more = is_whole(number, decimals)
    except InvalidOperation:  # no number, or one of more digits than money has
        return str(amount)
    return f"{number:.{decimals}f}" if no_more else str(amount)


def _because(row: AuditRow) -> str:
    data = row.data
    parts = [str(data[name]) for name in ("reason", "detail") if data.get(name)]
    if data.get("words"):
        parts.append(f"FreshBooks said: {data['words']}")
    if data.get("next_step"):
        parts.append(f"next step: {as_typed(data['next_step'])}")
    return f": {'; '.join(parts)}" if parts else ""


def _rest(data: dict[str, Any]) -> str:
    figures = ", ".join(f"{name} {value}" for name, value in sorted(data.items()))
    return f": {figures}" if figures else ""
