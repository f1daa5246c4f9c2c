"""A program's settings: where they are given, and reading them all.

Only the configuration decides. The environment is read for values only if it is asked for
(`--config=ENV`); otherwise only its names are looked at, since a misspelt one is never heard.
Whatever is secret may stand in a file instead, as Docker and Kubernetes hand secrets over: the
setting `access_token_file` then holds the path.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from connector_credentials.private_files import close_to_others, is_open_to_others

from .names import check_prefix, ours, unknown
from .values import SettingError, read_value

FILE = "_file"


@dataclass(frozen=True, slots=True)
class Form:
    """The settings that a program has.

    Attributes:
        prefix: Of their environment variables, such as `TARGET_FRESHBOOKS_`.
        properties: Each one's JSON Schema, by name; `secret` values are never shown, and each has
            a setting `..._file` beside it, which need not be given here.
        others: Further names under the prefix that mean something.
        removed: Names of settings there were, with what to do now, as in "use `x` instead".
    """

    prefix: str
    properties: Mapping[str, Mapping[str, Any]]
    others: frozenset[str] = frozenset()
    removed: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        files = {f"{name}{FILE}": _file_of_a(name) for name in self._secrets()}
        object.__setattr__(self, "properties", {**self.properties, **files})

    def of_environment(self, environment: Mapping[str, str]) -> dict[str, Any]:
        """The settings that the environment gives, as text.

        Raises:
            SettingError: Meltano gives an object that is written in meltano.yml in pieces, of which
                it cannot be put together again.
        """
        values = ours(environment, self.prefix)
        for name in values:
            whole = self._whole_of(name)
            if whole and whole not in values:
                raise SettingError(
                    f"The setting {whole} comes in pieces ({self.prefix}{name.upper()}): write it"
                    ' as one JSON text, such as \'{"a": "b"}\'.'
                )
        return {name: value for name, value in values.items() if name in self.properties}

    def of_file(self, path: str | Path, log: logging.Logger) -> dict[str, Any]:
        """The settings that a JSON file gives, and a warning if others may read its secrets.

        The file that Meltano makes for a run is for us alone, so it is closed to others.

        Raises:
            SettingError: It cannot be read.
        """
        file = Path(path)
        document = _object_in(file)
        if _is_of_meltano(file):
            close_to_others(file)
        if any(document.get(name) for name in self._secrets()) and is_open_to_others(file):
            log.warning("Others may read the secrets in %s: chmod 600 it.", path)
        return document

    def read(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Read every setting; what is null or blank is not given. Unknown ones stay as they are.

        A secret's file is read, and the secret stands in its place.

        Raises:
            SettingError: Names the first that cannot be read, or that is given twice.
        """
        read = {
            name: read_value(name, value, self.properties.get(name, {}))
            for name, value in values.items()
            if value is not None and not (isinstance(value, str) and not value.strip())
        }
        for name in self._secrets():
            path = read.pop(f"{name}{FILE}", None)
            if path is not None and name in read:
                raise SettingError(
                    f"The settings {name} and {name}{FILE} are both given: leave one of them blank."
                )
            if path is not None:
                text = _secret_in(path, f"{name}{FILE}")
                read[name] = read_value(name, text, self.properties[name])
        return read

    def check_names(
        self, values: Mapping[str, Any], environment: Mapping[str, str], log: logging.Logger
    ) -> None:
        """Warn of names that no setting has, in the configuration and in the environment.

        Raises:
            SettingError: One is nearly a setting's, or that of a removed one.
        """
        strange = self.strange_names(values, environment)
        if strange:
            log.warning("No setting has this name, so it has no effect: %s.", ", ".join(strange))

    def strange_names(self, values: Mapping[str, Any], environment: Mapping[str, str]) -> list[str]:
        """The names that no setting has, in the configuration and in the environment.

        Raises:
            SettingError: As for `check_names`.
        """
        known = (*self.properties, *self.others)
        variables = [one for one in ours(environment, self.prefix) if not self._whole_of(one)]
        check_prefix(environment, known, self.prefix)
        return [
            *unknown(values, known, self.removed),
            *unknown(variables, known, self.removed, prefix=self.prefix),
        ]

    def _secrets(self) -> list[str]:
        return [name for name, schema in self.properties.items() if schema.get("secret")]

    def _whole_of(self, name: str) -> str | None:
        """The object setting that the variable is a piece of: `tax_mapping` of `tax_mapping_a`."""
        if name in self.properties:
            return None
        for whole, schema in self.properties.items():
            if "object" in schema.get("type", ()) and name.startswith(f"{whole}_"):
                return whole
        return None


def _file_of_a(secret: str) -> dict[str, Any]:
    return {
        "type": ["string", "null"],
        "description": f"Path of a file that holds {secret}, instead of it.",
    }


def _secret_in(path: str, setting: str) -> str:
    """What a secret's file holds, without the newline at its end. It is told of by its path only.

    Raises:
        SettingError: There is nothing to be read in it.
    """
    try:
        text = Path(path).read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        wrong = f"cannot be read: {error.strerror}"
    except ValueError:  # no UTF-8, or a path that none can be
        wrong = "holds no text"
    else:
        if text.strip():
            return text
        wrong = "is empty"
    raise SettingError(f"The file of the setting {setting}, {path}, {wrong}.")


def _object_in(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Nothing of it is told: it holds secrets.

    Raises:
        SettingError: It cannot be read.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"The configuration {path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):  # no JSON, or no UTF-8
        document = None
    if not isinstance(document, dict):
        raise SettingError(f"The configuration {path} is no JSON object.")
    return document


def _is_of_meltano(file: Path) -> bool:
    """Whether it lies in `.meltano/run`, where Meltano keeps what it makes for a run."""
    folders = file.resolve().parts[:-1]
    return (".meltano", "run") in pairwise(folders)
