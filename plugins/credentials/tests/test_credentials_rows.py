"""Rows that somebody else put there, and what is left of rows that are gone."""

from __future__ import annotations

import json
import re
import subprocess
import traceback
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from connector_credentials import CredentialError, CredentialStore, KeyUnusable, database, entries
from connector_credentials.cli import main
from connector_credentials.entries import PURPOSE, credentials
from cryptography.fernet import Fernet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CANARY = "canary-51c2-secret"
KEY = Fernet.generate_key().decode()
NEW_KEY = Fernet.generate_key().decode()
JUNK = {
    "of another key": Fernet(NEW_KEY.encode()).encrypt(b"{}"),
    "no ciphertext": b"\x00\xff junk",
    "empty": b"",
    "no document": Fernet(KEY.encode()).encrypt(b"not JSON"),
    "nested without end": Fernet(KEY.encode()).encrypt(b"[" * 100_000),
    **{
        f"with {document!r} for a document": Fernet(KEY.encode()).encrypt(
            json.dumps({"name": "bad", "document": document}).encode()
        )
        for document in ("text", 5, None, ["ab"])
    },
    "without a name": Fernet(KEY.encode()).encrypt(json.dumps({"token": CANARY}).encode()),
}


def put(store: CredentialStore, name: str, document: bytes) -> None:
    """Change a row behind the store's back, or add one."""
    with store._engine.begin() as connection:
        connection.execute(sa.delete(credentials).where(credentials.c.name == name))
        row = {"name": name, "document": document, "version": 1, "updated_at": sa.func.now()}
        connection.execute(sa.insert(credentials).values(**row))


def documents(store: CredentialStore) -> dict[str, bytes]:
    """The ciphertexts by name, read past the store."""
    with store._engine.begin() as connection:
        rows = connection.execute(sa.select(credentials.c.name, credentials.c.document))
        return {name: bytes(document) for name, document in rows}


@pytest.mark.parametrize("name", ["freshbooks:app", "freshbooks:renamed"])
def test_a_row_copied_to_another_name_does_not_open(url: str, name: str) -> None:
    store = CredentialStore.open(url, KEY)
    store.write("freshbooks:attacker", {"refresh_token": CANARY})
    store.write("freshbooks:app", {"refresh_token": "ours"})
    put(store, name, documents(store)["freshbooks:attacker"])
    again = CredentialStore.open(url, KEY)
    with pytest.raises(CredentialError, match=f"{name!r} are something else") as caught:
        again.read(name)
    assert re.search(rf"connector-credentials --url \S+ delete {name}\b", str(caught.value))
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert again.read("freshbooks:attacker") == {"refresh_token": CANARY}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_one_junk_row_locks_nobody_else_out(url: str, junk: bytes) -> None:
    CredentialStore.open(url, KEY).write("good", {"token": "kept"})
    put(CredentialStore.open(url, KEY), "bad", junk)
    store = CredentialStore.open(url, KEY)
    with pytest.raises(CredentialError, match="'bad'"):
        store.read("bad")
    assert store.read("good") == {"token": "kept"}
    with store.exclusive("new", 5) as entry:
        entry.write({"n": 1})
    assert CredentialStore.open(url, KEY).read("new") == {"n": 1}


def test_half_a_character_in_a_row_can_be_sent_and_written(url: str) -> None:
    store = CredentialStore.open(url, KEY)
    store.write("freshbooks:app", {"refresh_token": "a\ud800", "\udfff": ["\ud83d\ude00"]})
    document = CredentialStore.open(url, KEY).read("freshbooks:app")
    assert document == {"refresh_token": "a\ufffd", "\ufffd": ["\U0001f600"]}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_a_key_is_not_changed_while_a_row_does_not_open_and_nothing_is_lost(
    tmp_path: Path, junk: bytes
) -> None:
    path = tmp_path / "store.sqlite"
    path.with_name("store.sqlite.key").write_text(f"{KEY}\n")
    store = CredentialStore.open(f"sqlite:///{path}", None)
    store.write("good", {"token": "kept"})
    put(store, "bad", junk)
    put(store, "worse", junk)
    before = documents(store)
    with pytest.raises(CredentialError, match=r"nothing was encrypted anew.*'bad'.*'worse'"):
        store.rotate(None)
    assert documents(store) == before
    assert path.with_name("store.sqlite.key").read_text() == f"{KEY}\n"
    store.delete("bad")
    store.delete("worse")
    assert store.rotate(None) == 1
    assert store.read("good") == {"token": "kept"}


def test_a_key_that_opens_no_row_is_told_as_that_though_one_is_junk(url: str) -> None:
    store = CredentialStore.open(url, KEY)
    store.write("good", {"token": "kept"})
    put(store, "bad", b"junk")
    with pytest.raises(KeyUnusable, match="Give the key they were stored with"):
        CredentialStore.open(url, NEW_KEY)


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run `connector-credentials` on a store of its own: exit code, output, errors."""
    monkeypatch.setenv("CREDENTIALS_URL", f"sqlite:///{tmp_path / 'store.sqlite'}")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        return code, *capsys.readouterr()

    return run


def test_a_list_shows_what_does_not_open(tmp_path: Path, command: Any) -> None:
    assert command("list") == (0, "", "")
    assert not (tmp_path / "store.sqlite.key").exists()
    store = CredentialStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}", None)
    store.write("good", {"token": CANARY})
    put(store, "bad", b"junk")
    put(store, "copied", documents(store)["good"])
    code, shown, errors = command("list")
    assert (code, errors) == (0, "")
    lines = shown.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["bad", "copied", "good"]
    assert "does not open" in lines[0]
    assert "are something else" in lines[1]
    assert lines[2] == "good"


def test_a_list_without_the_key_still_names_all(tmp_path: Path, command: Any) -> None:
    store = CredentialStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}", None)
    store.write("good", {"token": CANARY})
    (tmp_path / "store.sqlite.key").unlink()
    code, shown, errors = command("list")
    assert (code, shown) == (0, "good\n")
    assert "Restore it from a backup" in errors
    assert command("delete", "good")[:2] == (0, "removed good\n")


def test_a_row_of_another_type_or_of_broken_text_locks_nobody_out(
    tmp_path: Path, command: Any
) -> None:
    store = CredentialStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}", None)
    store.write("good", {"token": "kept"})
    with store._engine.begin() as connection:
        for values in ("'words', 'no bytes'", "X'FF6E', X'00'", "CAST(X'FE' AS TEXT), 5"):
            connection.exec_driver_sql(
                f"INSERT INTO credentials VALUES ({values}, 'one', 'never')"  # noqa: S608 - ours
            )
    store = CredentialStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}", None)
    assert store.read("good") == {"token": "kept"}
    with pytest.raises(KeyUnusable, match="'words'"):
        store.read("words")
    with pytest.raises(CredentialError, match="nothing was encrypted anew"):
        store.rotate(None)
    code, shown, _ = command("list")
    assert (code, shown.count("does not open")) == (0, 3)
    assert command("delete", "words")[0] == 0
    assert command("delete", "--all")[0] == 0
    assert command("list") == (0, "", "")


FILES = ("store.sqlite", "store.sqlite-wal", "store.sqlite-journal")


def found(tmp_path: Path, pieces: list[bytes]) -> list[tuple[str, int]]:
    """In which files of the database a ciphertext still is, and which one."""
    places = []
    for name in FILES:
        if (tmp_path / name).exists():
            # Read by another process: closing the file here would drop SQLite's locks.
            held = subprocess.run(["cat", name], cwd=tmp_path, capture_output=True, check=True)
            places += [(name, n) for n, piece in enumerate(pieces) if piece in held.stdout]
    return places


def replace(store: CredentialStore) -> None:
    for name in store.names():
        with store.exclusive(name, 5) as entry:
            entry.write({})
            entry.cut_log()


CHANGES: dict[str, Callable[[CredentialStore], object]] = {
    "replaced": replace,
    "rotated": lambda store: store.rotate(None),
    "deleted": lambda store: [store.delete(name) for name in store.names()],
    "all deleted": lambda store: entries.delete(store._engine, None),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_old_ciphertext_is_in_no_file_of_the_database_afterwards(
    tmp_path: Path, change: Callable[[CredentialStore], object]
) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    store = CredentialStore.open(url, None)
    ledger = database.open_engine(url, PURPOSE)  # keeps the write-ahead log from being removed
    with ledger.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n)")
        connection.commit()
        pieces = []
        for n in range(24):  # some beside others on a page, and some longer than one
            store.write(f"n{n}", {"token": CANARY * (1 + n * n)})
            pieces += [documents(store)[f"n{n}"]]
            store.write(f"n{n}", {"token": CANARY * (30 + n)})
            pieces += [documents(store)[f"n{n}"]]
        marks = [piece[end : end + 60] for piece in pieces for end in (0, len(piece) - 60)]
        assert found(tmp_path, marks)
        change(store)
        assert found(tmp_path, marks) == []
    ledger.dispose()


def test_a_logout_leaves_no_ciphertext_in_the_write_ahead_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    store = CredentialStore.open(url, None)
    ledger = database.open_engine(url, PURPOSE)
    with ledger.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n)")
        connection.commit()
        store.write("freshbooks:app", {"refresh_token": CANARY})
        piece = documents(store)["freshbooks:app"]
        with store.exclusive("freshbooks:app", 5) as entry:
            entry.delete()
        assert found(tmp_path, [piece]) == []
    ledger.dispose()


def test_ciphertext_that_a_reader_holds_back_in_the_log_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CUT_SECONDS", 0.1)
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    store = CredentialStore.open(url, None)
    store.write("a", {"token": CANARY})
    reader = database.open_engine(url, PURPOSE)
    with reader.begin() as connection:
        connection.execute(sa.select(credentials.c.name)).all()
        store.delete("a")
    assert "store.sqlite-wal" in caplog.text
    assert "until" in caplog.text
    reader.dispose()
