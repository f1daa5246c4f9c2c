"""Resolves the newest versions for every supported Python at once and pins them.

One plain `name==version` line for each distribution, our own left out; no markers, no hashes and
no index, so that pip and uv take the file anywhere.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = (
    "connector-credentials",
    "connector-sandbox",
    "connector-webhooks",
    "tap-bigcommerce-orders",
    "target-freshbooks",
)
OLDEST_PYTHON = "3.11"


def resolve(packages: list[str]) -> list[str]:
    """Return one requirement line for each distribution that any supported Python needs."""
    command = [str(ROOT / ".venv/bin/uv"), "pip", "compile", "--quiet", "--universal", "--upgrade"]
    command += ["--python-version", OLDEST_PYTHON, "--fork-strategy", "fewest", "--all-extras"]
    command += ["--no-emit-index-url", "--no-header", "--no-annotate", "--group", "dev"]
    for ours in OURS:
        command += ["--no-emit-package", ours]
    command += [f"{package}/pyproject.toml" for package in packages]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()


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


def main() -> None:
    """Write constraints.txt for the packages named as arguments."""
    lines = pins(resolve(sys.argv[1:]))
    (ROOT / "constraints.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"constraints.txt: {len(lines)} pins")


if __name__ == "__main__":
    main()
