"""What a thread puts off is stored with its next transaction, or before it reads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select
from target_freshbooks.ledger import Ledger, Link
from target_freshbooks.ledger.storage.tables import links

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINK = Link("invoice", "7", 70, order_id=7)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite", source="shop") as ledger:
        yield ledger


def stored(ledger: Ledger) -> int:
    """How many links another connection sees."""
    with ledger.scope.database.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(links)).scalar_one())


def test_it_waits_for_the_next_transaction_and_is_in_it(ledger: Ledger) -> None:
    ledger.links.put_soon(LINK)
    assert stored(ledger) == 0
    ledger.audit.add(event="seen", order_id=7, run_id="r", data={})
    assert stored(ledger) == 1


def test_a_read_of_the_thread_sees_it(ledger: Ledger) -> None:
    ledger.links.put_soon(LINK)
    assert ledger.links.get("invoice", "7") == LINK


def test_another_thread_does_not_store_it(ledger: Ledger) -> None:
    ledger.links.put_soon(LINK)
    thread = threading.Thread(target=ledger.flush, daemon=True)
    thread.start()
    thread.join()
    assert stored(ledger) == 0
    ledger.flush()
    assert stored(ledger) == 1


def test_a_transaction_that_fails_takes_it_along_and_the_next_one_stores_it(
    ledger: Ledger,
) -> None:
    ledger.links.put_soon(LINK)
    with pytest.raises(RuntimeError), ledger.scope.database.write():
        raise RuntimeError("something else went wrong")
    assert stored(ledger) == 0
    ledger.flush()
    assert stored(ledger) == 1


def test_what_cannot_be_stored_is_told_once_and_holds_up_nothing_else(ledger: Ledger) -> None:
    def fail(_: object) -> None:
        raise LookupError("no such row")

    ledger.scope.database.put_off(fail)
    ledger.links.put_soon(LINK)
    with pytest.raises(LookupError):
        ledger.flush()
    ledger.flush()
    assert stored(ledger) == 1


def test_what_is_put_off_within_a_transaction_waits_for_the_next(ledger: Ledger) -> None:
    with ledger.scope.database.write():
        ledger.links.put_soon(LINK)
    assert stored(ledger) == 0
    ledger.flush()
    assert stored(ledger) == 1
