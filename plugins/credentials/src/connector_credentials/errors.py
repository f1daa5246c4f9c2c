"""What can go wrong with the store. Each message says what to do, and holds no secret."""


class CredentialError(Exception):
    """Base of all: the store cannot do what was asked."""


class KeyMissing(CredentialError):  # noqa: N818 - the word says it
    """There is no key to read or write with."""


class KeyUnusable(CredentialError):  # noqa: N818 - the word says it
    """The key is no key, or does not open what is stored."""


class EntryUnusable(CredentialError):  # noqa: N818 - the word says it
    """An entry is not what was stored under its name; all others can be used."""


class LockTimeout(CredentialError):  # noqa: N818 - the word says it
    """Another process held the entry for longer than we were to wait."""


class LockUnsafe(CredentialError):  # noqa: N818 - the word says it
    """Where the database is, a lock would not keep others out."""
