"""`login`, `logout`, `whoami`: a person connects the app; tokens go encrypted into the store."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import click

from target_freshbooks.access import connect, open_oauth, open_store, token_source
from target_freshbooks.ctl.command import command
from target_freshbooks.ctl.loopback import wait_for_browser
from target_freshbooks.ctl.whose import Judge, former_login, pinned
from target_freshbooks.freshbooks import (
    EXPENSE_SCOPES,
    SCOPES,
    AuthError,
    Identity,
    Membership,
    OAuth,
    choose_account,
)
from target_freshbooks.ledger import AnotherAccount, PinnedAccount

if TYPE_CHECKING:
    from target_freshbooks.ctl.context import Context
    from target_freshbooks.settings import Settings

MOST_SECONDS = 30
"""How long FreshBooks is asked whose a new login is, while nothing of it is stored yet."""


@command("login")
@click.option("--loopback", is_flag=True, help="Wait for the browser on the redirect URI's port.")
@click.option("--code", help="The code, or the whole address the browser landed on.")
@click.option(
    "--switch-account",
    "switch",
    is_flag=True,
    help="Let the login be to another FreshBooks account than the one there was.",
)
def login(context: Context, *, loopback: bool, code: str | None, switch: bool) -> None:
    """Connect to FreshBooks, once: open a page, agree, paste where the browser lands."""
    settings = context.settings
    oauth = open_oauth(settings)
    store = open_store(settings)  # before a person is bothered: it checks the key
    tokens = token_source(settings, store)
    with context.ledger() as ledger:
        former = former_login(settings, store, connect(settings, tokens).me)
        code = _code(context, oauth, loopback=loopback, given=code)
        judge = Judge(
            ask=lambda pair: connect(
                settings, _Fixed(pair.access_token), most_seconds=MOST_SECONDS
            ).me(),
            wanted=settings.account_id,
            ledger=ledger.ownership.account(),
            former=former,
            switch=switch,
        )
        pair = tokens.log_in(code, judge)
        if judge.refused:
            raise click.ClickException(_refusal(judge))
        if judge.account is None:
            raise click.ClickException(_unclear(judge))
        try:
            ledger.ownership.pin_account(judge.account, move=switch)
        except AnotherAccount as error:
            raise click.ClickException(
                f"The login to {judge.account} is stored, but runs will stop. {error}"
            ) from None
        assert judge.identity is not None  # noqa: S101 - whoever has an account was asked for
        _show(context, judge.identity, ledger.ownership.account(), pair.scope)


def _show(
    context: Context, identity: Identity, account: PinnedAccount | None, scope: str | None
) -> None:
    settings = context.settings
    document = _document(identity, settings, account)
    missing = sorted({*_scopes(settings)} - set(scope.split())) if scope else []
    document["missing_scopes"] = missing
    accounts = _listed(identity, settings, account)
    text = f"Connected. The tokens are stored encrypted.\n{accounts}"
    if missing:
        text += (
            f"\nThe app lacks scopes: {', '.join(missing)}. Enable them for the app in FreshBooks'"
            " developer page and log in again."
        )
    context.show(document, text)


def _refusal(judge: Judge) -> str:
    """Why the login does not take the former one's place, what became of it, what to do."""
    before, new = judge.before, judge.account
    assert before is not None  # noqa: S101 - a login is refused only where there was another
    sentence = (
        f"This login is for FreshBooks account {new}, but books go to {before}."
        if new
        else f"This login cannot book into FreshBooks account {before}, where books go."
    )
    kept = (
        "It is stored all the same, since FreshBooks ended the same user's former one with it, but"
        " runs will stop."
        if judge.kept
        else "It was given back; the former login stays as it is."
    )
    other = new.account_id if new else "another account"
    return (
        f"{sentence} {kept} To go on in {before.account_id}, log in as somebody who can book there"
        " and see to account_id, role and subscription (whoami); to begin anew in"
        f" {other}, set another ledger_url and an invoice_start_date from which on orders are"
        " booked there, and log in with --switch-account."
    )


def _unclear(judge: Judge) -> str:
    if judge.identity is None:
        return (
            f"The login is stored, but FreshBooks could not be asked whose it is: {judge.unclear}."
            " No account is chosen yet: see whoami."
        )
    return f"The login is stored, but no account is chosen yet: {judge.unclear}"


def _scopes(settings: Settings) -> tuple[str, ...]:
    """What the app is asked for: the scopes of expenses only where expenses are written."""
    writes = settings.policy.refunds_expense_category is not None
    return (*SCOPES, *EXPENSE_SCOPES) if writes else SCOPES


def _code(context: Context, oauth: OAuth, *, loopback: bool, given: str | None) -> str:
    """The authorisation code: the one given, else what a person brings back from the browser."""
    if given is not None:
        return code_in(given, None)
    state = secrets.token_urlsafe(16)
    redirect_uri = context.settings.redirect_uri
    # On stderr with --json, so that stdout holds the answer only.
    say = partial(click.echo, err=context.as_json)
    say("1. Open this page in a browser in which you are logged in to FreshBooks:\n")
    say(f"   {oauth.authorize_url(state, _scopes(context.settings))}\n")
    say("2. Allow the app. The browser is then sent to an address that begins with")
    say(f"   {redirect_uri} and may say that it cannot be reached: that is fine.")
    if loopback:
        say("3. Waiting for the browser ...")
        return code_in(wait_for_browser(redirect_uri), state)
    pasted = click.prompt("3. Paste the whole address here (or just the code)", err=context.as_json)
    return code_in(pasted, state)


def code_in(pasted: str, state: str | None) -> str:
    """The authorisation code in what was pasted: an address, or the code itself."""
    pasted = pasted.strip()
    query = parse_qs(urlsplit(pasted).query)
    if "error" in query:
        raise click.ClickException(
            f"FreshBooks did not allow it ({query['error'][0]}). Check the app's scopes and"
            " redirect URI, and log in again."
        )
    if "code" in query:
        given = query.get("state", [None])[0]
        if state is not None and given is not None and given != state:
            raise click.ClickException(
                "This address belongs to another attempt to log in. Start again and use the newest"
                " page."
            )
        return query["code"][0]
    if not pasted or "/" in pasted or " " in pasted:
        raise click.ClickException(
            "There is no code in this. Paste the whole address the browser was sent to."
        )
    return pasted


@command("logout")
def logout(context: Context) -> None:
    """End the login: FreshBooks no longer accepts it, and it is stored no more."""
    settings = context.settings
    store = open_store(settings)
    tokens = token_source(settings, store)
    was_logged_in, unheard = tokens.log_out()
    document = {"was_logged_in": was_logged_in, "revoked": was_logged_in and unheard is None}
    if not was_logged_in:
        text = "No login is stored: there is nothing to end."
    elif unheard is None:
        text = "Logged out. FreshBooks no longer accepts the login, and it is stored no more."
    else:
        text = (
            f"The login is stored no more, but FreshBooks could not be told: {unheard}. FreshBooks"
            " may still accept it: disconnect the app in FreshBooks' settings (Apps) if a copy of"
            " it may be in other hands."
        )
    context.show(document, text)


@command("whoami")
def whoami(context: Context) -> None:
    """Say which FreshBooks accounts the connected user has, and which one is used."""
    settings = context.settings
    store = open_store(settings)
    tokens = token_source(settings, store)
    identity = connect(settings, tokens).me()
    with context.ledger() as ledger:
        account = ledger.ownership.account()
    context.show(_document(identity, settings, account), _listed(identity, settings, account))


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A new login's own access token, which is stored nowhere yet."""

    token: str = field(repr=False)

    def access_token(self) -> str:
        return self.token

    def refresh(self, rejected: str) -> str:
        del rejected
        raise AuthError("GET users/me", "FreshBooks does not take the token it has just given")


def _document(
    identity: Identity, settings: Settings, account: PinnedAccount | None
) -> dict[str, object]:
    return {
        "user_id": identity.id,
        "account_id": _chosen(identity, settings, account).account_id,
        "ledger_account_id": account.account_id if account else None,
        "memberships": [
            {
                "account_id": one.account_id,
                "business": one.business_name,
                "role": one.role,
                "objection": one.objection,
            }
            for one in identity.memberships
        ],
    }


def _listed(identity: Identity, settings: Settings, account: PinnedAccount | None) -> str:
    chosen = _chosen(identity, settings, account)
    lines = ["This user's accounts:", *(f"  {one}" for one in identity.memberships)]
    if account is None:
        lines.append(f"Books go to account {chosen.account_id} ({chosen.business_name}).")
        lines.append("The ledger belongs to no account yet; its first write settles it.")
    elif account.account_id == chosen.account_id:
        lines.append(f"Books go to account {account}; the ledger belongs to it.")
    else:
        lines.append(
            f"Runs would stop: this login and account_id lead to account {pinned(chosen)}, but the"
            f" ledger belongs to {account}."
        )
    return "\n".join(lines)


def _chosen(identity: Identity, settings: Settings, account: PinnedAccount | None) -> Membership:
    preferred = account.account_id if account else None
    return choose_account(identity, settings.account_id, preferred=preferred)
