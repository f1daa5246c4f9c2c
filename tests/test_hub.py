"""The definitions for Meltano Hub are what the programs say, in the form that the Hub takes."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import about
from demo.project import BIN, ROOT

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted((ROOT / "hub").glob("*/*/*.yml"))
# As the Hub's own schemas have it (github.com/meltano/hub, schemas/).
NEEDED = {"name", "namespace", "variant", "label", "quality", "repo", "pip_url", "settings"}
KNOWN = NEEDED | {
    *("description", "executable", "docs", "logo_url", "hidden", "python", "commands"),
    *("settings_group_validation", "capabilities", "maintenance_status", "domain_url", "keywords"),
    *("requires", "definition", "next_steps", "settings_preamble", "usage", "prereq"),
    *("supported_python_versions", "log_parser"),
}
OF_A_KIND = {"extractors": {"metadata", "schema", "select"}, "loaders": {"dialect"}}
OF_A_SETTING = {"name", "label", "description", "kind", "value", "sensitive"}
CAPABILITIES = {
    "extractors": {
        *("properties", "catalog", "discover", "state", "about", "stream-maps", "batch", "test"),
        *("schema-flattening", "activate-version", "log-based", "structured-logging"),
    },
    "loaders": {
        *("about", "stream-maps", "activate-version", "batch", "soft-delete", "hard-delete"),
        *("schema-flattening", "target-schema", "validate-records", "structured-logging"),
    },
}


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def test_definitions_and_tables_of_settings_are_what_the_programs_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert about.main(["--check"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_a_definition_has_the_form_that_the_hub_takes(file: Path) -> None:
    found, kind = read(file), file.parts[-3]
    assert NEEDED <= found.keys() <= KNOWN | OF_A_KIND[kind]
    assert (found["name"], found["variant"]) == (file.parent.name, file.stem)
    assert set(found["capabilities"]) <= CAPABILITIES[kind]
    assert found["quality"] in {"gold", "silver", "bronze", "unknown"}
    assert found["maintenance_status"] in {"active", "beta", "development", "inactive", "unknown"}
    names = {setting["name"] for setting in found["settings"]}
    for setting in found["settings"]:
        assert setting.keys() <= OF_A_SETTING
        assert setting["kind"] == "string"
        assert isinstance(setting.get("value", ""), str)
        assert setting["label"]
        assert setting["description"]
    for group in found["settings_group_validation"]:
        assert set(group) <= names


def test_what_differs_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("meltano.yml", f"{about.TAP}/README.md", f"{about.TARGET}/README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    page = tmp_path / about.TAP / "README.md"
    text = page.read_text(encoding="utf-8")
    for shown, other in (
        ("| `page_size` | 250 |", "| `page_size` | 100 |"),
        ("| `quota_percent` | 90 |", "| `quota_share` | 90 |"),
        ("| `access_token` | | secret; or", "| `access_token` | | or"),
    ):
        assert shown in text
        text = text.replace(shown, other)
    page.write_text(text, encoding="utf-8")
    said = {program: about.about(program) for program in (about.TAP, about.TARGET)}
    monkeypatch.setattr(about, "ROOT", tmp_path)
    monkeypatch.setattr(about, "about", said.__getitem__)
    assert about.main(["--check", "--into", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    for sentence in (
        "the default of `page_size` is 250, and not 100",
        "the table of settings lacks `quota_percent`",
        "`quota_share` is no setting",
        "`access_token` is secret",
        "OWNER.yml of target-freshbooks is not what the program says",
    ):
        assert sentence in told


def test_a_release_is_proposed_under_its_owner_s_name(tmp_path: Path) -> None:
    repository = "https://github.com/Shop-Tools/orders"
    assert about.main(["--repository", repository, "--into", str(tmp_path)]) == 0
    for file in FILES:
        proposed = tmp_path / file.parts[-3] / file.parts[-2] / "shop-tools.yml"
        assert read(proposed) == read(file) | {"variant": "shop-tools", "repo": repository}


@pytest.mark.sweep
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_meltano_adds_the_plugin_by_its_definition(file: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "meltano.yml").write_text(
        "version: 1\ndefault_environment: dev\nenvironments: [{name: dev}]\n"
        "send_anonymous_usage_stats: false\ncli: {disable_version_check: true}\n",
        encoding="utf-8",
    )

    def meltano(*arguments: str) -> str:
        done = subprocess.run(
            [str(BIN / "meltano"), *arguments],
            cwd=project,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    name = file.parent.name
    meltano("add", "--from-ref", str(file), "--no-install", name)
    written = yaml.safe_load((project / "meltano.yml").read_text(encoding="utf-8"))
    ((plugin,),) = written["plugins"].values()
    assert [one["name"] for one in plugin["settings"]] == [
        setting["name"] for setting in read(file)["settings"]
    ]
    variable = f"{name}_USER_AGENT".upper().replace("-", "_")
    assert variable in meltano("config", "list", "--all", name)
