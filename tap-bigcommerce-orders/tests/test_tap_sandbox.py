"""The tap against the sandbox's BigCommerce: its month of orders, quotas, switches and faults."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_bigcommerce_orders.tap import TapBigCommerceOrders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest.importorskip("connector_sandbox", reason="the sandbox is not installed")

Row = dict[str, Any]

# The SDK builds its suite while tests are collected: the address must be known by then.
with socket.socket() as _probe:
    _probe.bind(("127.0.0.1", 0))
    PORT = _probe.getsockname()[1]
URL = f"http://127.0.0.1:{PORT}"
CONFIG = {
    "store_hash": "sandbox",
    "access_token": "sandbox-bigcommerce-token",
    "api_url": URL,
    "max_retry_seconds": 60,
    "request_timeout": 2,
}

# Sides of what nobody has confirmed, which must not change what is read.
WIRE_SWITCHES = {
    "bc.inclusive_filters": False,
    "bc.tie_order": "random",
    "bc.empty": "[]",
    "bc.transactions_none": "404",
    "bc.transactions_meta": "empty",
    "bc.refunds_meta": "pagination",
    "bc.fees_form": "wrapped",
    "bc.customer_last_page": "count_0",
    "bc.forbidden_v2": "object",
    "bc.quota_window_seconds": 1,
}


def control(method: str, path: str, document: Any = None) -> Any:
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(f"{URL}/_sandbox/{path}", body, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own localhost
        return json.loads(answer.read() or b"null")


@pytest.fixture(scope="module")
def _sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    data: Path = tmp_path_factory.mktemp("sandbox")
    command = [str(Path(sys.executable).parent / "sandbox"), "up", "--port", str(PORT)]
    with (data / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--data", str(data)], stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            if not process.stdout.readline():
                pytest.fail(f"the sandbox did not start: {(data / 'log').read_text()[-2000:]}")
            control("PUT", "switches", {"bc.plan_quota": 0})
            yield
        finally:
            process.terminate()
            process.communicate(timeout=10)


@pytest.fixture
def _as_it_was(_sandbox: None) -> Iterator[None]:
    """Put faults and switches back afterwards."""
    before = control("GET", "switches")
    yield
    control("DELETE", "faults")
    control("PUT", "switches", {k: v for k, v in before.items() if k in WIRE_SWITCHES})


def read(**more: Any) -> Callable[[str], dict[Any, Row]]:
    """Run the tap over the sandbox and index the records by their keys."""
    tap = TapBigCommerceOrders(config={**CONFIG, **more})
    wait = tap.connection._sleep
    tap.connection._sleep = lambda seconds: wait(seconds / 20)  # back-off, at a test's pace
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        tap.sync_all()
    tap.connection.close()
    messages = [json.loads(line) for line in out.getvalue().splitlines()]
    keys = {name: stream.primary_keys for name, stream in tap.streams.items()}

    def records(stream: str) -> dict[Any, Row]:
        return {
            tuple(m["record"][key] for key in keys[stream]): m["record"]
            for m in messages
            if m["type"] == "RECORD" and m["stream"] == stream
        }

    return records


COMPARED = ("orders", "transactions", "refunds", "customers", "products", "order_taxes")


@pytest.fixture(scope="module")
def month(_sandbox: None) -> dict[str, dict[Any, Row]]:
    """All records of the sandbox's month, and the requests that they took."""
    control("POST", "requests/reset")
    records = read()
    return {stream: records(stream) for stream in COMPARED}


def test_every_order_of_the_month_is_read_within_the_requests(
    month: dict[str, dict[Any, Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    truth = control("GET", "truth")
    orders = truth["orders"] if isinstance(truth, dict) else truth
    # Archived orders are not in the API's list; a webhook brings them by their number.
    wanted = {int(order["order_id"]) for order in orders if "archived" not in order["case"]}
    read_ids = {key[0] for key in month["orders"]}
    assert wanted - read_ids == set()
    taxed = sum(float(row["total_tax"] or 0) != 0 for row in month["orders"].values())
    asked = control("GET", "requests")["totals"]["bigcommerce"]["all"]
    per_order = (asked - taxed) / len(read_ids)
    with capsys.disabled():
        figures = f"{len(read_ids)} orders ({taxed} taxed): {per_order:.3f} requests"
        print(f"\n{figures} per untaxed order")
    assert len(read_ids) >= 200
    assert per_order <= 1.1


@pytest.mark.usefixtures("_as_it_was")
def test_all_that_is_unconfirmed_at_once_changes_nothing_in_the_records(
    month: dict[str, dict[Any, Row]],
) -> None:
    control("PUT", "switches", WIRE_SWITCHES)
    records = read(page_size=97)
    for stream in COMPARED:
        assert records(stream) == month[stream], stream


@pytest.mark.sweep
@pytest.mark.usefixtures("_as_it_was")
@pytest.mark.parametrize(("name", "side"), WIRE_SWITCHES.items())
def test_what_is_unconfirmed_changes_nothing_in_the_records(
    month: dict[str, dict[Any, Row]], name: str, side: Any
) -> None:
    control("PUT", "switches", {name: side})
    records = read(page_size=97)
    for stream in COMPARED:
        assert records(stream) == month[stream], stream


@pytest.mark.more
@pytest.mark.usefixtures("_as_it_was")
def test_faults_change_nothing_in_the_records(month: dict[str, dict[Any, Row]]) -> None:
    kinds = ("reset_after", "truncate", "html")
    rules = [{"kind": kind, "probability_percent": 1, "seed": 5} for kind in kinds]
    rules += [
        {"kind": "status", "status": status, "probability_percent": 1, "seed": status}
        for status in (429, 500, 503)
    ]
    control("PUT", "switches", {"bc.quota_window_seconds": 1})
    control("POST", "faults", [{"side": "bigcommerce", "times": None, **rule} for rule in rules])
    records = read()
    for stream in COMPARED:
        assert records(stream) == month[stream], stream


_config = dict(CONFIG)
_catalog = TapBigCommerceOrders(config=dict(CONFIG)).catalog
for _entry in _catalog.streams:
    _entry.metadata.root.selected = True  # order_coupons is not by default

_Suite: Any = get_tap_test_class(
    TapBigCommerceOrders,
    config=_config,
    catalog=_catalog.to_dict(),
    suite_config=SuiteConfig(max_records_limit=120),
    parse_env_config=False,
)


@pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")
@pytest.mark.filterwarnings("ignore:No records were available to test")
class TestTapBySdkAgainstTheSandbox(_Suite):  # type: ignore[misc]  # its base is made at run time
    """The Singer SDK's own suite."""

    @pytest.fixture(scope="class")
    @classmethod
    def resource(cls, _sandbox: None) -> None:
        """Have the sandbox running before the suite's one run of the tap."""

    @pytest.fixture(scope="class")
    @classmethod
    def runner(cls, _sandbox: None, request: pytest.FixtureRequest) -> Any:
        del request
        from singer_sdk.testing.runners import TapTestRunner  # noqa: PLC0415

        made = TapTestRunner(
            TapBigCommerceOrders,
            config=_config,
            catalog=_catalog.to_dict(),
            suite_config=SuiteConfig(max_records_limit=120),
            parse_env_config=False,
        )
        made.sync_all()
        return made
