"""Builds a release, `tools/release.py TAG OUT`, with what `requirements/build.txt` names alone.

`OUT/dist` gets the five distributions, `OUT/requirements.txt` what a machine installs to run tap
and target: each file by its hash, those just built among them.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "requirements/run.txt"
PACKAGES = (
    "tap-bigcommerce-orders",
    "target-freshbooks",
    "plugins/credentials",
    "plugins/sandbox",
    "plugins/webhooks",
)
INSTALLED = PACKAGES[:3]
"""What the scheduled run needs; the others are installed by who uses them."""


def project(package: str) -> tuple[str, str]:
    """Return a package's name and version."""
    manifest = tomllib.loads((ROOT / package / "pyproject.toml").read_text(encoding="utf-8"))
    return manifest["project"]["name"], manifest["project"]["version"]


def build(package: str, dist: Path) -> None:
    """Build a package's archive of sources and its wheel, from the sources as they stand."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(dist)]
    subprocess.run(command, cwd=ROOT / package, check=True)


def requirement(name: str, version: str, dist: Path) -> str:
    """Return the requirement of a distribution just built, with the hashes of its files."""
    files = sorted(dist.glob(f"{name.replace('-', '_')}-{version}*"))
    hashes = [f"--hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    return " \\\n    ".join([f"{name}=={version}", *hashes]) + "\n"


def main(tag: str, out: Path) -> None:
    """Build everything; stop before that where a version is not the tag's."""
    for package in PACKAGES:
        name, version = project(package)
        if f"v{version}" != tag:
            sys.exit(f"{name} is at {version}, and the tag is {tag}")
    dist = out.resolve() / "dist"
    dist.mkdir(parents=True)
    for package in PACKAGES:
        build(package, dist)
    ours = "".join(requirement(*project(package), dist) for package in INSTALLED)
    (out / "requirements.txt").write_text(RUN.read_text(encoding="utf-8") + ours, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
