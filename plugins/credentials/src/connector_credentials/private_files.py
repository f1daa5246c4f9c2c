"""Private files: of mode 600 from their first moment, whole under their name, and on disk."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

OTHERS = 0o077
"""The rights of everybody but the owner."""


def make_folder(folder: Path) -> None:
    """Make a private folder, and whatever is missing above it, whatever the umask."""
    for one in (*reversed(folder.parents), folder):
        if not one.exists():
            one.mkdir(mode=0o700, exist_ok=True)


def replace_file(path: Path, text: str) -> None:
    """Put a private file in the place of what is there, in one step."""
    write_draft(path, text).replace(path)
    sync_folder(path.parent)


def write_draft(path: Path, text: str) -> Path:
    """A private file with the text under another name beside the path, in a private folder."""
    make_folder(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def name_draft(draft: Path, path: Path) -> None:
    """Give a draft its name, unless another process was faster; of several exactly one succeeds.

    The whole file appears at once (a hard link, which fails if the name is taken), so that nobody
    reads a half-written one.
    """
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a new name in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def close_to_others(path: Path) -> None:
    """Take a file's rights from all but its owner, if it is there and ours to mend."""
    with suppress(FileNotFoundError, PermissionError):
        if path.stat().st_mode & OTHERS:
            path.chmod(0o600)


def is_open_to_others(path: Path) -> bool:
    """Whether others may read or write a file; of a pipe nothing is said."""
    mode = path.stat().st_mode
    return stat.S_ISREG(mode) and bool(mode & OTHERS)
