"""The Singer target: reads messages, hands records to the posting service, lets true state out.

STATE leaves only when every record before it is posted, waiting, or parked in the ledger with its
reason; that is checked at every STATE message. None passes an order whose money may clear up yet.
On SIGTERM the steps in hand are finished and the process ends with 143; what had been let out
before is all there is to say.
"""

import logging
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from types import FrameType
from typing import IO, Any, ClassVar

import click
from connector_credentials.output import forget_reader
from connector_credentials.settings.singer import StrictSettings
from connector_credentials.stop import StopRequest
from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.sinks import Sink
from typing_extensions import override

from target_freshbooks.dry_run import tell_dry_run
from target_freshbooks.failures import ReaderGone, tell
from target_freshbooks.ledger.storage.canonical import to_text
from target_freshbooks.message_reader import Reader
from target_freshbooks.notify.after_run import after_run
from target_freshbooks.posting.results import Interrupted
from target_freshbooks.posting.service import Service
from target_freshbooks.posting.tally import Tally, sentences
from target_freshbooks.progress import shown
from target_freshbooks.run import Run
from target_freshbooks.settings import FORM, Settings, read_settings, schema
from target_freshbooks.sinks import IgnoredSink, sink_for
from target_freshbooks.wiring import may_look_first, open_run, version

logger = logging.getLogger(__name__)

EXIT_FAILED = 1
EXIT_PARKED = 2


class TargetFreshBooks(StrictSettings, Target):
    """Books paid BigCommerce orders in FreshBooks."""

    name = "target-freshbooks"
    form = FORM
    config_jsonschema: ClassVar[dict[str, Any]] = {
        **schema,
        "properties": dict(FORM.properties),  # a copy: the SDK adds its own settings in place
    }
    default_sink_class = IgnoredSink
    message_reader_class = Reader
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the SDK's own arguments
        self._waiting = False  # for input, so that a signal may end the run at once
        self._stop = StopRequest()
        self._run: Run | None = None
        self._stack = ExitStack()
        self._written_state: dict[str, Any] | None = None
        self._is_at_end = False
        self.accepts_changes = False
        self.plan_file: str | None = None
        super().__init__(**options)
        # After super(), which sets it: sinks keep nothing, so there is nothing to drain in threads.
        self.max_parallelism = 1

    # -- the run

    @property
    def settings(self) -> Settings:
        """The typed settings."""
        asked = _asked(self.plan_file)
        settings = read_settings(
            {**self.config, **asked}, version=version(), environment=os.environ
        )
        return replace(settings, max_rewritten_invoices=None) if self.accepts_changes else settings

    @property
    def service(self) -> Service:
        """The posting service; opened at the first stream that has a place in the books."""
        if self._run is None:
            self._run = self._stack.enter_context(
                open_run(self.settings, self._stop.event, look_first=True)
            )
            self._stack.enter_context(shown(self._run.outcomes.tally, dry_run=self._run.dry_run))
            self._stack.callback(self._wait_no_more)  # what closes the run is not broken off
        return self._run.service

    @property
    def tally(self) -> Tally | None:
        """What this run did; None if no stream of the shop came."""
        return None if self._run is None else self._run.outcomes.tally

    def report(self) -> int:
        """Log what this run did; return its exit code."""
        if self._run is None:
            return 0
        tally = self._run.outcomes.tally
        if not self._run.dry_run:
            tally.report(self._run.breaker.writes)
        self.logger.info("Head of the audit journal: %s", self._run.head)
        return EXIT_PARKED if tally.parked and self.settings.on_parked == "fail" else 0

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        return sink_for(stream_name)

    def close(self) -> None:
        """Wait for the steps in hand, give the lock back, close the connections."""
        self._stack.close()

    # -- messages

    def run(self, file_input: IO[str] | None = None) -> None:
        """Read to the end; this, and nothing after it, a signal ends at once."""
        self._wait()
        try:
            with self._stack:  # so that what ends it early is known where the run is closed
                self.listen(file_input)
        finally:
            self._wait_no_more()

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self._while_busy(super()._process_record_message, message_dict)

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self._while_busy(super()._process_schema_message, message_dict)

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._while_busy(self._settle_and_let_out, message_dict)

    def _settle_and_let_out(self, message_dict: dict[str, Any]) -> None:
        # Settle first: `_latest_state` must never hold a state that is not true yet, since the SDK
        # lets it out at moments of its own.
        if self._run is not None:
            self._run.service.checkpoint()
            if self._run.outcomes.unsettled:
                return  # what was let out before stands, so that the next run reads them again
        super()._process_state_message(message_dict)
        self.drain_all()

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """No table is here to be replaced."""

    @override
    def process_endofpipe(self) -> None:
        self._while_busy(self._finish, {})

    def _finish(self, _: dict[str, Any]) -> None:
        self._is_at_end = True
        if self._run is not None:
            self._run.service.finish()
        super().process_endofpipe()
        if self._run is not None:
            self._end_of(self._run)
        self.close()

    def _end_of(self, run: Run) -> None:
        run.forget_old_bodies(self.settings.ledger_retention_days)
        for change in sentences(run.ledger.intents.of_earlier_months(run_id=run.run_id)):
            self.logger.warning(
                "%s. Set closed_through to keep reported months as they are.", change
            )
        if run.dry_run:
            tell_dry_run(run, self.settings.plan_file)

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        if state == self._written_state or self._keeps_state():
            return
        try:
            out = sys.stdout  # noqa: TID251 - for a program to read
            out.write(f"{to_text(state)}\n")  # exact, where the SDK knows no Decimal
            out.flush()
        except BrokenPipeError:
            forget_reader()
            raise ReaderGone from None
        self._written_state = state

    def _keeps_state(self) -> bool:
        """Whether nothing is booked, so that no bookmark may move, or nobody can tell yet."""
        if self._run is not None:
            return self._run.dry_run
        settings = self.settings
        return settings.dry_run or (may_look_first(settings) and not self._is_at_end)

    # -- signals

    def _while_busy(self, work: Callable[[dict[str, Any]], None], message: dict[str, Any]) -> None:
        self._wait_no_more()
        work(message)
        self._wait()

    def _wait(self) -> None:
        """From here on a signal ends the run at once; one that has come already ends it now."""
        self._waiting = True
        if self._stop.signal is not None:
            self._wait_no_more()
            raise Interrupted

    def _wait_no_more(self) -> None:
        """From here on a signal is only noted."""
        self._waiting = False

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Only note the wish: whatever is under way finishes its step first, the way out too."""
        self._stop.note(signum)
        if self._waiting:
            self._wait_no_more()
            raise Interrupted

    def exit_code(self, otherwise: int) -> int:
        """143 after SIGTERM, 130 after SIGINT."""
        return self._stop.exit_code(otherwise)

    # -- command line

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        help_ = "Rewrite more invoices of earlier runs than max_rewritten_invoices allows."
        command.params.append(click.Option(["--accept-changes"], is_flag=True, help=help_))
        help_ = "Write nothing to FreshBooks, but all orders' plans into this file, .html or .csv."
        command.params.append(click.Option(["--plan", "plan_file"], metavar="FILE", help=help_))
        return command

    @classmethod
    @override
    def invoke(  # type: ignore[override]  # the SDK narrows it so itself
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
        accept_changes: bool = False,
        plan_file: str | None = None,
    ) -> None:
        if about:
            super().invoke(about=about, about_format=about_format)
        target: TargetFreshBooks | None = None
        failure: BaseException | None = None
        try:
            cls.print_version(print_fn=cls.logger.info)
            target = cls(
                config={} if config is None else config.config,
                parse_env_config=config is not None and config.parse_env,
            )
            target.accepts_changes, target.plan_file = accept_changes, plan_file
            if at_odds := target.settings.at_odds:  # told before anything is read, as what is wrong
                cls.logger.warning("%s", at_odds)
            target.run(file_input)
        except Interrupted as asked:
            failure = asked
            cls.logger.warning("Stopped as asked; what is left is done by the next run.")
            sys.exit(target.exit_code(EXIT_FAILED) if target else EXIT_FAILED)
        except ConfigValidationError as wrong:
            failure = wrong
            raise  # the SDK's own command prints the errors, setting by setting
        except Exception as error:  # noqa: BLE001 - the last place: told without a record's content
            failure = error
            tell(error, cls.logger)
            sys.exit(EXIT_FAILED)
        finally:
            if target is not None:
                target.close()
            after_run(_given(config) | _asked(plan_file), os.environ, failure)
        sys.exit(target.exit_code(target.report()))


def _asked(plan_file: str | None) -> dict[str, Any]:
    """The settings that the command line gives."""
    return {"plan_file": plan_file} if plan_file else {}


def _given(config: _ConfigInput | None) -> dict[str, Any]:
    """The settings as they were given, whether they can be read or not."""
    if config is None:
        return {}
    variables = {name: f"{FORM.prefix}{name.upper()}" for name in FORM.properties}
    given = {name: os.environ[one] for name, one in variables.items() if one in os.environ}
    return {**config.config, **(given if config.parse_env else {})}
