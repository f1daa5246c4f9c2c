"""A receiver as a real process, signed hooks, and inboxes on both databases."""

from __future__ import annotations

import base64
import hmac
import json
import os
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.testing import DATABASES, new_client
from connector_webhooks.database import Database, hooks, orders
from connector_webhooks.inbox import Inbox
from sqlalchemy import Select, create_engine, select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

STORE = "abc123"
SECRET = "canary-client-secret-1"
LIMIT_SECONDS = 30.0


@dataclass(frozen=True)
class SignedHook:
    """A hook ready to be sent."""

    webhook_id: str
    body: bytes
    headers: dict[str, str]


def sign_hook(
    order_id: int | None = 250,
    *,
    body: bytes | None = None,
    webhook_id: str = "",
    secret: str = SECRET,
    signed_at: datetime | None = None,
    scope: str = "store/order/updated",
    data: dict[str, Any] | None = None,
    store: str = STORE,
) -> SignedHook:
    """Make a hook as BigCommerce would."""
    moment = signed_at or datetime.now(UTC)
    webhook_id = webhook_id or f"msg_{uuid.uuid4().hex}"
    document = {
        "scope": scope,
        "store_id": "1025646",
        "data": data if data is not None else {"type": "order", "id": order_id},
        "hash": uuid.uuid4().hex,
        "created_at": int(moment.timestamp()),
        "producer": f"stores/{store}",
    }
    body = json.dumps(document).encode() if body is None else body
    timestamp = str(int(moment.timestamp()))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    digest = hmac.digest(secret.encode(), signed, "sha256")
    headers = {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    return SignedHook(webhook_id, body, headers)


@dataclass
class Program:
    """The `webhooks` program with settings of its own, in a folder of its own."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = {
            "store_hash": STORE,
            "client_secret": SECRET,
            "inbox_url": f"sqlite:///{self.folder / 'inbox.sqlite'}",
            "collapse_milliseconds": 100,
            "run_directory": str(self.folder),
            "run_command": f'echo "$TAP_BIGCOMMERCE_ORDERS_ORDER_IDS" >> {self.runs_file}',
        } | self.settings

    @property
    def runs_file(self) -> Path:
        return self.folder / "runs.txt"

    @property
    def log_file(self) -> Path:
        return self.folder / "log.txt"

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def runs(self) -> list[list[int]]:
        """Order numbers of each run that was carried out."""
        if not self.runs_file.exists():
            return []
        return [json.loads(line) for line in self.runs_file.read_text().splitlines()]

    def environment(self) -> dict[str, str]:
        given = {f"WEBHOOKS_{name.upper()}": str(value) for name, value in self.settings.items()}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WEBHOOKS_")}
        return kept | given

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "connector_webhooks", *arguments],
            env=self.environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def inbox(self) -> Inbox:
        return Inbox(Database(str(self.settings["inbox_url"]), STORE), timedelta(seconds=2))

    def hooks(self) -> list[Any]:
        """All hooks that are remembered, in order of arrival."""
        return self._read(select(hooks).order_by(hooks.c.received_at, hooks.c.order_id))

    def waiting(self) -> list[Any]:
        """All orders that wait for a run."""
        return self._read(select(orders).order_by(orders.c.order_id))

    def _read(self, statement: Select[Any]) -> list[Any]:
        engine = create_engine(str(self.settings["inbox_url"]))
        try:
            with engine.connect() as connection:
                return list(connection.execute(statement))
        finally:
            engine.dispose()


class Server:
    """A running `webhooks serve`."""

    def __init__(self, program: Program, command: list[str]) -> None:
        self.program = program
        with program.log_file.open("a") as log:
            self.process = subprocess.Popen(
                command,
                env=program.environment(),
                cwd=program.folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, program.log
        told = json.loads(line)
        self.origin, self.internal_origin = str(told["url"]), str(told["internal_url"])
        self.client = new_client(self.origin, LIMIT_SECONDS)
        self.internal = new_client(self.internal_origin, LIMIT_SECONDS)

    def send(self, hook: SignedHook, path: str = "/webhooks", **headers: str) -> httpx.Response:
        return self.client.post(path, content=hook.body, headers=hook.headers | headers)

    def figure(self, name: str) -> float:
        """One line of /metrics."""
        for line in self.internal.get("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[-1])
        raise AssertionError(f"no figure {name}")

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def close(self) -> None:
        self.client.close()
        self.internal.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def signed() -> Callable[..., SignedHook]:
    return sign_hook


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Program]:
    """Make a program with these settings on top of the usual ones."""

    def make(**settings: Any) -> Program:
        return Program(tmp_path, settings)

    return make


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """Start a server; all are ended with the test."""
    servers: list[Server] = []

    def begin(program: Program, *arguments: str, wrapper: list[str] | None = None) -> Server:
        command = [sys.executable, *(wrapper or ["-m", "connector_webhooks"])]
        servers.append(Server(program, [*command, "serve", "--port", "0", *arguments]))
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


@pytest.fixture
def postgresql_url(postgresql_url: str) -> str:
    """As SQLAlchemy wants it."""
    return postgresql_url.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(params=DATABASES)
def inbox_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'inbox.sqlite'}"
    return str(request.getfixturevalue("postgresql_url"))
