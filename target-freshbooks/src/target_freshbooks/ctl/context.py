"""Commands: what each shares, its options, the settings, the form of output, and errors told."""

import functools
import logging
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import click
from connector_credentials import CredentialError
from connector_credentials.commands import ctl, run_of_both
from connector_credentials.database import parse_url, shown
from connector_credentials.output import json_lines, say, say_aside
from connector_credentials.settings import SettingError
from connector_credentials.stop import STOP
from sqlalchemy.exc import SQLAlchemyError

from target_freshbooks.freshbooks import FreshBooksError
from target_freshbooks.ledger import Ledger, LedgerError
from target_freshbooks.ledger.inbox.records import MOST_ID
from target_freshbooks.ledger.storage.database import PURPOSE
from target_freshbooks.posting.results import Interrupted
from target_freshbooks.run import Run
from target_freshbooks.settings import FORM, Settings, read_settings
from target_freshbooks.wiring import open_ledger, open_run, version

logger = logging.getLogger(__name__)

CONFIG = click.option(
    "--config",
    "config",
    multiple=True,
    help="A settings file, or ENV for the environment (the default).",
)
SETTINGS = click.option(
    "--settings",
    "settings",
    type=click.Choice(["kept", "current"]),
    default="kept",
    help="The settings each order was posted under, or those of now.",
)
SINCE = click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Orders since this day.")
ORDER = click.IntRange(1, MOST_ID - 1)
"""An order's number, as the ledger can hold it."""
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@dataclass
class Context:
    """The command line's shared options."""

    sources: tuple[str, ...]
    as_json: bool

    @cached_property
    def settings(self) -> Settings:
        """The settings; wrong names and values stop the command."""
        config = self.config()
        FORM.check_names(config, os.environ, logger)
        return read_settings(config, version=version(), environment=os.environ)

    def config(self) -> dict[str, Any]:
        """The configuration of the files in their order, and over it the environment's.

        The environment is read if it is asked for (`--config=ENV`) or nothing else is.
        """
        merged: dict[str, Any] = {}
        files = [source for source in self.sources if source != "ENV"]
        for file in files:
            merged |= FORM.of_file(file, logger)
        if not files or "ENV" in self.sources:
            merged |= FORM.of_environment(os.environ)
        return merged

    @contextmanager
    def ledger_if_any(self) -> Iterator[Ledger | None]:
        """The ledger, without the account's lock; None, and none is made, where there is none."""
        settings = self.settings
        seen = Ledger.open_to_read(settings.ledger_url, source=settings.source)
        if seen is None:
            yield None
            return
        seen.dispose()
        with open_ledger(settings) as ledger:  # it may have to be brought up to date
            yield ledger

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, without the account's lock.

        Raises:
            click.ClickException: There is none, and an empty one would say that all is well.
        """
        with self.ledger_if_any() as ledger:
            if ledger is None:
                place = shown(parse_url(self.settings.ledger_url, PURPOSE))
                raise click.ClickException(
                    f"There is no ledger at {place}. If there is one elsewhere, call this in the"
                    " project's folder, or mend TARGET_FRESHBOOKS_LEDGER_URL; if there is none"
                    f" yet, `{ctl('login')}` or the first run makes it."
                )
            yield ledger

    @contextmanager
    def run(self, *, accept_changes: bool = False) -> Iterator[Run]:
        """A run of its own, with the lock: for writing. A signal lets the steps in hand finish.

        Args:
            accept_changes: Rewrite as many invoices of earlier runs as it takes.
        """
        settings = self.settings
        if accept_changes:
            settings = replace(settings, max_rewritten_invoices=None)
        with STOP.critical_section(), open_run(settings, STOP.event) as run:
            yield run

    def show(self, document: object, lines: Iterable[str]) -> None:
        """Print the document as JSON, or the lines."""
        say(*(json_lines(document, indent=2) if self.as_json else lines))


def not_in_ledger(orders: Collection[int]) -> str:
    """Why nothing can be done for these orders, and what to do."""
    return (
        f"Not in the ledger: {', '.join(map(str, orders))}. The tap has not sent them yet (or their"
        f" bodies were dropped by ledger_retention_days): {read_again(orders)}"
    )


def read_again(orders: Collection[int]) -> str:
    """How the tap is asked for orders, as the second half of a sentence."""
    return (
        "have the tap read them from BigCommerce, with"
        f" TAP_BIGCOMMERCE_ORDERS_ORDER_IDS='{list(orders)}' {run_of_both()} (setting order_ids)."
    )


def asked(question: str, tell: Callable[[str], None]) -> str:
    """The answer to a question, a line of standard input.

    The question is a line of its own: Meltano passes on what a plugin writes to standard error line
    by line, and Python itself may write a prompt there, which is then seen after its answer only.

    Raises:
        click.Abort: There is no answer.
    """
    tell(question)
    line = sys.stdin.readline()
    if not line:
        raise click.Abort
    return line.strip()


def command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command with the shared options, which may also stand before its name."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def wrapped(config: tuple[str, ...], as_json: bool, **options: Any) -> None:  # noqa: ANN401
            context = click.get_current_context().find_object(Context) or Context((), False)
            context.sources = (*context.sources, *config)
            context.as_json = context.as_json or as_json
            function(context, **options)

        return click.command(name)(CONFIG(JSON(wrapped)))

    return decorate


def run_command(command: click.Command) -> int:
    """Run the command line; expected failures are one line on stderr and exit 1, usage errors too.

    SIGINT and SIGTERM end it with 130 and 143, after the step in hand if it writes.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        with STOP.heeded():
            # So click returns the code of an `Exit`, and of a command that ends, what it returns.
            return int(command.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            say_aside(*error.ctx.get_usage().split("\n"))
        say_aside(f"Error: {error.format_message()}")
        return 1  # click's own 2, for a wrong command line, says here that orders are parked
    except (click.Abort, KeyboardInterrupt, Interrupted):
        say_aside("Stopped.")
        return STOP.exit_code(128 + signal.SIGINT)  # a person may leave a prompt, too
    except (FreshBooksError, LedgerError, CredentialError, SettingError, LookupError) as error:
        say_aside(f"Error: {error}")
        return 1
    except SQLAlchemyError as error:
        say_aside(f"Error: the ledger cannot be used ({type(error).__name__}).")
        return 1
    except OSError as error:
        # A file or folder that was named: no defect shows itself as this.
        what = error.strerror or type(error).__name__
        file = f"{error.filename} cannot be used" if error.filename else "a file cannot be used"
        say_aside(f"Error: {file} ({what}); check its owner and rights, or name another.")
        return 1
