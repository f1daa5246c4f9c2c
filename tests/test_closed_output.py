"""`some-command | head -1`: who stops reading gets no traceback, and no exit code of Python's."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from connector_sandbox import constants

from demo.project import BIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.more

SECONDS = 60
COMMANDS = (
    "tap-bigcommerce-orders --about",
    "tap-bigcommerce-orders --help",
    "tap-bigcommerce-orders --config=ENV --discover",
    "target-freshbooks --about",
    "target-freshbooks --version",
    "target-freshbooks-ctl --help",
    "target-freshbooks-ctl status",
    "target-freshbooks-ctl status --json",
    "target-freshbooks-ctl verify --chain-only",
    "target-freshbooks-ctl rotate-key",
    "webhooks --help",
    "webhooks --version",
    "webhooks status",
    "connector-credentials --help",
    "connector-credentials list",
    "connector-credentials rotate-key",
    "sandbox --help",
    "sandbox inspect",
)


@contextmanager
def unread(command: str, unbuffered: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """The command, started with an output that nobody reads; ended with the block."""
    program, *arguments = command.split()
    environment = {
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        "HOME": str(home),
        "PYTHONUNBUFFERED": unbuffered,
        "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": constants.STORE_HASH,
        "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN": constants.BIGCOMMERCE_ACCESS_TOKEN,
        "TARGET_FRESHBOOKS_CLIENT_ID": constants.FRESHBOOKS_CLIENT_ID,
        "TARGET_FRESHBOOKS_CLIENT_SECRET": constants.FRESHBOOKS_CLIENT_SECRET,
        "TARGET_FRESHBOOKS_LEDGER_URL": f"sqlite:///{home}/ledger.sqlite",
        "WEBHOOKS_STORE_HASH": constants.STORE_HASH,
        "WEBHOOKS_CLIENT_SECRET": constants.BIGCOMMERCE_CLIENT_SECRET,
        "WEBHOOKS_INBOX_URL": f"sqlite:///{home}/webhooks.sqlite",
        "CREDENTIALS_URL": f"sqlite:///{home}/credentials.sqlite",
    }
    with subprocess.Popen(
        [str(BIN / program), *arguments],
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    said = process.stderr.read()
    for word in ("Traceback", "Exception ignored", "Errno"):
        assert word not in said, said
    return said


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("command", COMMANDS)
def test_output_that_nobody_reads_ends_a_command_without_a_traceback(
    command: str, unbuffered: str, tmp_path: Path
) -> None:
    with unread(command, unbuffered, tmp_path) as process:
        said = told(process)
        assert process.wait(SECONDS) in {0, 1}, said


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    ("command", "warning"),
    [
        ("webhooks serve --port 0", "Nobody reads the standard output"),
        ("sandbox up --port 0", "the reader of the output went away"),
    ],
)
def test_a_server_whose_address_nobody_reads_serves_all_the_same(
    command: str, warning: str, unbuffered: str, tmp_path: Path
) -> None:
    with unread(command, unbuffered, tmp_path) as process:
        assert process.stderr is not None
        assert any(warning in line for line in process.stderr)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said = told(process)
        assert process.wait(SECONDS) == 0, said
