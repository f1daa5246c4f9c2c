"""A run with nothing new asks for little, and what it leaves out loses nothing."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.more

TABLES = ("currencies", "tax_classes", "order_statuses")
DAY = timedelta(days=1)
HOUR = 3600


@pytest.fixture
def noon(moment: Any) -> datetime:
    """When a run starts, well after all that is in the shop."""
    start: datetime = moment(12 * HOUR)
    return start


@pytest.fixture
def small(shop: Any, at: Any) -> Any:
    """A shop with a taxed order, a refunded one, and a customer with many addresses."""
    shop.order(1, 100)
    shop.order(2, 2 * HOUR, total_tax="1.0000")
    shop.taxes[2] = [{"id": 1, "name": "GST", "rate": "8.0000"}]
    shop.refund(1, 1, HOUR)
    addresses = [{"id": n, "customer_id": 1, "city": "Rome"} for n in range(12)]
    shop.addresses = addresses
    shop.customers = [
        {"id": 1, "date_modified": at(1), "address_count": 12, "addresses": addresses[:10]}
    ]
    shop.products = [{"id": 1, "date_modified": at(1)}]
    return shop


def tables_read(ran: Any) -> list[str]:
    return [name for name in TABLES if ran.records(name)]


def test_a_run_with_nothing_new_asks_at_most_eight_requests(
    small: Any, run: Any, noon: datetime
) -> None:
    first = run(small, streams=None, started=noon)
    small.requests.clear()
    again = run(small, streams=None, state=first.states[-1], started=noon + timedelta(minutes=15))
    assert again.error is None
    assert sorted(small.counts().items()) == [
        ("/v2/orders", 1),
        ("/v2/orders/N/taxes", 1),
        ("/v2/store", 1),
        ("/v3/catalog/products", 1),
        ("/v3/customers", 1),
        ("/v3/orders/N/transactions", 1),
        ("/v3/orders/payment_actions/refunds", 2),
    ]
    assert again.ids("orders") == [2]  # the look-back holds
    assert again.ids("store") == ["abc123"]
    assert again.states[-1]["bookmarks"] == first.states[-1]["bookmarks"]


def test_the_small_tables_are_read_once_a_day(small: Any, run: Any, noon: datetime) -> None:
    state, read = None, []
    for hours in (0, 1, 23, 24, 25, 48):
        ran = run(small, streams=None, state=state, started=noon + timedelta(hours=hours))
        assert ran.ids("store") == ["abc123"]
        read.append((hours, tables_read(ran)))
        state = ran.states[-1]
    assert [hours for hours, tables in read if tables == list(TABLES)] == [0, 24, 48]
    assert [hours for hours, tables in read if not tables] == [1, 23, 25]


def test_a_table_is_remembered_only_once_its_records_are_written(
    small: Any, run: Any, noon: datetime
) -> None:
    small.fault("/v2/tax_classes", "400", times=1)
    cut_off = run(small, streams=None, started=noon)
    assert cut_off.error is not None
    for message in cut_off.states:
        assert "read_at" not in message["bookmarks"].get("tax_classes", {})
    state = cut_off.states[-1] if cut_off.states else None
    healed = run(small, streams=None, state=state, started=noon + timedelta(hours=1))
    assert "tax_classes" in tables_read(healed)


def test_a_refund_whose_order_was_not_to_be_had_still_brings_it(
    small: Any, run: Any, noon: datetime
) -> None:
    small.refund(2, 1, HOUR)
    order = small.orders.pop(1)
    first = run(small, started=noon)
    assert (first.error, sorted(first.ids("refunds"))) == (None, [1, 2])
    small.orders[1] = order
    again = run(small, state=first.states[-1], started=noon + timedelta(hours=2))
    assert 1 in again.ids("orders")


def _of_an_earlier_version(state: Any) -> None:
    for bookmark in state["bookmarks"].values():
        for name in ("read_at", "given", "digest"):
            bookmark.pop(name, None)


def _rewound(state: Any) -> None:
    state["bookmarks"]["orders"]["replication_key_value"] = "2026-11-01T00:00:00Z"


@pytest.mark.parametrize(
    "change",
    [_of_an_earlier_version, _rewound, lambda state: state.clear()],
    ids=["earlier version", "rewound", "full refresh"],
)
def test_a_state_that_was_changed_remembers_nothing(
    small: Any, run: Any, noon: datetime, change: Any
) -> None:
    state = copy.deepcopy(run(small, streams=None, started=noon).states[-1])
    change(state)
    small.requests.clear()
    again = run(small, streams=None, state=state, started=noon + timedelta(hours=1))
    assert again.error is None
    assert tables_read(again) == list(TABLES)
    assert 1 in again.ids("orders")  # by its refund
    assert again.ids("customers") == [1]
    assert again.states[-1]["bookmarks"]["orders"]["store_hash"] == "abc123"


def test_what_is_changed_by_hand_in_one_memory_is_read_anew(
    small: Any, run: Any, noon: datetime
) -> None:
    state = copy.deepcopy(run(small, streams=None, started=noon).states[-1])
    state["bookmarks"]["currencies"]["read_at"] = "2026-11-01T13:00:00Z"
    again = run(small, streams=None, state=state, started=noon + timedelta(hours=1))
    assert tables_read(again) == ["currencies"]


def test_a_time_of_reading_that_is_to_come_does_not_put_the_next_one_off(
    small: Any, run: Any, noon: datetime
) -> None:
    state = run(small, streams=TABLES, started=noon + timedelta(days=900)).states[-1]
    assert tables_read(run(small, streams=TABLES, state=state, started=noon)) == list(TABLES)


@pytest.mark.parametrize(
    "more", [{"lookback_seconds": 301}, {"start_date": "2020-01-01"}, {"page_size": 249}]
)
def test_under_another_setting_nothing_is_remembered(
    small: Any, run: Any, noon: datetime, more: dict[str, Any]
) -> None:
    state = run(small, streams=None, started=noon).states[-1]
    again = run(small, streams=None, state=state, started=noon + timedelta(hours=1), **more)
    assert tables_read(again) == list(TABLES)
    assert 1 in again.ids("orders")


def test_a_memory_of_another_store_is_none(small: Any, run: Any, noon: datetime) -> None:
    state = run(small, streams=TABLES, started=noon).states[-1]
    again = run(small, streams=TABLES, state=state, started=noon, store_hash="other1")
    assert again.error is not None  # so it asked: this shop knows one store


def test_the_token_may_change_and_no_memory_tells_of_it(
    small: Any, run: Any, noon: datetime
) -> None:
    state = run(small, streams=TABLES, started=noon).states[-1]
    again = run(small, streams=TABLES, state=state, started=noon, access_token="another")
    assert tables_read(again) == []


def test_a_targeted_run_uses_what_is_remembered_and_keeps_its_state_as_it_was(
    small: Any, run: Any, noon: datetime
) -> None:
    state = run(small, streams=None, started=noon).states[-1]
    given = copy.deepcopy(state)
    ran = run(small, streams=None, state=state, started=noon, order_ids=[1])
    assert (tables_read(ran), ran.ids("orders"), ran.ids("store")) == ([], [1], ["abc123"])
    assert ran.states[-1] == given


def test_a_targeted_run_gives_its_customer_with_all_addresses_whatever_is_remembered(
    small: Any, run: Any, noon: datetime
) -> None:
    small.orders[1]["customer_id"] = 1
    state = run(small, streams=None, started=noon).states[-1]
    ran = run(small, streams=None, state=state, started=noon, order_ids=[1])
    assert [len(row["addresses"]) for row in ran.records("customers")] == [12]


# -- refunds


def later(noon: datetime, minutes: int) -> datetime:
    return noon + timedelta(minutes=minutes)


@pytest.mark.parametrize("change", ["declined", "new"])
def test_a_refund_that_is_new_or_other_than_it_was_brings_its_order(
    small: Any, run: Any, noon: datetime, change: str
) -> None:
    state = run(small, started=noon).states[-1]
    state = run(small, state=state, started=later(noon, 15)).states[-1]
    if change == "declined":
        small.refunds[0]["payments"][0]["is_declined"] = True
    else:
        small.refund(2, 1, HOUR)  # of the same second, and seen only now
    again = run(small, state=state, started=later(noon, 30))
    assert 1 in again.ids("orders")
    assert again.ids("refunds")[-1] == (1 if change == "declined" else 2)
    assert run(small, state=again.states[-1], started=later(noon, 45)).ids("orders") == [2]


def test_a_refund_brings_its_order_until_it_was_read_an_hour_after_it_was_made(
    small: Any, run: Any, moment: Any
) -> None:
    small.order(2, HOUR + 600)
    state, brought = None, []
    for minutes in (75, 119, 300, 315):
        ran = run(small, state=state, started=moment(minutes * 60))
        brought.append(1 in ran.ids("orders"))
        state = ran.states[-1]
    # Made at minute 60: at 119 it is young, at 300 nobody has read it since it no longer is.
    assert brought == [True, True, True, False]


def test_a_refund_whose_order_could_not_be_read_is_not_remembered(
    small: Any, run: Any, noon: datetime
) -> None:
    state = run(small, started=noon).states[-1]
    small.refund(2, 1, HOUR + 1)
    small.fault("/v3/orders/1/transactions", "500", times=99)
    broken = run(small, state=state, started=later(noon, 15), max_retry_seconds=5)
    assert broken.error is not None
    small.faults.clear()
    healed = run(small, state=broken.states[-1], started=later(noon, 30))
    assert 2 in healed.ids("refunds")


def test_a_state_remembers_few_refunds_and_none_is_lost_for_that(
    small: Any, run: Any, noon: datetime
) -> None:
    for number in range(2, 42):
        small.refund(number, 1, HOUR)
    first = run(small, started=noon)
    assert len(first.states[-1]["bookmarks"]["refunds"]["given"]) == 20
    again = run(small, state=first.states[-1], started=later(noon, 15))
    assert set(again.ids("refunds")) == set(range(1, 42))


# -- customers


def test_a_customer_with_many_addresses_that_changed_is_given_with_all_of_them(
    small: Any, run: Any, noon: datetime
) -> None:
    streams = ("customers",)
    state = run(small, streams=streams, started=noon).states[-1]
    assert run(small, streams=streams, state=state, started=noon).ids("customers") == []
    small.customers[0]["first_name"] = "Ada"
    again = run(small, streams=streams, state=state, started=noon)
    assert [len(row["addresses"]) for row in again.records("customers")] == [12]


@pytest.mark.parametrize(("told", "pages"), [(60, 1), (61, 2), (None, 2)])
def test_a_first_page_of_customers_that_says_it_is_all_ends_the_reading(
    shop: Any, run: Any, at: Any, monkeypatch: pytest.MonkeyPatch, told: int | None, pages: int
) -> None:
    shop.customers = [{"id": n, "date_modified": at(n)} for n in range(1, 61)]
    answer = shop._customers

    def telling(query: dict[str, str]) -> Any:
        status, page = answer(query)
        if told is not None and "after" not in query:
            page["meta"]["pagination"] = {"total": told, "total_pages": 1, "current_page": 1}
        return status, page

    monkeypatch.setattr(shop, "_customers", telling)
    assert len(run(shop, streams=("customers",)).ids("customers")) == 60
    assert len(shop.requests) == pages
