"""Two targets at once on one ledger: one waits for the other, and nothing is written twice.

Holds a write of the first run, starts a second on the same messages and looks that it neither
writes nor refreshes the token; on SQLite and on PostgreSQL. A run that is frozen is not taken over
but named; once it is killed, its place is free at once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from connector_sandbox.testing import postgresql

from demo.sandbox import BIN
from sweeps import books, scenario
from sweeps.runner import WRITES, say, stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sweeps.books import Books
    from sweeps.runner import Stage

RUN_SECONDS = 120
WATCHED_SECONDS = 3.0
FROZEN_SECONDS = 12
"""How long a run waits for a frozen one."""
GLANCE_SECONDS = 0.1
HELD_WRITE = {**WRITES, "skip": 5}
HELD_READ = {"side": "freshbooks", "method": "GET", "path": "/items/items$", "skip": 0}
"""The look for an item that is not there yet: whoever trusts its answer too late makes another."""


def _start(on: Stage, name: str, **settings: int) -> subprocess.Popen[bytes]:
    """A run as an operator would start it, with a configuration of its own."""
    trial = on.home / "trial"
    config = json.loads((trial / "target.json").read_text(encoding="utf-8"))
    (trial / f"{name}.json").write_text(json.dumps({**config, **settings}), encoding="utf-8")
    with on.phases[0].open("rb") as messages, (trial / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [str(BIN / "target-freshbooks"), "--config", str(trial / f"{name}.json")],
            stdin=messages,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


def _log(on: Stage, name: str) -> str:
    return (on.home / "trial" / f"{name}.log").read_text(encoding="utf-8")


def _hold(on: Stage, where: Mapping[str, Any], *, when: str) -> None:
    on.sandbox.tell("POST", "faults", {**where, "kind": "hold", "when": when, "times": 1})


def _refreshes(on: Stage) -> int:
    rows = on.sandbox.ask("requests")["requests"]
    return sum(row["count"] for row in rows if row["path"].endswith("/oauth/token"))


def waiting(on: Stage, wanted: Books) -> list[str]:
    """The second waits for the first; one that may not wait ends with 1 and says why."""
    _hold(on, HELD_WRITE, when="before")
    on.configure(lease_wait_seconds=RUN_SECONDS)
    first = _start(on, "first")
    if not on.until_held(first.pid):
        return [f"the first run ended: {_log(on, 'first')[-2000:]}"]
    refreshes, writes = _refreshes(on), len(on.writes())
    second = _start(on, "second")
    third = _start(on, "third", lease_wait_seconds=0)
    refused = third.wait(RUN_SECONDS)
    until = time.monotonic() + WATCHED_SECONDS
    wrong = []
    while time.monotonic() < until:
        time.sleep(GLANCE_SECONDS)  # watched for some time: that nothing happens has no end
        if len(on.writes()) != writes or second.poll() is not None:
            wrong.append("the second run did not wait")
            break
    wrong += [] if _refreshes(on) == refreshes else ["the token was refreshed again"]
    log = _log(on, "third")
    if refused != 1 or "FreshBooks account" not in log or "Traceback" in log:
        wrong.append(f"without waiting the run ended with {refused}: {log[-1500:]}")
    on.sandbox.tell("DELETE", "faults")
    codes = (first.wait(RUN_SECONDS), second.wait(RUN_SECONDS))
    wrong += [] if codes == (0, 0) else [f"ended with {codes}: {_log(on, 'second')[-1500:]}"]
    return wrong + books.differences(on.books(), wanted)


def frozen_in_a_write(on: Stage, wanted: Books) -> list[str]:
    """A frozen run is named and then killed: its heir finds the write's intent open."""
    first, wrong = _frozen(on, HELD_WRITE)
    if first is None:
        return wrong
    first.kill()
    first.wait()
    heir = _start(on, "heir")
    code, log = heir.wait(RUN_SECONDS), _log(on, "heir")
    if code != 0 or "Waiting for" in log:
        wrong.append(f"the place of the killed run was not free at once ({code}): {log[-1500:]}")
    return wrong + books.differences(on.books(), wanted)


def frozen_in_a_read(on: Stage, wanted: Books) -> list[str]:
    """A frozen run is named; thawed, it goes on, for nobody took its place."""
    first, wrong = _frozen(on, HELD_READ)
    if first is None:
        return wrong
    os.kill(first.pid, signal.SIGCONT)
    code = first.wait(RUN_SECONDS)
    if code != 0:
        wrong.append(f"the thawed run ended with {code}: {_log(on, 'frozen')[-1500:]}")
    return wrong + books.differences(on.books(), wanted)


def _frozen(
    on: Stage, where: Mapping[str, Any]
) -> tuple[subprocess.Popen[bytes] | None, list[str]]:
    """Freeze a run in a request, and see that another waits in vain and names it."""
    _hold(on, where, when="after")
    on.configure(lease_wait_seconds=RUN_SECONDS)
    first = _start(on, "frozen")
    if not on.until_held(first.pid):
        return None, [f"the first run ended: {_log(on, 'frozen')[-2000:]}"]
    os.kill(first.pid, signal.SIGSTOP)
    writes = len(on.writes())
    second = _start(on, "second", lease_wait_seconds=FROZEN_SECONDS)
    code, log = second.wait(RUN_SECONDS), _log(on, "second")
    wrong = []
    if code != 1 or f"process {first.pid} on" not in log or "Traceback" in log:
        wrong.append(f"the second run ended with {code}: {log[-1500:]}")
    wrong += [] if len(on.writes()) == writes else ["the second run wrote"]
    on.sandbox.tell("DELETE", "faults")
    return first, wrong


def sweep(
    home: Path, messages: Sequence[Path], *, databases: tuple[str, ...], freeze: bool
) -> list[str]:
    """Both trials on each kind of database."""
    wrong: list[str] = []
    with stage(home, messages, switches=scenario.SWITCHES, **scenario.SETTINGS) as on:
        on.begin()
        on.run(0)
        wanted = on.books()
        for database in databases:
            place = postgresql() if database == "PostgreSQL" else nullcontext("")
            with place as url:
                trials = {"two at once": waiting}
                if freeze:
                    trials["one frozen in a write"] = frozen_in_a_write
                    trials["one frozen in a read"] = frozen_in_a_read
                for name, trial in trials.items():
                    on.begin()
                    if url:
                        on.configure(**_databases(url, name.replace(" ", "_")))
                    here = trial(on, wanted)
                    say(f"{name}, {database}: {len(here)} wrong")
                    wrong += [f"{name}, {database}: {entry}" for entry in here]
    return wrong


def _databases(server: str, name: str) -> dict[str, str]:
    """A database of its own for ledger and credentials."""
    import psycopg  # noqa: PLC0415 - there if the server is

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = server.replace("postgresql://", "postgresql+psycopg://", 1)
    url = url.replace("/postgres?", f"/{name}?", 1)
    return {"ledger_url": url, "credentials_url": url}
