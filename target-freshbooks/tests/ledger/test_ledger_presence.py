"""Whether a run is at work: seen by its process here, by its heartbeat elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from target_freshbooks.ledger import Ledger


def test_a_run_is_at_work_while_it_holds_the_account(ledger: Ledger) -> None:
    assert not ledger.is_at_work("A")
    with ledger.lease("A", "run", wait_seconds=0):
        assert ledger.is_at_work("A")
        assert not ledger.is_at_work("B")
    assert not ledger.is_at_work("A")


def test_a_killed_run_of_this_machine_is_not_at_work(
    ledger: Ledger, ledger_url: str, start_process: Callable[..., subprocess.Popen[str]]
) -> None:
    run = start_process(
        """
        import sys, time
        from target_freshbooks.ledger import Ledger
        with Ledger.open(sys.argv[1], source="shop") as ledger:
            with ledger.lease("A", "run", wait_seconds=0):
                print("held", flush=True)
                time.sleep(60)
        """,
        ledger_url,
    )
    assert run.stdout is not None
    run.stdout.readline()
    assert ledger.is_at_work("A")
    run.kill()
    run.wait()
    assert not ledger.is_at_work("A")


@pytest.mark.parametrize(("silent_ms", "at_work"), [(3_000, True), (12_000, False)])
def test_a_run_of_another_machine_is_at_work_while_its_heart_beats(
    ledger: Ledger, silent_ms: int, at_work: bool
) -> None:
    with ledger.lease("A", "run", wait_seconds=0, heartbeat=5):
        with ledger._database.write() as connection:
            connection.execute(
                text(
                    "UPDATE ledger_leases SET machine = 'another',"
                    " heartbeat_ms = heartbeat_ms - :silent"
                ),
                {"silent": silent_ms},
            )
        assert ledger.is_at_work("A") == at_work
