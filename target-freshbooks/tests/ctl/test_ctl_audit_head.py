"""The head of the audit journal, noted elsewhere, shows that the journal was written anew."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import pytest
from target_freshbooks.ledger import Ledger
from target_freshbooks.ledger.audit import chain

pytestmark = pytest.mark.more

LINE = "Head of the audit journal: "


def rewrite(desk: Any) -> None:
    """Have another have done it all, in a chain without a flaw."""
    with sqlite3.connect(desk.home / "ledger.sqlite") as database:
        database.row_factory = sqlite3.Row
        last = chain.GENESIS
        for found in database.execute("SELECT * FROM ledger_audit ORDER BY seq").fetchall():
            row = dict(found) | {"prev_hash": last, "who": "nobody"}
            row["hash"] = last = chain.seal(row)
            database.execute(
                "UPDATE ledger_audit SET who = :who, prev_hash = :prev_hash, hash = :hash"
                " WHERE seq = :seq",
                row,
            )
        database.execute("UPDATE ledger_audit_head SET hash = ?", [last])


def test_the_head_is_told_whole_and_shows_a_journal_that_was_written_anew(desk: Any) -> None:
    desk.place()
    code, log = desk.post(desk.messages())
    assert code == 0, log
    noted = log.rstrip().rpartition(LINE)[2]
    assert re.fullmatch(r"[0-9]+:[0-9a-f]{64}", noted)
    assert desk.ctl("audit-head") == (0, f"{noted}\n")
    with Ledger.open(desk.config["ledger_url"], source="bigcommerce") as ledger:
        (month,) = {f"{row.order_date:%Y-%m}" for row in ledger.orders.all()}
    _, said = desk.ctl("report", "--month", month, "--output", str(desk.home))
    assert f"{LINE}{noted}\n" in said
    assert f"{LINE}{noted}<" in (desk.home / f"report-{month}.html").read_text(encoding="utf-8")
    later = desk.ctl("replay", "--since", f"{month}-01")[1].rstrip().rpartition(LINE)[2]
    assert int(later.partition(":")[0]) > int(noted.partition(":")[0])
    for head in (noted, later):
        code, said = desk.ctl("verify", "--chain-only", "--expect", head)
        assert (code, f"head {later}" in said) == (0, True), said
    rewrite(desk)
    assert desk.ctl("verify", "--chain-only")[0] == 0
    code, said = desk.ctl("verify", "--chain-only", "--expect", noted)
    assert code == 1
    assert f"Audit chain: BROKEN. The head {noted} does not stand in this journal" in said
    code, said = desk.ctl("verify", "--expect", "7:abc")
    assert code == 1
    assert "as `audit-head` prints it" in said
