"""Pins what is installed, for every supported Python at once; none of the files names an index.

- `constraints.txt`: all that `.venv` and Meltano's plugins get. One plain `name==version` line for
  each distribution, our own left out, no markers and no hashes, so that pip and uv take the file
  anywhere.
- `requirements/run.txt`: what the released tap and target need, with the hashes of all files of a
  version, for every system. A release adds its own (`tools/release.py`).
- `requirements/container.txt`: that, and what the container's receiver and scheduler need.
- `requirements/build.txt`: what builds the wheels, likewise.

The three follow from the first; `--keep` keeps the versions that it has, and adds what is new.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
OURS = (
    "connector-credentials",
    "connector-sandbox",
    "connector-webhooks",
    "tap-bigcommerce-orders",
    "target-freshbooks",
)
OLDEST_PYTHON = "3.11"
RUN = (
    "meltano",
    "./plugins/credentials",
    "./tap-bigcommerce-orders",
    "./target-freshbooks[postgres]",
)
LOCKED = {
    "requirements/run.txt": RUN,
    "requirements/container.txt": (*RUN, "./plugins/webhooks[postgres]", "apscheduler<4"),
    "requirements/build.txt": ("hatchling",),
}
"""Files with hashes, and what each is for."""


def resolve(wanted: list[str], *options: str) -> str:
    """Return the requirement lines of all that any supported Python needs for what is wanted."""
    command = [str(ROOT / ".venv/bin/uv"), "pip", "compile", "-", "--quiet", "--universal"]
    command += ["--python-version", OLDEST_PYTHON, "--fork-strategy", "fewest"]
    command += ["--no-emit-index-url", "--no-header", "--no-annotate", *options]
    for ours in OURS:
        command += ["--no-emit-package", ours]
    lines = "\n".join(wanted)
    done = subprocess.run(
        command, cwd=ROOT, check=True, input=lines, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def with_all_extras(package: str) -> str:
    """Return a requirement for a package's folder, with each of its extras."""
    manifest = tomllib.loads((ROOT / package / "pyproject.toml").read_text(encoding="utf-8"))
    extras = ",".join(manifest["project"].get("optional-dependencies", ()))
    return f"./{package}[{extras}]"


def pins(lines: list[str]) -> list[str]:
    """Keep `name==version` of each line; fail when one name would need two versions."""
    versions: dict[str, str] = {}
    for line in lines:
        match = re.fullmatch(r"([a-z0-9.-]+)==([^\s;]+)(?: ;.*)?", line.strip())
        if match is None:
            sys.exit(f"not a plain pin: {line!r}")
        name, version = match.groups()
        if versions.setdefault(name, version) != version:
            sys.exit(f"{name} would need both {versions[name]} and {version}")
    return [f"{name}=={version}" for name, version in sorted(versions.items())]


def main(arguments: list[str]) -> None:
    """Write the files for the packages named as arguments."""
    keep = ["--constraints", str(CONSTRAINTS)] if "--keep" in arguments else []
    packages = [with_all_extras(name) for name in arguments if name != "--keep"]
    lines = pins(resolve(packages, "--group", "dev", *keep).splitlines())
    CONSTRAINTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"constraints.txt: {len(lines)} pins")
    for name, wanted in LOCKED.items():
        text = resolve(list(wanted), "--generate-hashes", "--constraints", str(CONSTRAINTS))
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_text(text, encoding="utf-8")
        print(f"{name}: {len(re.findall('^[^ ]', text, re.MULTILINE))} pins")


if __name__ == "__main__":
    main(sys.argv[1:])
