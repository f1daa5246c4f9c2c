"""Keys: Fernet keys from a setting, or from a file of mode 600 that first starters make once.

Several keys are separated by commas: the first encrypts, all decrypt, so that a key can be
changed while the old one is still needed.
"""

from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from .errors import CredentialError, KeyMissing, KeyUnusable
from .private_files import close_to_others, name_draft, sync_folder, write_draft

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
    parts = [part for part in map(str.strip, text.split(",")) if part]
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


def decrypted(keys: MultiFernet, document: bytes) -> bytes | None:
    """The plain bytes, None if no key opens them."""
    try:
        return keys.decrypt(document)
    except InvalidToken:
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
        close_to_others(self.path)  # left open by a copy or a restore
        return text

    def make(self) -> None:
        """Make it with a new key unless it is there. Of several at once exactly one succeeds."""
        draft = self._draft(self.path, Fernet.generate_key().decode())
        try:
            name_draft(draft, self.path)
        except OSError as exc:
            raise CredentialError(
                f"cannot make the key file {self.path} ({exc.strerror}); give encryption_key"
            ) from None

    def replace(self, text: str) -> None:
        """Put other keys in its place, in one step; a link to it stays one."""
        path = self.path.resolve()
        self._draft(path, text).replace(path)
        sync_folder(path.parent)

    def _draft(self, path: Path, text: str) -> Path:
        try:
            return write_draft(path, f"{text}\n")
        except OSError as exc:
            raise CredentialError(
                f"cannot write beside the key file {path} ({exc.strerror})"
            ) from None
