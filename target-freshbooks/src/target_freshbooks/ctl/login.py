"""`login`, `logout`, `whoami`: a person connects the app; tokens go encrypted into the store."""

from dataclasses import dataclass, field

import click
from connector_credentials.commands import ctl
from connector_credentials.output import say, say_aside
from connector_credentials.read_only import open_store_to_read

from target_freshbooks.access import connect, open_oauth, open_store, token_source
from target_freshbooks.ctl.attempt import LoginAttempts
from target_freshbooks.ctl.context import Context, asked, command
from target_freshbooks.ctl.login_check import LoginCheck, former_login, pinned
from target_freshbooks.ctl.loopback import wait_for_browser
from target_freshbooks.freshbooks import (
    EXPENSE_SCOPES,
    SCOPES,
    AuthError,
    Identity,
    OAuth,
    choose_account,
)
from target_freshbooks.freshbooks.oauth import reconnect
from target_freshbooks.ledger import AnotherAccount, PinnedAccount, utc_now
from target_freshbooks.settings import Settings
from target_freshbooks.wiring import open_ledger

MOST_SECONDS = 30
"""How long FreshBooks is asked whose a new login is, while nothing of it is stored yet."""


@command("login")
@click.option("--loopback", is_flag=True, help="Wait for the browser on the redirect URI's port.")
@click.option("--code", help="The whole address the browser landed on.")
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
    with open_ledger(settings) as ledger:
        former = former_login(settings, store, connect(settings, tokens).me)
        attempts = LoginAttempts(store, settings.client_id, utc_now)
        if code is None:
            code = _landed(context, oauth, attempts, loopback=loopback)
        check = LoginCheck(
            ask=lambda pair: connect(
                settings, _Fixed(pair.access_token), most_seconds=MOST_SECONDS
            ).me(),
            wanted=settings.account_id,
            ledger=ledger.ownership.account(),
            former=former,
            switch=switch,
        )
        pair = tokens.log_in(*attempts.redeem(code), check)
        if check.refused:
            raise click.ClickException(_refusal(check))
        if check.account is None:
            raise click.ClickException(_unclear(check))
        try:
            ledger.ownership.pin_account(check.account, move=switch)
        except AnotherAccount as error:
            raise click.ClickException(
                f"The login to {check.account} is stored, but runs will stop. {error}"
            ) from None
        assert check.identity is not None  # noqa: S101 - whoever has an account was asked for
        _show(context, check.identity, ledger.ownership.account(), pair.scope)


def _show(
    context: Context, identity: Identity, account: PinnedAccount | None, scope: str | None
) -> None:
    settings = context.settings
    document, accounts = _describe(identity, settings, account)
    missing = sorted({*scopes_of(settings)} - set(scope.split())) if scope else []
    lines = ["Connected. The tokens are stored encrypted.", *accounts]
    if missing:
        lines.append(
            f"The app lacks scopes: {', '.join(missing)}. Enable them for the app in FreshBooks'"
            " developer page and log in again."
        )
    context.show({**document, "missing_scopes": missing}, lines)


def _refusal(check: LoginCheck) -> str:
    """Why the login does not take the former one's place, what became of it, what to do."""
    before, new = check.before, check.account
    assert before is not None  # noqa: S101 - a login is refused only if there was another
    sentence = (
        f"This login is for FreshBooks account {new}, but books go to {before}."
        if new
        else f"This login cannot book into FreshBooks account {before}, where books go."
    )
    kept = (
        "It is stored all the same, since FreshBooks ended the same user's former one with it, but"
        " runs will stop."
        if check.kept
        else "It was given back; the former login stays as it is."
    )
    other = new.account_id if new else "another account"
    return (
        f"{sentence} {kept} To go on in {before.account_id}, log in as somebody who can book there"
        f" and see to account_id, role and subscription ({ctl('whoami')}); to begin anew in"
        f" {other}, set another ledger_url and an invoice_start_date from which on orders are"
        " booked there, and log in with --switch-account."
    )


def _unclear(check: LoginCheck) -> str:
    if check.identity is None:
        return (
            f"The login is stored, but FreshBooks could not be asked whose it is: {check.unclear}."
            f" No account is chosen yet: see {ctl('whoami')}."
        )
    return f"The login is stored, but no account is chosen yet: {check.unclear}"


def scopes_of(settings: Settings) -> tuple[str, ...]:
    """What the app is asked for: the scopes of expenses only if expenses are written."""
    writes = settings.policy.refunds_expense_category is not None
    return (*SCOPES, *EXPENSE_SCOPES) if writes else SCOPES


def _landed(context: Context, oauth: OAuth, attempts: LoginAttempts, *, loopback: bool) -> str:
    """Show a page, and wait for the address that a person's browser is sent to from there."""
    attempt = attempts.begin()
    redirect_uri = context.settings.redirect_uri
    page = oauth.authorize_url(attempt.state, attempt.verifier, scopes_of(context.settings))
    tell = say_aside if context.as_json else say  # so that stdout holds the answer only
    tell(
        "1. Open this page in a browser in which you are logged in to FreshBooks:",
        "",
        f"   {page}",
        "",
        "2. Allow the app. The browser is then sent to an address that begins with",
        f"   {redirect_uri} and may say that it cannot be reached: that is fine.",
    )
    if loopback:
        tell("3. Waiting for the browser ...")
        return wait_for_browser(redirect_uri, attempt.is_answered_by)
    return asked("3. Paste the whole address here, then press Enter:", tell)


@command("logout")
def logout(context: Context) -> None:
    """End the login: FreshBooks no longer accepts it, and it is stored no more."""
    settings = context.settings
    was_logged_in, unheard = token_source(settings, open_store(settings)).log_out()
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
    context.show(document, [text])


@command("whoami")
def whoami(context: Context) -> None:
    """Say which FreshBooks accounts the connected user has, and which one is used."""
    settings = context.settings
    _check_any_login(settings)
    identity = connect(settings, token_source(settings, open_store(settings))).me()
    with context.ledger_if_any() as ledger:
        account = None if ledger is None else ledger.ownership.account()
    context.show(*_describe(identity, settings, account))


def _check_any_login(settings: Settings) -> None:
    """See that there may be a login before a store is made, with its key, to look for one.

    Raises:
        AuthError: None is stored, and the settings have none.
    """
    if settings.refresh_token:
        return
    store = open_store_to_read(settings.credentials_url, settings.encryption_key)
    if store is None:
        raise AuthError("GET users/me", f"no FreshBooks login is stored; {reconnect()}")
    store.close()


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A new login's own access token, which is stored nowhere yet."""

    token: str = field(repr=False)

    def access_token(self) -> str:
        return self.token

    def refresh(self, rejected: str) -> str:
        del rejected
        raise AuthError("GET users/me", "FreshBooks does not take the token it has just given")


def _describe(
    identity: Identity, settings: Settings, account: PinnedAccount | None
) -> tuple[dict[str, object], list[str]]:
    """The user's accounts and the one that books go to, as JSON and as text."""
    preferred = account.account_id if account else None
    chosen = choose_account(identity, settings.account_id, preferred=preferred)
    document: dict[str, object] = {
        "user_id": identity.id,
        "account_id": chosen.account_id,
        "ledger_account_id": preferred,
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
    if account is None:
        destination = [
            f"Books go to account {chosen.account_id} ({chosen.business_name}).",
            "The ledger belongs to no account yet; its first write settles it.",
        ]
    elif account.account_id == chosen.account_id:
        destination = [f"Books go to account {account}; the ledger belongs to it."]
    else:
        text = (
            f"Runs would stop: this login and account_id lead to account {pinned(chosen)}, but the"
            f" ledger belongs to {account}."
        )
        destination = [text]
    accounts = [f"  {one}" for one in identity.memberships]
    return document, ["This user's accounts:", *accounts, *destination]
