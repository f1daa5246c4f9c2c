"""Constant documents, and what new records hold before anything is taken into them."""

import json
from importlib.resources import files
from typing import Any

TEMPLATES: dict[str, dict[str, Any]] = json.loads(
    files("connector_sandbox.freshbooks").joinpath("templates.json").read_text("utf-8")
)
BLANK: dict[str, dict[str, Any]] = TEMPLATES["blank"]
