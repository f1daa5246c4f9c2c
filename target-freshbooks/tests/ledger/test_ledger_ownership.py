"""Whose a ledger is: it moves to another account only while it knows nothing of the first."""

from __future__ import annotations

from typing import Any

import pytest
from target_freshbooks.ledger import AnotherAccount, Link, PinnedAccount

TRIAL, OWN = PinnedAccount("ACC1", "Trial"), PinnedAccount("ACC2", "Own")


def test_a_ledger_that_knows_no_record_moves_without_what_it_has_learnt(ledger: Any) -> None:
    ledger.ownership.pin_account(TRIAL)
    ledger.profile.learn("number_length", 10)
    ledger.ownership.pin_account(OWN, move=True)
    assert ledger.ownership.account() == OWN
    assert ledger.profile.traits() == {}


def test_a_login_to_the_same_account_leaves_what_is_known_of_it(ledger: Any) -> None:
    ledger.ownership.pin_account(TRIAL)
    ledger.profile.learn("number_length", 10)
    ledger.ownership.pin_account(TRIAL, move=True)
    assert ledger.profile.traits() == {"number_length": 10}


@pytest.mark.parametrize("state", ["intended", "made", "removed"])
def test_a_ledger_stays_with_the_account_that_a_probe_has_written_to(
    ledger: Any, lock: Any, state: str
) -> None:
    ledger.ownership.pin_account(TRIAL)
    row = ledger.probe.intend(lock, "client", "probe@shop.example", {}, "run-1")
    ledger.probe.close(row, state, "run-1")
    with pytest.raises(AnotherAccount, match="another ledger_url"):
        ledger.ownership.pin_account(OWN, move=True)
    assert ledger.ownership.account() == TRIAL


def test_a_ledger_stays_with_the_account_that_it_has_found_records_in(ledger: Any) -> None:
    ledger.ownership.pin_account(TRIAL)
    ledger.links.put(Link("client", "1", 55))
    with pytest.raises(AnotherAccount, match="another ledger_url"):
        ledger.ownership.pin_account(OWN, move=True)
    assert ledger.ownership.account() == TRIAL


def test_a_ledger_that_has_only_looked_for_marks_moves(ledger: Any) -> None:
    ledger.ownership.pin_account(TRIAL)
    ledger.links.put(Link("marked", "abc123", 0))
    ledger.ownership.pin_account(OWN, move=True)
    assert ledger.ownership.account() == OWN
