"""The command line of `target-freshbooks-ctl`. `--config` and `--json` may stand anywhere."""

import sys
from importlib import import_module

import click
from connector_credentials.output import heard
from typing_extensions import override

from target_freshbooks.ctl.context import CONFIG, JSON, Context, run_command
from target_freshbooks.wiring import version

COMMANDS = {
    "init": "ctl.init",
    "doctor": "ctl.doctor",
    "login": "ctl.login",
    "logout": "ctl.login",
    "whoami": "ctl.login",
    "status": "ctl.status",
    "plan": "ctl.plan",
    "probe": "ctl.probe",
    "replay": "ctl.replay",
    "settle": "ctl.settle",
    "reopen": "ctl.settle",
    "notify": "ctl.notify",
    "audit": "ctl.audit",
    "audit-head": "ctl.verify",
    "verify": "ctl.verify",
    "report": "report.writing",
    "rotate-key": "ctl.keys",
}
"""Each command's module."""


class Commands(click.Group):
    """A group whose commands are loaded when they are asked for: each loads what it needs."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"target_freshbooks.{COMMANDS[cmd_name]}")
        command: click.Command = vars(module)[cmd_name.replace("-", "_")]
        return command


@click.group(cls=Commands)
@CONFIG
@JSON
@click.version_option(version(), prog_name="target-freshbooks-ctl")
@click.pass_context
def cli(ctx: click.Context, config: tuple[str, ...], as_json: bool) -> None:
    """Look after the books: what was posted, what is parked, and why."""
    ctx.obj = Context(config, as_json)


def main() -> None:
    """Entry point."""
    sys.exit(heard(lambda: run_command(cli)))
