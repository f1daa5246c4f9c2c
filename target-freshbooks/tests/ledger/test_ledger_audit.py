# ruff: noqa: S608 - the tests write the tampering into the SQL
"""The audit chain: whatever is done to a row, the first broken one is named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from target_freshbooks.ctl.audit import tell
from target_freshbooks.ledger import Ledger, OrderRow, Record
from target_freshbooks.ledger.audit import chain
from target_freshbooks.ledger.storage import database, tables

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from target_freshbooks.ledger import AccountLock, Intent

    from conftest import SteppingClock

ROWS = 9


@pytest.fixture
def written(ledger: Ledger) -> Ledger:
    for number in range(1, ROWS + 1):
        ledger.audit.add(
            event="posted", order_id=number % 3, run_id="run", data={"amount": f"{number}.00"}
        )
    return ledger


def tamper(ledger: Ledger, *statements: str) -> None:
    with ledger.scope.database.write() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_an_untouched_chain_is_whole(written: Ledger) -> None:
    verdict = written.audit.verify_chain()
    assert (verdict.ok, verdict.rows, verdict.broken_seq) == (True, ROWS, None)
    assert verdict.head_hash == list(written.audit.rows())[-1].hash


def test_an_empty_chain_is_whole(ledger: Ledger) -> None:
    assert ledger.audit.verify_chain() == chain.ChainVerdict(True, 0, chain.GENESIS)


@pytest.mark.parametrize(
    "change",
    [
        "source = 'other'",
        "at = '2026-01-01T00:00:00.000000Z'",
        "event = 'parked'",
        "order_id = 99",
        "order_id = NULL",
        "run_id = 'another'",
        "who = 'nobody'",
        """data = '{"amount":"4.01"}'""",
        """data = data || ' '""",
        "prev_hash = hash",
        "hash = prev_hash",
    ],
)
def test_an_altered_column_is_noticed(written: Ledger, change: str) -> None:
    tamper(written, f"UPDATE ledger_audit SET {change} WHERE seq = 4")
    verdict = written.audit.verify_chain()
    assert (verdict.ok, verdict.broken_seq) == (False, 4)
    assert "row 4 " in (verdict.problem or "")


@pytest.mark.parametrize("seq", [1, ROWS])
def test_an_altered_row_at_either_end_is_noticed(written: Ledger, seq: int) -> None:
    tamper(written, f"UPDATE ledger_audit SET order_id = 99 WHERE seq = {seq}")
    verdict = written.audit.verify_chain()
    assert (verdict.ok, verdict.broken_seq) == (False, seq)


@pytest.mark.parametrize("seq", [1, 4, ROWS])
def test_a_removed_row_is_noticed(written: Ledger, seq: int) -> None:
    tamper(written, f"DELETE FROM ledger_audit WHERE seq = {seq}")
    verdict = written.audit.verify_chain()
    assert (verdict.ok, verdict.broken_seq) == (False, seq)
    assert "is missing" in (verdict.problem or "")


def test_a_gap_that_was_closed_up_is_noticed(written: Ledger) -> None:
    tamper(
        written,
        "DELETE FROM ledger_audit WHERE seq = 4",
        *(f"UPDATE ledger_audit SET seq = {seq - 1} WHERE seq = {seq}" for seq in range(5, 10)),
    )
    assert written.audit.verify_chain().broken_seq == 4


def test_rows_in_another_order_are_noticed(written: Ledger) -> None:
    tamper(
        written,
        "UPDATE ledger_audit SET seq = 100 WHERE seq = 4",
        "UPDATE ledger_audit SET seq = 4 WHERE seq = 5",
        "UPDATE ledger_audit SET seq = 5 WHERE seq = 100",
    )
    assert written.audit.verify_chain().broken_seq == 4


@pytest.mark.parametrize("kept", [0, 5, ROWS - 1])
def test_a_chain_that_was_cut_off_at_the_end_is_noticed(written: Ledger, kept: int) -> None:
    tamper(written, f"DELETE FROM ledger_audit WHERE seq > {kept}")
    verdict = written.audit.verify_chain()
    assert (verdict.ok, verdict.rows, verdict.broken_seq) == (False, kept, kept + 1)
    assert "cut off" in (verdict.problem or "")


COPY = """INSERT INTO ledger_audit
    SELECT {seq}, source, at, event, order_id, run_id, who, data, hash, hash
    FROM ledger_audit WHERE seq = {of}"""


@pytest.mark.parametrize("seq", [0, -5, ROWS + 1, ROWS + 2])
def test_a_row_that_was_put_in_is_noticed(written: Ledger, seq: int) -> None:
    tamper(written, COPY.format(seq=seq, of=ROWS))
    verdict = written.audit.verify_chain()
    assert not verdict.ok
    assert verdict.broken_seq == min(seq, ROWS + 1)


def test_a_well_made_row_behind_the_head_is_noticed(written: Ledger) -> None:
    tamper(written, "CREATE TABLE kept AS SELECT * FROM ledger_audit_head")
    written.audit.add(event="posted", order_id=1, run_id="run", data={})
    tamper(
        written,
        "DELETE FROM ledger_audit_head",
        "INSERT INTO ledger_audit_head SELECT * FROM kept",
    )
    verdict = written.audit.verify_chain()
    assert (verdict.broken_seq, verdict.rows) == (ROWS + 1, ROWS)
    assert "behind the journal's head" in (verdict.problem or "")


@pytest.mark.parametrize("seq", [1, 4, ROWS])
def test_a_row_that_was_written_anew_with_a_fitting_hash_is_noticed(
    written: Ledger, seq: int
) -> None:
    row = list(written.audit.rows())[seq - 1]
    forged = {column.name: getattr(row, column.name) for column in tables.audit.c}
    assert row.at is not None
    forged |= {"at": tables.time_text(row.at), "data": "{}"}
    seal = chain.seal(forged)
    tamper(written, f"UPDATE ledger_audit SET data = '{{}}', hash = '{seal}' WHERE seq = {seq}")
    verdict = written.audit.verify_chain()
    assert not verdict.ok
    if seq == ROWS:
        assert (verdict.broken_seq, "head" in (verdict.problem or "")) == (ROWS, True)
    else:
        assert verdict.broken_seq == seq + 1
        assert f"does not follow row {seq}" in (verdict.problem or "")


@pytest.mark.parametrize(
    "change",
    [
        "data = 'garbage'",
        "data = '[1]'",
        "data = x'00ff'",
        "data = CAST(x'ff61' AS TEXT)",
        "at = 'yesterday'",
        "at = 9e999",
        "event = 7",
        "run_id = x'00'",
        "who = 9e999",
    ],
)
def test_a_damaged_row_is_named_and_its_story_can_be_told(
    sqlite_url: str, clock: SteppingClock, change: str
) -> None:
    with Ledger.open(sqlite_url, source="shop", clock=clock) as ledger:
        for _ in range(3):
            ledger.audit.add(event="posted", order_id=1, run_id="run", data={"amount": "1.00"})
        tamper(ledger, f"UPDATE ledger_audit SET {change} WHERE seq = 2")
        verdict = ledger.audit.verify_chain()
        assert (verdict.ok, verdict.broken_seq) == (False, 2)
        rows = list(ledger.audit.rows(1))
    assert [row.altered for row in rows] == [False, True, False]
    assert "THIS ROW WAS ALTERED (audit row 2:" in tell(rows)[1]


@pytest.mark.parametrize("value", ["9e999", "'abc'"])
def test_an_order_number_that_is_none_is_noticed(
    sqlite_url: str, clock: SteppingClock, value: str
) -> None:
    with Ledger.open(sqlite_url, source="shop", clock=clock) as ledger:
        ledger.audit.add(event="posted", order_id=1, run_id="run", data={})
        tamper(ledger, f"UPDATE ledger_audit SET order_id = {value}")
        assert ledger.audit.verify_chain().broken_seq == 1


def test_a_head_that_holds_no_number_is_noticed(sqlite_url: str, clock: SteppingClock) -> None:
    with Ledger.open(sqlite_url, source="shop", clock=clock) as ledger:
        ledger.audit.add(event="posted", order_id=1, run_id="run", data={})
        tamper(ledger, "UPDATE ledger_audit_head SET seq = 'x'")
        verdict = ledger.audit.verify_chain()
    assert not verdict.ok
    assert "head of the audit journal was altered" in (verdict.problem or "")


def write_order(ledger: Ledger, order_id: int, *, closed: bool = True) -> Intent:
    with ledger.locks.hold("ACC1", "run", wait_seconds=0) as lock:
        intent = ledger.intents.open(
            lock=lock,
            order_id=order_id,
            kind="create_invoice",
            key=str(order_id),
            request_hash="h",
            payload={},
            run_id="run",
        )
    if closed:
        ledger.intents.close(intent, "done")
    return intent


def cut_off(ledger: Ledger, last: int) -> None:
    """Take the rows behind one away and rewrite the head, which leaves a chain without a flaw."""
    tamper(
        ledger,
        f"DELETE FROM ledger_audit WHERE seq > {last}",
        f"UPDATE ledger_audit_head SET seq = {last},"
        f" hash = (SELECT hash FROM ledger_audit WHERE seq = {last})",
    )


@pytest.mark.parametrize(("last", "event"), [(3, "done"), (2, "intended")])
def test_a_cut_off_chain_with_a_rewritten_head_is_noticed_by_its_intents(
    ledger: Ledger, last: int, event: str
) -> None:
    write_order(ledger, 1)
    second = write_order(ledger, 2).id
    assert ledger.audit.verify_chain().ok
    cut_off(ledger, last)
    ledger.audit.add(event="posted", order_id=1, run_id="run", data={"intent": second})
    verdict = ledger.audit.verify_chain()
    assert (verdict.ok, verdict.rows, verdict.broken_seq) == (False, last + 1, None)
    assert f"'{event}' of intent {second} (create_invoice of order 2)" in (verdict.problem or "")


def test_intents_that_are_open_or_whose_orders_lost_their_bodies_are_no_flaw(
    ledger: Ledger,
) -> None:
    ledger.inbox.receive([Record("orders", (1,), 1, {"id": 1})])
    write_order(ledger, 1)
    ledger.orders.record(OrderRow(1, "posted", run_id="run"))
    write_order(ledger, 2, closed=False)
    assert ledger.retention.prune(timedelta(0)) == 1
    assert ledger.audit.verify_chain().ok


def test_a_missing_head_is_noticed(written: Ledger) -> None:
    tamper(written, "DELETE FROM ledger_audit_head")
    assert not written.audit.verify_chain().ok


def test_a_long_chain_is_walked_page_by_page(
    written: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PAGE", 2)
    assert written.audit.verify_chain().rows == ROWS
    assert [row.seq for row in written.audit.rows()] == list(range(1, ROWS + 1))
    assert [row.seq for row in written.audit.rows(1)] == [1, 4, 7]
    tamper(written, "UPDATE ledger_audit SET who = 'nobody' WHERE seq = 7")
    assert written.audit.verify_chain().broken_seq == 7


def test_rows_written_during_the_walk_do_not_disturb_it(
    written: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    examine = chain._problem_of
    monkeypatch.setattr(database, "PAGE", 2)

    def examine_while_others_write(*arguments: Any) -> str | None:
        written.audit.add(event="posted", order_id=1, run_id="run", data={})
        return examine(*arguments)

    monkeypatch.setattr(chain, "_problem_of", examine_while_others_write)
    verdict = written.audit.verify_chain()
    assert (verdict.ok, verdict.rows) == (True, ROWS)


def test_all_shops_write_one_chain_but_read_their_own(
    written: Ledger, ledger_url: str, clock: SteppingClock
) -> None:
    with Ledger.open(ledger_url, source="other", clock=clock) as other:
        other.audit.add(event="parked", order_id=1, run_id="run", data={})
        assert [row.seq for row in other.audit.rows()] == [ROWS + 1]
        assert other.audit.verify_chain().rows == ROWS + 1
    tamper(written, f"DELETE FROM ledger_audit WHERE seq = {ROWS + 1}")
    assert written.audit.verify_chain().broken_seq == ROWS + 1


def test_sixteen_threads_write_one_whole_chain(ledger: Ledger, lock: AccountLock) -> None:
    def work(worker: int) -> None:
        for _ in range(5):
            intent = ledger.intents.open(
                lock=lock,
                order_id=worker,
                kind="mark_sent",
                key=str(worker),
                request_hash="h",
                payload={},
                run_id="run",
            )
            ledger.inbox.facts_of(worker)
            ledger.intents.close(intent, "done")

    with ThreadPoolExecutor(16) as workers:
        list(workers.map(work, range(16)))
    verdict = ledger.audit.verify_chain()
    assert (verdict.ok, verdict.rows) == (True, 160)
    assert ledger.intents.still_open() == []


def test_four_processes_write_one_whole_chain(
    ledger: Ledger, ledger_url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    writers = [
        start_program(
            """
            import sys
            from target_freshbooks.ledger import Ledger
            with Ledger.open(sys.argv[1], source=sys.argv[2]) as ledger:
                for number in range(25):
                    ledger.orders.get(number)
                    ledger.audit.add(event="posted", order_id=number, run_id="run", data={})
            """,
            ledger_url,
            f"shop-{writer}",
        )
        for writer in range(4)
    ]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors
    verdict = ledger.audit.verify_chain()
    assert (verdict.ok, verdict.rows) == (True, 100)


def test_a_killed_appender_leaves_the_chain_whole(
    ledger: Ledger, ledger_url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    writer = start_program(
        """
        import sys
        from target_freshbooks.ledger import Ledger
        ledger = Ledger.open(sys.argv[1], source="shop")
        while True:
            ledger.audit.add(event="posted", order_id=1, run_id="run", data={})
            print("one more", flush=True)
        """,
        ledger_url,
    )
    assert writer.stdout is not None
    for _ in range(10):
        writer.stdout.readline()
    writer.kill()
    writer.wait()
    ledger.audit.add(event="posted", order_id=2, run_id="run", data={})
    verdict = ledger.audit.verify_chain()
    assert verdict.ok, verdict.problem
    assert verdict.rows > 10


def rewrite(ledger: Ledger, seq: int) -> None:
    """Alter a row as whoever owns the database can: with fitting hashes, up to the head."""
    with ledger.scope.database.write() as connection:
        rows = connection.execute(tables.audit.select().order_by(tables.audit.c.seq)).mappings()
        last = chain.GENESIS
        for row in [dict(row) for row in rows]:
            row |= {"prev_hash": last, "who": "nobody" if row["seq"] == seq else row["who"]}
            row["hash"] = last = chain.seal(row)
            connection.execute(tables.audit.update().where(tables.audit.c.seq == row["seq"]), row)
        connection.execute(tables.audit_head.update().values(hash=last))


def head_of(ledger: Ledger) -> chain.AuditHead:
    head = ledger.audit.head()
    assert head is not None
    return head


def test_a_head_of_any_moment_stands_in_the_chain(written: Ledger) -> None:
    noted = [chain.AuditHead(row.seq, row.hash) for row in written.audit.rows()]
    assert head_of(written) == noted[-1]
    written.retention.prune(timedelta(0))
    written.audit.add(event="posted", order_id=1, run_id="run", data={})
    for head in [chain.AuditHead(0, chain.GENESIS), *noted, head_of(written)]:
        assert written.audit.verify_chain(chain.AuditHead.parse(str(head))).ok


@pytest.mark.parametrize("seq", [1, 4, ROWS])
def test_a_chain_that_was_written_anew_as_a_whole_lacks_the_head_that_was_noted(
    written: Ledger, seq: int
) -> None:
    noted = head_of(written)
    rewrite(written, seq)
    written.audit.add(event="posted", order_id=1, run_id="run", data={})
    assert written.audit.verify_chain().ok, "of itself it is without a flaw"
    verdict = written.audit.verify_chain(noted)
    assert (verdict.ok, verdict.rows, verdict.broken_seq) == (False, ROWS + 1, None)
    assert f"The head {noted} does not stand" in (verdict.problem or "")
    assert "that row has another hash" in (verdict.problem or "")


def test_a_chain_that_was_cut_off_lacks_the_head_that_was_noted(written: Ledger) -> None:
    early, noted = chain.AuditHead(4, list(written.audit.rows())[3].hash), head_of(written)
    cut_off(written, ROWS - 2)
    assert written.audit.verify_chain().ok, "no intent tells of the rows that are gone"
    assert "there is no such row" in (written.audit.verify_chain(noted).problem or "")
    assert written.audit.verify_chain(early).ok


@pytest.mark.parametrize("text", ["", "7", "7:abc", f"-1:{'0' * 64}", f"7:{'0' * 64}0", "x" * 66])
def test_what_is_no_head_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValueError, match="as `audit-head` prints it"):
        chain.AuditHead.parse(text)
