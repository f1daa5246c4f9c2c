"""Switches: every behaviour of the real APIs that nobody has confirmed, with both of its sides.

A side declares its switches when its routes are made. Values that are set are kept in the
database and live through a restart, until a reset; values the sandbox was started with come back
after a reset.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector_sandbox.decoding import Matching, Within, narrowed
from connector_sandbox.store import Store

SwitchValue = str | int | bool


class SwitchError(ValueError):
    """An unknown switch, or a value that the switch does not know."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One behaviour.

    ``choices`` are the allowed values; None stands for any of the default's type
    within what it ``takes``. ``settled_by`` says which check of a probe tells an account's side, or
    what else does.
    """

    name: str
    default: SwitchValue
    choices: tuple[SwitchValue, ...] | None
    words: str
    takes: Within | Matching | None = None
    settled_by: str = ""


class Switches:
    """The declared switches and what they are set to; read with ``switches["fb.tax_rounding"]``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._declared: dict[str, Switch] = {}
        self._values: dict[str, SwitchValue] = {}
        self._baseline: dict[str, SwitchValue] = {}
        store.create("CREATE TABLE IF NOT EXISTS switches(name TEXT PRIMARY KEY, value TEXT)")
        self.reload()

    def declare(
        self,
        name: str,
        default: SwitchValue,
        choices: tuple[SwitchValue, ...] | None = None,
        words: str = "",
        takes: Within | Matching | None = None,
        settled_by: str = "",
    ) -> None:
        """Make a switch known; declaring it again replaces its description."""
        self._declared[name] = Switch(name, default, choices, words, takes, settled_by)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - its type is the switch's own
        if name in self._values:
            return self._values[name]
        return self._baseline.get(name, self._declared[name].default)

    def number(self, name: str) -> int:
        """Read a switch that holds a number."""
        return int(self[name])

    def set(self, values: Mapping[str, Any]) -> None:
        """Set several switches, or none when one of them is wrong.

        Raises:
            SwitchError: naming the switch and what it takes.
        """
        checked = {name: self._checked(name, value) for name, value in values.items()}
        with self._store.writing() as connection:
            for name, value in checked.items():
                connection.execute(
                    "INSERT INTO switches VALUES(?, ?) "
                    "ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                    (name, json.dumps(value)),
                )
        self._values.update(checked)

    def start_with(self, values: Mapping[str, Any]) -> None:
        """Take values that are to hold from the start and again after every reset.

        Raises:
            SwitchError: naming the switch and what it takes.
        """
        self._baseline = {name: self._checked(name, value) for name, value in values.items()}
        with self._store.writing() as connection:
            for name in self._baseline:
                connection.execute("DELETE FROM switches WHERE name = ?", (name,))
                self._values.pop(name, None)

    def clear(self) -> None:
        """Put every switch back to what the sandbox was started with, else to its default."""
        with self._store.writing() as connection:
            connection.execute("DELETE FROM switches")
        self._values.clear()

    def reload(self) -> None:
        """Read the values that another process may have set."""
        rows = self._store.connect().execute("SELECT name, value FROM switches")
        self._values = {row["name"]: json.loads(row["value"]) for row in rows}

    def values(self) -> dict[str, SwitchValue]:
        """Give all declared switches with their present values."""
        return {name: self[name] for name in sorted(self._declared)}

    def described(self) -> list[dict[str, Any]]:
        """Give all declared switches with default, choices and words."""
        return [
            {
                "name": switch.name,
                "value": self[switch.name],
                "default": switch.default,
                "choices": list(switch.choices) if switch.choices else None,
                "words": switch.words,
                "settled_by": switch.settled_by,
            }
            for _, switch in sorted(self._declared.items())
        ]

    def _checked(self, name: str, value: object) -> SwitchValue:
        switch = self._declared.get(name)
        if switch is None:
            known = ", ".join(sorted(self._declared))
            raise SwitchError(f"there is no switch {name!r}; the switches are: {known}")
        return _as_type_of(switch, value)


def _as_type_of(switch: Switch, value: object) -> SwitchValue:
    """Turn a value, perhaps command-line text, into one that the switch can take."""
    text = str(value)
    for choice in switch.choices or ():
        if str(choice).lower() == text.lower():
            return choice
    if switch.takes is not None and isinstance(value, (str, int)):
        try:
            if isinstance(switch.default, int):
                return int(narrowed(int(text), switch.takes, switch.name))
            return str(narrowed(text, switch.takes, switch.name))
        except ValueError as error:
            raise SwitchError(f"switch {switch.name} cannot take {value!r}: {error}") from error
    takes = list(switch.choices) if switch.choices else f"what {switch.default!r} is"
    raise SwitchError(f"switch {switch.name} cannot take {value!r}; it takes {takes}")
