"""Registering, listing and checking hooks, against a small server that speaks the hooks API."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from connector_credentials.settings import SettingError
from connector_sandbox.testing import Asked, Reply, answering
from connector_webhooks import commands
from connector_webhooks.assembly import Assembly
from connector_webhooks.bigcommerce import HooksApi
from connector_webhooks.checkup import Checkup, examine
from connector_webhooks.errors import ApiError
from connector_webhooks.inbox import InboxStats, IncomingHook
from connector_webhooks.orders import WaitingOrder
from connector_webhooks.registration import ORDER_SCOPES, Reconciled, check_destination
from connector_webhooks.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DESTINATION = "https://hooks.example.com/bc"
EXCEPTION = "store/hook/deliveryException"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class HooksServer:
    """State of the small server.

    Attributes:
        bare: Answer without the v3 wrapping, as an older page of the documentation shows.
        refuse: Status by scope for creating hooks.
        words: Why they are refused.
        stays_off: Leave a hook switched off that is to be switched on.
        broken: Answers to give before the real ones: (status, headers, body).
    """

    url: str = ""
    hooks: list[dict[str, Any]] = field(default_factory=list)
    bare: bool = False
    refuse: dict[str, int] = field(default_factory=dict)
    words: str = ""
    stays_off: bool = False
    broken: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    blocked: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, dict[str, str], str]:
        self.requests.append(f"{method} {path}")
        if self.broken:
            return self.broken.pop(0)
        place = urlsplit(path)
        tail = place.path.removeprefix("/stores/abc123/v3/hooks")
        if tail == "/admin":
            return self._wrapped({"hooks_list": [], "blocked_domains": self.blocked})
        if method == "GET":
            return self._page(parse_qs(place.query))
        if method == "POST":
            return self._create(body)
        (hook,) = [h for h in self.hooks if f"/{h['id']}" == tail]
        if method == "DELETE":
            self.hooks.remove(hook)
        else:
            hook.update(body, is_active=not self.stays_off)
        return self._wrapped(hook)

    def _create(self, body: dict[str, Any]) -> tuple[int, dict[str, str], str]:
        if status := self.refuse.get(body["scope"]):
            return (
                status,
                {},
                json.dumps(
                    {"status": status, "title": "No", "errors": {"destination": self.words}}
                ),
            )
        hook_id = max((h["id"] for h in self.hooks), default=0) + 1
        hook = {"id": hook_id, "client_id": "c", "updated_at": 1, **body}
        self.hooks.append(hook)
        return self._wrapped(hook)

    def _page(self, query: dict[str, list[str]]) -> tuple[int, dict[str, str], str]:
        page, limit = (int(query[name][0]) for name in ("page", "limit"))
        rows = self.hooks[(page - 1) * limit : page * limit]
        meta = {} if self.bare else {"pagination": {"total_pages": -(-len(self.hooks) // limit)}}
        return self._wrapped(rows, meta)

    def _wrapped(self, data: Any, meta: Any = None) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps(data if self.bare else {"data": data, "meta": meta or {}})


@pytest.fixture
def shop() -> Iterator[HooksServer]:
    state = HooksServer()

    def answer(asked: Asked) -> Reply:
        assert asked.headers["X-Auth-Token"] == "canary-access-token"
        body = asked.json if asked.body else None
        status, headers, text = state.answer(asked.method, asked.target, body)
        return Reply(status=status, headers=headers, body=text.encode())

    with answering(answer) as state.url:
        yield state


@pytest.fixture
def assembly(shop: HooksServer, program: Any) -> Callable[..., Assembly]:
    def make(**settings: Any) -> Assembly:
        given = {
            "api_url": shop.url,
            "destination": DESTINATION,
            "access_token": "canary-access-token",
        }
        environment = program(**(given | settings)).environment()
        return Assembly(load(environment), environment)

    return make


@pytest.mark.parametrize("bare", [False, True])
def test_registering_creates_each_scope_once_and_again_changes_nothing(
    shop: HooksServer, assembly: Any, bare: bool
) -> None:
    shop.bare = bare
    first = commands.register(assembly(), allow_insecure=False)
    assert (first.code, len(first.document["created"])) == (0, 8)
    assert {(h["scope"], h["destination"]) for h in shop.hooks} == {
        *((scope, DESTINATION) for scope in ORDER_SCOPES),
        (EXCEPTION, DESTINATION + "/delivery-exceptions"),
    }
    second = commands.register(assembly(), allow_insecure=False)
    assert (second.code, second.document["created"]) == (0, [])
    assert len(second.document["unchanged"]) == len(shop.hooks) == 8


def test_a_hook_that_stays_switched_off_needs_a_person(shop: HooksServer, assembly: Any) -> None:
    commands.register(assembly(), allow_insecure=False)
    shop.hooks[0]["is_active"], shop.stays_off = False, True
    answer = commands.register(assembly(), allow_insecure=False)
    assert (answer.code, answer.document["activated"]) == (1, [])
    assert "leaves hook 1 switched off" in "\n".join(answer.lines)


def test_another_program_s_hooks_are_left_alone_on_however_many_pages(
    shop: HooksServer, assembly: Any
) -> None:
    shop.hooks = [
        {"id": n, "scope": ORDER_SCOPES[0], "destination": f"https://x/{n}", "is_active": False}
        for n in range(1, 121)
    ]
    before = json.dumps(shop.hooks)
    answer = commands.register(assembly(), allow_insecure=False)
    assert len(answer.document["created"]) == 8
    assert json.dumps(shop.hooks[:120]) == before
    listed = commands.list_hooks(assembly())
    assert len(listed.document["hooks"]) == 128


def test_the_shared_header_is_registered_and_mended_and_never_printed(
    shop: HooksServer, assembly: Any
) -> None:
    commands.register(assembly(), allow_insecure=False)
    shared = {"shared_header_name": "X-Shared", "shared_header_value": "canary-shared-value"}
    answer = commands.register(assembly(**shared), allow_insecure=False)
    assert len(answer.document["headers_set"]) == 8
    assert all(h["headers"] == {"X-Shared": "canary-shared-value"} for h in shop.hooks)
    listed = commands.list_hooks(assembly(**shared))
    assert "canary" not in json.dumps(listed.document) + "".join(listed.lines)


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["lines", "json"])
@pytest.mark.parametrize("command", ["register", "check"])
def test_secrets_that_bigcommerce_repeats_are_blanked_in_what_a_command_says(
    shop: HooksServer, program: Any, command: str, form: list[str]
) -> None:
    secrets = {
        "access_token": "canary-access-token",
        "shared_header_name": "X-Shared",
        "shared_header_value": 'canary-"quoted"-value',
    }
    shop.refuse = dict.fromkeys(ORDER_SCOPES, 422)
    shop.words = ", ".join(secrets.values())
    ours = program(api_url=shop.url, destination=DESTINATION, **secrets)
    said = ours.call(command, *form)
    assert (said.returncode, said.stderr) == (1, "")
    assert said.stdout.count("No (destination: ***, X-Shared, ***)") == len(ORDER_SCOPES)
    assert "canary" not in said.stdout
    assert not form or json.loads(said.stdout)


@pytest.mark.parametrize("mark", ["\u2019", "\u00e9", " ", "\n"])
def test_a_token_with_characters_that_none_has_is_told_and_not_sent(
    shop: HooksServer, assembly: Any, mark: str
) -> None:
    with pytest.raises(SettingError, match="characters that no token has") as told:
        commands.register(assembly(access_token=f"canary{mark}token"), allow_insecure=False)
    assert "canary" not in str(told.value)
    assert shop.hooks == []


def test_a_header_in_other_letters_is_replaced(shop: HooksServer, assembly: Any) -> None:
    shared = {"shared_header_name": "X-Shared", "shared_header_value": "canary-shared-value"}
    commands.register(assembly(**shared), allow_insecure=False)
    for hook in shop.hooks:
        hook["headers"] = {"x-shared": "canary-old-value", "X-Other": "kept"}
    commands.register(assembly(**shared), allow_insecure=False)
    wanted = {"X-Shared": "canary-shared-value", "X-Other": "kept"}
    assert all(hook["headers"] == wanted for hook in shop.hooks)


@pytest.mark.parametrize("status", [409, 422])
def test_a_refused_scope_is_told_and_the_others_are_made(
    shop: HooksServer, assembly: Any, status: int
) -> None:
    shop.refuse = {EXCEPTION: status}
    answer = commands.register(assembly(), allow_insecure=False)
    assert (answer.code, len(answer.document["created"])) == (1, 7)
    assert "only one hook of this scope" in answer.document["refused"][0]


def test_check_switches_on_makes_anew_and_then_finds_all_well(
    shop: HooksServer, assembly: Any
) -> None:
    commands.register(assembly(), allow_insecure=False)
    shop.hooks[0]["is_active"] = False
    del shop.hooks[3]
    today = {"created_at": int(datetime.now(UTC).timestamp())}
    shop.hooks = [h | today for h in shop.hooks]
    answer = commands.check(assembly(), allow_insecure=False)
    assert (answer.code, len(answer.document["mended"])) == (0, 2)
    shop.hooks = [h | today for h in shop.hooks]
    assert all(h["is_active"] for h in shop.hooks)
    assert commands.check(assembly(), allow_insecure=False).lines == ["All is well."]


@pytest.mark.parametrize("made_today", [0, 7])
def test_hooks_that_are_switched_on_again_and_again_do_not_hide_a_silence(
    shop: HooksServer, assembly: Any, made_today: int
) -> None:
    commands.register(assembly(), allow_insecure=False)
    today = int(datetime.now(UTC).timestamp())
    for number, hook in enumerate(shop.hooks):
        made = today if number < made_today else today - 21 * 24 * 3600
        hook |= {"created_at": made, "updated_at": today}
    shop.hooks[-1]["is_active"] = False
    for mended in (1, 0):
        answer = commands.check(assembly(), allow_insecure=False)
        assert (answer.code, len(answer.document["mended"])) == (1, mended)
        (problem,) = answer.document["problems"]
        assert "No hook arrived for 48 hours (last: never)" in problem


def test_check_names_what_needs_a_person(shop: HooksServer, assembly: Any) -> None:
    commands.register(assembly(), allow_insecure=False)
    shop.blocked = [{"destination": "https://hooks.example.com", "time_left": 120}]
    ours = assembly(stuck_after_tries=1, run_command="exit 1")
    old = datetime.now(UTC) - timedelta(days=3)
    with ours.inbox() as inbox:
        inbox.store([IncomingHook("msg_1", "store/order/created", 5, "", old, old)])
        ours.dispatcher(inbox).cycle()
    answer = commands.check(ours, allow_insecure=False)
    assert answer.code == 1
    text = " ".join(answer.document["problems"])
    assert "blocks https://hooks.example.com for 120 s" in text
    assert "Order 5 failed in 1 runs of its own: The run exited 1" in text
    assert "STUCK" in commands.status(ours).lines[1]
    assert "No hook arrived for 48 hours" in text


@pytest.mark.parametrize(
    ("last", "silent_hours", "complains"),
    [(47, 48, False), (49, 48, True), (49, 0, False), (None, 48, False)],
)
def test_silence_is_complained_of_after_its_time(
    last: int | None, silent_hours: int, complains: bool
) -> None:
    heard = None if last is None else NOW - timedelta(hours=last)
    found = examined(InboxStats(0, 0, 0, 0, None, heard), silent_hours=silent_hours)
    assert bool(found.problems) == complains


@pytest.mark.parametrize(("hours", "complains"), [(2, False), (4, True)])
def test_check_tells_of_an_outage_though_no_order_has_failed_often(
    hours: int, complains: bool
) -> None:
    since = NOW - timedelta(hours=hours)
    late = WaitingOrder(7, seen=1, tries=0, reason="", due_at=since, first_received_at=since)
    next_one = WaitingOrder(8, 1, 3, "The run exited 1.", since, since)
    found = examined(InboxStats(2, 0, 2, 1, since, NOW), waiting=(late, next_one))
    assert bool(found.problems) == complains
    if complains:
        assert "Order 7 has waited since 2026-10-31T20:00" in found.problems[0]
        assert "The run exited 1." in found.problems[0]
    assert "2 orders wait" in found.remarks[0]


def test_check_counts_each_stuck_order_and_names_the_first_that_waits_long() -> None:
    since = NOW - timedelta(hours=4)
    stuck = (WaitingOrder(number, 1, 20, "It failed.", NOW, NOW) for number in range(1, 13))
    late = (WaitingOrder(number, 1, 0, "", since, since) for number in (99, 98))
    now = WaitingOrder(97, 1, 0, "The run exited 1.", NOW, NOW)
    found = examined(InboxStats(15, 0, 15, 13, since, NOW), waiting=(now, *stuck, *late))
    *named, more, waits = found.problems
    assert [one.split(" failed in ")[0] for one in named] == [f"Order {n}" for n in range(1, 11)]
    assert more.startswith("2 more orders fail like that")
    assert waits.startswith("Order 99 has waited since 2026-10-31T20:00")
    assert waits.endswith("The last failure: The run exited 1.")


def examined(stats: InboxStats, **more: Any) -> Checkup:
    given: dict[str, Any] = {"waiting": (), "silent_hours": 48, **more}
    return examine(
        reconciled=Reconciled(),
        blocked=(),
        stats=stats,
        notices=(),
        stuck_after_tries=20,
        now=NOW,
        **given,
    )


def test_hooks_at_an_old_destination_are_unregistered_and_no_others(
    shop: HooksServer, assembly: Any
) -> None:
    commands.register(assembly(destination="https://old.example.com/bc"), allow_insecure=False)
    commands.register(assembly(), allow_insecure=False)
    assert len(shop.hooks) == 16
    answer = commands.unregister(assembly(), "https://old.example.com/bc")
    assert (answer.code, len(answer.document["deleted"])) == (0, 8)
    assert {h["destination"] for h in shop.hooks} == {
        DESTINATION,
        DESTINATION + "/delivery-exceptions",
    }
    again = commands.unregister(assembly(), "https://old.example.com/bc")
    assert (again.code, again.document) == (1, {"deleted": []})
    assert commands.unregister(assembly(), "https://[old.example.com").document == {"deleted": []}
    shop.broken = [(404, {}, "")]
    with HooksApi(shop.url, "abc123", "canary-access-token") as api:
        api.delete(1)


def test_reads_are_repeated_while_the_service_is_busy(shop: HooksServer) -> None:
    shop.broken = [
        (429, {"X-Rate-Limit-Time-Reset-Ms": "1500", "X-Retry-After": "3"}, ""),
        (429, {}, ""),
        (500, {}, "<html>no</html>"),
    ]
    pauses: list[float] = []
    with HooksApi(shop.url, "abc123", "canary-access-token", sleep=pauses.append) as api:
        assert api.hooks() == []
    first, second, third = pauses
    assert 3 <= first <= 3.5
    assert second <= 1
    assert third <= 2


def test_an_answer_that_drips_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):  # until it is given up
                for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 300:
                    connection.sendall(bytes((byte,)))
                    time.sleep(0.1)  # the server is slow here, the test does not wait for it

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        api, started = HooksApi(url, "abc123", "t", timeout=0.5), time.monotonic()
        with api, pytest.raises(ApiError, match="could not be reached"):
            api.create("store/order/created", DESTINATION, {})
        assert time.monotonic() - started < 10
        dripping.join()


def test_tries_that_take_long_come_out_of_the_time_for_trying_again(
    shop: HooksServer,
) -> None:
    shop.broken = [(503, {}, "<html>no</html>")] * 5
    times, pauses = iter(range(0, 1000, 40)), list[float]()
    api = HooksApi(shop.url, "abc123", "t", sleep=pauses.append, now=lambda: next(times))
    with api, pytest.raises(ApiError):
        api.hooks()
    assert len(pauses) == 1  # of 60 s the second try, of 40 s, leaves nothing


def test_a_service_that_stays_busy_or_is_gone_is_an_error_with_advice(shop: HooksServer) -> None:
    shop.broken = [(503, {}, "<html>no</html>")] * 5
    busy = HooksApi(shop.url, "abc123", "canary-access-token", sleep=lambda _: None)
    gone = HooksApi("http://127.0.0.1:9", "abc123", "t", sleep=lambda _: None)
    with busy, pytest.raises(ApiError, match="answered 503"):
        busy.hooks()
    with gone, pytest.raises(ApiError, match="could not be reached"):
        gone.create("s", "d", {})


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, '{"status":401,"title":"Unauthorized"}', "access token is not valid"),
        (403, '[{"status":403,"message":"no scope"}]', "no scope"),
        (404, "<html>", "404"),
        (422, '{"title":"Bad","errors":{"destination":"missing"}}', "destination: missing"),
        (200, "<html>", "no JSON"),
        (200, '{"data":[]}', "unknown form"),
    ],
)
def test_a_refused_write_is_not_repeated_and_told_in_words(
    shop: HooksServer, status: int, body: str, words: str
) -> None:
    shop.broken = [(status, {}, body)]
    api = HooksApi(shop.url, "abc123", "canary-access-token")
    with api, pytest.raises(ApiError, match=words):
        api.create("store/order/created", DESTINATION, {})
    assert len(shop.requests) == 1


ODD = ["1e999", '"soon"', "[]", "{}", "-5", "9" * 5_000, "99999999999999999999", "true", "null"]


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_figure_of_a_hook_or_a_block_is_not_known(shop: HooksServer, odd: str) -> None:
    hook = f'{{"data":[{{"id":7,"scope":"s","destination":"d","updated_at":{odd}}}]}}'
    blocked = f'{{"data":{{"blocked_domains":[5,{{"destination":"d","time_left":{odd}}}]}}}}'
    shop.broken = [(200, {}, hook), (200, {}, hook), (200, {}, blocked)]
    with HooksApi(shop.url, "abc123", "canary-access-token") as api:
        assert [(one.id, one.created_at) for one in api.hooks()] == [(7, 0)]
        assert [one.seconds_left for one in api.blocked_domains()] == [0]


@pytest.mark.parametrize("odd", ["5", '"text"', "true", "[5]", '{"a":1}'])
def test_blocked_domains_of_no_known_form_are_none(shop: HooksServer, odd: str) -> None:
    shop.broken = [(200, {}, f'{{"data":{{"blocked_domains":{odd}}}}}')]
    with HooksApi(shop.url, "abc123", "canary-access-token") as api:
        assert api.blocked_domains() == []


@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ("", "WEBHOOKS_DESTINATION"),
        ("http://hooks.example.com/bc", "port 443 only"),
        ("https://hooks.example.com:8443/bc", "port 443 only"),
        ("https://hooks.example.com/bc?a=b", "form https://host/path"),
        ("https://u:p@hooks.example.com/bc", "form https://host/path"),
        ("ftp://hooks.example.com/bc", "port 443 only"),
        ("http://127.0.0.1:8788/webhooks", "--allow-insecure"),
    ],
)
def test_a_destination_that_would_get_nothing_is_refused_with_the_reason(
    destination: str, words: str
) -> None:
    with pytest.raises(SettingError, match=words):
        check_destination(destination)


@pytest.mark.parametrize(
    "destination", ["http://127.0.0.1:8788/x", "http://localhost/x", "http://[::1]:1/x"]
)
def test_only_the_loopback_may_be_insecure_and_only_when_allowed(destination: str) -> None:
    assert check_destination(destination, allow_insecure=True) == destination
    with pytest.raises(SettingError):
        check_destination("http://hooks.example.com/x", allow_insecure=True)


def test_plain_https_passes() -> None:
    for good in (DESTINATION, "https://hooks.example.com:443/bc", "https://hooks.example.com"):
        assert check_destination(good) == good
