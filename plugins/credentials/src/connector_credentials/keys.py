"""Keys: Fernet keys from a setting, or from a file of mode 600 that first starters make once.

Several keys are separated by commas: the first encrypts, all decrypt, so that a key can be
changed while the old one is still needed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, MultiFernet

from .errors import CredentialError, KeyMissing, KeyUnusable

if TYPE_CHECKING:
    from pathlib import Path

MAKE_ONE = (
    "a key is 32 random bytes in URL-safe base64: "
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)


def load_keys(text: str) -> MultiFernet:
    """The keys of a comma-separated text; the first encrypts, all decrypt.

    Raises:
        KeyMissing: There is none in the text.
        KeyUnusable: One of them is no Fernet key; which one is told, not what it is.
    """
    parts = [part.strip() for part in text.split(",")]
    parts = [part for part in parts if part]
    if not parts:
        raise KeyMissing(f"the encryption key is empty; {MAKE_ONE}")
    fernets: list[Fernet] = []
    for place, part in enumerate(parts, start=1):
        fernet = _fernet(part)
        if fernet is None:
            raise KeyUnusable(
                f"encryption key {place} of {len(parts)} is no Fernet key; {MAKE_ONE}"
            )
        fernets.append(fernet)
    return MultiFernet(fernets)


def _fernet(key: str) -> Fernet | None:
    """None instead of the library's exception, whose frames hold the key."""
    try:
        return Fernet(key)
    except (ValueError, TypeError):
        return None


class KeyFile:
    """A file with the keys, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> MultiFernet | None:
        """Its keys, None if there is no such file."""
        text = self.text()
        return None if text is None else load_keys(text)

    def text(self) -> str | None:
        """The file's text, None if there is no such file."""
        try:
            text = self.path.read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as exc:
            raise KeyUnusable(
                f"the key file {self.path} cannot be read ({type(exc).__name__})"
            ) from None
        if self.path.stat().st_mode & 0o077:
            # Left open by a copy or a restore; ours to mend if it is our file.
            with contextlib.suppress(PermissionError):
                self.path.chmod(0o600)
        return text

    def make(self) -> None:
        """Make it with a new key unless it is there. Of several at once exactly one succeeds.

        The whole file appears at once under its name (a hard link, which fails where the name
        is taken), so that nobody reads a half-written key.
        """
        draft = self._draft(self.path, Fernet.generate_key().decode())
        try:
            os.link(draft, self.path)
        except FileExistsError:
            return  # another first starter was faster, and its key is the one
        except OSError as exc:
            raise CredentialError(
                f"cannot make the key file {self.path} ({exc.strerror}); give encryption_key"
            ) from None
        finally:
            draft.unlink()
        _sync(self.path.parent)

    def replace(self, text: str) -> None:
        """Put other keys in its place, in one step; a link to it stays one."""
        path = self.path.resolve()
        self._draft(path, text).replace(path)
        _sync(path.parent)

    def _draft(self, path: Path, text: str) -> Path:
        """A file of mode 600 beside the path, on disk."""
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as exc:
            raise CredentialError(
                f"cannot write beside the key file {path} ({exc.strerror})"
            ) from None
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        return draft


def _sync(folder: Path) -> None:
    """Make a new name in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
