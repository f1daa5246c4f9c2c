"""The probe: it only reads, names the true side of what is open, and shows no order's content."""

from __future__ import annotations

import contextlib
import io
import json
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tap_bigcommerce_orders.connection import Seen
from tap_bigcommerce_orders.errors import BigCommerceError
from tap_bigcommerce_orders.probe import probe
from tap_bigcommerce_orders.probe.checks import CHECKS
from tap_bigcommerce_orders.probe.evidence import Evidence
from tap_bigcommerce_orders.probe.of_documents import rounding
from tap_bigcommerce_orders.tap import TapBigCommerceOrders

pytest.importorskip("connector_sandbox", reason="the sandbox is not installed")

from connector_sandbox.app import create_context
from connector_sandbox.bigcommerce.switches import NOT_BY_READING, SETTLED_BY
from connector_sandbox.constants import STORE_HASH
from connector_sandbox.server import running
from connector_sandbox.settings import tap_settings
from connector_sandbox.testing import Harness

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = dict[str, Any]

CASES = (
    "currency_eur", "currency_shown_in_another", "discount_all_at_once", "discount_coupon",
    "fee_untaxed", "gift_certificate_part", "item_variants", "lines_sixty",
    "payment_authorised_only", "payment_cash_offline", "payment_failed_then_ok", "payment_voided",
    "refund_full", "refund_product", "state_archived", "store_credit_part",
    "tax_inclusive_two_classes", "tax_on_all_charges", "tax_on_fee", "tax_two_rates",
)  # fmt: skip
CANARY = {
    "first_name": "Canary", "last_name": "O'Person & Sons", "email": "canary@example.com",
}  # fmt: skip
FEW = 4  # of the random combinations
NEVER_SEEN = {"bc.forbidden_v2", "bc.transactions_max"}
"""What is to be seen at a refusal, or at an order of more than 250 transactions, only."""

OTHERWISE: dict[str, Row] = {
    "one way": {
        "bc.archived_in_lists": True, "bc.capture_moves_modified": False, "bc.channel_ids": "null",
        "bc.consignment_structure": "ignored", "bc.coupon_money": "number",
        "bc.credit_transactions": False, "bc.customer_last_page": "count_0",
        "bc.discount_tax": "included", "bc.empty": "[]", "bc.empty_texts": "null",
        "bc.failed_amount": "null", "bc.fee_money": "number", "bc.fee_tax_rows": True,
        "bc.fees_form": "wrapped", "bc.included_lines": "all", "bc.not_applicable": "{}",
        "bc.refund_requested_amount": "ex", "bc.refunds_meta": "pagination",
        "bc.tax_class_id": "number", "bc.tax_detail_ids": "repeated", "bc.tie_order": "id_desc",
        "bc.transactions_meta": "empty", "bc.transactions_none": "404",
        "bc.default_currency": "null", "bc.limit_over_250": "413", "bc.void_rows": "unnamed",
        "bc.is_deleted_filter": "honoured", "bc.refund_objects": False,
    },
    "another way": {
        "bc.empty": "mixed", "bc.empty_texts": "text", "bc.fees_form": "misspelt",
        "bc.fees_in_subtotal": True, "bc.inclusive_filters": False, "bc.not_applicable": "null",
        "bc.product_options": "object", "bc.refund_requested_amount": "inc",
        "bc.subtotal_tax": "before", "bc.tax_class_zero": True, "bc.tax_line_ids": "text",
        "bc.tie_order": "random", "bc.transactions_none": "200", "bc.authorized_says": "captured",
        "bc.transactions_pages": "honoured", "bc.texts": "entities", "bc.archived_by_id": "404",
        "bc.default_currency": "empty", "bc.void_rows": "no_amount",
        "bc.refund_transactions": False, "bc.plan_quota": 400, "bc.quota_window_seconds": 20,
    },
}  # fmt: skip
"""Many switches at once, each at another value than its usual one."""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Harness]:
    with (
        running(tmp_path / "sandbox", fb__rate_limit=0, bc__plan_quota=0) as served,
        Harness(served.url, tmp_path) as harness,
    ):
        yield harness


def fill(sandbox: Harness, switches: Row) -> None:
    """A small month under these switches, with a capture and a refund of the same day."""
    sandbox.control("PUT", "switches", switches)
    sandbox.control("POST", "shop/seed", {"orders": len(CASES) + 3, "only": list(CASES)})
    sandbox.control("POST", "clock", {"advance_seconds": -7200})
    captured = sandbox.place(billing=CANARY, pay="authorize")
    refunded = sandbox.place(billing=CANARY)
    sandbox.control("POST", "clock", {"advance_seconds": 3600})
    sandbox.control("POST", f"shop/orders/{captured}/capture", {})
    sandbox.control("POST", f"shop/orders/{refunded}/refund", {"everything": True})
    sandbox.control("POST", "clock", {"advance_seconds": 3600})
    sandbox.control("POST", "requests/reset")


def probed(sandbox: Harness, **settings: Any) -> tuple[int, Row]:
    """The exit code and what was found."""
    tap = TapBigCommerceOrders(config=tap_settings(sandbox.url, **settings))
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = probe(tap.connection, tap.store_hash, "json")
    return code, json.loads(out.getvalue())


def truth(sandbox: Harness) -> Row:
    return dict(sandbox.control("GET", "switches"))


def wrong(sandbox: Harness, found: Row) -> Row:
    """What the probe says, and the other thing that is so."""
    so = truth(sandbox)
    return {name: (side, so[name]) for name, side in found.items() if side != so[name]}


def test_in_a_shop_that_has_everything_each_check_names_the_true_side(sandbox: Harness) -> None:
    fill(sandbox, {})
    code, found = probed(sandbox)
    assert code == 0
    del found["settled"]["bc.plan_quota"]  # no limit is told as a very high one
    assert wrong(sandbox, found["settled"]) == {}
    settled = {check.switch for check in CHECKS if check.switch} - {"bc.plan_quota"}
    assert settled - found["settled"].keys() == NEVER_SEEN


@pytest.mark.parametrize("switches", OTHERWISE.values(), ids=OTHERWISE)
def test_in_a_shop_that_answers_otherwise_each_check_names_the_true_side(
    sandbox: Harness, switches: Row
) -> None:
    fill(sandbox, switches)
    _, found = probed(sandbox, quota_percent=100)
    assert wrong(sandbox, {n: s for n, s in found["settled"].items() if n in switches}) == {}
    assert switches.keys() - found["settled"].keys() == set()


def described() -> list[Row]:
    """The switches of the shop's side."""
    with tempfile.TemporaryDirectory() as folder:
        context, _ = create_context(Path(folder))
        found = [one for one in context.switches.described() if one["name"].startswith("bc.")]
        context.store.close()
    return found


def others() -> list[Any]:
    """Each switch that a check settles, with each value that is not its usual one."""
    more = {"bc.plan_quota": (400,), "bc.quota_window_seconds": (20,)}
    return [
        pytest.param(one["name"], value, id=f"{one['name']}={value}")
        for one in described()
        if one["name"] in SETTLED_BY.keys() - NEVER_SEEN - {"bc.store_hash"}
        for value in one["choices"] or more[one["name"]]
        if value != one["default"]
    ]


@pytest.mark.sweep
@pytest.mark.parametrize(("name", "value"), others())
def test_under_each_switch_its_check_names_the_true_side(
    sandbox: Harness, name: str, value: Any
) -> None:
    fill(sandbox, {name: value})
    _, found = probed(sandbox, quota_percent=100)
    assert found["settled"][name] == value
    del found["settled"]["bc.plan_quota"]
    assert wrong(sandbox, found["settled"]) == {}


@pytest.mark.parametrize(
    "trial",
    [
        pytest.param(trial, marks=pytest.mark.more if trial < FEW else pytest.mark.sweep)
        for trial in range(200)
    ],
)
def test_whatever_a_shop_combines_no_check_names_a_false_side(sandbox: Harness, trial: int) -> None:
    chance = random.Random(trial)  # noqa: S311 - a trial that can be repeated
    values = [parameters.values for parameters in others()]
    chosen: Row = dict(chance.sample(values, 15))
    fill(sandbox, chosen)
    _, found = probed(sandbox, quota_percent=100)
    if not chosen.get("bc.plan_quota"):
        del found["settled"]["bc.plan_quota"]
    assert wrong(sandbox, found["settled"]) == {}, chosen
    assert len(found["settled"].keys() & chosen.keys()) > len(chosen) // 2


def test_how_the_shop_rounds_tax_is_told_where_its_tax_settings_say_it() -> None:
    evidence = Evidence(asked={"tax settings": Seen(200, {}, {"data": {"rounding_strategy": "X"}})})
    assert rounding(evidence).found == "X"
    evidence.asked["tax settings"] = Seen(403, {}, {"status": 403})
    assert rounding(evidence).found is None


def test_a_list_of_transactions_that_is_cut_off_is_told(sandbox: Harness) -> None:
    sandbox.control("PUT", "switches", {"bc.transactions_max": 1})
    order_id = sandbox.place(pay="authorize")
    sandbox.control("POST", f"shop/orders/{order_id}/capture", {})
    _, found = probed(sandbox)
    assert found["settled"]["bc.transactions_max"] == 1


def test_a_suspended_store_and_another_store_end_the_probe_as_what_they_are(
    sandbox: Harness,
) -> None:
    sandbox.control("PUT", "switches", {"bc.store_hash": "other456"})
    code, found = probed(sandbox)
    assert (code, len(found["missing_scopes"]), found["settled"].keys()) == (
        1, 5, {"bc.forbidden_v2", "bc.plan_quota", "bc.quota_window_seconds"},
    )  # fmt: skip
    sandbox.control("PUT", "switches", {"bc.store_hash": STORE_HASH, "bc.suspended": True})
    with pytest.raises(BigCommerceError, match="suspended"):
        probed(sandbox, max_retry_seconds=0)


@pytest.mark.parametrize("form", ["array", "object"])
def test_the_scopes_that_lack_are_named_and_the_command_fails(
    sandbox: Harness, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.control("PUT", "switches", {"bc.forbidden_v2": form})
    scopes = ["store_v2_orders_read_only", "store_v2_products_read_only"]
    sandbox.control("POST", "shop/tokens", {"token": "few", "scopes": scopes})
    sandbox.place()
    path = sandbox.home / "tap.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(tap_settings(sandbox.url, access_token="few")))
    with pytest.raises(SystemExit) as ended:
        TapBigCommerceOrders.cli.main(["--config", str(path), "--probe=json"])
    found = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1
    assert found["missing_scopes"] == [
        "store_v2_customers_read_only",
        "store_v2_information_read_only",
        "store_v2_transactions_read_only",
    ]
    assert found["settled"]["bc.forbidden_v2"] == form


@pytest.mark.parametrize("form", ["text", "json"])
def test_only_gets_are_sent_and_nothing_of_an_order_is_shown(sandbox: Harness, form: str) -> None:
    fill(sandbox, {})
    before = sandbox.control("GET", "truth")
    tap = TapBigCommerceOrders(config=tap_settings(sandbox.url))
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        probe(tap.connection, tap.store_hash, form)
    assert {row["method"] for row in sandbox.requests()} == {"GET"}
    assert sandbox.control("GET", "truth") == before
    orders = tap.connection.get("/v2/orders", {"limit": 250})
    private = {
        str(value)
        for order in orders
        for value in (*order["billing_address"].values(), order["total_inc_tax"], order["cart_id"])
        if isinstance(value, str) and len(value) > 3
    }
    assert CANARY["email"] in private
    assert {value for value in private if value in out.getvalue()} == set()


def test_each_switch_of_the_shop_names_the_check_that_settles_it_or_why_none_does() -> None:
    named = {one["name"] for one in described()}
    assert {check.switch: check.name for check in CHECKS if check.switch} == SETTLED_BY
    assert SETTLED_BY.keys() | NOT_BY_READING.keys() == named
    assert SETTLED_BY.keys() & NOT_BY_READING.keys() == set()
