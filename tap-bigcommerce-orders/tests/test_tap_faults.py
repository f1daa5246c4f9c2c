"""What passes is tried again, what does not stops the run with a sentence; nothing leaks."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from tap_bigcommerce_orders.connection import Connection
from tap_bigcommerce_orders.errors import (
    GaveUp,
    NotAuthorized,
    Refused,
    ScopeMissing,
    StoreNotFound,
    StoreSuspended,
    TokenMissing,
    UnexpectedAnswer,
)


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.time = 100.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def fake() -> FakeTime:
    return FakeTime()


@pytest.fixture
def connection(shop: Any, fake: FakeTime, token: str) -> Any:
    made = Connection(
        base_url=f"{shop.url}/stores/abc123",
        token=lambda: token,
        user_agent="test",
        request_timeout=1,
        max_retry_seconds=60,
        quota_percent=90,
        max_concurrency=2,
        now=fake.now,
        sleep=fake.sleep,
        rng=random.Random(3),  # noqa: S311 - jitter
    )
    yield made
    made.close()


PASSING = ["429", "500", "502", "503", "504", "408", "html", "truncated", "cut", "reset"]


@pytest.mark.parametrize("kind", PASSING)
def test_a_passing_trouble_is_tried_again(
    shop: Any, connection: Any, fake: FakeTime, kind: str
) -> None:
    shop.fault("/v2/store", kind, times=3)
    assert connection.get("/v2/store")["id"] == "abc123"
    assert len(shop.requests) == 4
    assert len(fake.slept) >= 3


@pytest.mark.parametrize("kind", PASSING)
def test_a_trouble_that_does_not_pass_fails_the_run_in_time(
    shop: Any, connection: Any, fake: FakeTime, kind: str
) -> None:
    shop.fault("/v2/store", kind, times=9999)
    with pytest.raises(GaveUp) as caught:
        connection.get("/v2/store")
    assert fake.time - 100 <= 60
    assert "GET /v2/store failed" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_time_out_is_tried_again(shop: Any, run: Any) -> None:
    calls: list[str] = []

    def slow_once(path: str, _query: dict[str, str]) -> None:
        calls.append(path)
        if len(calls) == 1:
            time.sleep(1.5)  # the server is slow here, the test does not wait

    shop.before_answer = slow_once
    assert run(shop, streams=("store",), request_timeout=1).error is None
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("what", "encoding"),
    [("drip", {}), ("drip", {"Content-Encoding": "gzip"}), ("drip headers", {})],
    ids=["plain", "gzip", "headers"],
)
def test_an_answer_that_drips_is_given_up_and_asked_for_again(
    shop: Any, run: Any, what: str, encoding: dict[str, str]
) -> None:
    shop.fault("/v2/store", what, headers=encoding)
    started = time.monotonic()
    assert run(shop, streams=("store",), request_timeout=1).error is None
    assert len(shop.asked("/v2/store")) == 2
    assert 2 <= time.monotonic() - started < 8


def test_one_connection_serves_many_requests(shop: Any, run: Any) -> None:
    for number in range(1, 20):
        shop.order(number, number)
    shop.transactions[3] = []  # 204, an answer without a body
    assert run(shop, max_concurrency=1).error is None
    assert len(shop.requests) > 20
    assert len(shop.connections) <= 2


def test_backing_off_is_jittered_and_grows(shop: Any, connection: Any, fake: FakeTime) -> None:
    shop.fault("/v2/store", "500", times=7)
    connection.get("/v2/store")
    assert len(set(fake.slept)) == 7
    assert all(0 <= wait <= 0.5 * 2.0**n for n, wait in enumerate(fake.slept, 1))


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"X-Rate-Limit-Time-Reset-Ms": "15000"}, 15, 16),
        ({"x-rate-limit-time-reset-ms": "2000", "x-retry-after": "9"}, 9, 10),
        ({"X-Rate-Limit-Time-Reset-Ms": "20000", "X-Retry-After": "9"}, 20, 21),
        (
            {
                "X-Rate-Limit-Time-Reset-Ms": "15000",
                "X-Rate-Limit-Requests-Left": "35",
                "X-Rate-Limit-Requests-Quota": "150",
            },
            15,
            16,
        ),
        ({}, 0, 1),
        ({"X-Retry-After": "soon"}, 0, 1),
    ],
)
def test_a_429_is_waited_for_as_its_headers_ask(
    shop: Any,
    connection: Any,
    fake: FakeTime,
    headers: dict[str, str],
    least: float,
    most: float,
) -> None:
    shop.fault("/v2/store", "429", headers=headers)
    connection.get("/v2/store")
    assert least <= fake.time - 100 <= most


def test_a_429_that_asks_for_more_than_the_limit_fails_at_once(
    shop: Any, connection: Any, fake: FakeTime
) -> None:
    shop.fault("/v2/store", "429", headers={"X-Retry-After": "3600"})
    with pytest.raises(GaveUp, match="pause of 3600 s"):
        connection.get("/v2/store")
    assert fake.slept == []


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("401", NotAuthorized, "access_token"),
        ("403", ScopeMissing, "store_v2_information_read_only"),
        ("404", StoreNotFound, "store_hash"),
        ("301", Refused, "https"),
        ("400", Refused, "refused"),
        ("413", Refused, "413"),
        ("422", Refused, "422"),
        ("501", Refused, "501"),
        ("505", Refused, "505"),
    ],
)
def test_what_does_not_pass_stops_at_once_and_says_what_to_do(
    shop: Any, connection: Any, kind: str, error: type[Exception], words: str, token: str
) -> None:
    shop.fault("/v2/store", kind, times=9, headers={"Location": "http://elsewhere.example/"})
    with pytest.raises(error) as caught:
        connection.get("/v2/store")
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
    assert token not in str(caught.value)
    assert len(shop.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":503,"title":"The store is suspended. This may be due to ...","errors":{}}',
        b'[{"status":503,"message":"The store is suspended."}]',
    ],
)
def test_a_suspended_store_is_told_after_a_few_tries(
    shop: Any, connection: Any, body: bytes
) -> None:
    shop.fault("/v2/store", "503", times=9, body=body)
    with pytest.raises(StoreSuspended):
        connection.get("/v2/store")
    assert len(shop.requests) == 4


def test_a_refused_connection_fails_in_time(fake: FakeTime) -> None:
    connection = Connection(
        base_url="http://127.0.0.1:9/stores/abc123",
        token=lambda: "t",
        user_agent="test",
        request_timeout=1,
        max_retry_seconds=10,
        quota_percent=90,
        max_concurrency=1,
        now=fake.now,
        sleep=fake.sleep,
    )
    with pytest.raises(GaveUp, match=r"cannot connect to 127\.0\.0\.1"):
        connection.get("/v2/store")
    connection.close()


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.more) for seed in (1, 2))]
)
def test_five_percent_of_all_faults_change_nothing_in_the_records(
    shop: Any, run: Any, seed: int
) -> None:
    for number in range(1, 61):
        shop.order(number, number // 5, total_tax="1.0000")
        shop.taxes[number] = [{"id": number, "name": "GST"}]
    clean = run(shop, page_size=10)
    rng = random.Random(seed)  # noqa: S311 - chance, not a secret
    lock = shop.lock

    def spoil(_path: str, _query: dict[str, str]) -> None:
        if rng.random() < 0.05:
            with lock:
                shop.fault(".*", rng.choice(PASSING))

    shop.before_answer = spoil
    spoiled = run(shop, page_size=10, max_retry_seconds=30)
    assert spoiled.error is None, f"seed {seed}"
    for stream in ("orders", "transactions", "order_taxes"):
        key = lambda row: row["id"]  # noqa: E731 - one use
        assert sorted(spoiled.records(stream), key=key) == sorted(clean.records(stream), key=key)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"access_token": None}, "set access_token"),
        ({"access_token": "has\nnewline"}, "Copy it again"),
        ({"access_token": "has blank"}, "Copy it again"),
    ],
)
def test_a_token_that_cannot_be_sent_is_said_without_showing_it(
    shop: Any, run: Any, config: dict[str, Any], words: str
) -> None:
    ran = run(shop, streams=("store",), **config)
    assert isinstance(ran.error, TokenMissing)
    assert words in str(ran.error)
    assert "newline" not in str(ran.error)
    assert shop.requests == []


def test_the_token_comes_from_the_credential_store(
    shop: Any, run: Any, tmp_path: Any, token: str
) -> None:
    store_module = pytest.importorskip("connector_credentials")
    from cryptography.fernet import Fernet  # noqa: PLC0415 - needs the package above

    key, url = Fernet.generate_key().decode(), f"sqlite:///{tmp_path}/credentials.sqlite"
    store = store_module.CredentialStore.open(url, key)
    stored = {"access_token": None, "credentials_url": url, "encryption_key": key}
    missing = run(shop, streams=("store",), **stored)
    assert "set-bigcommerce" in str(missing.error)
    store.write("bigcommerce:abc123", {"access_token": token})
    ran = run(shop, streams=("store",), **stored)
    assert ran.error is None
    assert shop.requests[0][2]["X-Auth-Token"] == token
    wrong = run(
        shop, streams=("store",), **{**stored, "encryption_key": Fernet.generate_key().decode()}
    )
    assert isinstance(wrong.error, TokenMissing)


def test_a_redirect_is_not_followed_with_the_token(shop: Any, connection: Any) -> None:
    shop.fault("/v2/store", "302", headers={"Location": f"{shop.url}/stolen"})
    with pytest.raises(Refused):
        connection.get("/v2/store")
    assert len(shop.requests) == 1


@pytest.mark.parametrize("stream", ["orders", "transactions", "refunds", "customers", "products"])
@pytest.mark.parametrize("body", [b'{"status": "fine"}', b'"fine"', b"7"])
def test_json_that_is_no_answer_stops_the_run(
    shop: Any, run: Any, stream: str, body: bytes
) -> None:
    shop.order(1, 1)
    shop.fault(
        "(?!/v2/orders$).*" if stream in ("transactions", "refunds") else ".*", "200", 99, body=body
    )
    assert isinstance(run(shop, streams=(stream,)).error, UnexpectedAnswer)
