"""The list of stores: what it may say, and what is refused before any store runs.

A list is YAML or JSON, an entry a store:

    - name: outlet                  # its `source` in the ledger, and its own bookmark
      account: acme                 # the FreshBooks account it is booked to; without it, its name
      env:                          # settings, by their variables
        TAP_BIGCOMMERCE_ORDERS_STORE_HASH: def456
        TARGET_FRESHBOOKS_INVOICE_NUMBER_PREFIX: OUT-
      secrets:                      # settings, by where Airflow keeps them
        TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN: variable:outlet_bigcommerce_token
        TARGET_FRESHBOOKS_LEDGER_URL: connection:acme_ledger

`python orders_into_freshbooks_stores.py LIST` prints the pools that a list needs, as
`airflow pools import` reads them. Nothing here needs Airflow.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

Store = dict[str, Any]
"""An entry of the list, all of its keys there: text, and what Airflow can hand over as it is."""

ALONE: Store = {"name": "", "account": "", "env": {}, "secrets": {}}
"""The store that is set up in the project itself: nothing is set for it, its bookmark stays."""

HASH = "TAP_BIGCOMMERCE_ORDERS_STORE_HASH"
PREFIX = "TARGET_FRESHBOOKS_INVOICE_NUMBER_PREFIX"
LEDGER = "TARGET_FRESHBOOKS_LEDGER_URL"
OURS = ("TARGET_FRESHBOOKS_SOURCE", "MELTANO_RUN_STATE_ID_SUFFIX", "MELTANO_SYS_DIR_ROOT")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")  # of a file, of a task and of a bookmark as well
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
REFERENCE = re.compile(r"(variable|connection):[\w.-]+")
SECRET = re.compile(
    r".*(TOKEN|SECRET|PASSWORD|KEY|CREDENTIALS_URL|LEDGER_URL|INBOX_URL|NOTIFY_URLS|HEADER_VALUE"
    r"|DATABASE_URI)"
)


class Refused(ValueError):  # noqa: N818 - the word says it
    """The list cannot be followed; its message names the store, the cause and the cure."""


def read(text: str) -> list[Store]:
    """Make stores of a list's text.

    Raises:
        Refused: The text is no list of stores, or one that would harm the books.
    """
    try:
        entries = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f" at line {mark.line + 1}"  # the error quotes what it read
        raise Refused(f"The list of stores is no YAML{line}: mend it.") from None
    if not isinstance(entries, list) or not entries:
        raise Refused("The list of stores is no list, or empty: name at least one store in it.")
    stores = [_store(entry) for entry in entries]
    for key, values in (
        ("name", [store["name"] for store in stores]),
        (HASH, [store["env"][HASH] for store in stores]),
    ):
        for value in _repeated(values):
            raise Refused(f"Two stores have the same {key}, {value}: each needs its own.")
    _one_ledger_for_an_account(stores)
    return stores


def by_account(stores: list[Store]) -> dict[str, list[Store]]:
    """The stores of each FreshBooks account."""
    accounts: dict[str, list[Store]] = {}
    for store in stores:
        accounts.setdefault(store["account"], []).append(store)
    return accounts


def pool(account: str) -> str:
    """The pool of an account; the store of the project itself waits for nobody's."""
    return f"freshbooks_{account}" if account else "default_pool"


def pools(stores: list[Store]) -> dict[str, dict[str, Any]]:
    """What `airflow pools import` reads: a pool for each account, one at a time in each."""
    description = "Runs of one FreshBooks account, one at a time"
    return {
        pool(account): {"slots": 1, "description": description, "include_deferred": False}
        for account in by_account(stores)
    }


def settings_of(store: Store, folder: Path) -> dict[str, str]:
    """A store's own variables but for its secrets, and Meltano's folder for it.

    Meltano hands a bookmark to the tap in a file that is called the same in each run, so stores
    that are at work at once need folders of their own. Plugins are installed once, in `folder`.

    Args:
        store: Of the list, or `ALONE`.
        folder: The project's `.meltano`.
    """
    settings: dict[str, str] = dict(store["env"])
    if name := store["name"]:
        own = folder / "stores" / name
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        for kind in ("extractors", "loaders", "utilities"):
            with suppress(FileExistsError):  # an earlier task's, or one of another job's just now
                (own / kind).symlink_to(folder / kind)
        settings["TARGET_FRESHBOOKS_SOURCE"] = name
        settings["MELTANO_RUN_STATE_ID_SUFFIX"] = name
        settings["MELTANO_SYS_DIR_ROOT"] = str(own)
    return settings


def sqlalchemy_url(uri: str) -> str:
    """Make of a connection's URI what ledger, inbox and Meltano take.

    Raises:
        Refused: It leads to no PostgreSQL.
    """
    scheme, colon, rest = uri.partition(":")
    if scheme not in {"postgres", "postgresql"}:
        raise Refused(f"A connection of type {scheme} is no database here: make it a postgres one.")
    return f"postgresql+psycopg{colon}{rest}"


def _store(entry: object) -> Store:
    if not isinstance(entry, dict) or not NAME.fullmatch(str(entry.get("name"))):
        raise Refused(
            "A store of the list has no name of small letters, digits, _ and -: give it one."
        )
    name = str(entry["name"])
    if unknown := sorted(str(key) for key in entry.keys() - ALONE.keys()):
        raise Refused(f"Store {name} has the key {unknown[0]}, which means nothing: remove it.")
    account = str(entry.get("account", name))
    if not NAME.fullmatch(account):
        raise Refused(f"Store {name}: write its account in small letters, digits, _ and -.")
    env, secrets = (_texts(name, key, entry.get(key)) for key in ("env", "secrets"))
    if twice := sorted(env.keys() & secrets.keys()):
        raise Refused(f"Store {name} has {twice[0]} under env and under secrets: leave one.")
    for variable, value in env.items():
        # Blank is not given, and a file of SQLite has no password.
        if SECRET.fullmatch(variable) and value and not value.startswith("sqlite:"):
            raise Refused(
                f"Store {name}: {variable} is secret. Name under secrets where Airflow keeps it"
                f" (variable:NAME or connection:NAME), or under env a file, as {variable}_FILE."
            )
    for variable, reference in secrets.items():
        if not REFERENCE.fullmatch(reference):
            raise Refused(
                f"Store {name}: {variable} under secrets is neither variable:NAME nor"
                " connection:NAME; the secret itself belongs into Airflow."
            )
    if not env.get(HASH):
        raise Refused(f"Store {name} has no {HASH} under env: it could read another's orders.")
    return {"name": name, "account": account, "env": env, "secrets": secrets}


def _texts(name: str, key: str, values: object) -> dict[str, str]:
    """Variables and their values; YAML's own true and numbers would reach the programs altered."""
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise Refused(f"Store {name}: {key} is no mapping of variables to text.")
    for variable, value in values.items():
        if not VARIABLE.fullmatch(str(variable)):
            raise Refused(f"Store {name}: a key of {key} is no variable in capital letters.")
        if variable in OURS:
            raise Refused(f"Store {name}: {variable} follows from its name: remove it.")
        if not isinstance(value, str):
            raise Refused(f"Store {name}: {variable} is no text: put its value in quotes.")
    return dict(values)


def _one_ledger_for_an_account(stores: list[Store]) -> None:
    """Two ledgers on one account do not know of each other, and one ledger has one account."""
    ledgers = {store["name"]: _ledger(store) for store in stores}
    for account, members in by_account(stores).items():
        if len({ledgers[store["name"]] for store in members}) > 1:
            raise Refused(
                f"The stores of account {account} name different ledgers, which do not know of"
                f" each other: give them one {LEDGER}."
            )
        for prefix in _repeated([store["env"].get(PREFIX, "") for store in members]):
            raise Refused(
                f"Two stores of account {account} make the same invoice numbers, with the prefix"
                f" {prefix!r}: give each a {PREFIX} of its own."
            )
    if _repeated([ledgers[members[0]["name"]] for members in by_account(stores).values()]):
        raise Refused(
            "Stores of different accounts name the same ledger, or none, and a ledger is of one"
            f" account: give each account a {LEDGER} of its own."
        )


def _ledger(store: Store) -> str:
    given = {**store["env"], **store["secrets"]}
    return str(given.get(LEDGER) or given.get(f"{LEDGER}_FILE") or "")


def _repeated(values: list[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


if __name__ == "__main__":
    try:
        print(json.dumps(pools(read(Path(sys.argv[1]).read_text(encoding="utf-8"))), indent=2))  # noqa: T201 - for a file
    except Refused as refused:
        sys.exit(str(refused))
