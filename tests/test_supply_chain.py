"""What comes in from outside is pinned by hash, and what goes out is built from it alone."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from packaging.requirements import Requirement

from demo.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LOCKED = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(
    r"^([a-z0-9.-]+)==(\S+)(?: ; [^\\]+)? \\\n(?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+"
)
ROOTS = {
    "run": ("meltano", "tap-bigcommerce-orders", "target-freshbooks[postgres]"),
    "container": (
        *("meltano", "tap-bigcommerce-orders", "target-freshbooks[postgres]"),
        *("connector-webhooks[postgres]", "apscheduler"),
    ),
    "build": ("hatchling",),
}
OURS = {"connector-credentials", "tap-bigcommerce-orders", "target-freshbooks"}


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
    return found


def pins(text: str) -> dict[str, str]:
    """The version of each distribution of a file in which each has its hashes, and nothing else."""
    versions = {}
    while text:
        pin = PIN.match(text)
        assert pin, text[:200]
        versions[pin[1]] = pin[2]
        text = text[pin.end() :]
    return versions


def needed(roots: tuple[str, ...]) -> set[str]:
    """All distributions that some need on this machine, as they say themselves."""
    found: set[str] = set()
    waiting = [Requirement(root) for root in roots]
    while waiting:
        wanted = waiting.pop()
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        for line in metadata.requires(name) or ():
            inner = Requirement(line)
            extras = ("", *wanted.extras)
            if inner.marker is None or any(inner.marker.evaluate({"extra": e}) for e in extras):
                inner_name = re.sub(r"[-_.]+", "-", inner.name).lower()
                if inner_name not in found or inner.extras:
                    waiting.append(inner)
        found.add(name)
    return found


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_each_action_is_pinned_by_its_commit_and_says_which_version_that_is(file: Path) -> None:
    used = re.findall(r"uses: (.+)", file.read_text(encoding="utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"[\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_secrets_are_on_the_step_that_needs_them_and_never_in_a_script(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    on_steps = [
        value
        for job in jobs(file).values()
        for step in job["steps"]
        for value in step.get("env", {}).values()
        if "secrets." in str(value) or "github.token" in str(value)
    ]
    assert len(on_steps) == text.count("secrets.") + text.count("github.token")
    for job in jobs(file).values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step["run"]


@pytest.mark.parametrize("file", LOCKED, ids=lambda file: file.stem)
def test_what_a_release_is_made_of_has_hashes_and_the_versions_of_the_constraints(
    file: Path,
) -> None:
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    locked = pins(file.read_text(encoding="utf-8"))
    assert {f"{name}=={version}" for name, version in locked.items()} <= set(constraints)
    missing = needed(ROOTS[file.stem]) - locked.keys() - OURS - {"connector-webhooks"}
    assert not missing, f"make constraints KEEP=1: {missing}"


def test_a_release_is_built_and_published_where_no_test_and_no_tool_of_ours_ran() -> None:
    release = jobs(ROOT / ".github" / "workflows" / "release.yml")
    for name, job in release.items():
        scripts = " ".join(step.get("run", "") for step in job["steps"])
        assert ("make" in scripts or ".ci/run" in scripts) == (name == "test"), scripts
    (build,) = [step["run"] for step in release["build"]["steps"] if "pip" in step.get("run", "")]
    assert re.findall("pip install .*", build) == [
        "pip install --require-hashes --only-binary :all: -r requirements/build.txt"
    ]
    assert release["build"]["permissions"] == {"contents": "read"}
    assert set(release["publish"]["needs"]) == {"test", "build"}
    steps = release["publish"]["steps"]
    place = [str(step).find for step in steps]
    checked, attested, sent = (
        next(number for number, find in enumerate(place) if find(word) >= 0)
        for word in ("sha256sum --check", "attest-build-provenance@", "gh-action-pypi-publish@")
    )
    assert checked < attested < sent
    assert "password" not in str(steps)


@pytest.mark.more
def test_a_release_installs_by_hash_and_a_wheel_that_was_changed_does_not(tmp_path: Path) -> None:
    out, place = tmp_path / "out", tmp_path / "installed"
    command = [sys.executable, str(ROOT / "tools" / "release.py")]
    assert subprocess.run([*command, "v9.9.9", str(out)], check=False).returncode == 1
    assert not out.exists()
    subprocess.run([*command, "v0.2.0", str(out)], check=True)
    text = (out / "requirements.txt").read_text(encoding="utf-8")
    run = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    ours = text.removeprefix(run)
    assert pins(ours).keys() == OURS
    assert len(list((out / "dist").iterdir())) == 2 * 5
    for file in (out / "dist").glob("t*"):
        assert hashlib.sha256(file.read_bytes()).hexdigest() in ours

    def install() -> subprocess.CompletedProcess[str]:
        wanted = tmp_path / "ours.txt"
        wanted.write_text(ours, encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--require-hashes", "--no-index"]
        command += ["--no-deps", "--find-links", str(out / "dist"), "--target", str(place)]
        return subprocess.run(
            [*command, "-r", str(wanted)], capture_output=True, text=True, check=False
        )

    assert install().returncode == 0
    assert (place / "target_freshbooks").is_dir()
    (wheel,) = (out / "dist").glob("target_freshbooks*.whl")
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    refused = install()
    assert refused.returncode != 0
    assert "DO NOT MATCH THE HASHES" in refused.stderr
