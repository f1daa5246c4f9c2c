"""The folder of a demonstration, and its end when somebody interrupts it."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from demo.project import ROOT


def command(name: str, description: str) -> argparse.ArgumentParser:
    """The command line of `make NAME`, whose data lie in `out/NAME` unless told."""
    parser = argparse.ArgumentParser(prog=f"make {name}", description=description)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / name)
    return parser


def begin(home: Path) -> Path:
    """Give the folder, empty; from here on a signal ends what was started too."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _terminated)
    return _fresh(home)


def _fresh(home: Path) -> Path:
    """Empty the folder of an earlier demonstration; leave any other folder alone."""
    home = home.resolve()
    if home.exists() and any(home.iterdir()):
        if not (home / "sandbox").is_dir():
            sys.exit(f"{home} holds something else; name another folder with --out")
        shutil.rmtree(home)
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only clone
        home = Path(tempfile.mkdtemp(prefix="orders-demo-"))
    home.chmod(0o700)
    return home


def shown(path: Path) -> str:
    """Write a path as a person in the repository's folder would."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _terminated(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)
