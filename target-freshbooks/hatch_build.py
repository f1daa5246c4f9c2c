# ruff: noqa: INP001 - a build hook is no package
"""Build metadata: where the sibling package `connector-credentials` comes from.

In a clone it is the folder next door, so that `pip install ./target-freshbooks` works before
anything is published. For a release (`CONNECTOR_RELEASE` set) and outside a clone it is the
published distribution.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

DEPENDENCIES = [
    "alembic>=1.13",
    "cryptography>=43",
    "jinja2>=3.1",
    "requests>=2.32",
    "simplejson>=3.19",
    "singer-sdk~=0.54.0",
    "sqlalchemy>=2.0.30,<2.1",
]
PUBLISHED = "connector-credentials>=0.1,<0.2"


class CustomMetadataHook(MetadataHookInterface):
    """Fills in `dependencies`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Name the sibling by its folder in a clone, by its version elsewhere."""
        sibling = Path(self.root).resolve().parent / "plugins" / "credentials"
        in_clone = (sibling / "pyproject.toml").is_file() and not os.environ.get(
            "CONNECTOR_RELEASE"
        )
        credentials = f"connector-credentials @ {sibling.as_uri()}" if in_clone else PUBLISHED
        metadata["dependencies"] = sorted([*DEPENDENCIES, credentials])
