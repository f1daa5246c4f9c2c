"""Both sides of a sandbox, and the connector between them: what a test of the whole works with."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar

import httpx

from connector_sandbox.settings import clean_environment, tap_settings, target_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
BIN = Path(sys.executable).parent
JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}


def until(look: Callable[[], T], what: str = "it", seconds: float = 180) -> T:
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


def new_client(url: str = "", seconds: float = 60, **more: Any) -> httpx.Client:  # noqa: ANN401 - httpx's
    """A client for this machine, where nobody speaks TLS: its certificates take 40 ms to load."""
    return httpx.Client(base_url=url, timeout=seconds, verify=False, **more)  # nosec B501 # noqa: S501 - as said


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
    http: httpx.Client = field(default_factory=new_client)

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
        path.touch(mode=0o600)
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

    def landed(self) -> str:
        """Agree on a page as `login` prints it: the address that the browser is sent to."""
        from target_freshbooks.access import open_oauth, open_store  # noqa: PLC0415 - as above
        from target_freshbooks.ctl.attempt import LoginAttempts  # noqa: PLC0415 - as above
        from target_freshbooks.ledger import utc_now  # noqa: PLC0415 - as above
        from target_freshbooks.settings import read_settings  # noqa: PLC0415 - as above

        settings = read_settings(self.config, version="test", environment={})
        attempt = LoginAttempts(open_store(settings), settings.client_id, utc_now).begin()
        page = open_oauth(settings).authorize_url(attempt.state, attempt.verifier)
        return str(self.http.post(page).headers["location"])

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
