"""The receiver's own OpenAPI description: a document, with the paths that the settings ask for."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from connector_webhooks import __version__

if TYPE_CHECKING:
    from connector_webhooks.settings import Settings


def description(settings: Settings) -> dict[str, Any]:
    """Return the document served at ``/openapi.json``."""
    text = resources.files(__package__).joinpath("openapi.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    document["info"]["version"] = __version__
    paths = document["paths"]
    take, exceptions = settings.hook_path, settings.exceptions_path
    named = {"/webhooks": take, "/webhooks/delivery-exceptions": exceptions}
    document["paths"] = {named.get(path, path): paths[path] for path in paths}
    return document
