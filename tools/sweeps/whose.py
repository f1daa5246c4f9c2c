"""Whose is what was written: no record of another's is changed, nothing is doubled, left or lost.

The sandbox's history tells who made and who changed each record; the audit trail of each ledger
tells which of the connectors it was.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

DELETED = 1
PARTIES = {"client", "item"}
"""Kinds of records that many orders share; they bear no mark."""

MARKS = {"invoice": "notes", "payment": "note", "credit_note": "notes"}
"""Where the mark of an order stands, by kind of record."""


@dataclass(frozen=True, slots=True)
class Connector:
    """One who writes: a source of a ledger, and the store whose orders it books."""

    ledger: Path
    source: str
    store: str


@dataclass(frozen=True, slots=True)
class Most:
    """The attempt with the most writes, and how many it might have had."""

    writes: int = 0
    bound: int = 0

    def __str__(self) -> str:
        return f"{self.writes} of {self.bound}"


def trespasses(history: Iterable[Mapping[str, Any]], connectors: Iterable[Connector]) -> list[str]:
    """Changes that a connector made to what it did not make, or what its store's mark is not on."""
    made: dict[tuple[str, str], Mapping[str, Any]] = {}
    found = []
    for row in history:
        kind, verb = row["kind"].split(".")
        if row["side"] != "freshbooks" or kind not in {*PARTIES, *MARKS}:
            continue
        if verb in {"create", "overpayment"}:
            made[kind, row["object_id"]] = row
            continue
        creation = made[kind, row["object_id"]]
        if row["actor"] == "api" != creation["actor"] and not _is_copied(kind, creation["body"]):
            found.append(f"{row['kind']} of {row['object_id']}, which a person made")
    for one in connectors:
        mine = _made_by(one)
        for kind, remote_id in _changed_by(one):
            row = made[kind, str(remote_id)]
            mark = str(_inside(row["body"]).get(MARKS.get(kind, ""), ""))
            if kind in PARTIES and (kind, remote_id) not in mine:
                found.append(f"{one.source} changed {kind} {remote_id}, which it did not make")
            elif kind in MARKS and row["kind"].endswith(".create") and not _is_of(mark, one.store):
                found.append(f"{one.source} changed {kind} {remote_id}, marked {mark!r}")
    return found


def _is_copied(kind: str, body: Mapping[str, Any]) -> bool:
    """Whether a person gave it a whole mark of ours, which proves a record to be ours."""
    mark = str(_inside(body).get(MARKS.get(kind, ""), ""))
    return bool(re.fullmatch(r"BigCommerce order \d+, .+ \(store \S+\)", mark))


def _is_of(mark: str, store: str) -> bool:
    pattern = rf"BigCommerce order \d+(, [^\n]*)? \(store {re.escape(store)}\)"
    return any(re.fullmatch(pattern, line.strip()) for line in mark.splitlines())


def _inside(body: Mapping[str, Any]) -> Mapping[str, Any]:
    only = next(iter(body.values())) if len(body) == 1 else body
    return only if isinstance(only, dict) else body


def _audit(one: Connector) -> list[tuple[str, dict[str, Any]]]:
    with closing(sqlite3.connect(one.ledger)) as connection:
        rows = connection.execute(
            "SELECT event, data FROM ledger_audit WHERE source = ? ORDER BY seq", (one.source,)
        ).fetchall()
    return [(event, json.loads(data)) for event, data in rows]


def _made_by(one: Connector) -> set[tuple[str, int]]:
    return {
        (link["kind"], link["remote_id"])
        for _, data in _audit(one)
        if str(data.get("kind", "")).startswith("create_")
        for link in data.get("links", ())
    }


def _changed_by(one: Connector) -> set[tuple[str, int]]:
    kinds = {
        "mark_sent": "invoice",
        "update_head": "invoice",
        "delete_overpayment": "credit_note",
    }
    return {
        (kinds.get(data["kind"], data["kind"].partition("_")[2]), data["payload"]["remote_id"])
        for event, data in _audit(one)
        if event == "intended" and data["payload"].get("remote_id") is not None
    }


def credits_left(
    books: Mapping[str, Any],
    history: Iterable[Mapping[str, Any]],
    connectors: Iterable[Connector],
) -> list[str]:
    """Credits that FreshBooks made of a connector's payments, that stand and are not told of."""
    ours = {
        row["object_id"]
        for row in history
        if row["kind"] == "credit_note.overpayment" and row["actor"] == "api"
    }
    told = {
        order
        for one in connectors
        for order, reason in _reasons(one)
        if reason == "overpayment_credit_left"
    }
    invoices = {row["id"]: str(row["notes"]) for row in books["invoices"]}
    found = []
    for note in books["credit_notes"]:
        if str(note["id"]) not in ours or note["vis_state"] == DELETED:
            continue
        notes = [
            invoices[row["invoiceid"]]
            for row in books["payments"]
            if row["overpaymentid"] == note["creditid"]
        ]
        orders = {int(number) for number in re.findall(r"BigCommerce order (\d+)", str(notes))}
        if not orders & told:
            what = f"a credit of {note['amount']['amount']} of order {orders}"
            found.append(f"{what} is left untold (id {note['id']})")
    return found


def _reasons(one: Connector) -> list[tuple[int, str | None]]:
    with closing(sqlite3.connect(one.ledger)) as connection:
        return connection.execute(
            "SELECT order_id, reason FROM ledger_orders WHERE source = ?", (one.source,)
        ).fetchall()


def doubled(books: Mapping[str, Any]) -> list[str]:
    """Marks that stand on more than one invoice or payment."""
    found = []
    for kind, name in (("invoices", "notes"), ("payments", "note")):
        marks = Counter(
            (row[name], row.get("invoiceid") if kind == "payments" else None)
            for row in books[kind]
            if row["vis_state"] != DELETED and "BigCommerce order" in (row[name] or "")
        )
        found += [f"{mark[0]!r} stands {n} times in {kind}" for mark, n in marks.items() if n > 1]
    return found


def touched(books: Mapping[str, Any], history: Iterable[Mapping[str, Any]]) -> set[int]:
    """The ids of the invoices on which, or on whose payments, a person has laid hand."""
    invoice_of = {str(row["id"]): row["invoiceid"] for row in books["payments"]}
    found = set()
    for row in history:
        kind = row["kind"].split(".")[0]
        if row["side"] == "freshbooks" and row["actor"] != "api" and row["object_id"]:
            if kind == "invoice":
                found.add(int(row["object_id"]))
            if kind == "payment":
                found.add(invoice_of[row["object_id"]])
    return found


def most_writes(connectors: Iterable[Connector], refunds: Mapping[int, int]) -> Most:
    """The most writes that one run made for one order, beside what it may need."""
    most = Most()
    for one in connectors:
        with closing(sqlite3.connect(one.ledger)) as connection:
            rows = connection.execute(
                "SELECT run_id, order_id, kind, key FROM ledger_intents"
                " WHERE source = ? AND order_id IS NOT NULL",
                (one.source,),
            ).fetchall()
        attempts = defaultdict(list)
        for run_id, order, kind, key in rows:
            attempts[run_id, order].append((kind, key))
        for (_, order), writes in attempts.items():
            parties = {write for write in writes if write[0].partition("_")[2] in PARTIES}
            bound = 3 + 2 * len(parties) + 2 + 3 * refunds.get(order, 0) + 4
            here = Most(len(writes), bound)
            if len(writes) - bound > most.writes - most.bound or not most.bound:
                most = here
    return most


def amounts(books: Mapping[str, Any], mark: str) -> tuple[int, Decimal, Decimal] | None:
    """Id, total and what is paid under our marks of the one standing invoice; None without."""
    rows = [
        row
        for row in books["invoices"]
        if row["vis_state"] != DELETED and mark in str(row["notes"]).splitlines()
    ]
    if not rows:
        return None
    invoice = rows[0]
    name = mark.partition(" (")[0]
    paid = sum(
        (
            Decimal(row["amount"]["amount"])
            for row in books["payments"]
            if row["invoiceid"] == invoice["id"]
            and row["vis_state"] != DELETED
            and str(row["note"]).startswith(f"{name},")
        ),
        Decimal(0),
    )
    return invoice["id"], Decimal(invoice["amount"]["amount"]), paid
