"""``users/me``: who is logged in and which businesses they belong to.

The owner has two, one of them without an account. Another user has the second one alone.
"""

from typing import Any

from connector_sandbox import constants
from connector_sandbox.switches import Switches

OWNER = "owner"
_IDENTITY = 12345
_OTHER_IDENTITY = 12399
_SECOND_BUSINESS = 438000


def accounts_of(switches: Switches, user: str) -> set[str]:
    """The accounts whose books the user can reach."""
    if user != OWNER:
        return {constants.FRESHBOOKS_SECOND_ACCOUNT_ID}
    second = {constants.FRESHBOOKS_SECOND_ACCOUNT_ID}
    return {constants.FRESHBOOKS_ACCOUNT_ID} | (
        second if switches["fb.second_account"] == "yes" else set()
    )


def me(switches: Switches, user: str = OWNER) -> dict[str, Any]:
    """The answer of ``users/me`` (there is no ``result`` level in it)."""
    answer = _owner(switches)
    return answer if user == OWNER else _other(answer["response"])


def _other(owner: dict[str, Any]) -> dict[str, Any]:
    """The answer for somebody who has the owner's second business and nothing else."""
    account = constants.FRESHBOOKS_SECOND_ACCOUNT_ID
    return {
        "response": {
            **owner,
            "id": _OTHER_IDENTITY,
            "identity_id": _OTHER_IDENTITY,
            "permissions": {account: {}},
            "groups": owner["groups"][1:],
            "subscription_statuses": {account: "active"},
            "business_memberships": [
                _membership(140135, "owner", _SECOND_BUSINESS, "Side Business", account)
            ],
            "roles": [_role(61299, "admin", account, 1)],
        }
    }


def _owner(switches: Switches) -> dict[str, Any]:
    account = constants.FRESHBOOKS_ACCOUNT_ID
    role = "client" if switches["fb.role"] == "client" else "owner"
    shown = None if switches["fb.account_id_null"] == "yes" else account
    second = constants.FRESHBOOKS_SECOND_ACCOUNT_ID
    shown_second = second if second in accounts_of(switches, OWNER) else None
    profession = {
        "id": 65432,
        "business_id": None,
        "title": "Owner",
        "company": "Sandbox Books",
        "designation": None,
    }
    return {
        "response": {
            "id": _IDENTITY,
            "profile": {
                "setup_complete": True,
                "first_name": "Sandy",
                "last_name": "Box",
                "phone_number": None,
                "address": None,
                "professions": [profession],
                "has_password": True,
            },
            "identity_id": _IDENTITY,
            "identity_uuid": "5a4dba7e-0000-4000-8000-000000012345",
            "first_name": "Sandy",
            "last_name": "Box",
            "email": "sandy@sandbox.invalid",
            "language": "en",
            "confirmed_at": "2024-01-02T05:57:24Z",
            "created_at": "2024-01-02T05:42:42Z",
            "unconfirmed_email": None,
            "setup_complete": True,
            "phone_numbers": [{"title": "", "phone_number": None}],
            "addresses": [None],
            "profession": profession,
            "links": {
                "me": f"/service/auth/api/v1/users?id={_IDENTITY}",
                "roles": f"/service/auth/api/v1/users/role/{_IDENTITY}",
            },
            "permissions": {account: {}},
            "groups": [
                _group(1, role, constants.FRESHBOOKS_BUSINESS_ID),
                _group(2, "business_employee", _SECOND_BUSINESS),
            ],
            "subscription_statuses": {account: switches["fb.subscription"]},
            "integrations": {},
            "business_memberships": [
                _membership(140130, role, constants.FRESHBOOKS_BUSINESS_ID, "Sandbox Books", shown),
                _membership(
                    140135, "business_employee", _SECOND_BUSINESS, "Side Business", shown_second
                ),
            ],
            "identity_origin": None,
            "roles": [
                _role(61270, "client" if role == "client" else "admin", account, 1),
                _role(60280, "client", "SBX0CL", 12),
            ],
        }
    }


def _group(number: int, role: str, business_id: int) -> dict[str, Any]:
    return {
        "id": 12344 + number,
        "group_id": 7652 + 2 * number,
        "role": role,
        "identity_id": _IDENTITY,
        "identity_uuid": f"5a4dba7e-0000-4000-8000-00000000000{number}",
        "business_id": business_id,
        "active": True,
    }


def _membership(
    membership_id: int, role: str, business_id: int, name: str, account_id: str | None
) -> dict[str, Any]:
    return {
        "id": membership_id,
        "role": role,
        "unacknowledged_change": False,
        "business": {
            "id": business_id,
            "business_uuid": f"5a4dba7e-0000-4000-9000-000000{business_id}",
            "name": name,
            "account_id": account_id,
            "date_format": "mm/dd/yyyy",
            "address": {
                "id": business_id + 1,
                "street": "1 Sandbox Way",
                "city": "Austin",
                "province": "Texas",
                "country": "United States",
                "postal_code": "78701",
            },
            "phone_number": {"id": business_id + 2, "phone_number": "5125550100"},
            "business_clients": [],
        },
    }


def _role(role_id: int, role: str, account_id: str, userid: int) -> dict[str, Any]:
    return {
        "id": role_id,
        "role": role,
        "systemid": 654654 + userid,
        "userid": userid,
        "created_at": "2024-01-02T17:57:02Z",
        "links": {"destroy": f"/service/auth/api/v1/users/role/{role_id}"},
        "accountid": account_id,
    }
