"""A long run tells how far it is: a redrawn line on a terminal, else a line of the log a minute."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import subprocess
import threading
from typing import Any

import pytest
from connector_sandbox.testing import BIN
from target_freshbooks.posting.tally import Tally
from target_freshbooks.progress import CLEARED, WIDTH, Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_a_line_a_minute_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    clock, tally = Clock(), Tally()
    progress = Progress(tally, clock)
    for second in range(1, 181):
        clock.now = second
        tally.posted = second * 2
        progress.tick()
    assert [record.getMessage() for record in caplog.records] == [
        f"So far: 0:0{n}:00, 2.0 a second: {n * 120} posted, 0 parked, 0 waiting" for n in (1, 2, 3)
    ]


def test_on_a_terminal_a_line_is_redrawn_and_leaves_the_cursor_at_its_beginning() -> None:
    clock, screen = Clock(), io.StringIO()
    progress = Progress(Tally(posted=3, parked={7: "x"}), clock, screen, dry_run=True)
    clock.now = 120
    progress.tick()
    line = "0:02:00, 2.0 a minute: would be 3 posted, 1 parked, 0 waiting"
    assert screen.getvalue() == f"{CLEARED}{line}\r"
    assert len(line) <= WIDTH


@pytest.mark.parametrize(("expected", "left"), [(None, ""), (40, " (0:00:30 left)")])
def test_the_time_left_is_told_only_where_the_number_of_orders_is_known(
    expected: int | None, left: str
) -> None:
    clock = Clock()
    progress = Progress(Tally(posted=10), clock, expected=expected)
    assert progress.text(10) == f"0:00:10{left}, 1.0 a second: 10 posted, 0 parked, 0 waiting"


def read(terminal: int, screen: list[bytes]) -> None:
    """All that is written to a pseudo-terminal, until nobody has its other side."""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 65536):
            screen.append(part)


def test_on_a_real_terminal_standard_output_stays_state_alone(shop: Any) -> None:
    shop.place()
    messages, (ours, theirs) = shop.messages(), pty.openpty()
    command = [str(BIN / "target-freshbooks"), "--config", shop.config_file()]
    screen: list[bytes] = []
    reader = threading.Thread(target=read, args=(ours, screen), daemon=True)
    done = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs, text=True
    )
    os.close(theirs)
    reader.start()
    with done:
        out, _ = done.communicate(messages, timeout=120)
    reader.join()
    os.close(ours)
    assert done.returncode == 0, screen
    assert all(line.startswith('{"bookmarks"') for line in out.splitlines())
    assert CLEARED.encode() in b"".join(screen)
