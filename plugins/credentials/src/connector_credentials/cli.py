"""`connector-credentials`: put a secret in, see what is there, change the key.

Secrets come from a prompt or from standard input, never from arguments, which every user of the
machine can read. Where the store is and its key come from the environment (or `--url`):
`CREDENTIALS_URL` and `CREDENTIALS_ENCRYPTION_KEY`, or files that hold them, `CREDENTIALS_URL_FILE`
and `CREDENTIALS_ENCRYPTION_KEY_FILE`.
"""

import argparse
import getpass
import logging
import os
import sys

from . import entries
from .errors import CredentialError
from .output import heard, say, say_aside
from .sandbox_guard import keep_apart
from .settings import Form, SettingError
from .store import CredentialStore

_TEXT = {"type": "string", "secret": True}
FORM = Form(
    "CREDENTIALS_",
    {"url": _TEXT, "encryption_key": _TEXT},
    others=frozenset({"directory"}),  # systemd's
)

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return heard(lambda: _main(arguments))


def _main(arguments: list[str] | None) -> int:
    options = _parser().parse_args(arguments)
    try:
        _read_settings(options)
        options.run(options)
    except (CredentialError, SettingError) as exc:
        say_aside(str(exc))
        return 1
    return 0


def _read_settings(options: argparse.Namespace) -> None:
    """Find out where the store is, and its keys unless they are in the key file beside it."""
    FORM.check_names({}, os.environ, log)
    values = FORM.of_environment(os.environ)
    if options.url:
        values |= {"url": options.url, "url_file": None}
    settings = FORM.read(values)
    options.url, options.keys = settings.get("url"), settings.get("encryption_key")
    if not options.url:
        raise SettingError("say where the store is: --url or CREDENTIALS_URL")
    keep_apart(os.environ, addresses={}, databases={"CREDENTIALS_URL": options.url})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="connector-credentials", description=__doc__)
    parser.add_argument("--url", help="SQLAlchemy URL of the store (default: CREDENTIALS_URL)")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("set-bigcommerce", help="store a BigCommerce API account")
    command.add_argument("store_hash")
    command.add_argument(
        "--with-client-secret",
        action="store_true",
        help="ask for the client secret as well; the receiver of webhooks needs it",
    )
    command.set_defaults(run=_set_bigcommerce)
    command = commands.add_parser(
        "list", help="the names stored (no secrets), and what does not open"
    )
    command.set_defaults(run=_list)
    command = commands.add_parser("delete", help="forget entries; works without the key")
    command.add_argument("names", nargs="*", metavar="NAME")
    command.add_argument("--all", action="store_true")
    command.set_defaults(run=_delete)
    command = commands.add_parser(
        "rotate-key",
        help="encrypt all anew: with a new key in the key file, or with the first of "
        "CREDENTIALS_ENCRYPTION_KEY=new,old",
    )
    command.set_defaults(run=_rotate_key)
    return parser


def _set_bigcommerce(options: argparse.Namespace) -> None:
    store = CredentialStore.open(options.url, options.keys)
    document = {"access_token": _secret("access token")}
    if options.with_client_secret:
        document["client_secret"] = _secret("client secret")
    name = f"bigcommerce:{options.store_hash}"
    with store.exclusive(name, timeout=60) as entry:
        entry.write({**(entry.read() or {}), **document})
        entry.cut_log()
    say(f"stored {name}")


def _secret(what: str) -> str:
    """One line from the prompt, or from standard input if that is no terminal."""
    text = getpass.getpass(f"{what}: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not text.strip():
        raise CredentialError(f"no {what} given; nothing was stored")
    return text.strip()


def _list(options: argparse.Namespace) -> None:
    names = entries.names(entries.open_table(options.url))
    unopened: dict[str, CredentialError] = {}
    if names:  # for an empty store a key file would be made
        try:
            unopened = CredentialStore.open(options.url, options.keys).unopened()
        except CredentialError as error:  # no key is needed to tell names
            say_aside(str(error))
    for name in names:
        say(f"{name}  ({unopened[name]})" if name in unopened else name)


def _delete(options: argparse.Namespace) -> None:
    if not options.names and not options.all:
        raise CredentialError("name the entries to forget (`list` shows them), or give --all")
    engine = entries.open_table(options.url)
    there = entries.names(engine)
    names = there if options.all else [name for name in options.names if name in there]
    unknown = sorted(set(options.names) - set(there))
    if unknown:
        raise CredentialError(f"not stored: {', '.join(unknown)}; nothing was removed")
    entries.delete(engine, None if options.all else names)
    for name in names:
        say(f"removed {name}")


def _rotate_key(options: argparse.Namespace) -> None:
    count = CredentialStore.open(options.url, options.keys).rotate(options.keys)
    say(f"{count} entries encrypted anew")
    if options.keys:
        say("the keys after the first comma are no longer needed, by any program")


if __name__ == "__main__":
    sys.exit(main())
