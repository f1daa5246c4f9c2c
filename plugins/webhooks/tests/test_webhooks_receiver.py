"""The receiver as a real process, spoken to over HTTP."""

from __future__ import annotations

import json
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from connector_credentials.settings import SettingError
from connector_sandbox.testing import until
from connector_webhooks.assembly import Assembly
from connector_webhooks.errors import WebhooksError
from connector_webhooks.metrics import Metrics
from connector_webhooks.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable

Make = Any  # the fixtures' factories; their types live in conftest, which is no module to import


def ago(**span: int) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def test_a_genuine_hook_is_committed_and_answered_with_nothing(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program()
    server = start(ours, "--no-dispatch")
    answer = server.send(signed(250))
    assert (answer.status_code, answer.content) == (200, b"")
    assert "server" not in answer.headers
    (hook,), (order,) = ours.hooks(), ours.waiting()
    assert (hook.order_id, hook.reason, hook.scope) == (250, "", "store/order/updated")
    assert (order.order_id, order.seen, order.tries) == (250, 1, 0)


def test_the_inbox_file_is_private(program: Make, start: Make) -> None:
    ours = program()
    start(ours, "--no-dispatch")
    for file in ours.folder.glob("inbox.sqlite*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_forged_and_unsigned_hooks_are_refused_counted_and_never_stored(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program()
    server = start(ours, "--no-dispatch")
    forged = signed(1, secret="not-the-client-secret")
    moved = signed(2)
    tampered = signed(3)
    answers = [
        server.send(forged),
        server.client.post("/webhooks", content=forged.body),
        server.client.post("/webhooks"),
        server.send(moved, **{"webhook-id": "msg_other"}),
        server.send(moved, **{"webhook-timestamp": "1"}),
        server.send(moved, **{"webhook-signature": "v1a,AAAA"}),
        server.client.post("/webhooks", content=tampered.body + b" ", headers=tampered.headers),
        server.send(forged, path="/webhooks/delivery-exceptions"),
    ]
    assert [a.status_code for a in answers] == [401] * 8
    assert server.figure('webhooks_requests_total{outcome="forged"}') == 8
    assert ours.hooks() == []
    assert ours.log.count("without a valid signature") == 1, "the log must not be filled from afar"


def test_a_hook_that_comes_again_is_answered_and_stored_once(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program()
    server = start(ours, "--no-dispatch")
    first = signed(250)
    again = signed(250, webhook_id=first.webhook_id, signed_at=ago(seconds=60))
    assert [server.send(h).status_code for h in (first, first, again)] == [200] * 3
    assert (len(ours.hooks()), ours.waiting()[0].seen) == (1, 1)
    assert server.figure('webhooks_requests_total{outcome="duplicate"}') == 2


def test_a_late_hook_is_queued_and_one_beyond_the_limit_is_answered_but_not_queued(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program()
    server = start(ours, "--no-dispatch")
    late = [signed(1, signed_at=ago(hours=30)), signed(2, signed_at=ago(seconds=-900))]
    expired = [signed(3, signed_at=ago(days=4)), signed(4, signed_at=ago(days=-4))]
    assert [server.send(h).status_code for h in (*late, *expired)] == [200] * 4
    assert [row.order_id for row in ours.waiting()] == [1, 2]
    assert server.figure("webhooks_late_total") == 2
    assert server.figure('webhooks_requests_total{outcome="expired"}') == 2


def test_a_larger_body_is_answered_413_announced_or_not(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(max_body_bytes=2_000)
    server = start(ours, "--no-dispatch")
    large = signed(body=b'{"x":"' + b"y" * 300_000 + b'"}')

    def in_pieces() -> Any:
        yield from (large.body[i : i + 1000] for i in range(0, len(large.body), 1000))

    answers = [
        server.send(large),
        server.client.post("/webhooks", content=in_pieces(), headers=large.headers),
        server.send(signed(body=b"{" + b" " * 1_998 + b"}")),
    ]
    assert [a.status_code for a in answers] == [413, 413, 200]
    assert server.send(signed(5)).status_code == 200


def test_a_body_that_never_ends_is_given_up(program: Make, start: Make, signed: Make) -> None:
    ours = program(request_timeout_seconds=1)
    server = start(ours, "--no-dispatch")
    place = urlsplit(server.origin)
    with socket.create_connection((place.hostname, place.port), timeout=20) as slow:
        slow.sendall(b"POST /webhooks HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        assert b" 408 " in slow.recv(1000).split(b"\r\n")[0]
    with socket.create_connection((place.hostname, place.port), timeout=20) as gone:
        gone.sendall(b"POST /webhooks HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    assert server.send(signed(5)).status_code == 200
    assert "Traceback" not in ours.log


def test_another_stores_genuine_hook_is_answered_and_leads_to_no_run(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program()
    server = start(ours, "--no-dispatch")
    assert server.send(signed(9, store="other")).status_code == 200
    (row,) = ours.hooks()
    assert (row.reason, row.order_id) == ("It is about another store.", None)
    assert ours.waiting() == []


def test_odd_genuine_hooks_are_kept_as_ignored_never_refused(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program()
    server = start(ours, "--no-dispatch")
    odd = [
        signed(body=b"no json"),
        signed(body=b'{"a":"\\u0000"}'),
        signed(body=b"\x00"),
        signed(body=b"\xff\xfe"),
        signed(body=b'{"a":"\xe9"}'),
        signed(body="{\u2028é}".encode()),
        signed(scope="store/customer/created"),
        signed(scope="store/order/created", data={"type": "order", "id": 10**30}),
        signed(1, webhook_id="m" * 4_000),
    ]
    assert [server.send(h).status_code for h in odd] == [200] * len(odd)
    assert [bool(row.reason) for row in ours.hooks()] == [True] * 8 + [False]
    assert [row.order_id for row in ours.waiting()] == [1]


@pytest.mark.parametrize("path", ["/hooks/a%20b%C3%BC", "/hooks/a%20b%C3%BC/", "/100%25"])
def test_a_path_is_served_as_it_is_sent(
    program: Make, start: Make, signed: Make, path: str
) -> None:
    ours = program(destination=f"https://hooks.example.com{path}")
    server = start(ours, "--no-dispatch")
    assert server.send(signed(250), path=path).status_code == 200
    beside = f"{path.rstrip('/')}/delivery-exceptions"
    assert server.send(signed(251), path=beside).status_code == 200
    ours.settings["port"] = server.origin.rpartition(":")[2]
    assert ours.call("send-test", "252").returncode == 0
    assert [one.order_id for one in ours.waiting()] == [250, 251, 252]


def test_a_delivery_exception_has_its_own_path_and_shows_in_status(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(destination="https://hooks.example.com/bc")
    server = start(ours, "--no-dispatch")
    data = {"type": "webhook", "id": 5, "error_code": 90002, "message": "x"}
    hook = signed(scope="store/hook/deliveryException", data=data)
    assert server.send(hook, path="/bc/delivery-exceptions").status_code == 200
    assert server.figure("webhooks_delivery_exceptions_total") == 1
    shown = json.loads(ours.call("status", "--json").stdout)
    assert "90002" in shown["delivery_exceptions"][0]["reason"]


def test_the_shared_header_is_needed_besides_the_signature(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(shared_header_name="X-Shared", shared_header_value="canary-shared-value")
    server = start(ours, "--no-dispatch")
    hook = signed(1)
    given = ["", "wrong", "canary-shared-valuf", "canary-shared-value"]
    codes = [server.send(hook, **({"X-Shared": v} if v else {})).status_code for v in given]
    assert codes == [401, 401, 401, 200]
    unsigned = server.client.post(
        "/webhooks", content=hook.body, headers={"X-Shared": "canary-shared-value"}
    )
    assert unsigned.status_code == 401
    raw = server.client.post(
        "/webhooks", content=hook.body, headers=[(b"X-Shared", b"\xff\xe9"), (b"webhook-id", b"x")]
    )
    assert raw.status_code == 401


def test_old_and_new_secret_both_hold_during_a_rotation(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(client_secret="canary-new-secret, canary-old-secret")
    server = start(ours, "--no-dispatch")
    codes = [
        server.send(signed(1, secret=secret)).status_code
        for secret in ("canary-new-secret", "canary-old-secret", "canary-older-secret")
    ]
    assert codes == [200, 200, 401]


def test_eight_senders_at_once_with_doubles_leave_one_row_per_hook(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program()
    server = start(ours, "--no-dispatch")
    hooks = [signed(order) for order in range(1, 61)]
    with ThreadPoolExecutor(8) as senders:
        codes = list(senders.map(lambda h: server.send(h).status_code, hooks * 3))
    assert set(codes) == {200}
    assert sorted(row.webhook_id for row in ours.hooks()) == sorted(h.webhook_id for h in hooks)
    stored = server.figure('webhooks_requests_total{outcome="stored"}')
    assert (stored, server.figure('webhooks_requests_total{outcome="duplicate"}')) == (60, 120)


def test_a_postgresql_inbox_takes_the_same_hooks(
    program: Make, start: Make, signed: Make, postgresql_url: str
) -> None:
    ours = program(inbox_url=postgresql_url)
    server = start(ours, "--no-dispatch")
    hooks = [signed(order) for order in range(1, 31)]
    odd = [signed(body=b"\x00\xff"), signed(webhook_id="m" * 4_000)]
    with ThreadPoolExecutor(8) as senders:
        codes = list(senders.map(lambda h: server.send(h).status_code, (hooks + odd) * 2))
    assert set(codes) == {200}
    assert len(ours.hooks()) == 32
    assert server.internal.get("/readyz").status_code == 200


def test_an_inbox_that_cannot_be_written_is_answered_503_and_mends_itself(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(request_timeout_seconds=1)
    server = start(ours, "--no-dispatch")
    inbox = ours.inbox()
    hook = signed(7)
    with inbox.database.write():  # another writer that does not end
        assert server.send(hook).status_code == 503
        assert server.client.get("/healthz").status_code == 200
    assert server.send(hook).status_code == 200
    assert server.internal.get("/readyz").status_code == 200
    assert len(ours.hooks()) == 1
    inbox.database.close()


def test_readiness_fails_while_the_inbox_is_gone(program: Make, start: Make) -> None:
    ours = program()
    server = start(ours, "--no-dispatch")
    inbox = ours.inbox()
    with inbox.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE webhook_marks")
        connection.exec_driver_sql("DROP TABLE webhook_hooks")
    assert server.internal.get("/readyz").status_code == 503
    assert server.internal.get("/metrics").status_code == 503
    assert server.client.get("/healthz").status_code == 200
    inbox.database.close()


def test_sigterm_answers_what_is_in_work_and_ends_with_zero(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program()
    server = start(ours)
    hooks = [signed(order) for order in range(1, 41)]
    answered: list[str] = []

    def send(hook: Any) -> None:
        if server.send(hook).status_code == 200:
            answered.append(hook.webhook_id)

    with ThreadPoolExecutor(8) as senders:
        sent = [senders.submit(send, hook) for hook in hooks]
        sent[5].result()
        assert server.terminate() == 0
    stored = {row.webhook_id for row in ours.hooks()}
    assert len(answered) >= 6
    assert set(answered) <= stored
    assert "Traceback" not in ours.log


def test_no_secret_is_in_the_log(program: Make, start: Make, signed: Make) -> None:
    ours = program(
        shared_header_name="X-Shared",
        shared_header_value="canary-shared-value",
        access_token="canary-access-token",
        run_command="echo canary-client-secret-1 canary-access-token $CANARY_TOKEN; "
        'echo "env: $(env)"; echo "at last canary-client-secret-1"; : canary-in-the-line; exit 1',
    )
    server = start(ours)
    server.send(signed(1), **{"X-Shared": "canary-shared-value"})
    until(lambda: "env: " in ours.log and "exited 1" in ours.log, "the failed run")
    server.terminate()
    assert "canary-" not in ours.log
    assert "***" in ours.log
    reasons = " ".join(row.reason for row in ours.waiting())
    assert "***" in reasons
    assert "canary-" not in reasons


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"client_secret": ""}, "No client_secret"),
        ({"store_hash": ""}, "No store_hash"),
        ({"store_hash": "stores/abc123"}, "store_hash is not one: it is the part abc123 of"),
        (
            {"max_body_bytes": "8.5"},
            "max_body_bytes is '8.5': it must be a whole number from 1 to ",
        ),
        ({"max_orders_per_run": 1001}, "it must be a whole number from 1 to 1000"),
        ({"retention_days": 1}, "late_limit_seconds"),
        ({"inbox_url": "sqlite://"}, "must outlive"),
        ({"inbox_url": "mysql://x/y"}, "SQLite or PostgreSQL"),
        ({"inbox_url": "sqlite:////proc/none/inbox.sqlite"}, "cannot be made"),
        ({"shared_header_name": "X"}, "belong together"),
    ],
)
def test_an_unusable_setting_is_named_in_one_sentence(
    program: Make, settings: dict[str, Any], words: str
) -> None:
    environment = program(**settings).environment()
    with pytest.raises((WebhooksError, SettingError), match=words):
        _open(environment)


def _open(environment: dict[str, str]) -> None:
    assembly = Assembly(load(environment), environment)
    with assembly.inbox() as inbox:
        assembly.receiver(inbox, Metrics())


def test_a_command_that_cannot_go_on_says_why_in_one_sentence_and_exits_1(program: Make) -> None:
    ended = program(client_secret="").call("serve", "--port", "0")
    assert ended.returncode == 1
    assert "No client_secret" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_inbox_belongs_to_one_store(program: Make) -> None:
    ours = program()
    ours.inbox().database.close()
    ours.settings["store_hash"] = "other"
    with pytest.raises((WebhooksError, SettingError), match="belongs to store 'abc123'"):
        _open(ours.environment())


def test_settings_come_from_a_file_too(program: Make, start: Callable[..., Any]) -> None:
    ours = program()
    file = ours.folder / "settings.json"
    file.write_text(json.dumps({"destination": "https://x.example.com/from-file"}))
    server = start(ours, "--config", str(file), "--no-dispatch")
    assert "/from-file" in server.internal.get("/openapi.json").json()["paths"]
    file.write_text('{"destinatoin": "x"}')
    with pytest.raises(
        (WebhooksError, SettingError), match=r"no setting destinatoin\. If it is destination, mend"
    ):
        load({}, file)


def test_a_misspelt_variable_stops_and_a_service_link_is_no_port(program: Make) -> None:
    environment = program().environment()
    assert load(environment | {"WEBHOOKS_PORT": "tcp://10.0.0.1:8788"}).port == 8788
    with pytest.raises(
        (WebhooksError, SettingError), match=r"WEBHOOKS_CLIENT_SECERT\. If it is WEBHOOKS_CLIE"
    ):
        load(environment | {"WEBHOOKS_CLIENT_SECERT": "canary"})
