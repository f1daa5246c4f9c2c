"""What a run keeps in memory does not grow with the shop."""

from __future__ import annotations

import contextlib
import io
import threading
from typing import TYPE_CHECKING, Any

from connector_sandbox.testing import until
from target_freshbooks.posting import service
from target_freshbooks.posting.apply.upsert import Locks
from target_freshbooks.target import TargetFreshBooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

MOST_AT_ONCE = 2


def test_a_lock_goes_when_nobody_holds_it_or_waits_for_it() -> None:
    locks = Locks()
    for number in range(100):
        with locks.held("client", f"customer:{number}"), locks.held("client", "customer:0"):
            assert len(locks) == (2 if number else 1)
    assert len(locks) == 0


def test_who_waits_for_a_lock_and_who_comes_later_never_hold_it_together() -> None:
    locks, inside, most = Locks(), [], []
    leave = [threading.Event() for _ in range(3)]

    def hold(number: int) -> None:
        with locks.held("client", "email:jane@shop.example"):
            inside.append(number)
            most.append(len(inside))
            assert leave[number].wait(20)
            inside.remove(number)

    threads = [threading.Thread(target=hold, args=(number,), daemon=True) for number in range(3)]
    threads[0].start()
    until(lambda: inside == [0])
    threads[1].start()
    until(lambda: locks._locks["client", "email:jane@shop.example"][1] == 2)
    leave[0].set()
    until(lambda: inside == [1])
    threads[2].start()
    # The first has given it up by now, and the second holds it still.
    until(lambda: len(most) > 2 or locks._locks["client", "email:jane@shop.example"][1] == 2)
    for event in leave:
        event.set()
    for thread in threads:
        thread.join(20)
    assert (most, len(locks)) == ([1, 1, 1], 0)


def test_customers_are_not_taken_in_faster_than_freshbooks_takes_them(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 1)
    people = 20
    for number in range(people):
        person = {"first_name": f"P{number}", "email": f"p{number}@shop.example"}
        world.control("POST", "shop/customers", person)
    world.settings |= {"client_sync": "all", "max_parallel_orders": MOST_AT_ONCE}
    world.fault(kind="slow", method="POST", path="/users/clients$", delay_ms=100)
    target = TargetFreshBooks(config=world.config)
    seen = []

    def lines() -> Iterator[str]:
        for line in world.messages().splitlines(keepends=True):
            yield line
            if target._run is not None:
                seen.append(len(target._run.work.workers))

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            target.listen(lines())
    finally:
        target.close()
    assert len(world.books()["clients"]) == people
    assert max(seen) == MOST_AT_ONCE
