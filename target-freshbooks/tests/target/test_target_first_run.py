"""The first run at real addresses looks first, and asks from which day on orders are booked.

FreshBooks' address is a name here that only the program under test takes for this machine, so that
it is real to it and nobody else is asked.
"""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import urlsplit

import pytest
from target_freshbooks.ledger.storage.canonical import to_text

NAME = "books.example"
HOSTS = f"""
import socket

known = socket.getaddrinfo


def getaddrinfo(host, *more, **named):
    assert host in ("{NAME}", "127.0.0.1", "localhost"), host
    return known("127.0.0.1" if host == "{NAME}" else host, *more, **named)


socket.getaddrinfo = getaddrinfo
"""


@pytest.fixture
def real(shop: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The shop and the books under a name of the Internet."""
    (shop.home / "sitecustomize.py").write_text(HOSTS, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(shop.home), prepend=os.pathsep)
    address = f"http://{NAME}:{urlsplit(shop.url).port}"
    shop.settings |= {"api_url": address, "auth_url": address, "allow_insecure_http": True}
    return shop


def writes(shop: Any) -> list[str]:
    return [one for one in shop.asked() if one.startswith(("POST /acc", "PUT /acc"))]


def test_a_first_run_without_a_start_date_writes_nothing_and_asks_for_it(real: Any) -> None:
    real.place(created="2026-10-30T12:00:00+00:00")
    real.place(
        created="2026-11-02T12:00:00+00:00",
        billing={"email": "other@mail.example", "first_name": "O"},
        pay="offline",
    )
    real.place(created="2026-11-03T12:00:00+00:00", status_id=7)
    ended = real.run(real.messages())
    assert (ended.code, ended.out, writes(real)) == (1, "", []), ended.log
    assert "A real run would make 2 invoices and 2 clients." in ended.log
    assert "2026-10       1 invoices           10.00 USD" in ended.log
    assert "2026-11       1 invoices           10.00 USD" in ended.log
    assert "     1 status_7 (orders " in ended.log
    assert "FreshBooks has 0 clients now; its plans allow 5 (Lite), 50 (Plus)" in ended.log
    assert "Orders by method of payment in the shop" in ended.log
    assert ended.log.count("Set invoice_start_date to the first day whose orders are to") == 1
    # Nothing of it is kept: the next run asks again, and one with a date books from that day on.
    assert real.run(real.messages()).code == 1
    real.settings["invoice_start_date"] = "2026-11-01"
    ended = real.run(real.messages())
    assert ended.code == 0, ended.log
    assert ended.out
    assert len(real.books()["invoices"]) == 1


def test_a_start_date_that_is_gone_is_missed_where_it_left_an_order_out(real: Any) -> None:
    real.place(created="2026-10-30T12:00:00+00:00")
    real.place(created="2026-11-02T12:00:00+00:00")
    real.settings["invoice_start_date"] = "2026-11-01"
    assert real.run(real.messages()).code == 0
    del real.settings["invoice_start_date"]
    before = writes(real)
    ended = real.run(real.messages())
    assert (ended.code, ended.out, writes(real)) == (1, "", before), ended.log
    assert "were left out by its invoice_start_date, which is not set now" in ended.log
    replay = real.start("target-freshbooks-ctl", "replay", "--since", "2026-10-01")
    _, said = replay.communicate(timeout=120)
    assert (replay.returncode, writes(real)) == (1, before), said
    assert "were left out by its invoice_start_date, which is not set now" in said
    real.settings["invoice_start_date"] = "2026-10-01"
    assert real.run(real.messages()).code == 0
    assert len(real.books()["invoices"]) == 2


@pytest.mark.more
def test_once_anything_was_posted_no_start_date_is_asked_for(real: Any) -> None:
    real.place()
    real.settings["invoice_start_date"] = "2020-01-01"
    assert real.run(real.messages()).code == 0
    del real.settings["invoice_start_date"]
    real.place()
    ended = real.run(real.messages())
    assert ended.code == 0, ended.log
    assert len(real.books()["invoices"]) == 2


LAST = {"bookmarks": {"orders": {"replication_key_value": "2026-10-01T00:00:00Z"}}}
FIRST_OF_ALL = json.dumps({"type": "STATE", "value": LAST}) + "\n"
"""A tap writes the state that it was given before anything else."""


def test_a_first_look_lets_no_state_out_that_came_before_any_stream(real: Any) -> None:
    real.place()
    said = FIRST_OF_ALL + real.messages()
    ended = real.run(said)
    assert (ended.code, ended.out) == (1, ""), ended.log
    real.settings["invoice_start_date"] = "2020-01-01"
    ended = real.run(said)
    assert (ended.code, json.loads(ended.out.splitlines()[0])) == (0, LAST), ended.log
    del real.settings["invoice_start_date"]
    ended = real.run(said)  # not the first run any more, which is known once the ledger is open
    assert ended.code == 0, ended.log
    assert ended.out
    assert real.run(FIRST_OF_ALL).out == f"{to_text(LAST)}\n"


@pytest.mark.parametrize("streams", ["none", "others", "ours"])
def test_a_dry_run_lets_no_state_out_whatever_comes(shop: Any, streams: str) -> None:
    other = {"type": "SCHEMA", "stream": "other", "schema": {"properties": {}}}
    more = {"none": "", "others": f"{json.dumps(other)}\n{FIRST_OF_ALL}", "ours": shop.messages()}
    shop.settings["dry_run"] = True
    ended = shop.run(FIRST_OF_ALL + more[streams])
    assert (ended.code, ended.out) == (0, ""), ended.log


@pytest.mark.more
def test_a_dry_run_ends_with_its_figures_and_asks_for_nothing(real: Any) -> None:
    real.place()
    real.settings["dry_run"] = True
    ended = real.run(real.messages())
    assert (ended.code, ended.out, writes(real)) == (0, "", []), ended.log
    assert "A real run would make 1 invoices and 1 clients." in ended.log


@pytest.mark.more
def test_a_first_run_of_the_sandbox_needs_no_start_date(shop: Any) -> None:
    shop.place()
    assert shop.run().code == 0
    assert len(shop.books()["invoices"]) == 1
