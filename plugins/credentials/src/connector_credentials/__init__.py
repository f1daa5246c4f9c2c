"""Encrypted store for API credentials, shared safely by several processes and machines."""

from .entry import LockedEntry
from .errors import CredentialError, KeyMissing, KeyUnusable, LockTimeout, LockUnsafe
from .keys import load_keys
from .store import CredentialStore, StoredSecret

__all__ = [
    "CredentialError",
    "CredentialStore",
    "KeyMissing",
    "KeyUnusable",
    "LockTimeout",
    "LockUnsafe",
    "LockedEntry",
    "StoredSecret",
    "load_keys",
]
