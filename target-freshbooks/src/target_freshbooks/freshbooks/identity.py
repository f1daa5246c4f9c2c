"""Which FreshBooks account the books live in.

`users/me` lists the businesses a person belongs to. `account_id` can be null there, even for an
owner; the deprecated `roles` then still has it. A role `client` means that one is somebody's
customer: reading works, writing does not. (FreshBooks identity model and "me" endpoint pages.)
"""

from dataclasses import dataclass

from .errors import FreshBooksError
from .parsing import Row, mapping_of, rows_of, text, whole_or_none

OPERATION = "GET /auth/api/v1/users/me"
_INACTIVE = frozenset({"cancelled", "canceled", "expired", "suspended", "inactive", "deleted"})


@dataclass(frozen=True, slots=True)
class Membership:
    """One business of the user with its accounting account, if that is known."""

    business_id: int | None
    business_name: str
    account_id: str | None
    role: str
    subscription: str

    @property
    def objection(self) -> str | None:
        """Why the books cannot live here, None if they can."""
        if not self.account_id:
            return "no accounting account"
        if self.role == "client":
            return "you are a client there, so writing is not allowed"
        if self.subscription.lower() in _INACTIVE:
            return f"subscription {self.subscription}"
        return None

    def __str__(self) -> str:
        named = f"{self.account_id or '(no account_id)'} {self.business_name!r}, role {self.role}"
        return f"{named} ({self.objection})" if self.objection else named


@dataclass(frozen=True, slots=True)
class Identity:
    """The user that the tokens speak for. Neither name nor e-mail is kept."""

    id: int | None
    memberships: tuple[Membership, ...]


class AccountUnclear(FreshBooksError):  # noqa: N818 - the word says it
    """Not exactly one account fits, or the configured one does not; the message lists them."""


def parse_identity(response: Row) -> Identity:
    """The answer of users/me, without its `response` envelope."""
    subscriptions = mapping_of(response.get("subscription_statuses"))
    # Of several roles on one account the one that may write counts.
    rows = sorted(
        rows_of(response.get("roles"), dict), key=lambda row: text(row, "role") != "client"
    )
    roles = {text(row, "accountid"): text(row, "role") for row in rows if row.get("accountid")}
    businesses = [
        (mapping_of(row.get("business")), text(row, "role"))
        for row in rows_of(response.get("business_memberships"), dict)
    ]
    accounts = [text(business, "account_id") for business, _ in businesses]
    orphans = {account: role for account, role in roles.items() if account not in accounts}
    working = [account for account, role in orphans.items() if role != "client"]
    # Only if there is nothing to mistake it for does a role's account belong to a business.
    unmistaken = working[0] if len(working) == 1 and accounts.count("") == 1 else ""

    def membership(business: Row, role: str) -> Membership:
        account = text(business, "account_id")
        if roles.get(account) == "client":
            role = "client"  # the role on the account decides about writing, if both are told
        elif not account and unmistaken:
            account = unmistaken
            del orphans[unmistaken]
        status = text(subscriptions, account)
        id_, name = whole_or_none(business, "id"), text(business, "name")
        return Membership(id_, name, account or None, role, status)

    known_first = sorted(businesses, key=lambda one: not text(one[0], "account_id"))
    memberships = [membership(*one) for one in known_first]
    memberships += [
        Membership(None, "", account, role, text(subscriptions, account))
        for account, role in orphans.items()
    ]
    return Identity(whole_or_none(response, "id"), tuple(memberships))


def choose_account(
    identity: Identity, wanted: str | None = None, *, preferred: str | None = None
) -> Membership:
    """The account to book into: the one wanted, else the preferred or only one that fits.

    Raises:
        AccountUnclear: None or several fit, or the wanted one does not.
    """
    listed = "; ".join(map(str, identity.memberships)) or "none"
    if wanted:
        for membership in identity.memberships:
            if membership.account_id == wanted and membership.objection is None:
                return membership
        problem = f"account_id {wanted!r} is not one this user can book into"
    else:
        fits = [one for one in identity.memberships if one.objection is None]
        known = [one for one in fits if one.account_id == preferred]
        if len(known or fits) == 1:
            return (known or fits)[0]
        problem = f"{len(fits)} accounts fit; set account_id to one of them"
    raise AccountUnclear(OPERATION, f"{problem}. This user's accounts: {listed}")
