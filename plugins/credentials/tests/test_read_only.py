"""Databases that are only looked at: nothing is made or changed, whoever else is at work there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from connector_credentials import CredentialStore, KeyMissing, KeyUnusable, database
from connector_credentials.entries import PURPOSE
from connector_credentials.read_only import key_file, open_store_to_read, open_to_read
from cryptography.fernet import Fernet

if TYPE_CHECKING:
    from pathlib import Path

NAME, DOCUMENT = "freshbooks:app", {"access_token": "canary"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with one entry, its key beside it."""
    url = f"sqlite:///{tmp_path / 'folder' / 'store.sqlite'}"
    store = CredentialStore.open(url, None)
    store.write(NAME, DOCUMENT)
    store.close()
    return url


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(file): (file.stat().st_mode, file.stat().st_mtime_ns, file.read_bytes())
        for file in sorted(folder.iterdir())
    }


def test_looking_makes_and_changes_no_file(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    key = key_file(url)
    assert key is not None
    key.chmod(0o644)  # left as it is, for doctor tells it
    before = snapshot(folder)
    store = open_store_to_read(url, None)
    assert store is not None
    assert store.read(NAME) == DOCUMENT
    assert store.unopened() == {}
    assert snapshot(folder) == before


def test_where_there_is_nothing_nothing_is_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'folder' / 'store.sqlite'}"
    assert open_to_read(url, PURPOSE) is None
    assert open_store_to_read(url, None) is None
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_others_holds_no_store(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as other:
        other.execute("CREATE TABLE t(a)")
    assert open_store_to_read(f"sqlite:///{tmp_path / 'other.sqlite'}", None) is None


def test_nothing_can_be_written_beside_those_who_write(url: str) -> None:
    writer = database.open_engine(url, PURPOSE)
    with writer.connect() as writing, database.writing(writing):
        writing.execute(sa.text("CREATE TABLE others(a)"))
    engine = open_to_read(url, PURPOSE)
    assert engine is not None
    with engine.connect() as reading:
        assert reading.execute(sa.text("SELECT count(*) FROM others")).scalar() == 0
        with pytest.raises(sa.exc.OperationalError, match="readonly"):
            reading.execute(sa.text("INSERT INTO others VALUES (1)"))
    writer.dispose()


def test_a_key_that_is_gone_or_another_is_told(url: str) -> None:
    with pytest.raises(KeyUnusable, match="does not open"):
        open_store_to_read(url, Fernet.generate_key().decode())
    key = key_file(url)
    assert key is not None
    key.unlink()
    with pytest.raises(KeyMissing, match="is gone"):
        open_store_to_read(url, None)
    with pytest.raises(KeyMissing, match="encryption_key"):
        open_store_to_read("postgresql://nobody@localhost/none", None)
