"""`kill -9` between each two steps from the first byte received to the last row settled."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from connector_webhooks.assembly import Assembly
from connector_webhooks.inbox import Arrival
from connector_webhooks.settings import load

Make = Any
KILLING = str(Path(__file__).with_name("killing_webhooks.py"))

# The steps at which most could go wrong; the others are behind `make sweep`.
SAMPLE = {
    "Inbox.store:within",
    "Inbox.store:after",
    "Claims.claim:within",
    "worker.Run:after",
    "Claims.delivered:within",
}


def sampled(*steps: str) -> list[Any]:
    return [pytest.param(step, marks=() if step in SAMPLE else pytest.mark.sweep) for step in steps]


RECEIVE_STEPS = sampled(
    "Inbox.store:before",
    "Inbox.store:within",
    "Inbox.store:after",
    "serve.application:after",
)
DISPATCH_STEPS = sampled(
    "Claims.take:before",
    "Claims.take:within",
    "Claims.take:after",
    "Claims.claim:before",
    "Claims.claim:within",
    "Claims.claim:after",
    "ChildWorker.__call__:before",
    "worker.Run:after",
    "ChildWorker.__call__:after",
    "Claims.delivered:before",
    "Claims.delivered:within",
    "Claims.delivered:after",
    "Claims.drop:before",
    "Claims.drop:after",
)


@pytest.mark.parametrize("step", RECEIVE_STEPS)
def test_a_receiver_killed_at_any_step_loses_no_hook_it_acknowledged(
    program: Make, start: Make, signed: Make, wait_until: Make, step: str
) -> None:
    ours = program()
    dying = start(ours, wrapper=[KILLING, step])
    hooks = [signed(order) for order in (1, 2, 3)]
    acknowledged = set()
    for hook in hooks:
        try:
            if dying.send(hook).status_code == 200:
                acknowledged.add(hook.webhook_id)
        except httpx.TransportError:
            break
    assert dying.process.wait(30) == -signal.SIGKILL
    assert acknowledged <= {row.webhook_id for row in ours.rows()}

    server = start(ours)  # as systemd would; BigCommerce then repeats what was not acknowledged
    for hook in hooks:
        if hook.webhook_id not in acknowledged:
            assert server.send(hook).status_code == 200
    wait_until(lambda: [row.state for row in ours.rows()] == ["done"] * 3, "all done")
    assert {order for run in ours.runs() for order in run} == {1, 2, 3}


@pytest.mark.parametrize("step", DISPATCH_STEPS)
def test_a_dispatcher_killed_at_any_step_has_each_order_run_in_the_end(
    program: Make, step: str
) -> None:
    ours = program()
    inbox = ours.inbox()
    now = datetime.now(UTC)
    inbox.store(
        [
            Arrival(f"msg_{order}", "store/order/updated", order, "", "{}", now, now, now)
            for order in (1, 2, 3)
        ]
    )
    killed = subprocess.run(
        [sys.executable, KILLING, step, "drain"],
        env=ours.environment(),
        cwd=ours.folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    runs_before = len(ours.runs())
    settled_before = all(row.state == "done" for row in ours.rows())
    # A row may be done only if a run was carried out before.
    assert not settled_before or runs_before == 1

    environment = ours.environment()
    dispatcher, _ = Assembly(load(environment), environment).dispatcher(inbox, None)
    while dispatcher.cycle().worked:
        pass
    assert [row.state for row in ours.rows()] == ["done"] * 3
    assert {order for run in ours.runs() for order in run} == {1, 2, 3}
    assert len(ours.runs()) <= 2
    assert settled_before == (len(ours.runs()) == runs_before)
    inbox.database.close()


def test_a_killed_server_s_run_is_repeated_by_the_next_one(
    program: Make, start: Make, signed: Make, wait_until: Make
) -> None:
    ours = program(run_command='echo "$TAP_BIGCOMMERCE_ORDERS_ORDER_IDS" >> runs.txt; exec sleep 9')
    first = start(ours)
    first.send(signed(7))
    wait_until(ours.runs, "the run")
    first.process.kill()
    first.process.wait(10)
    assert [row.state for row in ours.rows()] == ["waiting"]
    ours.settings["run_command"] = 'echo "$TAP_BIGCOMMERCE_ORDERS_ORDER_IDS" >> runs.txt'
    start(ours)
    wait_until(lambda: ours.rows()[0].state == "done", "done")
    assert ours.runs() == [[7], [7]]
    assert ours.rows()[0].interruptions == 1
