"""Which account the books go to, and that a doubtful one is never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.freshbooks import AccountUnclear, choose_account
from target_freshbooks.freshbooks.identity import parse_identity

if TYPE_CHECKING:
    from collections.abc import Callable


def member(account: str | None, role: str = "owner", id_: int = 1) -> dict[str, Any]:
    business = {"id": id_, "name": f"Shop {id_}", "account_id": account}
    return {"id": 99, "role": role, "business": business}


def me(*members: dict[str, Any], **more: Any) -> Any:
    return parse_identity({"id": 5, "business_memberships": list(members), **more})


def test_the_only_account_is_taken() -> None:
    assert choose_account(me(member("ABC123"))).account_id == "ABC123"


def test_the_business_id_is_that_of_the_business_not_of_the_membership() -> None:
    assert choose_account(me(member("ABC123", id_=439000))).business_id == 439000


def test_of_two_accounts_none_is_guessed_and_both_are_listed() -> None:
    with pytest.raises(AccountUnclear, match="2 accounts fit") as caught:
        choose_account(me(member("ABC123"), member("ABC124", id_=2)))
    assert "ABC123 'Shop 1', role owner" in str(caught.value)
    assert "ABC124 'Shop 2', role owner" in str(caught.value)


def test_a_setting_chooses_among_several() -> None:
    identity = me(member("ABC123"), member("ABC124", id_=2))
    assert choose_account(identity, "ABC124").business_id == 2


def test_a_setting_that_is_not_ours_is_refused_with_the_choices() -> None:
    with pytest.raises(AccountUnclear, match="'XYZ' is not one") as caught:
        choose_account(me(member("ABC123")), "XYZ")
    assert "ABC123" in str(caught.value)


def test_an_account_where_we_are_a_client_does_not_fit() -> None:
    roles = [{"role": "client", "accountid": "ABC124"}, {"role": "admin", "accountid": "ABC123"}]
    identity = me(member("ABC123"), member("ABC124", id_=2), roles=roles)
    assert choose_account(identity).account_id == "ABC123"
    with pytest.raises(AccountUnclear, match="you are a client there"):
        choose_account(identity, "ABC124")


def test_a_null_account_falls_back_to_the_roles() -> None:
    roles = [{"role": "admin", "accountid": "ABC9"}, {"role": "client", "accountid": "GAF54"}]
    chosen = choose_account(me(member(None, id_=7), roles=roles))
    assert (chosen.account_id, chosen.business_id) == ("ABC9", 7)


def test_a_null_account_beside_a_known_one_leaves_the_known_one() -> None:
    roles = [{"role": "admin", "accountid": "ABC1"}]
    assert choose_account(me(member(None, id_=7), member("ABC1"), roles=roles)).account_id == "ABC1"


def test_two_null_accounts_are_not_matched_by_guessing() -> None:
    roles = [{"role": "admin", "accountid": "A1"}, {"role": "admin", "accountid": "A2"}]
    with pytest.raises(AccountUnclear, match="2 accounts fit"):
        choose_account(me(member(None), member(None, id_=2), roles=roles))


def test_a_cancelled_subscription_does_not_fit() -> None:
    identity = me(
        member("ABC123"),
        member("ABC124", id_=2),
        subscription_statuses={"ABC123": "cancelled", "ABC124": "active"},
    )
    assert choose_account(identity).account_id == "ABC124"
    with pytest.raises(AccountUnclear, match="subscription cancelled"):
        choose_account(identity, "ABC123")


def test_nobodys_account_is_told() -> None:
    with pytest.raises(AccountUnclear, match="0 accounts fit"):
        choose_account(me())


@pytest.mark.parametrize("sdk", ["python-sdk", "java-sdk"])
def test_the_recorded_identity_has_one_that_fits(
    bench: Any, reply: Any, recorded: Callable[[str], Any], sdk: str
) -> None:
    bench.say(reply(recorded(f"{sdk}/auth_me_response.json")))
    identity = bench.client.me()
    assert choose_account(identity).account_id == "ABC123"
    assert {one.account_id for one in identity.memberships} >= {"ABC123", "GAF54"}
    assert "skovalic" not in repr(identity)
