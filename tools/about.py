"""What tap and target say of themselves (`--about`), where it is said again.

`tools/about.py` writes the definitions of both for Meltano Hub into `hub/`. Names, defaults, what
is secret, capabilities and Pythons are the programs' own; labels, descriptions, commands and
selected streams are those of meltano.yml. `--repository` names the one that releases come from, and
`--into` another folder, such as `_data/meltano` of a clone of the Hub.

`--check` writes nothing: it ends with 1 where a definition, or the table of settings in a README,
says something else than the program.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
HUB = ROOT / "hub"
REPOSITORY = "https://github.com/OWNER/NAME"
TAP, TARGET = "tap-bigcommerce-orders", "target-freshbooks"
OF_THE_SDK = re.compile(
    r"stream_maps|stream_map_config|faker_config|flattening_|batch_config|add_record_metadata"
    r"|load_method|batch_size_rows|validate_records|sql_options"
)
"""Settings that the SDK adds to every tap or target."""

TEXT = (
    "Every setting is text, which the program reads itself, strictly: a misspelt boolean or date"
    " stops the run instead of meaning something else. Lists and objects are written as JSON text."
)
OF_THE_HUB: dict[str, dict[str, Any]] = {
    TAP: {
        "kind": "extractors",
        "domain_url": "https://www.bigcommerce.com/",
        "logo_url": "/assets/logos/extractors/bigcommerce.png",
        "pip_url": f"connector-credentials[postgres] {TAP}",
        "settings_group_validation": [
            ["store_hash", "access_token"],
            ["store_hash", "access_token_file"],
            ["store_hash", "credentials_url"],
        ],
    },
    TARGET: {
        "kind": "loaders",
        "domain_url": "https://www.freshbooks.com/",
        "logo_url": "/assets/logos/extractors/freshbooks.svg",
        "pip_url": f"{TARGET}[postgres]",
        "next_steps": f"Log in once: `meltano invoke {TARGET}:login`. What would be written shows"
        " `dry_run: true`; what waits for a person, and why, `status`.\n",
        "settings_group_validation": [
            ["client_id", "client_secret"],
            ["client_id", "client_secret_file"],
        ],
    },
}
"""What neither program nor meltano.yml knows of."""


def about(program: str) -> dict[str, Any]:
    """What a program of `.venv` says of itself."""
    command = [str(ROOT / ".venv" / "bin" / program), "--about", "--format", "json"]
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    said: dict[str, Any] = json.loads(process.stdout)
    return said


def own_settings(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings that are the program's own, in its order."""
    properties = said["settings"]["properties"]
    return {name: one for name, one in properties.items() if not OF_THE_SDK.match(name)}


def as_text(default: object) -> str:
    """A default as it is written in a configuration or a variable."""
    return default if isinstance(default, str) else json.dumps(default)


def described(program: str) -> dict[str, Any]:
    """The program's entry in meltano.yml."""
    document = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    entries = document["plugins"][OF_THE_HUB[program]["kind"]]
    return next(dict(entry) for entry in entries if entry["name"] == program)


def setting(name: str, schema: dict[str, Any], words: dict[str, Any]) -> dict[str, Any]:
    """One setting as the Hub has it."""
    entry = {
        "name": name,
        "label": words.get("label") or name.replace("_", " ").capitalize(),
        "description": " ".join(words["description"].split()),
        "kind": "string",
    }
    if schema.get("secret"):
        entry["sensitive"] = True
    if schema.get("default") not in (None, ""):
        value = as_text(schema["default"])
        entry["value"] = value.replace("sqlite:///data/", "sqlite:///$MELTANO_PROJECT_ROOT/data/")
    return dict(sorted(entry.items()))


def definition(program: str, said: dict[str, Any], repository: str) -> str:
    """The file of a program for the Hub."""
    entry, more = described(program), dict(OF_THE_HUB[program])
    owner = repository.rstrip("/").split("/")[-2]
    words = {one["name"]: one for one in entry["settings"]}
    document = {
        "name": program,
        "variant": owner if repository == REPOSITORY else owner.lower(),
        "namespace": entry["namespace"],
        "label": entry["label"],
        "description": said["description"],
        "repo": repository,
        "executable": entry["executable"],
        "capabilities": sorted(said["capabilities"]),
        "supported_python_versions": said["supported_python_versions"],
        "log_parser": "singer-sdk",
        "keywords": ["accounting", "api", "ecommerce", "meltano_sdk"],
        "maintenance_status": "active",
        "quality": "silver",
        "settings_preamble": TEXT + "\n",
        "commands": entry["commands"],
        "settings": [setting(name, one, words[name]) for name, one in own_settings(said).items()],
        **({"select": entry["select"]} if "select" in entry else {}),
    }
    more.pop("kind")
    return yaml.safe_dump(document | more, allow_unicode=True, width=100)


def readme_faults(program: str, said: dict[str, Any]) -> list[str]:
    """A sentence for each setting that the README's table lacks or describes otherwise."""
    page = (ROOT / program / "README.md").read_text(encoding="utf-8")
    section = page.split("\n## Settings\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    listed = {name: row for row in rows for name in re.findall(r"`([a-z_]+)`", row[0])}
    own = {
        name: one
        for name, one in own_settings(said).items()
        if not (name.endswith("_file") and name.removesuffix("_file") in own_settings(said))
        or name in listed
    }
    wrong = [f"`{name}` is no setting" for name in listed.keys() - own.keys()]
    for name, schema in own.items():
        if name not in listed:
            wrong.append(f"the table of settings lacks `{name}`")
            continue
        default, words = (cell.strip() for cell in listed[name][1:3])
        value = schema.get("default")
        if value not in (None, "") and default.strip("`") != as_text(value):
            wrong.append(f"the default of `{name}` is {as_text(value)}, and not {default}")
        if schema.get("secret") and not words.startswith("secret"):
            wrong.append(f"`{name}` is secret")
    return [f"{program}/README.md: {sentence}" for sentence in wrong]


def main(arguments: list[str] | None = None) -> int:
    """Write the definitions, or compare; return 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--repository", default=REPOSITORY)
    parser.add_argument("--into", type=Path, default=HUB)
    options = parser.parse_args(arguments)
    wrong: list[str] = []
    for program, more in OF_THE_HUB.items():
        said = about(program)
        wrong += readme_faults(program, said)
        text = definition(program, said, options.repository)
        variant = yaml.safe_load(text)["variant"]
        file = options.into / more["kind"] / program / f"{variant}.yml"
        if not options.check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        elif not file.is_file() or file.read_text(encoding="utf-8") != text:
            wrong.append(f"{file.name} of {program} is not what the program says: tools/about.py")
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
