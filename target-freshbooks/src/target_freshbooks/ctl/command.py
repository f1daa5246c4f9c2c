"""Commands: what each of them shares, its options and the context that they make."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from target_freshbooks.ctl.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable

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
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


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
