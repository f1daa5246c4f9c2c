"""Masking of what is nobody's business in a message: e-mail addresses, and passwords of addresses.

Whoever writes the text chooses its length and its form, so each is gone through once.
"""

import re

BLANK = "***"

_PART = r"[^\s@<>\"',;:()\[\]]"
# Tried at the beginning of a run of letters only: at each letter of a long one it takes seconds.
_EMAIL = re.compile(rf"(?<!{_PART}){_PART}+@{_PART}+")
_WORD = re.compile(r"\S+")


def without_emails(text: str) -> str:
    """Write `[e-mail]` for each e-mail address in a text."""
    return _EMAIL.sub("[e-mail]", text) if "@" in text else text


def without_passwords(text: str) -> str:
    """Write `***` for the password of each address in a text, as in `scheme://user:password@host`.

    A password may hold what should have been encoded in it, `@`, `/`, `#` or `:`, so it ends at the
    last `@` of its word.
    """
    return _WORD.sub(_without_password, text) if "://" in text else text


def _without_password(word: re.Match[str]) -> str:
    scheme, mark, rest = word[0].partition("://")
    login, _, place = rest.rpartition("@")
    user, _, password = login.partition(":")
    return f"{scheme}{mark}{user}:{BLANK}@{place}" if password else word[0]
