"""Private files: of mode 600 from their first moment, whole under their name, and on disk."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_draft(path: Path, text: str) -> Path:
    """A private file with the text under another name beside the path, in a private folder."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
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
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
