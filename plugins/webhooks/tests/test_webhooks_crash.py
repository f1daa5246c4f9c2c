"""`kill -9` between each two steps from the first byte received to the last row settled."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from connector_sandbox.testing import until
from connector_webhooks.assembly import Assembly
from connector_webhooks.inbox import IncomingHook
from connector_webhooks.settings import load

if TYPE_CHECKING:
    from connector_webhooks.dispatch import Dispatcher
    from connector_webhooks.inbox import Inbox

Make = Any
KILLING = str(Path(__file__).with_name("killing_webhooks.py"))

# The steps at which most could go wrong; the others are behind `make sweep`.
SAMPLE = {
    "Inbox.store:within",
    "Inbox.store:after",
    "Dispatcher._run:before",
    "worker.start:after",
    "Orders.delivered:within",
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
    "Orders.due:before",
    "Orders.due:after",
    "Dispatcher._run:before",
    "ChildWorker.__call__:before",
    "worker.start:after",
    "ChildWorker.__call__:after",
    "Orders.delivered:before",
    "Orders.delivered:within",
    "Orders.delivered:after",
    "Dispatcher._run:after",
)
FAILING_STEPS = sampled(
    "ChildWorker.__call__:after",
    "Orders.failed:before",
    "Orders.failed:within",
    "Orders.failed:after",
)


@pytest.mark.parametrize("step", RECEIVE_STEPS)
def test_a_receiver_killed_at_any_step_loses_no_hook_it_acknowledged(
    program: Make, start: Make, signed: Make, step: str
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
    assert acknowledged <= {row.webhook_id for row in ours.hooks()}

    server = start(ours)  # as systemd would; BigCommerce then repeats what was not acknowledged
    for hook in hooks:
        if hook.webhook_id not in acknowledged:
            assert server.send(hook).status_code == 200
    until(lambda: len(ours.hooks()) == 3 and not ours.waiting(), "all delivered")
    assert {order for run in ours.runs() for order in run} == {1, 2, 3}


@pytest.mark.parametrize("step", DISPATCH_STEPS)
def test_a_dispatcher_killed_at_any_step_has_each_order_run_in_the_end(
    program: Make, step: str
) -> None:
    ours = program()
    inbox = ours.inbox()
    receive(inbox, 1, 2, 3)
    kill(ours, step)
    runs_before = len(ours.runs())
    settled_before = not ours.waiting()
    # An order may be settled only if a run was carried out before.
    assert not settled_before or runs_before == 1

    environment = ours.environment()
    work_off(Assembly(load(environment), environment).dispatcher(inbox))
    assert ours.waiting() == []
    assert {order for run in ours.runs() for order in run} == {1, 2, 3}
    assert len(ours.runs()) <= 2
    assert settled_before == (len(ours.runs()) == runs_before)
    inbox.database.close()


@pytest.mark.parametrize("step", FAILING_STEPS)
def test_a_dispatcher_killed_at_any_step_of_a_failure_has_its_orders_tried_again(
    program: Make, step: str
) -> None:
    ours = program()
    inbox = ours.inbox()
    receive(inbox, 1, 2)
    good = ours.settings["run_command"]
    ours.settings["run_command"] = "exit 1"
    kill(ours, step)
    assert len(ours.waiting()) == 2
    ours.settings["run_command"] = good
    environment = ours.environment()
    work_off(Assembly(load(environment), environment).dispatcher(inbox))
    assert ours.waiting() == []
    assert ours.runs() == [[1, 2]]
    inbox.database.close()


def receive(inbox: Inbox, *order_ids: int) -> None:
    now = datetime.now(UTC)
    inbox.store(
        [IncomingHook(f"msg_{n}", "store/order/updated", n, "", now, now) for n in order_ids]
    )


def kill(ours: Any, step: str) -> None:
    killed = subprocess.run(
        [sys.executable, KILLING, step, "drain"],
        env=ours.environment(),
        cwd=ours.folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()


def work_off(dispatcher: Dispatcher) -> None:
    while dispatcher.cycle().worked:
        pass


def test_a_killed_server_s_run_is_repeated_by_the_next_one(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(run_command='echo "$TAP_BIGCOMMERCE_ORDERS_ORDER_IDS" >> runs.txt; exec sleep 9')
    first = start(ours)
    first.send(signed(7))
    until(ours.runs, "the run")
    first.process.kill()
    first.process.wait(10)
    assert [row.order_id for row in ours.waiting()] == [7]
    ours.settings["run_command"] = 'echo "$TAP_BIGCOMMERCE_ORDERS_ORDER_IDS" >> runs.txt'
    start(ours)
    until(lambda: not ours.waiting(), "the delivery")
    assert ours.runs() == [[7], [7]]
