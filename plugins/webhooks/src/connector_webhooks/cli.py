"""The command line: ``webhooks COMMAND``, also run by ``meltano invoke webhooks:COMMAND``.

Exit codes: 0 all well; 1 something needs a person or another try, which the output names; 2 the
command line itself is wrong.
"""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from connector_credentials.output import heard, json_lines, say
from connector_credentials.settings import SettingError, read_value

from connector_webhooks import __version__, commands
from connector_webhooks.assembly import Assembly
from connector_webhooks.errors import WebhooksError
from connector_webhooks.hook import LARGEST_ORDER_ID
from connector_webhooks.secrecy import RedactingFormatter, Redaction, secrets_of
from connector_webhooks.settings import LARGEST, check_addresses, load, log_level

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Callable[[Assembly, argparse.Namespace], commands.Answer | None]

DRAIN_WAIT_SECONDS = 600

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    return heard(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    _log_to_stderr(Redaction(secrets_of(os.environ)), "INFO")
    try:
        level = log_level(os.environ)
        given = {name: getattr(options, name, None) for name in ("host", "port")}
        settings = load(os.environ, options.config, given)
        check_addresses(settings, os.environ, getattr(options, "url", ""))
        assembly = Assembly(settings, dict(os.environ))
        redaction = assembly.redaction()
        _log_to_stderr(redaction, level)
        answer: commands.Answer | None = options.run(assembly, options)
    except (WebhooksError, SettingError, OSError) as error:  # also a taken port, a missing folder
        log.error("%s", error)  # noqa: TRY400 - the sentence is for the operator, not a traceback
        return 1
    if answer is None:
        return 0
    if options.json:
        say(*json_lines(redaction.of_document(answer.document)))
    else:
        say(*map(redaction, answer.lines))
    return answer.code


def _log_to_stderr(redaction: Redaction, level: str) -> None:
    handler = logging.StreamHandler()
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    handler.setFormatter(RedactingFormatter(form, redaction))
    logging.basicConfig(handlers=[handler], level=level, force=True)


def _between(least: int, most: int) -> Callable[[str], int]:
    """Read a number of the command line."""

    def read(text: str) -> int:
        try:
            return int(read_value("", text, {"type": "integer", "minimum": least, "maximum": most}))
        except SettingError:
            words = f"it must be a whole number from {least} to {most}"
            raise argparse.ArgumentTypeError(words) from None

    return read


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="webhooks",
        description="Take BigCommerce order hooks and have their orders brought over at once.",
        epilog="Settings come from WEBHOOKS_* in the environment, or from --config.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--config", type=Path, help="JSON file of settings; wins over environment")
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    # Also after the command, where Meltano puts arguments; absent there, the one before holds.
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    shared.add_argument("--config", type=Path)
    shared.add_argument("--json", action="store_true")
    sub = parser.add_subparsers(required=True, metavar="COMMAND")

    order_number = _between(1, LARGEST_ORDER_ID)

    def command(name: str, words: str, run: Command) -> argparse.ArgumentParser:
        one = sub.add_parser(name, help=words, description=words, parents=[shared])
        one.set_defaults(run=run)
        return one

    serve = command(
        "serve",
        "receive hooks and run their orders until stopped",
        lambda assembly, options: commands.serve(assembly, dispatch=not options.no_dispatch),
    )
    serve.add_argument("--no-dispatch", action="store_true", help="receive only")
    serve.add_argument("--host", help="instead of the setting")
    serve.add_argument("--port", type=int, help="instead of the setting; 0 picks a free one")
    drain = command(
        "drain",
        "run what is due now, then end",
        lambda assembly, options: commands.drain(assembly, wait_seconds=options.wait),
    )
    words = "seconds to wait while another dispatcher is at work"
    drain.add_argument("--wait", type=_between(0, LARGEST), default=DRAIN_WAIT_SECONDS, help=words)
    register = command(
        "register",
        "make the wanted hooks exist at BigCommerce",
        lambda assembly, options: commands.register(
            assembly, allow_insecure=options.allow_insecure
        ),
    )
    check = command(
        "check",
        "mend switched-off and missing hooks; exit 1 if a person is needed",
        lambda assembly, options: commands.check(assembly, allow_insecure=options.allow_insecure),
    )
    for one in (register, check):
        words = "let an http destination on this machine pass, for the sandbox"
        one.add_argument("--allow-insecure", action="store_true", help=words)
    unregister = command(
        "unregister",
        "delete the hooks at an old destination",
        lambda assembly, options: commands.unregister(assembly, options.destination),
    )
    unregister.add_argument("destination", help="its URL, as `list` shows it")
    command(
        "list",
        "show the hooks of the API account",
        lambda assembly, _: commands.list_hooks(assembly),
    )
    command("status", "show the inbox", lambda assembly, _: commands.status(assembly))
    retry = command(
        "retry",
        "have orders run at once",
        lambda assembly, options: commands.retry(assembly, options.order),
    )
    retry.add_argument("order", type=order_number, nargs="*", help="which; all that wait if none")
    test = command(
        "send-test",
        "send a signed hook for an order to the receiver",
        lambda assembly, options: commands.send_test(assembly, options.order, options.url),
    )
    test.add_argument("order", type=order_number)
    test.add_argument("--url", default="", help="instead of the receiver on this machine")
    return parser
