"""Names the dependencies: in a clone, the credential store is the sibling folder, else the index's.

``pip install ./tap-bigcommerce-orders`` then works alone in a clone, and a released wheel
(built with CONNECTOR_RELEASE=1, or from an unpacked sdist) names the published distribution.
"""
# ruff: noqa: INP001 - run by the build, part of no package

import os
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

DEPENDENCIES = [
    "requests>=2.32,<3",
    "singer-sdk~=0.54.0",
    "typing-extensions>=4.12",
    "urllib3>=2.3,<3",
]


class CustomMetadataHook(MetadataHookInterface):
    """Fills in ``project.dependencies``."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the requirement of connector-credentials that fits the place we are built in."""
        sibling = Path(self.root).parent / "plugins" / "credentials"
        if sibling.joinpath("pyproject.toml").is_file() and not os.environ.get("CONNECTOR_RELEASE"):
            credentials = f"connector-credentials @ {sibling.resolve().as_uri()}"
        else:
            credentials = "connector-credentials>=0.1,<0.2"
        metadata["dependencies"] = [*DEPENDENCIES, credentials]
