"""What pages show to be copied can be read by what it is for, and names what there is."""

from __future__ import annotations

import ast
import configparser
import json
import re
import textwrap
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml
from connector_credentials.cli import FORM as CREDENTIALS
from connector_webhooks.settings import FORM as WEBHOOKS
from tap_bigcommerce_orders.settings import FORM as TAP
from target_freshbooks.ctl.cli import COMMANDS, cli
from target_freshbooks.settings import FORM as TARGET

import docs_check
import pages
from demo.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FORMS = {form.prefix: form for form in (TAP, TARGET, WEBHOOKS, CREDENTIALS)}
OF_THE_SDK = {"loglevel"}
VARIABLE = re.compile(rf"\b({'|'.join(FORMS)})([A-Z][A-Z_]*[A-Z])\b")
SPAN = re.compile(r"`([^`]+)`")
MELTANO = re.compile(r"\bmeltano(?: --[\w=.-]+)* (invoke|run)\b([^|#&;`(]*)")
CTL = re.compile(r"\btarget-freshbooks-ctl\b([^|#&;`(]*)")
PLAIN_WORD = re.compile(r"[a-z][a-z:-]*")
HISTORY = "CHANGELOG.md"
PAGES = [page for page in docs_check.listed("*.md") if page.name != HISTORY]


def as_python(text: str) -> None:
    """Parse a whole, or a branch of a `match`."""
    try:
        ast.parse(text)
    except SyntaxError:
        ast.parse("match it:\n" + textwrap.indent(text, "    "))


def as_ini(text: str) -> None:
    """Parse sections, or one without a heading."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text if text.startswith("[") else f"[all]\n{text}")


READERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "yaml": yaml.safe_load,
    "python": as_python,
    "ini": as_ini,
    **dict.fromkeys(("", "text", "nginx", "promql"), str),
}
"""By the language of a block: what reads it, or raises."""


def project() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    return document


def plugins(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entries in document.get("plugins", {}).values():
        yield from entries


def named_by(*documents: dict[str, Any]) -> set[str]:
    """What `meltano run` and `invoke` can be given: plugins, their commands, jobs."""
    entries = {one["name"]: one for document in documents for one in plugins(document)}
    names = {job["name"] for document in documents for job in document.get("jobs", ())}
    for name, entry in entries.items():
        parent = entries.get(entry.get("inherit_from", ""), {})
        commands = {**parent.get("commands", {}), **entry.get("commands", {})}
        names |= {name, *(f"{name}:{command}" for command in commands)}
    return names


def code_of(page: Path) -> list[str]:
    """What the page sets as code: commands, and spans within its prose."""
    typed = [one for block in pages.blocks(page) for one in pages.commands(block)]
    commands = [one.text.partition(" #")[0] for one in typed]
    prose = docs_check.FENCE.sub("", page.read_text(encoding="utf-8"))
    return [*commands, *(" ".join(span.split()) for span in SPAN.findall(prose))]


def yaml_of(page: Path) -> list[dict[str, Any]]:
    """The objects among the page's YAML blocks."""
    read = [yaml.safe_load(one.text) for one in pages.blocks(page) if one.language == "yaml"]
    return [document for document in read if isinstance(document, dict)]


def ctl_faults(code: str, options: list[str]) -> Iterator[str]:
    """What is no command or option of `target-freshbooks-ctl`; its words are given."""
    words = [word for word in options if PLAIN_WORD.fullmatch(word)]
    name = next(iter(words), None)
    if "--config" in options:
        name = next((word for word in words if word in COMMANDS), name)
    if name is None:
        return
    if name not in COMMANDS:
        yield f"{code}: no such command"
        return
    with click.Context(cli) as context:
        command = cli.get_command(context, name)
        assert command is not None
        known = {option for one in (*command.params, *cli.params) for option in one.opts}
    for option in options:
        if option.startswith("--") and option.partition("=")[0] not in {*known, "--help"}:
            yield f"{code}: no option {option}"


def meltano_faults(code: str, names: set[str]) -> Iterator[str]:
    """What is no plugin, command of one, or job."""
    for how, rest in MELTANO.findall(code):
        words = rest.split()
        for word in words[:1] if how == "invoke" else words:
            if PLAIN_WORD.fullmatch(word) and word not in names:
                yield f"{code}: {word} is in no meltano.yml"


def faults(page: Path) -> Iterator[str]:
    """A sentence for each command, option and setting that the page names and nobody has."""
    names = named_by(project(), *yaml_of(page))
    for code in code_of(page):
        yield from meltano_faults(code, names)
        for rest in CTL.findall(code):
            yield from ctl_faults(code, rest.split())
    yield from setting_faults(page)


def setting_faults(page: Path) -> Iterator[str]:
    """What is no setting, as a variable or in a piece of `meltano.yml`."""
    for prefix, name in VARIABLE.findall(page.read_text(encoding="utf-8")):
        form = FORMS[prefix]
        if name.lower() not in {*form.properties, *form.others, *OF_THE_SDK}:
            yield f"{prefix}{name}: no such setting"
    described = {one["name"]: one for one in plugins(project())}
    for entry in (one for document in yaml_of(page) for one in plugins(document)):
        parent = described[entry.get("inherit_from", entry["name"])]
        described.setdefault(entry["name"], parent)  # for what inherits from it in turn
        for setting in entry.get("config", {}):
            if setting not in {one["name"] for one in parent.get("settings", ())}:
                yield f"{setting}: no setting of {parent['name']}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_options_and_settings_that_a_page_names_are_there(page: Path) -> None:
    assert list(faults(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_a_page_can_be_read(page: Path) -> None:
    for block in pages.blocks(page):
        if block.language == pages.INDENTED or block.language in pages.SHELLS:
            pages.commands(block)
            continue
        try:
            READERS[block.language](block.text)
        except Exception as error:
            raise AssertionError(f"{page.name}:{block.line}: {error!r}") from error


def test_a_page_s_commands_are_found_whatever_they_are_set_in(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "## First\n\n```console\n$ one --with 'two\nlines'\nprinted\n$ two \\\n  more\n```\n\n"
        "1. An item\n\n   ```sh\n   # a remark\n   three   # and why\n   ```\n\n"
        "## Second\n\n    make nothing\n\n```yaml\nfour: five\n```\n",
        encoding="utf-8",
    )
    found = pages.blocks(page)
    assert [(block.section, block.language, block.line) for block in found] == [
        ("First", "console", 4),
        ("First", "sh", 14),
        ("Second", pages.INDENTED, 20),
        ("Second", "yaml", 23),
    ]
    assert [[(one.line, one.text) for one in pages.commands(block)] for block in found] == [
        [(4, "one --with 'two\nlines'"), (7, "two \\\n  more")],
        [(15, "three   # and why")],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("`meltano invoke target-freshbooks:stauts`", "is in no meltano.yml"),
        ("`meltano run snyc`", "is in no meltano.yml"),
        ("`target-freshbooks-ctl reprot`", "no such command"),
        ("`target-freshbooks-ctl replay --perked`", "no option --perked"),
        ("`TARGET_FRESHBOOKS_LEGDER_URL`", "no such setting"),
        (
            "```yaml\nplugins: {loaders: [{name: target-freshbooks, config: {legder: x}}]}\n```",
            "no setting of target-freshbooks",
        ),
    ],
)
def test_what_is_not_there_is_a_fault_of_the_page(text: str, fault: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text + "\n", encoding="utf-8")
    (found,) = faults(page)
    assert fault in found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_is_set_off_by_blanks_is_no_command(page: Path) -> None:
    programs = re.compile(
        r" *(?:\w+=\S* )*(?:\.venv/bin/)?(?:make|pip|pytest|meltano|tap-|target-)"
    )
    for block in pages.blocks(page):
        if block.language == pages.INDENTED:
            assert not programs.match(block.text), f"{page.name}:{block.line}: fence it: console"
