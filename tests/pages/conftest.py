"""A clone that was set up by README's own commands, and copies of it for the other pages."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from newcomer import SetUp, set_up

from demo import sandbox as sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FEW_ORDERS = 60


@pytest.fixture(scope="session")
def first_invoices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    """A clone that has come to first invoices by README's commands, in the `.venv` of this one."""
    home = tmp_path_factory.mktemp("newcomer")
    data = tmp_path_factory.mktemp("shop") / "sandbox"
    sandboxes.plant(data, orders=FEW_ORDERS)
    with sandboxes.up(data) as sandbox:
        yield set_up(sandbox, home, lent=True)


@pytest.fixture
def place(first_invoices: SetUp, tmp_path: Path) -> Iterator[SetUp]:
    """A copy of that clone for one page, on a copy of its sandbox."""
    folder = tmp_path / "clone"
    shutil.copytree(first_invoices.folder, folder, symlinks=True)
    shutil.copytree(first_invoices.sandbox.data, tmp_path / "sandbox")
    with sandboxes.up(tmp_path / "sandbox") as sandbox:
        yield replace(first_invoices, folder=folder, sandbox=sandbox)
