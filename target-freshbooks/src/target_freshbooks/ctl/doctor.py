"""`doctor`: whether runs can go on here, and what to do where they cannot.

`CHECKS` is the list of what is looked at, in order; each check is a function below. To add one,
write the function, give it its line in the list, and a test in `test_ctl_doctor.py`.
"""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from glob import escape
from pathlib import Path

from connector_credentials import CredentialError
from connector_credentials.addresses import is_local
from connector_credentials.commands import credentials, ctl, dry_run, meltano
from connector_credentials.first_contact import clock_agreement, reachability
from connector_credentials.health_checks import (
    Check,
    Finding,
    document,
    examine,
    exit_code,
    fail,
    lines,
    ok,
    warn,
)
from connector_credentials.settings import SettingError
from connector_credentials.shared_checks import free_space, names, private_files, versions

from target_freshbooks.ctl.context import Context, command
from target_freshbooks.ctl.examined import SetUp
from target_freshbooks.ctl.login import scopes_of
from target_freshbooks.freshbooks import AuthError, FreshBooksError, choose_account
from target_freshbooks.freshbooks.oauth import AppUnknown
from target_freshbooks.freshbooks.tokens import fingerprint
from target_freshbooks.ledger import LedgerError
from target_freshbooks.posting.facts import check_zone
from target_freshbooks.settings import schema

OPERATOR_ERRORS = (SettingError, CredentialError, LedgerError, FreshBooksError, LookupError)
"""Errors whose words are for operators."""

GOOD_RUN_WITHIN = timedelta(days=1)
"""A schedule of a quarter of an hour has had a hundred chances by then."""

STORE_HASH = "TAP_BIGCOMMERCE_ORDERS_STORE_HASH"
SANDBOX = "sandbox-"
SET_APP = "Set TARGET_FRESHBOOKS_CLIENT_ID and TARGET_FRESHBOOKS_CLIENT_SECRET to your app's."
SQLITE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite adds to a database's name."""


@command("doctor")
def doctor(context: Context) -> None:
    """Look whether runs can go on here, and tell what to do where not; nothing is written."""
    if code := examined(context):
        sys.exit(code)


def examined(context: Context) -> int:
    """Make the checks and tell what they found; the exit code."""
    setup = SetUp(context)
    try:
        results = list(examine(CHECKS, setup, OPERATOR_ERRORS))
    finally:
        setup.close()
    context.show(document(results), lines(results))
    return exit_code(results)


def look_at_versions(setup: SetUp) -> Finding:
    """Python, the Singer SDK and what else is needed are of versions that fit."""
    return versions("target-freshbooks", setup.installed)


def look_at_settings(setup: SetUp) -> Finding:
    """All settings can be read and go together, and all names that look like ours are."""
    strange, at_odds = setup.strange_names, setup.settings.at_odds
    if at_odds and not strange:
        return warn(at_odds, "Set TARGET_FRESHBOOKS_STORED_VALUE to payment.")
    return names(strange)


def look_at_sandbox(setup: SetUp) -> Finding:
    """Addresses and credentials are all of FreshBooks, or all of the sandbox."""
    settings = setup.settings
    here, login_here = is_local(settings.api_url), is_local(settings.auth_url)
    if here != login_here:
        return fail(
            "Of api_url and auth_url one leads to this machine and the other to FreshBooks.",
            "Set both or neither of TARGET_FRESHBOOKS_API_URL and TARGET_FRESHBOOKS_AUTH_URL.",
        )
    if here and not settings.client_id.startswith(SANDBOX):
        return warn(
            "api_url leads to this machine, but client_id is not the sandbox's.",
            "Remove TARGET_FRESHBOOKS_API_URL and TARGET_FRESHBOOKS_AUTH_URL, or use"
            " --environment=sandbox for trials.",
        )
    if not here and settings.client_id.startswith(SANDBOX):
        return fail("client_id is the sandbox's, but api_url leads to FreshBooks.", SET_APP)
    return ok("Everything is of the sandbox." if here else "Everything is of FreshBooks.")


def look_at_files(setup: SetUp) -> Finding:
    """Nobody else may read what is secret."""
    ledger = setup.ledger_file
    data = [] if ledger is None else [ledger.parent, ledger]
    key = setup.key_file
    return private_files([*setup.settings_files, *data], [] if key is None else [key])


def look_at_ledger(setup: SetUp) -> Finding:
    """Ledger and credentials can be written, or made, and the schema is a known one."""
    for what, setting, file in (
        ("ledger", "LEDGER_URL", setup.ledger_file),
        ("credentials' store", "CREDENTIALS_URL", setup.credentials_file),
    ):
        if file is not None and (obstacle := _obstacle(setup, file)):
            return fail(
                f"The {what} {file} cannot be written, because {obstacle} does not let us.",
                f"Give this user the right to write in {obstacle}, or name another place in"
                f" TARGET_FRESHBOOKS_{setting}.",
            )
    if setup.ledger is None:
        return ok("There is no ledger yet; the first login or run makes it.")
    return ok(f"The ledger {setup.ledger.scope.database.name} can be used.")


def _obstacle(setup: SetUp, file: Path) -> Path | None:
    """What keeps a database from being written, with its journals and locks; None: nothing."""
    file = file.resolve()  # as SQLite and the locks follow links
    nearest = next(one for one in file.parents if os.path.lexists(one))
    if not nearest.is_dir() or not setup.may_write(nearest):
        return nearest
    beside = [file, *(file.with_name(f"{file.name}{end}") for end in SQLITE_FILES)]
    locks = nearest.glob(f"{escape(file.name)}.*.lock") if nearest == file.parent else ()
    return next(
        (one for one in (*beside, *locks) if one.exists() and not setup.may_write(one)), None
    )


def look_at_disk(setup: SetUp) -> Finding:
    """The disk has room for the ledger."""
    file = setup.ledger_file
    return free_space(Path.cwd() if file is None else file.parent, setup.free_bytes)


def look_at_key(setup: SetUp) -> Finding:
    """There is a key, and it opens all that is stored."""
    store = setup.store
    if store is None:
        return ok("No credentials are stored yet; the first login makes the key that they need.")
    if unopened := store.unopened():
        return warn(
            f"The key does not open the stored {', '.join(unopened)}.",
            "Give the key they were stored with as a second one (encryption_key=NEW,OLD), or"
            f" remove them: {credentials('delete', *unopened, url=setup.credentials_place)}.",
        )
    return ok("The key opens the stored credentials.")


def look_at_server(setup: SetUp) -> Finding:
    """FreshBooks can be reached."""
    return reachability(setup.contact, "TARGET_FRESHBOOKS_API_URL")


def look_at_clock(setup: SetUp) -> Finding:
    """This machine's clock agrees with FreshBooks'."""
    return clock_agreement(setup.contact)


def look_at_login(setup: SetUp) -> Finding:
    """A login is stored, and FreshBooks takes it."""
    try:
        identity = setup.identity
    except AppUnknown as error:
        return fail(str(error), SET_APP)
    except AuthError as error:
        return fail(str(error), f"Run {ctl('login')}.")
    if identity is None:
        seed = setup.settings.refresh_token
        if seed and setup.login.get("seed_sha256") == fingerprint(seed):
            return fail(
                "No FreshBooks login is stored, and the setting refresh_token was used already.",
                f"Run {ctl('login')}, and take refresh_token out of the settings.",
            )
        if seed:
            return warn(
                "No login is stored yet; the first run begins with the setting refresh_token.",
                f"Run {ctl('login')}, and take refresh_token out of the settings.",
            )
        return fail("No FreshBooks login is stored.", f"Run {ctl('login')}.")
    return ok(f"FreshBooks takes the login, of user {identity.id}.")


def look_at_scopes(setup: SetUp) -> Finding:
    """The login may do all that runs do."""
    scope = setup.login.get("scope")
    if not scope:
        return ok("FreshBooks has not said which scopes the login has.")
    missing = sorted({*scopes_of(setup.settings)} - set(str(scope).split()))
    if missing:
        return fail(
            f"The login lacks scopes: {', '.join(missing)}.",
            f"Enable them for the app on FreshBooks' developer page, then run {ctl('login')}.",
        )
    return ok("The login has all scopes that are needed.")


def look_at_account(setup: SetUp) -> Finding:
    """The login leads to one account, and it is the ledger's."""
    identity = setup.identity
    if identity is None:
        return ok("FreshBooks tells the account once a login is stored.")
    pinned = None if setup.ledger is None else setup.ledger.ownership.account()
    preferred = None if pinned is None else pinned.account_id
    chosen = choose_account(identity, setup.settings.account_id, preferred=preferred)
    named = f"{chosen.account_id} ({chosen.business_name})"
    if pinned is not None and pinned.account_id != chosen.account_id:
        return fail(
            f"The ledger belongs to account {pinned}, but login and account_id lead to {named}.",
            f"Log in as somebody who can book in {pinned.account_id} ({ctl('login')}),"
            " or begin anew with another TARGET_FRESHBOOKS_LEDGER_URL.",
        )
    return ok(f"Books go to account {named}.")


def look_at_store(setup: SetUp) -> Finding:
    """The ledger is of the store that the tap reads, as far as its setting can be seen here."""
    ledger = setup.ledger
    bound = None if ledger is None else ledger.ownership.store_hash()
    if ledger is None or bound is None:
        return ok("The ledger is bound to no store yet; the first record does that.")
    read = setup.environment.get(STORE_HASH, "").strip()
    ordinary = setup.settings.source == schema["properties"]["source"]["default"]
    if read and ordinary:  # another source is fed by a tap whose settings have other names
        ledger.ownership.check_store(read)
    return ok(f"The ledger is of store {bound}.")


def look_at_zone(setup: SetUp) -> Finding:
    """It is known on which day an order was placed."""
    zone = setup.settings.policy.timezone
    if zone is None and setup.ledger is None:
        return ok("The first run reads the store's time zone.")
    if setup.ledger is not None:
        if zone is None and setup.ledger.ownership.store_hash() is None:
            return ok("The first run reads the store's time zone.")
        check_zone(setup.ledger, setup.settings.policy)
    return ok(f"Days are those of {zone or 'the store'}.")


def look_at_runs(setup: SetUp) -> Finding:
    """A run has ended well of late."""
    good = None if setup.ledger is None else setup.ledger.runs.last_good()
    if good is None or good.ended_at is None:
        return warn(
            "No run has ended well yet.",
            f"Look at a dry run ({dry_run()}), then start `{meltano('run', 'sync')}`.",
        )
    ended = f"{good.ended_at:%Y-%m-%d %H:%M} UTC"
    if setup.clock() - good.ended_at > GOOD_RUN_WITHIN:
        return warn(
            f"The last run that ended well was {ended}.",
            "See whether the schedule (cron, CI, Airflow) still starts its run (`"
            f"{meltano('run', 'sync')}`), and what its log says.",
        )
    return ok(f"The last run that ended well was {ended}.")


def _checks() -> Iterator[Check[SetUp]]:
    settings = ("settings",)
    mend = "Mend the setting that is named, in .env, the environment or the file of --config."
    ledger_url = "Check TARGET_FRESHBOOKS_LEDGER_URL and what it leads to."
    key = "Put the key file back, or set TARGET_FRESHBOOKS_ENCRYPTION_KEY to its key."
    later = "Run doctor again when FreshBooks is well, and see its status page if that lasts."
    account = "Set TARGET_FRESHBOOKS_ACCOUNT_ID to an account that `whoami` lists."
    store = "Put TAP_BIGCOMMERCE_ORDERS_STORE_HASH right, or give the store a source of its own."
    zone = "Set TARGET_FRESHBOOKS_TIMEZONE to the shop's, such as America/Chicago."
    yield Check("versions", look_at_versions, "Install the programs again (make setup).")
    yield Check("settings", look_at_settings, mend)
    yield Check("sandbox", look_at_sandbox, mend, settings)
    yield Check("files", look_at_files, "See that the files are this user's.", settings)
    yield Check("ledger", look_at_ledger, ledger_url, settings)
    yield Check("disk", look_at_disk, ledger_url, settings)
    yield Check("key", look_at_key, key, settings)
    yield Check("FreshBooks", look_at_server, "Check TARGET_FRESHBOOKS_API_URL.", settings)
    yield Check("clock", look_at_clock, "Set the clock by a time service.", ("FreshBooks",))
    yield Check("login", look_at_login, later, ("key", "FreshBooks"))
    yield Check("scopes", look_at_scopes, f"Run {ctl('login')}.", ("login",))
    yield Check("account", look_at_account, account, ("login", "ledger"))
    yield Check("store", look_at_store, store, ("ledger",))
    yield Check("time zone", look_at_zone, zone, ("ledger",))
    yield Check("last run", look_at_runs, ledger_url, ("ledger",))


CHECKS = tuple(_checks())
"""What is looked at, in order."""
