"""FreshBooks' tokens, shared by all threads, processes and machines that use one store.

placeholder
"""

from __future__ import annotations


class TokenSource:
    """Access tokens."""

    def access_token(self) -> str:
        """A token to use now."""
        raise NotImplementedError

    def refresh(self, rejected: str) -> str:
        """Another one."""
        raise NotImplementedError
