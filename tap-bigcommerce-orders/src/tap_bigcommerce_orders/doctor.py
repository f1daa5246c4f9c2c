"""`--doctor`: whether the tap can read the shop from here, and what to do where it cannot.

`CHECKS` is the list of what is looked at, in order; each check is a function below. To add one,
write the function, give it its line in the list, and a test in `test_tap_doctor.py`.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector_credentials import CredentialError
from connector_credentials.addresses import is_local
from connector_credentials.commands import webhooks
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
from connector_credentials.output import json_lines, say
from connector_credentials.settings import SettingError
from connector_credentials.shared_checks import names, private_files, versions
from singer_sdk.exceptions import ConfigValidationError

from tap_bigcommerce_orders.answers import scope_of
from tap_bigcommerce_orders.errors import BigCommerceError, ScopeMissing
from tap_bigcommerce_orders.examined import SetUp
from tap_bigcommerce_orders.pages import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OPERATOR_ERRORS = (SettingError, ConfigValidationError, CredentialError, BigCommerceError)
"""Errors whose words are for operators."""

NOT_FOUND = 404
READ = ("/v2/orders", "/v3/customers", "/v3/catalog/products")
"""A path of each scope; that of transactions needs an order."""

HOOKS = "/v3/hooks"
DESTINATION, HOOKS_TOKEN = "WEBHOOKS_DESTINATION", "WEBHOOKS_ACCESS_TOKEN"
SANDBOX = "sandbox"


def examined(
    given: Mapping[str, Any], files: Sequence[str], *, parse_env: bool, as_json: bool
) -> int:
    """Make the checks and tell what they found; the exit code."""
    with closing(SetUp(given, files, parse_env)) as setup:
        results = list(examine(CHECKS, setup, OPERATOR_ERRORS))
    say(*(json_lines(document(results), indent=2) if as_json else lines(results)))
    return exit_code(results)


def look_at_versions(setup: SetUp) -> Finding:
    """Python, the Singer SDK and what else is needed are of versions that fit."""
    return versions("tap-bigcommerce-orders", setup.installed)


def look_at_settings(setup: SetUp) -> Finding:
    """All settings can be read, and all names that look like ours are."""
    strange, _ = setup.strange_names, setup.config
    return names(strange)


def look_at_sandbox(setup: SetUp) -> Finding:
    """Address and store are both of BigCommerce, or both of the sandbox."""
    here, trial = is_local(setup.config["api_url"]), setup.config["store_hash"] == SANDBOX
    if here and not trial:
        return warn(
            "api_url leads to this machine, but store_hash is not the sandbox's.",
            "Remove TAP_BIGCOMMERCE_ORDERS_API_URL, or use --environment=sandbox for trials.",
        )
    if trial and not here:
        return fail(
            "store_hash is the sandbox's, but api_url leads to BigCommerce.",
            "Set TAP_BIGCOMMERCE_ORDERS_STORE_HASH and TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN to"
            " your store's.",
        )
    return ok("Everything is of the sandbox." if here else "Everything is of BigCommerce.")


def look_at_files(setup: SetUp) -> Finding:
    """Nobody else may read what is secret."""
    key = setup.key_file
    return private_files(setup.settings_files, [] if key is None else [key])


def look_at_token(setup: SetUp) -> Finding:
    """There is an access token."""
    given = str(setup.config.get("access_token") or "").strip()
    place = "the settings" if setup.token == given else "the store"
    return ok(f"There is an access token in {place}.")


def look_at_server(setup: SetUp) -> Finding:
    """BigCommerce can be reached."""
    return reachability(setup.contact, "TAP_BIGCOMMERCE_ORDERS_API_URL")


def look_at_clock(setup: SetUp) -> Finding:
    """This machine's clock agrees with BigCommerce's."""
    return clock_agreement(setup.contact)


def look_at_store(setup: SetUp) -> Finding:
    """BigCommerce takes the token, for the store of the setting."""
    return ok(f"BigCommerce takes the token for store {setup.store['id']}.")


def look_at_zone(setup: SetUp) -> Finding:
    """The store's time zone is one that is known here."""
    zone = setup.store.get("timezone")
    name = str(zone.get("name") or "") if isinstance(zone, dict) else ""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return warn(
            f"The store's time zone {name!r} is none that is known here.",
            "Set TARGET_FRESHBOOKS_TIMEZONE to the shop's, such as America/Chicago.",
        )
    return ok(f"The store's time zone is {name}.")


def look_at_scopes(setup: SetUp) -> Finding:
    """The token may read all that the streams read."""
    missing, orders = list[str](), list[Any]()
    for path in READ:
        try:
            answer = setup.api.get(path, {"limit": 1}, absent=(NOT_FOUND,))
        except ScopeMissing:
            missing.append(scope_of(path))
        else:
            orders += rows_of(path, answer) if path == READ[0] and answer else []
    unseen = ""
    if orders:
        path = f"/v3/orders/{orders[0]['id']}/transactions"
        try:
            setup.api.get(path, absent=(NOT_FOUND,))
        except ScopeMissing:
            missing.append(scope_of(path))
    else:
        unseen = " The shop shows no order, so whether transactions can be read is not known."
    if missing:
        return fail(
            f"The token's API account lacks scopes: {', '.join(missing)}.",
            "Make an API account that has them in BigCommerce's control panel, and put its token"
            " into TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN.",
        )
    return ok(f"The token may read all that is needed.{unseen}")


def look_at_hooks(setup: SetUp) -> Finding:
    """Webhooks, where they are set up, are registered and switched on."""
    destination = setup.environment.get(DESTINATION, "").strip()
    if not destination:
        return ok("Webhooks are not set up; the schedule reads what they would tell.")
    token = setup.environment.get(HOOKS_TOKEN, "").strip() or setup.token
    with closing(setup.connected(token)) as api:
        rows = rows_of(HOOKS, api.get(HOOKS, {"limit": 250}))
    mine = [row for row in rows if row.get("destination") == destination]
    if not mine:
        return warn(
            f"This API account has no hook that leads to {destination}.",
            f"Run {webhooks('register')} with the API account that is to own the hooks.",
        )
    if off := [str(row.get("scope")) for row in mine if not row.get("is_active")]:
        return warn(
            f"BigCommerce has switched off the hooks of {', '.join(off)}.",
            f"Run {webhooks('check')}, which switches them on again.",
        )
    return ok(f"{len(mine)} hooks lead to {destination}.")


def _checks() -> Iterator[Check[SetUp]]:
    settings, shop = ("settings",), ("store",)
    mend = "Mend the setting that is named, in .env, the environment or the file of --config."
    token = "Put the API account's token into TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN."  # noqa: S105 - words
    mend_hooks = f"Run {webhooks('check')}, and see what it says."
    both = "Check TAP_BIGCOMMERCE_ORDERS_STORE_HASH and TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN."
    yield Check("versions", look_at_versions, "Install the programs again (make setup).")
    yield Check("settings", look_at_settings, mend)
    yield Check("sandbox", look_at_sandbox, mend, settings)
    yield Check("files", look_at_files, "See that the files are this user's.", settings)
    yield Check("token", look_at_token, token, settings)
    yield Check("BigCommerce", look_at_server, "Check TAP_BIGCOMMERCE_ORDERS_API_URL.", settings)
    yield Check("clock", look_at_clock, "Set the clock by a time service.", ("BigCommerce",))
    yield Check("store", look_at_store, both, ("token", "BigCommerce"))
    yield Check("time zone", look_at_zone, both, shop)
    yield Check("scopes", look_at_scopes, both, shop)
    yield Check("hooks", look_at_hooks, mend_hooks, shop)


CHECKS = tuple(_checks())
"""What is looked at, in order."""
