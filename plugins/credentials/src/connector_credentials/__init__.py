"""Encrypted store for API credentials, shared safely by several processes and machines."""

from importlib import import_module
from typing import TYPE_CHECKING

from .errors import CredentialError, EntryUnusable, KeyMissing, KeyUnusable, LockTimeout, LockUnsafe

if TYPE_CHECKING:
    from .entries import LockedEntry
    from .keys import load_keys
    from .store import CredentialStore, StoredSecret

__all__ = [
    "CredentialError",
    "CredentialStore",
    "EntryUnusable",
    "KeyMissing",
    "KeyUnusable",
    "LockTimeout",
    "LockUnsafe",
    "LockedEntry",
    "StoredSecret",
    "load_keys",
]

_HOMES = {
    "CredentialStore": "store",
    "LockedEntry": "entries",
    "StoredSecret": "store",
    "load_keys": "keys",
}


def __getattr__(name: str) -> object:
    """Import the store where it is first used: SQLAlchemy would double the start of a tap."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
