"""Keeping secrets out of what is written: known values are blanked in every line."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from connector_credentials.masking import BLANK, without_passwords

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Shorter values would blank ordinary words; no real key or token is as short.
SHORTEST_SECRET = 8
_SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|_KEY$|_KEY_|CREDENTIAL", re.IGNORECASE)


def secrets_of(environment: Mapping[str, str]) -> set[str]:
    """Values of environment variables whose names say that they are secret, but for paths."""
    return {
        value
        for name, value in environment.items()
        if _SECRET_NAME.search(name) and not name.endswith("_FILE")
    }


class Redaction:
    """Blanks known secrets, each part of a comma-separated one, and passwords inside URLs."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        parts = {part.strip() for secret in secrets for part in (secret, *secret.split(","))}
        known = sorted((p for p in parts if len(p) >= SHORTEST_SECRET), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced by ``***``."""
        if self._known is not None:
            text = self._known.sub(BLANK, text)
        return without_passwords(text)

    def of_document(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """Return a JSON document with every secret in its texts replaced; its names stay."""
        if isinstance(value, dict):
            return {name: self.of_document(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.of_document(one) for one in value]
        return self(value) if isinstance(value, str) else value


class RedactingFormatter(logging.Formatter):
    """Formats a record, traceback included, and blanks the secrets in the whole of it."""

    def __init__(self, fmt: str, redaction: Redaction) -> None:
        super().__init__(fmt)
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        """Return the finished line(s) without secrets."""
        return self._redaction(super().format(record))
