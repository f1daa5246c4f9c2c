"""Shop to run: the sandbox changes orders and sends signed hooks, with mischief on the way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from connector_sandbox.testing import until

if TYPE_CHECKING:
    from collections.abc import Iterator

Make = Any
SANDBOX = Path(sys.executable).with_name("sandbox")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[httpx.Client]:
    if not SANDBOX.exists():
        pytest.skip("the package connector-sandbox is not installed")
    process = subprocess.Popen(
        [SANDBOX, "up", "--port", "0", "--data", str(tmp_path / "sandbox")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        with httpx.Client(base_url=url, timeout=30) as client:
            yield client
        process.terminate()


def deliveries(sandbox: httpx.Client) -> list[dict[str, Any]]:
    return list(sandbox.get("/_sandbox/shop/deliveries").json()["deliveries"])


def test_changed_orders_of_the_sandbox_are_run_and_forged_hooks_are_not(
    program: Make, start: Make, sandbox: httpx.Client
) -> None:
    ours = program(
        store_hash="sandbox",
        client_secret="sandbox-bigcommerce-client-secret",
        access_token="sandbox-bigcommerce-token",
        api_url=str(sandbox.base_url),
        collapse_milliseconds=500,
    )
    server = start(ours)
    ours.settings["destination"] = f"{server.origin}/webhooks"
    assert ours.call("register").returncode == 1, "plain http needs to be allowed"
    registered = json.loads(ours.call("register", "--allow-insecure", "--json").stdout)
    assert len(registered["created"]) == 8

    listed = json.loads(ours.call("list", "--json").stdout)["hooks"]
    sandbox.put(
        f"/stores/sandbox/v3/hooks/{listed[0]['id']}",
        json={"is_active": False},
        headers={"X-Auth-Token": "sandbox-bigcommerce-token"},
    ).raise_for_status()
    checked = ours.call("check", "--allow-insecure")
    assert (checked.returncode, "switched on again" in checked.stdout) == (0, True), checked

    sandbox.put(
        "/_sandbox/shop/mischief", json={"double_percent": 50, "shuffle_seconds": 1}
    ).raise_for_status()
    rows = sandbox.get("/_sandbox/truth").json()["orders"]
    paid = [row["order_id"] for row in rows if row["expect"] == "posted"][:5]
    for order_id in paid:
        sandbox.post(f"/_sandbox/shop/orders/{order_id}/touch", json={}).raise_for_status()
    stranger = max(row["order_id"] for row in rows)
    for forgery in ("wrong_secret", "unsigned", "tampered"):
        sandbox.post(
            "/_sandbox/shop/forge", json={"order_id": stranger, "forgery": forgery}
        ).raise_for_status()

    until(lambda: not any(d["state"] == "waiting" for d in deliveries(sandbox)), "deliveries")
    until(lambda: not ours.waiting(), "runs")
    assert {order_id for run in ours.runs() for order_id in run} == set(paid)
    assert stranger not in paid
    sent = deliveries(sandbox)
    assert {d["state"] for d in sent if d["forged"]} == {"refused"}
    assert {d["state"] for d in sent if not d["forged"]} == {"delivered"}
    assert len(ours.hooks()) == len({d["webhook_id"] for d in sent if not d["forged"]})
    forged = server.figure('webhooks_requests_total{outcome="forged"}')
    assert forged == sum(1 for d in sent if d["forged"])
