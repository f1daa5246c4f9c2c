"""Shared checks: what both programs' `doctor` looks at alike, besides the servers.

Only taps and targets import this module: `packaging` comes with the Singer SDK, which they bring.
"""

import platform
import stat
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from .health_checks import Finding, fail, ok, warn
from .private_files import OTHERS

PYTHON = "Python"
OUTSIDE = ("meltano",)
"""Programs that run us, if they are installed beside us, and none of our requirements."""

_MELTANO = SpecifierSet(">=4.4,<5")  # as `requires_meltano` in meltano.yml
_INSTALL = "Install the released versions again (make setup, or pip install -r requirements.txt)."

MEBIBYTE = 1024**2
DISK_WARNS = 1024 * MEBIBYTE
DISK_FAILS = 100 * MEBIBYTE


def installed_version(name: str) -> str | None:
    """The version of Python or of a distribution; None if it is not installed here."""
    if name == PYTHON:
        return platform.python_version()
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def versions(package: str, installed: Callable[[str], str | None]) -> Finding:
    """Say whether a package's requirements are met.

    Args:
        package: The distribution of the program.
        installed: Tells the version of a distribution, or of `Python`.
    """
    wanted = {PYTHON: SpecifierSet(metadata.metadata(package)["Requires-Python"] or "")}
    for line in metadata.requires(package) or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            wanted[requirement.name] = requirement.specifier
    if installed("meltano") is not None:
        wanted["meltano"] = _MELTANO
    unmet = [
        f"{name} is {here or 'missing'} and must be {specifier}"
        for name, specifier in wanted.items()
        if not ((here := installed(name)) and specifier.contains(here, prereleases=True))
    ]
    if unmet:
        return fail(f"{'; '.join(unmet)}.", _INSTALL)
    named = (package, PYTHON, "singer-sdk", *OUTSIDE)
    present = (f"{name} {here}" for name in named if (here := installed(name)))
    return ok(f"{', '.join(present)}.")


def names(strange: Sequence[str]) -> Finding:
    """Say whether all names that look like settings are some, where all that are can be read."""
    if strange:
        listed = ", ".join(strange)
        return warn(
            f"No setting has this name, so it has no effect: {listed}.",
            f"Mend or remove {listed} in .env, the environment or the file of --config.",
        )
    return ok("All settings can be read.")


def private_files(files: Iterable[Path], keys: Iterable[Path]) -> Finding:
    """Say whether only their owner may read and write files and folders with secrets.

    Args:
        files: Those with settings and data; what is not there is passed over.
        keys: Those with keys, likewise.
    """
    open_keys, open_files = _open_to_others(keys), _open_to_others(files)
    if open_keys:
        return fail(
            f"Others on this machine may read {_listed(open_keys)}, which opens the stored"
            " credentials.",
            f"{_closing(open_keys + open_files)}; if others use this machine, change the key with"
            " rotate-key.",
        )
    if open_files:
        return warn(
            f"Others on this machine may read {_listed(open_files)}.", f"{_closing(open_files)}."
        )
    return ok("Only their owner may read the files and folders with settings, data and keys.")


def free_space(folder: Path, free_bytes: Callable[[Path], int]) -> Finding:
    """Say whether the disk has room.

    Args:
        folder: What is written to; the first folder above it that is there counts.
        free_bytes: Tells what is free where a folder is.
    """
    here = next(one for one in (folder, *folder.parents) if one.is_dir())
    free = free_bytes(here)
    sentence = f"The disk of {here} has {free // MEBIBYTE} MiB left."
    if free >= DISK_WARNS:
        return ok(sentence)
    level = fail if free < DISK_FAILS else warn
    return level(sentence, f"Make room on the disk of {here}, for a run stops where it is full.")


def _open_to_others(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.exists() and _is_open(path.stat().st_mode)]


def _is_open(mode: int) -> bool:
    return bool(mode & OTHERS) and not mode & stat.S_ISVTX  # not /tmp, which is for everybody


def _closing(paths: Iterable[Path]) -> str:
    return "; ".join(f"chmod {'700' if path.is_dir() else '600'} {path}" for path in paths)


def _listed(paths: Iterable[Path]) -> str:
    return ", ".join(map(str, paths))
