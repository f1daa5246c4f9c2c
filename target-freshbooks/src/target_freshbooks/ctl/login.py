"""`login` and `whoami`: a person connects the app once; tokens go encrypted into the store."""

from __future__ import annotations

import random
import secrets
import time
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import click

from target_freshbooks.ctl.loopback import wait_for_browser
from target_freshbooks.freshbooks import SCOPES, FreshBooks, Pacer, choose_account
from target_freshbooks.wiring import open_oauth, open_store, token_source, utc_now

if TYPE_CHECKING:
    from target_freshbooks.ctl.context import Context
    from target_freshbooks.freshbooks import Identity, TokenSource
    from target_freshbooks.settings import Settings


def log_in(context: Context, *, loopback: bool, code: str | None) -> None:
    """Take a person through the authorisation and store the tokens.

    Raises:
        click.ClickException: The code is missing, or belongs to another attempt.
        CredentialError: The store cannot keep what comes of it; the code was not spent.
    """
    settings = context.settings
    oauth = open_oauth(settings)
    store = open_store(settings)  # before a person is bothered: it checks the key
    tokens = token_source(settings, store, sleep=time.sleep, rng=random.Random())  # noqa: S311
    state = secrets.token_urlsafe(16)
    if code is None:
        # On stderr with --json, so that stdout holds the answer only.
        say = partial(click.echo, err=context.as_json)
        say("1. Open this page in a browser in which you are logged in to FreshBooks:\n")
        say(f"   {oauth.authorize_url(state)}\n")
        say("2. Allow the app. The browser is then sent to an address that begins with")
        say(f"   {settings.redirect_uri} and may say that it cannot be reached: that is fine.")
        if loopback:
            say("3. Waiting for the browser ...")
            code = wait_for_browser(settings.redirect_uri)
        else:
            code = click.prompt(
                "3. Paste the whole address here (or just the code)", err=context.as_json
            )
        code = code_in(code, state)
    else:
        code = code_in(code, None)
    pair = tokens.log_in(code)
    missing = sorted(set(SCOPES) - set((pair.scope or "").split()))
    identity = connected(settings, tokens).me()
    document = _document(identity, settings)
    document["missing_scopes"] = missing if pair.scope else []
    text = f"Connected. The tokens are stored encrypted.\n{_listed(identity, settings)}"
    if document["missing_scopes"]:
        text += (
            f"\nThe app lacks scopes: {', '.join(missing)}. Enable them for the app in FreshBooks'"
            " developer page and log in again."
        )
    context.show(document, text)


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


def who_am_i(context: Context) -> None:
    """Tell the user's accounts and the one that would be used."""
    settings = context.settings
    store = open_store(settings)
    tokens = token_source(settings, store, sleep=time.sleep, rng=random.Random())  # noqa: S311
    identity = connected(settings, tokens).me()
    context.show(_document(identity, settings), _listed(identity, settings))


def connected(settings: Settings, tokens: TokenSource) -> FreshBooks:
    """FreshBooks without an account: enough to ask who we are."""
    rng = random.Random()  # noqa: S311 - jitter
    return FreshBooks(
        api_url=settings.api_url,
        account_id="",
        tokens=tokens,
        user_agent=settings.user_agent,
        request_timeout=settings.request_timeout,
        max_retry_seconds=settings.max_retry_seconds,
        pacer=Pacer(clock=utc_now, sleep=time.sleep, random=rng),
        random=rng,
        clock=utc_now,
        sleep=time.sleep,
    )


def _document(identity: Identity, settings: Settings) -> dict[str, object]:
    return {
        "user_id": identity.id,
        "account_id": choose_account(identity, settings.account_id).account_id,
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


def _listed(identity: Identity, settings: Settings) -> str:
    chosen = choose_account(identity, settings.account_id)
    lines = ["This user's accounts:", *(f"  {one}" for one in identity.memberships)]
    lines.append(f"Books go to account {chosen.account_id} ({chosen.business_name}).")
    return "\n".join(lines)
