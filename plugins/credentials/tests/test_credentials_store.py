"""What is stored, how it is encrypted, and what happens without the right key."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING

import pytest
from connector_credentials import (
    CredentialError,
    CredentialStore,
    KeyMissing,
    KeyUnusable,
    database,
    load_keys,
)
from connector_credentials.entries import PURPOSE
from connector_credentials.keys import KeyFile
from cryptography.fernet import Fernet

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-7f3c-secret"
KEY = Fernet.generate_key().decode()
OTHER_KEY = Fernet.generate_key().decode()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_is_read_back_by_another_opener(url: str) -> None:
    CredentialStore.open(url, KEY).write("freshbooks:app", {"access_token": CANARY, "n": 1})
    store = CredentialStore.open(url, KEY)
    assert store.read("freshbooks:app") == {"access_token": CANARY, "n": 1}
    assert store.read("freshbooks:other") is None
    store.write("bigcommerce:hash", {})
    assert store.names() == ["bigcommerce:hash", "freshbooks:app"]
    store.delete("freshbooks:app")
    assert store.names() == ["bigcommerce:hash"]
    store.close()


def test_sqlite_holds_no_secret_in_clear_in_any_of_its_files(tmp_path: Path) -> None:
    store = CredentialStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}", None)
    with store.exclusive("freshbooks:app", 5) as entry:
        entry.write({"refresh_token": CANARY})
        files = sorted(tmp_path.iterdir())
        names = {file.name for file in files}
        assert {"store.sqlite", "store.sqlite-wal", "store.sqlite.key"} <= names
        for file in files:
            # Read by another process: closing the file here would drop SQLite's locks.
            held = subprocess.run(["cat", str(file)], capture_output=True, check=True).stdout
            assert CANARY.encode() not in held, file
            assert mode(file) == 0o600, file


def test_an_open_file_mode_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    os.close(os.open(path, os.O_CREAT, 0o644))
    path.chmod(0o644)
    store = CredentialStore.open(f"sqlite:///{path}", None)
    assert mode(path) == 0o600
    key = tmp_path / "store.sqlite.key"
    key.chmod(0o644)
    store.write("a", {})
    assert mode(key) == 0o600


def test_an_umask_does_not_open_the_files(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = CredentialStore.open(f"sqlite:///{tmp_path / 'deep' / 'store.sqlite'}", None)
        store.write("a", {"token": CANARY})
        assert {mode(file) for file in (tmp_path / "deep").iterdir()} == {0o600}
        assert mode(tmp_path / "deep") == 0o700
    finally:
        os.umask(before)


def test_the_key_file_is_made_only_for_an_empty_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    CredentialStore.open(url, None).write("a", {"token": CANARY})
    assert CredentialStore.open(url, "  ").read("a") == {"token": CANARY}
    (tmp_path / "store.sqlite.key").unlink()
    with pytest.raises(KeyMissing, match="Restore it from a backup"):
        CredentialStore.open(url, None)
    assert not (tmp_path / "store.sqlite.key").exists()


def test_postgresql_needs_a_key_given(postgresql_url: str) -> None:
    with pytest.raises(KeyMissing, match="encryption_key"):
        CredentialStore.open(postgresql_url, None)


def test_a_wrong_key_is_told_at_once_with_what_to_do(url: str) -> None:
    CredentialStore.open(url, KEY).write("freshbooks:app", {"token": CANARY})
    with pytest.raises(KeyUnusable, match="Give the key they were stored with") as caught:
        CredentialStore.open(url, OTHER_KEY)
    shown = "".join(traceback.format_exception(caught.value))
    assert CANARY not in shown
    assert KEY not in shown
    assert OTHER_KEY not in shown


@pytest.mark.parametrize(
    "key", ["secret-no-key", f"{KEY},secret-no-key"], ids=["alone", "after a good one"]
)
def test_a_malformed_key_is_refused_without_being_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(KeyUnusable, match="is no Fernet key") as caught:
        CredentialStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}", key)
    assert "secret-no-key" not in "".join(traceback.format_exception(caught.value))


def test_the_first_key_encrypts_and_all_decrypt(url: str) -> None:
    CredentialStore.open(url, KEY).write("old", {"n": 1})
    both = CredentialStore.open(url, f"{OTHER_KEY}, {KEY}")
    both.write("new", {"n": 2})
    assert both.read("old") == {"n": 1}
    both.delete("old")
    assert CredentialStore.open(url, OTHER_KEY).read("new") == {"n": 2}


def test_reencrypt_leaves_only_the_new_key(url: str) -> None:
    store = CredentialStore.open(url, KEY)
    store.write("a", {"n": 1})
    store.write("b", {"n": 2})
    assert store.reencrypt(OTHER_KEY) == 2
    assert store.read("a") == {"n": 1}
    assert CredentialStore.open(url, OTHER_KEY).read("b") == {"n": 2}
    with pytest.raises(KeyUnusable):
        CredentialStore.open(url, KEY)


def test_a_rotated_key_file_is_followed_by_processes_that_are_running(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    running, rotating = CredentialStore.open(url, None), CredentialStore.open(url, None)
    running.write("a", {"n": 1})
    rotating.reencrypt(KEY)
    assert running.read("a") == {"n": 1}
    running.write("b", {"n": 2})
    assert CredentialStore.open(url, KEY).read("b") == {"n": 2}
    assert (tmp_path / "store.sqlite.key").read_text().strip() == KEY


def test_a_document_shows_names_only(tmp_path: Path) -> None:
    store = CredentialStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}", KEY)
    store.write("a", {"token": CANARY})
    document = store.read("a")
    assert document is not None
    assert document["token"] == CANARY
    assert CANARY not in f"{document} {document!r} {store!r} {load_keys(KEY)!r}"


def test_a_database_password_is_not_shown() -> None:
    with pytest.raises(CredentialError) as caught:
        CredentialStore.open(f"postgresql://someone:{CANARY}@127.0.0.1:1/none", KEY)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_database_password_in_the_query_is_not_shown_either() -> None:
    closed = f"postgresql://someone@127.0.0.1:1/none?password={CANARY}"
    with pytest.raises(CredentialError) as caught:
        CredentialStore.open(closed, KEY)
    assert "127.0.0.1:1/none could not be used" in str(caught.value)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    store = CredentialStore(database.open_engine(closed, PURPOSE), load_keys(KEY), None)
    assert CANARY not in repr(store)


def test_a_rotated_key_goes_where_a_link_to_the_key_file_leads(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    file = tmp_path / "store.sqlite.key"
    file.symlink_to(tmp_path / "real" / "key")
    KeyFile(tmp_path / "real" / "key").make()
    store = CredentialStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}", None)
    store.reencrypt(OTHER_KEY)
    assert (tmp_path / "real" / "key").read_text().strip() == OTHER_KEY
    assert file.is_symlink()


def test_a_folder_that_cannot_be_made_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CredentialError, match=r"/file/s\.sqlite cannot be made .*\(Not a dir"):
        CredentialStore.open(f"sqlite:///{tmp_path}/file/s.sqlite", KEY)


def test_links_in_a_circle_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(CredentialError, match="cannot be made or kept private"):
        CredentialStore.open(f"sqlite:///{tmp_path / 'a'}", KEY)


def test_nothing_secret_is_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        store = CredentialStore.open(url, KEY)
        with store.exclusive("a", 5) as entry:
            entry.write({"token": CANARY})
        store.reencrypt(OTHER_KEY)
    for secret in (CANARY, KEY, OTHER_KEY):
        assert secret not in caplog.text


def test_a_url_of_another_kind_is_refused_with_words() -> None:
    with pytest.raises(CredentialError, match="not a database URL"):
        CredentialStore.open("not a url", KEY)
    with pytest.raises(CredentialError, match="SQLite or PostgreSQL"):
        CredentialStore.open("mysql://localhost/x", KEY)
    with pytest.raises(CredentialError, match="names no file"):
        CredentialStore.open("sqlite://", KEY)


def test_commits_are_on_disk_when_they_return(tmp_path: Path) -> None:
    store = CredentialStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}", KEY)
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_opening_the_store_drops_no_lock_that_sqlite_holds_in_this_process(
    tmp_path: Path,
) -> None:
    """A lock dropped lets another process take itself for the last one and remove the log."""
    path = tmp_path / "store.sqlite"
    CredentialStore.open(f"sqlite:///{path}", KEY)
    ledger = sqlite3.connect(path, isolation_level=None)
    ledger.execute("CREATE TABLE t (n)")
    CredentialStore.open(f"sqlite:///{path}", KEY)
    program = (
        "import sqlite3, sys\n"
        "other = sqlite3.connect(sys.argv[1])\n"
        "other.execute('SELECT count(*) FROM t').fetchone()\n"
        "other.close()"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    assert path.with_name("store.sqlite-wal").exists()
    ledger.close()


def test_a_key_file_that_is_there_is_never_made_anew(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "key")
    file.make()
    first = file.text()
    file.make()
    assert file.text() == first
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_reading_does_not_wait_for_another_writer_of_the_same_database(tmp_path: Path) -> None:
    store = CredentialStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}", KEY)
    store.write("a", {"n": 1})
    ledger = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    ledger.execute("BEGIN IMMEDIATE")
    assert store.read("a") == {"n": 1}
    ledger.close()
