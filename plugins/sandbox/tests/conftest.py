"""A sandbox on a free port, and clients that speak to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from connector_sandbox.constants import FRESHBOOKS_ACCOUNT_ID
from connector_sandbox.server import Running, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PATHS = {
    "client": "users/clients",
    "item": "items/items",
    "tax": "taxes/taxes",
    "invoice": "invoices/invoices",
    "payment": "payments/payments",
    "credit_note": "credit_notes/credit_notes",
    "expense": "expenses/expenses",
}


@dataclass
class Books:
    """A FreshBooks client without any cleverness: it hands over status and JSON."""

    http: httpx.Client
    account_id: str = FRESHBOOKS_ACCOUNT_ID

    def login(self) -> None:
        """Take fresh tokens, as after a move of the clock."""
        self.http.headers.pop("authorization", None)
        token = self.http.post("/_sandbox/freshbooks/tokens/grant").json()["access_token"]
        self.http.headers["authorization"] = f"Bearer {token}"

    def url(self, kind: str, record_id: object = None) -> str:
        path = f"/accounting/account/{self.account_id}/{_PATHS[kind]}"
        return path if record_id is None else f"{path}/{record_id}"

    def ask(self, method: str, kind: str, record_id: object = None, **more: Any) -> httpx.Response:
        return self.http.request(method, self.url(kind, record_id), **more)

    def create(self, kind: str, /, **body: Any) -> dict[str, Any]:
        """Create, with lines in the answer, and insist that it works."""
        answer = self.ask("POST", kind, params={"include[]": "lines"}, json={kind: body})
        assert answer.status_code == 200, answer.text
        return answer.json()["response"]["result"][kind]

    def put(self, kind: str, record_id: int, /, **body: Any) -> dict[str, Any]:
        answer = self.ask("PUT", kind, record_id, params={"include[]": "lines"}, json={kind: body})
        assert answer.status_code == 200, answer.text
        return answer.json()["response"]["result"][kind]

    def get(self, kind: str, record_id: int) -> dict[str, Any]:
        answer = self.ask("GET", kind, record_id, params={"include[]": "lines"})
        assert answer.status_code == 200, answer.text
        return answer.json()["response"]["result"][kind]

    def rows(self, kind: str, **search: Any) -> list[dict[str, Any]]:
        """Search; a plural key with a list becomes an in-list."""
        params: list[tuple[str, Any]] = []
        for key, value in search.items():
            if isinstance(value, list):
                params += [(f"search[{key}][]", one) for one in value]
            else:
                params.append((f"search[{key}]", value))
        answer = self.ask("GET", kind, params=params)
        assert answer.status_code == 200, answer.text
        result = answer.json()["response"]["result"]
        return result["taxes" if kind == "tax" else f"{kind}s"]

    def errors(self, method: str, kind: str, record_id: object = None, /, **body: Any) -> Refused:
        """Expect a refusal in the old format."""
        answer = self.ask(method, kind, record_id, json={kind: body})
        found = answer.json()["response"]["errors"][0]
        return Refused(answer.status_code, found["errno"], found["field"], found["message"])

    def client(self, **more: Any) -> dict[str, Any]:
        return self.create("client", **{"email": "gordon@example.com", "fname": "Gordon", **more})

    def invoice(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Create an invoice for a new client."""
        head = {"create_date": "2026-11-02", "currency_code": "CAD", **more}
        if "customerid" not in head:
            head["customerid"] = self.client()["id"]
        return self.create("invoice", **head, lines=list(lines) or [line("100.00")])

    def sent(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        invoice = self.invoice(*lines, **more)
        return self.put("invoice", invoice["id"], action_mark_as_sent=True)

    def pay(self, invoice: dict[str, Any], amount: str, **more: Any) -> dict[str, Any]:
        body = {
            "invoiceid": invoice["id"],
            "amount": {"amount": amount, "code": invoice["currency_code"]},
            "date": "2026-11-02",
            "type": "Credit Card",
        }
        return self.create("payment", **{**body, **more})


@dataclass(frozen=True)
class Refused:
    status: int
    errno: int
    field: str
    message: str


def line(unit_cost: str, qty: str = "1", **more: Any) -> dict[str, Any]:
    """An invoice line."""
    return {
        "type": 0,
        "name": "Bowl",
        "qty": qty,
        "unit_cost": {"amount": unit_cost, "code": "CAD"},
        **more,
    }


@pytest.fixture(name="line")
def _line() -> Callable[..., dict[str, Any]]:
    return line


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(
        tmp_path_factory.mktemp("sandbox"), sides=["freshbooks"], fb__rate_limit=0
    ) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def _clients(_served: Running) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    # One pair for a module: making an httpx client costs more than most tests here.
    with (
        httpx.Client(base_url=f"{_served.url}/_sandbox/", timeout=10) as control,
        httpx.Client(base_url=_served.url, timeout=10) as books,
    ):
        yield control, books


@pytest.fixture
def control(_clients: tuple[httpx.Client, httpx.Client]) -> httpx.Client:
    """A client of the control routes."""
    return _clients[0]


@pytest.fixture
def sandbox(_served: Running, control: httpx.Client) -> Iterator[Running]:
    """An empty sandbox with default switches and no quota in the way."""
    control.post("reset", json={"seed": False}).raise_for_status()
    control.post("clock", json={"set": "2026-11-02T18:00:00+00:00", "rate": 1})
    yield _served
    _served.context.faults.remove()


@pytest.fixture
def switch(sandbox: Running) -> Callable[..., None]:
    """Set FreshBooks switches: ``switch(number_search="like")``."""

    def set_them(**values: Any) -> None:
        named = {f"fb.{name}": value for name, value in values.items()}
        sandbox.context.switches.set(named)

    return set_them


@pytest.fixture
def books(sandbox: Running, _clients: tuple[httpx.Client, httpx.Client]) -> Books:
    """A logged-in FreshBooks client."""
    del sandbox
    books = Books(_clients[1])
    books.login()
    return books


@pytest.fixture
def fixtures_of_freshbooks() -> Path:
    """Published answers of the real API, kept outside this repository."""
    folder = Path(__file__).parents[4] / "shared" / "reference" / "freshbooks" / "fixtures"
    if not folder.is_dir():
        pytest.skip(f"the published FreshBooks answers are not at {folder}")
    return folder
