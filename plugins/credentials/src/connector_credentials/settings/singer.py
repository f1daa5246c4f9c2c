"""A Singer program's settings, read by its form where the SDK would guess.

Only taps and targets import this module, for it needs the Singer SDK, which they bring. It
overrides what the SDK keeps private; the tap's `test_tap_sdk_names.py` says which name of these a
release has changed.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import click
from singer_sdk.plugin_base import PluginBase, SingerCommand, _ConfigInput
from typing_extensions import override

from connector_credentials.output import log_visibly

from .form import Form
from .values import SettingError

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


class StrictSettings(PluginBase):
    """Goes before `Tap` or `Target` among a class' bases.

    Attributes:
        form: The program's settings.
    """

    form: ClassVar[Form]

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise what is wrong with settings that could be read, before the SDK looks at them."""

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
