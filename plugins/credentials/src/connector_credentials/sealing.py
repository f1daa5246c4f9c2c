"""What is encrypted of an entry: its document with its name, which binds it to its row."""

import json
from collections.abc import Mapping
from typing import Any

from .commands import credentials
from .errors import EntryUnusable
from .json_text import with_whole_characters


def sealed(name: str, document: Mapping[str, Any]) -> bytes:
    """The plain bytes to encrypt."""
    return json.dumps({"name": name, "document": dict(document)}).encode()


def unsealed(name: str, plain: bytes, url: str) -> dict[str, Any]:
    """The document of decrypted bytes; the database's URL is for the message.

    Raises:
        EntryUnusable: They were not stored under this name.
    """
    try:
        entry = json.loads(plain)
    except (ValueError, RecursionError):
        entry = None
    document = entry.get("document") if isinstance(entry, dict) else None
    if not isinstance(document, dict) or entry.get("name") != name:
        raise EntryUnusable(
            f"the stored credentials {name!r} are something else: what is there was not stored "
            "under that name, as after a row of the database was copied over another. Remove the "
            f"entry ({credentials('delete', name, url=url)}) and log in, or set it, again"
        )
    return dict(with_whole_characters(document))
