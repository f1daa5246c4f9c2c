"""Whose books these are: a login to another account takes no place unasked, and no run goes there.

The sandbox's owner has SBX001 (Sandbox Books), and SBX002 (Side Business) where `second_account`
is switched on; another user has SBX002 alone.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from target_freshbooks.ledger import Ledger, PinnedAccount

pytestmark = pytest.mark.more

A = "SBX001 (Sandbox Books)"
B = "SBX002 (Side Business)"


def log_in(desk: Any, *options: str, **more: Any) -> tuple[int, str]:
    """A login by code, of whom the sandbox's switch `fb.user` says."""
    answer: tuple[int, str] = desk.ctl(
        "login", "--code", desk.landed(), *options, refresh_token=None, **more
    )
    return answer


def switch(desk: Any, **switches: str) -> None:
    desk.control("PUT", "switches", {f"fb.{name}": value for name, value in switches.items()})


def ledger_account(desk: Any) -> PinnedAccount | None:
    with Ledger.open(desk.config["ledger_url"], source="bigcommerce") as ledger:
        return ledger.ownership.account()


def works(desk: Any) -> bool:
    """Whether the stored login lives, with a refresh of its own."""
    desk.expire()
    return bool(desk.ctl("whoami", refresh_token=None, account_id=None)[0] == 0)


def user(desk: Any) -> int:
    """Whose the stored login is, as FreshBooks says."""
    out = desk.ctl("whoami", "--json", refresh_token=None, account_id=None)[1]
    return int(json.loads(out)["user_id"])


OWNER, OTHER = 12345, 12399


def test_a_login_tells_the_business_and_settles_whose_the_ledger_is(desk: Any) -> None:
    code, said = log_in(desk)
    assert code == 0, said
    assert f"Books go to account {A}; the ledger belongs to it." in said
    assert ledger_account(desk) == PinnedAccount("SBX001", "Sandbox Books")
    assert "the ledger belongs to it" in desk.ctl("whoami")[1]


def test_where_several_accounts_fit_a_login_is_stored_and_none_is_settled(desk: Any) -> None:
    switch(desk, second_account="yes")
    code, said = log_in(desk)
    assert code == 1
    assert "The login is stored" in said
    assert "2 accounts fit; set account_id to one of them" in said
    assert ledger_account(desk) is None
    # No new login is needed, and the setting settles it.
    told = desk.ctl("whoami", refresh_token=None, account_id="SBX002")[1]
    assert "Books go to account SBX002 (Side Business)." in told
    assert log_in(desk, account_id="SBX002")[0] == 0
    assert ledger_account(desk) == PinnedAccount("SBX002", "Side Business")


def test_a_login_of_somebody_else_to_another_account_is_given_back(desk: Any) -> None:
    assert log_in(desk)[0] == 0
    switch(desk, user="other")
    code, said = log_in(desk)
    assert code == 1
    assert f"This login is for FreshBooks account {B}, but books go to {A}." in said
    assert "It was given back; the former login stays" in said
    assert "--switch-account" in said
    assert "invoice_start_date" in said
    assert len(desk.control("GET", "freshbooks/tokens")["living_refresh_tokens"]) == 1
    assert (user(desk), works(desk)) == (OWNER, True)
    assert ledger_account(desk) == PinnedAccount("SBX001", "Sandbox Books")


def test_a_login_seeded_by_a_setting_is_asked_whose_it_is_before_it_is_replaced(desk: Any) -> None:
    assert desk.ctl("whoami")[0] == 0  # the seed is in the store, and nobody has noted whose it is
    switch(desk, user="other")
    assert log_in(desk)[0] == 1
    assert user(desk) == OWNER


def test_a_login_of_the_same_user_to_another_account_is_stored_for_the_former_is_dead(
    desk: Any,
) -> None:
    switch(desk, second_account="yes")
    assert log_in(desk, account_id="SBX001")[0] == 0
    code, said = log_in(desk, account_id="SBX002")
    assert code == 1
    assert f"This login is for FreshBooks account {B}, but books go to {A}." in said
    assert "It is stored all the same" in said
    assert "--switch-account" in said
    desk.expire()
    assert desk.ctl("whoami", refresh_token=None, account_id="SBX001")[0] == 0
    assert ledger_account(desk) == PinnedAccount("SBX001", "Sandbox Books")


def test_switch_account_moves_a_ledger_that_has_written_nothing(desk: Any) -> None:
    assert log_in(desk)[0] == 0
    switch(desk, user="other")
    code, said = log_in(desk, "--switch-account")
    assert code == 0, said
    assert f"Books go to account {B}; the ledger belongs to it." in said
    assert ledger_account(desk) == PinnedAccount("SBX002", "Side Business")
    assert user(desk) == OTHER


def test_switch_account_moves_a_ledger_whose_runs_have_only_looked(desk: Any) -> None:
    assert log_in(desk)[0] == 0
    place(desk)
    today = datetime.now(UTC).date().isoformat()
    _, log = desk.post(desk.messages(), refresh_token=None, closed_through=today)
    assert "1 orders parked" in log, log
    switch(desk, user="other")
    code, said = log_in(desk, "--switch-account")
    assert code == 0, said
    assert ledger_account(desk) == PinnedAccount("SBX002", "Side Business")


def test_switch_account_stores_the_login_and_leaves_a_ledger_that_has_written(desk: Any) -> None:
    desk.park_an_order()
    assert ledger_account(desk) == PinnedAccount("SBX001", "Sandbox Books")
    switch(desk, user="other")
    code, said = log_in(desk, "--switch-account")
    assert code == 1
    assert f"The login to {B} is stored, but runs will stop." in said
    assert f"This ledger belongs to FreshBooks account {A}" in said
    assert "set another ledger_url and an invoice_start_date" in said
    assert user(desk) == OTHER
    assert ledger_account(desk) == PinnedAccount("SBX001", "Sandbox Books")


def test_a_login_that_freshbooks_cannot_be_asked_about_is_stored_and_settles_nothing(
    desk: Any,
) -> None:
    landed = desk.landed()
    desk.fault(kind="status", path="users/me", status=503, times=20)
    code, said = desk.ctl("login", "--code", landed, refresh_token=None, max_retry_seconds=0)
    assert code == 1
    assert "The login is stored, but FreshBooks could not be asked whose it is" in said
    assert ledger_account(desk) is None
    desk.control("DELETE", "faults")
    assert works(desk)


def test_no_code_is_spent_while_nobody_can_say_whose_the_former_login_is(desk: Any) -> None:
    assert desk.ctl("whoami")[0] == 0
    landed = desk.landed()
    desk.fault(kind="status", path="users/me", status=503, times=20)
    spent = desk.spent()
    assert desk.ctl("login", "--code", landed, max_retry_seconds=0)[0] == 1
    assert desk.spent() == spent
    desk.control("DELETE", "faults")
    assert desk.ctl("login", "--code", landed)[0] == 0


def test_a_login_is_in_no_store_before_it_is_known_whose_it_is(desk: Any) -> None:
    desk.hold("users/me", "GET", "before")
    process = desk.start("target-freshbooks-ctl", "login", "--code", desk.landed())
    desk.wait_until_held(process)
    assert "access_token" not in (desk.store.read(desk.entry) or {})
    desk.control("DELETE", "faults")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert "access_token" in desk.store.read(desk.entry)


def place(desk: Any) -> None:
    line = {"name": "Mug", "sku": "MUG", "price": "10.00"}
    desk.control("POST", "shop/orders", {"lines": [line], "billing": {"email": "j@shop.example"}})


def is_stopped(desk: Any, account: str, **more: Any) -> None:
    """A run ends before its first write, and tells both accounts and the way out."""
    place(desk)
    before = desk.writes()
    code, log = desk.post(desk.messages(), **more)
    assert (code, desk.writes() - before) == (1, 0), log
    said = f"This ledger belongs to FreshBooks account {A}, but this login is for account {account}"
    assert said in log
    assert "Nothing was written" in log
    assert "set another ledger_url and an invoice_start_date" in log
    assert desk.ctl("verify", **more)[0] == 1


def test_a_run_with_a_login_to_another_account_stops_before_a_write(desk: Any) -> None:
    assert log_in(desk)[0] == 0
    place(desk)
    assert desk.post(desk.messages(), refresh_token=None)[0] == 0
    switch(desk, user="other")
    assert log_in(desk, "--switch-account")[0] == 1
    is_stopped(desk, B, refresh_token=None)


def test_a_run_with_another_account_id_stops_before_a_write(desk: Any) -> None:
    assert log_in(desk)[0] == 0
    place(desk)
    assert desk.post(desk.messages(), refresh_token=None)[0] == 0
    switch(desk, second_account="yes")
    is_stopped(desk, "SBX002", account_id="SBX002")


def test_a_lapsed_subscription_makes_no_other_business_the_one_that_fits(desk: Any) -> None:
    assert log_in(desk)[0] == 0
    place(desk)
    assert desk.post(desk.messages(), refresh_token=None)[0] == 0
    switch(desk, second_account="yes", subscription="cancelled")
    is_stopped(desk, B)


def test_a_dry_run_settles_nothing_and_a_first_write_does(desk: Any) -> None:
    place(desk)
    messages = desk.messages()
    assert desk.post(messages, dry_run=True)[0] == 0
    assert ledger_account(desk) is None
    assert desk.post(messages)[0] == 0
    assert ledger_account(desk) == PinnedAccount("SBX001", "Sandbox Books")


def test_the_business_of_a_ledger_is_named_once_somebody_tells_it(desk: Any) -> None:
    place(desk)
    assert desk.post(desk.messages(), account_id="SBX001")[0] == 0
    assert ledger_account(desk) == PinnedAccount("SBX001", "")
    assert log_in(desk)[0] == 0
    assert ledger_account(desk) == PinnedAccount("SBX001", "Sandbox Books")
