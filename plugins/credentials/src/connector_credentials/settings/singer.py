"""A Singer program's settings, read by its form where the SDK would guess.

Only taps and targets import this module, for it needs the Singer SDK, which they bring. It
overrides what the SDK keeps private; the tap's `test_tap_sdk_names.py` says which name of these a
release has changed.
"""

import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import click
from singer_sdk.cli import plugin_cli
from singer_sdk.plugin_base import PluginBase, SingerCommand, _ConfigInput
from typing_extensions import override

from connector_credentials.output import log_visibly, say_aside

from .form import Form
from .values import SettingError, read_value

CONFIG_FILES = "connector_credentials.config_files"
"""The key in a command's `meta` under which the paths of its settings' files are."""


class _Command(SingerCommand):
    @override
    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        try:
            return super().make_context(*arguments, **more)
        except click.UsageError as error:
            # Click's own 2 is the target's, for parked orders.
            error.exit_code = 1  # type: ignore[misc]
            raise


def check_log_level(prefix: str, environment: Mapping[str, str]) -> None:
    """Make sure that the log's level, which no setting of a file gives, is one.

    Raises:
        SettingError: Names the variable that the SDK would go by, the program's or that of all.
    """
    for name in (f"{prefix}LOGLEVEL", "LOGLEVEL"):
        if given := environment.get(name):
            read_value(name, given.upper(), {"enum": list(logging.getLevelNamesMapping())})
            return


class StrictSettings(PluginBase):
    """Goes before `Tap` or `Target` among a class' bases.

    Attributes:
        form: The program's settings.
    """

    form: ClassVar[Form]

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise what is wrong with settings that could be read, before the SDK looks at them."""

    @plugin_cli
    @override
    def cli(cls) -> click.Command:  # noqa: N805 - what calls it gives the class
        try:
            check_log_level(cls.form.prefix, os.environ)
        except SettingError as error:
            say_aside(f"Error: {error}")
            sys.exit(1)
        return super().cli

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        log_visibly()  # what the SDK makes of it, and where it goes, is for its own settings
        command = super().get_singer_command()
        return _Command(
            logger=cls.logger,
            name=command.name,
            callback=command.callback,
            params=command.params,
            help=command.help,
            context_settings=command.context_settings,
        )

    @property
    @override
    def _env_var_config(self) -> dict[str, Any]:
        """What `--config=ENV` gives, as text; the SDK would make false of a boolean misspelt."""
        return self._form.of_environment(os.environ)

    @property
    def _form(self) -> Form:
        """Our settings and the SDK's."""
        self.append_builtin_config(self.config_jsonschema)
        return replace(self.form, properties=self.config_jsonschema["properties"])

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        if not raise_errors:
            self._config = {}  # discovery needs no setting, so none can be wrong
            return []
        self._form.check_names(self._config, os.environ, self.logger)
        self._config = self._form.read(self._config)
        self.check_settings(self._config)
        return super()._validate_config()

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        config: dict[str, Any] = {}
        ctx.meta[CONFIG_FILES] = [path for path in value if path != "ENV"]
        try:
            for path in value:
                if path != "ENV":
                    config |= cls.form.of_file(path, cls.logger)
        except SettingError as error:
            raise click.ClickException(str(error)) from None
        return _ConfigInput(config=config, parse_env="ENV" in value)
