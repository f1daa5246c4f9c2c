"""The README says what the program does: settings, defaults, commands, reasons."""

from __future__ import annotations

import json
import re
from pathlib import Path

from target_freshbooks.books.desired import Reason
from target_freshbooks.ctl.cli import COMMANDS
from target_freshbooks.settings import schema

README = Path(__file__).parents[2] / "README.md"


def table_below(heading: str) -> dict[str, list[str]]:
    """First cell (without code marks) → the row's other cells."""
    section = README.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in rows}


def test_every_setting_is_listed_with_its_default() -> None:
    listed = table_below("Settings")
    assert list(listed) == list(schema["properties"])
    for name, entry in schema["properties"].items():
        default, words = listed[name]
        if entry.get("secret"):
            assert words.startswith("secret"), name
        value = entry.get("default")
        if value not in (None, ""):
            text = value if isinstance(value, str) else json.dumps(value)
            assert default == f"`{text}`", name


def test_every_choice_of_a_setting_is_named() -> None:
    for name, entry in schema["properties"].items():
        for choice in entry.get("enum", ()):
            if choice is not None:
                assert f"`{choice}`" in " ".join(table_below("Settings")[name]), name


def test_every_reason_has_a_cure() -> None:
    said = "\n".join(table_below("Trouble-shooting by message"))
    assert {reason.value for reason in Reason} == set(re.findall(r"parked: (\w+)", said))


def test_every_command_is_listed() -> None:
    assert {row.split()[0] for row in table_below("Commands")} == set(COMMANDS)
