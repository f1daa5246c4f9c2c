"""A small month under every reading of both APIs that nobody has confirmed.

Under each value of each switch of the sandbox the books come to what the shop says, or an order is
parked for the reason noted in `EXPECTED`, or the run stops there with nothing lost.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.app import create_context
from connector_sandbox.server import running

from demo import books as demo_books

from .conftest import World

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = (
    "client_email_other_case", "client_guest", "client_without_email", "currency_eur",
    "currency_jpy", "discount_all_at_once", "discount_coupon", "discount_two_coupons",
    "fee_untaxed", "gift_certificate_part", "item_bundle", "item_custom_product",
    "item_same_sku_twice", "item_variants", "lines_sixty", "payment_authorised_only",
    "payment_cash_offline", "payment_failed_then_ok", "payment_overpaid", "payment_voided",
    "price_four_decimals", "refund_full", "refund_product", "refund_store_credit", "state_archived",
    "state_overridden_totals", "store_credit_part", "tax_four_rates", "tax_inclusive_two_classes",
    "tax_on_all_charges", "tax_on_fee", "tax_two_rates", "text_long_and_non_bmp",
)  # fmt: skip
ORDERS = len(CASES) + 3
SETTINGS = {"on_cancel": "delete", "settle_seconds": 0}


@dataclass(frozen=True)
class Expected:
    """What a value of a switch leads to besides what the truth says of each order.

    Attributes:
        parked: Reasons by case, empty for one that is posted; `*` for all that are to be posted.
        stops: Words of the run that cannot go on. When the switch is put back, the next one does.
        settings: Of the target, as an operator of such an account would have them.
        with_: Other switches that go with it.
        first: What a person makes in FreshBooks before: path and body.
        refused: Writes of a run without news, all of them refused: only they tell of a lock.
    """

    parked: dict[str, str] = field(default_factory=dict)
    stops: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    with_: dict[str, Any] = field(default_factory=dict)
    first: tuple[tuple[str, dict[str, Any]], ...] = ()
    refused: int = 0


def every(reason: str, with_: dict[str, Any] | None = None, first: Any = ()) -> Expected:
    """All orders parked that FreshBooks is asked about."""
    return Expected(
        {"*": reason, "client_without_email": "no_client"}, with_=with_ or {}, first=first
    )


OPEN: dict[str, tuple[Any, ...]] = {
    "bc.plan_quota": (25,),
    "bc.quota_window_seconds": (1,),
    "bc.store_hash": ("other456",),
    "bc.transactions_max": (1,),
    "bc.webhook_timeout_seconds": (1,),
    "fb.client_limit": (1,),
    "fb.client_name_max": (40,),
    "fb.credit_number_max": (0,),
    "fb.extra_redirect_uri": ("https://localhost/other",),
    "fb.invoice_number_max": (0, 3),
    "fb.item_name_max": (20,),
    "fb.item_sku_max": (10,),
    "fb.line_description_max": (100,),
    "fb.line_name_max": (20,),
    "fb.lines_max": (10,),
    "fb.locked_until": ("2026-10-31",),
    "fb.notes_max": (20,),
    "fb.payment_note_max": (80,),
    "fb.po_number_max": (20,),
    "fb.rate_limit": (30,),
    "fb.rate_window_seconds": (1,),
    "fb.stale_search_seconds": (3600,),
    "fb.tax_percent_decimals": (2, 3),
}
"""Values of the switches that take any number or text."""

SHORT_WINDOW = {"fb.rate_limit": 30, "fb.rate_window_seconds": 1}
FULL_PLAN = ("users/clients", {"client": {"email": "first@example.com"}})

SEVERAL_TRANSACTIONS = (
    *("discount_coupon", "gift_certificate_part", "payment_authorised_only"),
    *("payment_failed_then_ok", "payment_voided", "refund_full", "refund_product"),
    *("store_credit_part", "tax_two_rates"),
)
IN_PART = Expected(dict.fromkeys(SEVERAL_TRANSACTIONS, "money_unclear"))
NO_RIGHT = every("refused_by_freshbooks")
# What was paid after the lock is booked on the day of its capture.
LOCKED = Expected(
    every("closed_period").parked | {"payment_authorised_only": ""},
    with_={"fb.locked_until": "2026-10-31"},
    refused=1,
)
FULL = every("client_limit", {"fb.client_limit": 1}, (FULL_PLAN,))
NO_REFUND = Expected(
    dict.fromkeys(("refund_product", "refund_store_credit", "tax_two_rates"), "refund_refused")
)
NO_NEGATIVE_LATER = Expected(
    NO_REFUND.parked | dict.fromkeys(("refund_full", "discount_coupon"), "refund_refused")
)
NOTHING_REDEEMED = dict.fromkeys(
    ("gift_certificate_part", "store_credit_part"), "refused_by_freshbooks"
)
NO_NEGATIVE = Expected(NO_NEGATIVE_LATER.parked | NOTHING_REDEEMED)

EXPECTED: dict[tuple[str, Any], Expected] = {
    ("bc.transactions_max", 1): IN_PART,
    ("bc.plan_quota", 25): Expected(with_={"bc.quota_window_seconds": 1}),
    ("bc.quota_429_headers", False): Expected(
        with_={"bc.plan_quota": 25, "bc.quota_window_seconds": 1}
    ),
    ("bc.store_hash", "other456"): Expected(stops="403"),
    ("bc.suspended", True): Expected(stops="suspended"),
    ("fb.client_limit", 1): FULL,
    ("fb.client_limit_status", 403): FULL,
    ("fb.client_limit_status", 422): FULL,
    ("fb.client_name_max", 40): Expected({"text_long_and_non_bmp": "refused_by_freshbooks"}),
    ("fb.invoice_number_max", 3): every("number_too_long"),
    ("fb.item_name_max", 20): Expected(
        dict.fromkeys(("item_variants", "text_long_and_non_bmp"), "refused_by_freshbooks")
    ),
    ("fb.line_name_max", 20): Expected(
        dict.fromkeys(("item_variants", "text_long_and_non_bmp"), "refused_by_freshbooks")
        | dict.fromkeys(("discount_coupon", "refund_full"), "refund_refused")
    ),
    ("fb.lines_max", 10): Expected({"lines_sixty": "refused_by_freshbooks"}),
    ("fb.lock_status", 403): LOCKED,
    ("fb.locked_until", "2026-10-31"): LOCKED,
    ("fb.edit_paid", "refuse"): NO_REFUND,
    ("fb.negative_line", "refuse"): NO_NEGATIVE,
    ("fb.negative_line", "refuse_create"): Expected(NOTHING_REDEEMED),
    ("fb.negative_line", "refuse_update"): NO_NEGATIVE_LATER,
    ("fb.negative_line_paid", "refuse"): NO_REFUND,
    ("fb.rate_headers_on_429", "no"): Expected(with_=SHORT_WINDOW),
    ("fb.rate_limit", 30): Expected(with_=SHORT_WINDOW),
    ("fb.role", "client"): Expected(stops="0 accounts fit"),
    ("fb.second_account", "yes"): Expected(settings={"account_id": "SBX001"}),
    ("fb.subscription", "cancelled"): Expected(stops="0 accounts fit"),
    ("fb.write_rights", "no_clients"): NO_RIGHT,
    ("fb.write_rights", "none"): NO_RIGHT,
}


def all_values() -> list[Any]:
    """Each switch with each value that is not its default."""
    with tempfile.TemporaryDirectory() as folder:
        context, _ = create_context(Path(folder))
        declared = {one["name"]: one for one in context.switches.described()}
        context.store.close()
    return [
        pytest.param(name, value, id=f"{name}={value}")
        for name, one in declared.items()
        for value in one["choices"] or OPEN[name]
        if value != one["default"]
    ]


@pytest.fixture
def month(tmp_path: Path) -> Iterator[World]:
    """A shop with the small month, and empty books."""
    with running(tmp_path / "sandbox", fb__rate_limit=0, bc__plan_quota=0) as sandbox:
        world = World(sandbox.url, tmp_path, settings=dict(SETTINGS))
        world.control("POST", "shop/seed", {"orders": ORDERS, "only": list(CASES)})
        yield world
        world.http.close()


def later(world: World, numbers: dict[str, int]) -> None:
    """What happens in the shop between two syncs, two hours before the second."""
    world.control("POST", "clock", {"advance_seconds": -7200})
    for case, what, body in (
        ("tax_two_rates", "refund", {"lines": [{"line": 0, "quantity": 1}]}),
        ("discount_coupon", "refund", {"everything": True}),
        ("payment_authorised_only", "capture", {}),
        ("client_guest", "edit", {"billing": {"last_name": "Host", "email": "host@example.com"}}),
        ("fee_untaxed", "edit", {"status_id": 2}),
        ("item_custom_product", "cancel", {}),
    ):
        world.change(numbers[case], what, **body)
    world.control("POST", "clock", {"advance_seconds": 7200})


def play(world: World, values: dict[str, Any], expected: Expected) -> None:
    """Sync, let time pass in the shop, sync again: and hold the books against the truth."""
    defaults = world.control("GET", "switches")
    world.settings |= expected.settings
    world.control("PUT", "switches", expected.with_ | values)
    for path, body in expected.first:
        world.post(path, body)
    numbers = {row["case"]: row["order_id"] for row in world.control("GET", "truth")["orders"]}
    if expected.stops:
        with pytest.raises((Exception, SystemExit)) as stopped:
            world.sync()
        assert expected.stops in f"{stopped.value} {stopped.value.__cause__}"
        world.control("PUT", "switches", {name: defaults[name] for name in values})
        expected = Expected()
    world.sync()
    later(world, numbers)
    world.sync()
    found = findings(world, expected)
    assert found == [], "\n".join(found)
    assert world.writes_of(world.sync) == expected.refused
    world.plans_are_empty()


def findings(world: World, expected: Expected) -> list[str]:
    """Where books and ledger are not as the truth and the table say."""
    truth = {row["order_id"]: row for row in world.control("GET", "truth")["orders"]}
    with world.ledger() as ledger:
        parked = {row.order_id: row.reason for row in ledger.orders.all() if row.state == "parked"}
    wanted = {}
    for number, row in truth.items():
        reason = row["reason"] if row["expect"] == "parked" else None
        if row["expect"] != "waiting":
            reason = expected.parked.get("*", reason)
        reason = expected.parked.get(row["case"], reason)
        if reason:
            wanted[number] = reason
    found = [
        f"{truth[number]['case']}: parked {parked.get(number)}, not {wanted.get(number)}"
        for number in sorted(parked.keys() | wanted.keys())
        if parked.get(number) != wanted.get(number)
    ]
    compared = demo_books.compare(list(truth.values()), world.books(), parked)
    found += [f"{truth[n]['case']}: {words}" for n, words in compared.differing.items()]
    found += [f"doubled: {number}" for number in compared.doubled]
    posted = {n for n, row in truth.items() if row["expect"] != "waiting" and n not in wanted}
    found += [f"{truth[number]['case']}: not posted" for number in posted - compared.posted]
    found += [f"{truth[number]['case']}: posted" for number in compared.posted - posted]
    return found


TOGETHER: dict[str, dict[str, Any]] = {
    "the defaults": {},
    "a shop that answers otherwise": {
        "bc.archived_by_id": "404", "bc.archived_in_lists": True,
        "bc.capture_moves_modified": True, "bc.channel_ids": "null",
        "bc.consignment_structure": "ignored", "bc.coupon_money": "number",
        "bc.credit_transactions": False, "bc.customer_last_page": "count_0",
        "bc.discount_tax": "included", "bc.empty": "[]", "bc.empty_texts": "null",
        "bc.failed_amount": "null", "bc.fee_money": "number", "bc.fee_tax_rows": True,
        "bc.fees_form": "wrapped", "bc.included_lines": "all", "bc.not_applicable": "{}",
        "bc.refund_requested_amount": "ex", "bc.refund_tax_rows": "reduced",
        "bc.refunds_meta": "pagination",
        "bc.tax_class_id": "number", "bc.tax_detail_ids": "repeated", "bc.tie_order": "id_desc",
        "bc.transactions_meta": "empty", "bc.transactions_none": "404",
    },
    "a shop that answers otherwise again": {
        "bc.archived_by_id": "404", "bc.archived_in_lists": True,
        "bc.empty": "mixed", "bc.empty_texts": "text", "bc.fees_form": "misspelt",
        "bc.fees_in_subtotal": True, "bc.included_lines": "none", "bc.inclusive_filters": False,
        "bc.is_deleted_filter": "honoured", "bc.not_applicable": "null",
        "bc.product_options": "object", "bc.refund_requested_amount": "inc",
        "bc.subtotal_tax": "before", "bc.tax_class_zero": True, "bc.tax_line_ids": "text",
        "bc.tie_order": "random", "bc.transactions_none": "200",
        "bc.transactions_pages": "honoured", "bc.texts": "entities",
    },
    "books that answer otherwise": {
        "fb.account_id_null": "yes", "fb.archived_put": "returns", "fb.create_status": "ignore",
        "fb.credit_ids": "apart", "fb.credit_number_unique": "yes", "fb.date_max": "inclusive",
        "fb.default_order": "id_desc", "fb.deleted_get": "error",
        "fb.draft_payment": "stays_draft", "fb.due_date": "ignore",
        "fb.email_search_case": "exact", "fb.enforce_scopes": "no", "fb.error_format": "new",
        "fb.item_name_unique": "409", "fb.item_sku_unique": "no", "fb.line_currency": "ignore",
        "fb.list_total": "all", "fb.number_search": "like", "fb.number_taken_errno": 1004,
        "fb.overpayment_deleted": "credit_goes", "fb.payment_currency": "ignore",
        "fb.refresh_created_at": "original", "fb.second_account": "no",
        "fb.unknown_include": "refuse", "fb.username_taken": "409", "fb.written_lines": "left_out",
    },
    "books that answer otherwise again": {
        "fb.currency_decimals": "iso", "fb.deleted_client_invoice": "refuse",
        "fb.deleted_get": "missing", "fb.error_status": "200", "fb.item_name_unique": "no",
        "fb.negative_qty": "accept", "fb.negative_total": "accept", "fb.non_bmp": "accept",
        "fb.number_taken_status": 409, "fb.number_unique": "no", "fb.overpaid_after_line": "credit",
        "fb.overpayment_credit": "refuse", "fb.payment_negative": "accept",
        "fb.payment_unknown_type": "other", "fb.payment_zero": "accept",
        "fb.refresh_ends_access": "yes", "fb.rounding_mode": "half_even",
        "fb.tax_rounding": "per_tax", "fb.zero_qty": "accept",
    },
}  # fmt: skip
"""Values that change nothing for the bookkeeper, many at once: a sample of the long proof."""


@pytest.mark.more
@pytest.mark.parametrize("values", TOGETHER.values(), ids=TOGETHER)
def test_many_other_readings_at_once_change_nothing_in_the_books(
    month: World, values: dict[str, Any]
) -> None:
    play(month, values, Expected())


@pytest.mark.sweep
@pytest.mark.parametrize(("name", "value"), all_values())
def test_under_each_switch_the_books_equal_the_truth(month: World, name: str, value: Any) -> None:
    play(month, {name: value}, EXPECTED.get((name, value), Expected()))


def test_the_tables_speak_of_switches_and_values_there_are() -> None:
    known = {parameters.values for parameters in all_values()}
    assert {(name, value) for name, values in OPEN.items() for value in values} <= known
    assert EXPECTED.keys() <= known
