"""An empty store on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from connector_sandbox.testing import DATABASES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, in either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    return str(request.getfixturevalue("postgresql_url"))
