"""The test kit of all suites: a pytest plugin, `pytest_plugins = ["connector_sandbox.testing"]`.

A `Harness` is both sides of a sandbox and the connector between them. Fixtures bring a sandbox and
a PostgreSQL server; whatever test needs the server bears the mark `postgresql` by that.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from connector_sandbox.server import running
from connector_sandbox.testing.answers import TRUNCATE, Asked, Reply, answering
from connector_sandbox.testing.harness import BIN, JANE, Ended, Harness, new_client, until
from connector_sandbox.testing.postgresql import (
    DATABASES,
    new_database,
    postgresql,
    postgresql_server,
    postgresql_url,
    pytest_collection_modifyitems,
    tell_postgresql,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., subprocess.Popen[str]]

__all__ = [
    "BIN",
    "DATABASES",
    "JANE",
    "TRUNCATE",
    "Asked",
    "Ended",
    "Harness",
    "Reply",
    "answering",
    "new_client",
    "new_database",
    "postgresql",
    "postgresql_server",
    "postgresql_url",
    "pytest_collection_modifyitems",
    "sandbox_url",
    "start_program",
    "tell_postgresql",
    "until",
]


@pytest.fixture(scope="module")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a sandbox without quotas."""
    folder = tmp_path_factory.mktemp("sandbox")
    with running(folder, fb__rate_limit=0, bc__plan_quota=0) as sandbox:
        yield sandbox.url


@pytest.fixture
def start_program() -> Iterator[Start]:
    """Starts Python programs given as text; what is left of them is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603 - the test's own text
            [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
