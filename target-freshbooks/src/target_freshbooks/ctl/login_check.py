"""Login check: whose a new login is, and whether it may take the place of the one there was.

FreshBooks ends a user's former login with a new one of the same user and app. So a login that is
refused is given back only if it is somebody else's, whose coming ended nothing; one of the same
user is kept, since otherwise none would be left. The books are safe either way: each run compares
the account with the ledger's before it writes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector_credentials import CredentialStore

from target_freshbooks.freshbooks import (
    AccountUnclear,
    AuthError,
    FreshBooksError,
    Identity,
    Membership,
    TokenPair,
    choose_account,
    entry_name,
)
from target_freshbooks.ledger import PinnedAccount
from target_freshbooks.settings import Settings


@dataclass(frozen=True, slots=True)
class Former:
    """The login that is stored: the id of its user, and its account if that was clear."""

    user_id: int | None
    account: PinnedAccount | None


def former_login(
    settings: Settings, store: CredentialStore, ask: Callable[[], Identity]
) -> Former | None:
    """Whose the stored login is; None if there is none that lives.

    Args:
        settings: The settings.
        store: Where logins are.
        ask: Asks FreshBooks with the stored login, if the store does not tell whose it is.

    Raises:
        Outage: FreshBooks cannot be asked now.
    """
    document: Mapping[str, Any] = store.read(entry_name(settings.client_id)) or {}
    if not document.get("refresh_token"):
        return None
    if document.get("user_id") is not None:
        account_id = document.get("account_id")
        known = PinnedAccount(account_id, document.get("business", "")) if account_id else None
        return Former(document["user_id"], known)
    try:
        identity = ask()
    except AuthError:
        return None  # it died earlier: there is nothing to lose
    try:  # without the setting, which is of now
        return Former(identity.id, pinned(choose_account(identity)))
    except AccountUnclear:
        return Former(identity.id, None)


@dataclass(slots=True)
class LoginCheck:
    """Asked once by the token source, before the new pair is stored.

    Attributes:
        ask: Asks FreshBooks whose a token pair is.
        wanted: The setting `account_id`.
        ledger: The ledger's account.
        former: The login there was.
        switch: The operator means to change the account.
        identity: Whose the new login is; None until asked.
        account: The account that books would go to.
        unclear: Why that is not known.
        kept: Whether the new login is stored.
        refused: Whether it is to another account than before, and nobody asked for that.
    """

    ask: Callable[[TokenPair], Identity]
    wanted: str | None
    ledger: PinnedAccount | None
    former: Former | None
    switch: bool
    identity: Identity | None = field(default=None, init=False)
    account: PinnedAccount | None = field(default=None, init=False)
    unclear: FreshBooksError | None = field(default=None, init=False)
    kept: bool = field(default=True, init=False)
    refused: bool = field(default=False, init=False)

    @property
    def before(self) -> PinnedAccount | None:
        """The account that books went to until now."""
        return self.ledger or (self.former.account if self.former else None)

    def __call__(self, pair: TokenPair) -> dict[str, Any] | None:
        """What to remember with the pair; None if it is not to be kept."""
        try:
            self.identity = self.ask(pair)
        except FreshBooksError as error:
            # Most likely the same user's, whose former login is dead: to drop it would lose both.
            self.unclear = error
            return _remembered(None, None)
        self._choose(self.identity)
        self.refused = not self.switch and self._is_to_another(self.identity)
        if not self.refused:
            return _remembered(self.identity.id, self.account)
        self.kept = self.former is not None and self.former.user_id == self.identity.id
        return _remembered(self.identity.id, self.before) if self.kept else None

    def _choose(self, identity: Identity) -> None:
        preferred = self.before.account_id if self.before and not self.switch else None
        try:
            self.account = pinned(choose_account(identity, self.wanted, preferred=preferred))
        except AccountUnclear as error:
            self.unclear = error

    def _is_to_another(self, identity: Identity) -> bool:
        if self.before is None:
            return False
        if self.account is not None:
            return self.account.account_id != self.before.account_id
        return all(
            one.account_id != self.before.account_id or one.objection
            for one in identity.memberships
        )


def pinned(membership: Membership) -> PinnedAccount:
    """A business as a ledger pins its account."""
    return PinnedAccount(str(membership.account_id), membership.business_name)


def _remembered(user_id: int | None, account: PinnedAccount | None) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "account_id": account.account_id if account else None,
        "business": account.business_name if account else None,
    }
