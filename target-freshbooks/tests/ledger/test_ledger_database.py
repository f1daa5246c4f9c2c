"""The ledger's database: made privately, migrated by itself, refused when it is too new."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import text
from target_freshbooks.ledger import (
    Ledger,
    LedgerError,
    LedgerTooNew,
    LedgerUnavailable,
    OrderRow,
    Record,
)
from target_freshbooks.ledger.audit import chain
from target_freshbooks.ledger.storage import database, migrate
from target_freshbooks.ledger.storage.tables import metadata

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

OPEN = """
import sys
from target_freshbooks.ledger import Ledger, Record
print("ready", flush=True)
sys.stdin.readline()
with Ledger.open(sys.argv[1], source="shop") as ledger:
    ledger.inbox.receive([Record("orders", (int(sys.argv[2]),), int(sys.argv[2]), {})])
    print(ledger.audit.verify_chain().ok)
"""


def test_four_processes_make_one_fresh_ledger_together(
    empty_url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    openers = [start_program(OPEN, empty_url, number) for number in range(4)]
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.flush()
    for opener in openers:
        output, errors = opener.communicate(timeout=60)
        assert (opener.returncode, output) == (0, "True\n"), errors
    with Ledger.open(empty_url, source="shop") as ledger:
        assert [row.order_id for row in ledger.orders.all()] == [0, 1, 2, 3]


def test_threads_open_one_fresh_ledger_together(empty_url: str) -> None:
    failures: list[BaseException] = []

    def open_it() -> None:
        try:
            Ledger.open(empty_url, source="shop").dispose()
        except LedgerError as error:
            failures.append(error)

    openers = [threading.Thread(target=open_it, daemon=True) for _ in range(4)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join()
    assert failures == []


STEP = """
import sqlalchemy as sa
from alembic import op
revision = "9000"
down_revision = {newest!r}
def upgrade():
    op.add_column("ledger_orders", sa.Column("added", sa.Text()))
"""


def test_an_older_ledger_is_migrated_and_keeps_what_it_holds(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger.open(empty_url, source="shop") as ledger:
        ledger.inbox.receive([Record("orders", (7,), 7, {})])
        ledger.orders.record(OrderRow(7, "parked"), event="parked")
    scripts = tmp_path / "migrations"
    shutil.copytree(Path(migrate.__file__).parent / "migrations", scripts)
    step = STEP.format(newest=migrate.SCHEMA_VERSION)
    (scripts / "versions" / "9000_later.py").write_text(step, encoding="utf-8")
    monkeypatch.setattr(migrate, "SCRIPTS", str(scripts))
    opened = database.Database(empty_url)
    migrate.migrate(opened, "9000")
    with opened.read() as connection:
        assert migrate.stored_version(connection) == "9000"
        row = connection.execute(text("SELECT state, added FROM ledger_orders")).one()
        assert tuple(row) == ("parked", None)
        assert chain.verify(connection).rows == 1
    opened.dispose()


@pytest.mark.parametrize(
    ("version", "kind", "words"),
    [
        ("9001", LedgerTooNew, r"schema 9001, which is newer.*Install the version"),
        ("0003", LedgerError, r"schema 0003, of a version before 0\.1.*Move it aside"),
    ],
)
def test_a_ledger_of_no_version_that_leads_here_is_refused_and_left_untouched(
    ledger_url: str, version: str, kind: type[LedgerError], words: str
) -> None:
    Ledger.open(ledger_url, source="shop").dispose()
    opened = database.Database(ledger_url)
    with opened.write() as connection:
        connection.execute(
            text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '{version}'")  # noqa: S608 - constants
        )
    with pytest.raises(kind, match=words):
        Ledger.open(ledger_url, source="shop")
    with opened.read() as connection:
        assert migrate.stored_version(connection) == version
    opened.dispose()


def test_the_migrations_make_exactly_the_tables_the_code_uses(ledger: Ledger) -> None:
    with ledger.scope.database.read() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": migrate.VERSION_TABLE,
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "table" or name in metadata.tables,
            },
        )
        assert compare_metadata(context, metadata) == []


def test_the_known_version_is_the_newest_step() -> None:
    config = Config()
    config.set_main_option("script_location", "target_freshbooks.ledger.storage:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.SCHEMA_VERSION]


def test_a_failing_migration_leaves_nothing_behind(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(BaseException):
        pass

    def fail(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(Operations, "bulk_insert", fail)
        with pytest.raises(PowerCut):
            Ledger.open(empty_url, source="shop")
    opened = database.Database(empty_url)
    with opened.read() as connection:
        assert migrate.stored_version(connection) is None
    opened.dispose()
    Ledger.open(empty_url, source="shop").dispose()


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_the_file_and_its_companions_are_private_whatever_the_umask(
    sqlite_url: str, tmp_path: Path
) -> None:
    before = os.umask(0)
    try:
        with Ledger.open(sqlite_url, source="shop") as ledger:
            ledger.inbox.receive([Record("orders", (7,), 7, {})])
            files = sorted((tmp_path / "made").iterdir())
            assert [file.name for file in files] == [
                "ledger.sqlite",
                "ledger.sqlite-shm",
                "ledger.sqlite-wal",
            ]
            assert {oct(mode(file)) for file in files} == {"0o600"}
            assert oct(mode(tmp_path / "made")) == "0o700"
    finally:
        os.umask(before)


def test_a_file_open_to_others_is_made_private(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "made" / "ledger.sqlite"
    file.parent.mkdir()
    file.touch(mode=0o644)
    file.chmod(0o644)
    Ledger.open(sqlite_url, source="shop").dispose()
    assert oct(mode(file)) == "0o600"


def test_sqlite_writes_ahead_and_to_the_disk(sqlite_url: str) -> None:
    with (
        Ledger.open(sqlite_url, source="shop") as ledger,
        ledger.scope.database.read() as connection,
    ):
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 60_000,
    }


def test_a_write_that_reads_first_is_not_refused_for_another_process_s_write(
    sqlite_url: str, tmp_path: Path
) -> None:
    with Ledger.open(sqlite_url, source="shop") as ledger:
        other = sqlite3.connect(tmp_path / "made" / "ledger.sqlite", timeout=0)
        with ledger.scope.database.write() as connection:
            assert connection.execute(text("SELECT count(*) FROM ledger_orders")).scalar() == 0
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
            connection.execute(
                text(
                    "INSERT INTO ledger_orders (source, order_id, state, updated_at)"
                    " VALUES ('shop', 1, 'new', '2026-11-01T10:00:00.000000Z')"
                )
            )
        other.close()
        assert ledger.orders.get(1) is not None


def test_readers_go_on_while_somebody_writes(ledger: Ledger) -> None:
    ledger.inbox.receive([Record("orders", (7,), 7, {"id": 7})])
    with ledger.scope.database.write() as connection:
        connection.execute(text("UPDATE ledger_orders SET state = 'posted'"))
        row = ledger.orders.get(7)
    assert row is not None
    assert row.state == "new"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("not a url", "not a database URL"),
        ("mysql://host/books", "kept in SQLite or PostgreSQL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_a_url_of_no_ledger_is_refused(url: str, words: str) -> None:
    with pytest.raises(LedgerError, match=words):
        Ledger.open(url, source="shop")


def test_a_file_that_is_no_database_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "made" / "ledger.sqlite"
    file.parent.mkdir()
    file.write_text("a letter to the tax office " * 50)
    with pytest.raises(LedgerUnavailable, match="no SQLite database"):
        Ledger.open(sqlite_url, source="shop")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnavailable, match="cannot be made or kept private"):
        Ledger.open(f"sqlite:///{tmp_path}/file/ledger.sqlite", source="shop")


def test_a_link_to_the_ledger_is_the_ledger(sqlite_url: str, tmp_path: Path) -> None:
    """Writers of one process queue by the file's name, and SQLite's companions lie beside it."""
    (tmp_path / "link.sqlite").symlink_to(sqlite_url.removeprefix("sqlite:///"))
    linked = database.Database(f"sqlite:///{tmp_path}/link.sqlite")
    direct = database.Database(sqlite_url)
    assert linked.url == direct.url
    assert linked._writers is direct._writers
    linked.dispose()
    direct.dispose()


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(LedgerUnavailable, match="cannot be made or kept private"):
        Ledger.open(f"sqlite:///{tmp_path}/a", source="shop")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://books:canary-password@127.0.0.1:1/books",
        "postgresql://books@127.0.0.1:1/books?password=canary-password",
    ],
    ids=["before the host", "in the query"],
)
def test_a_server_that_is_not_there_is_named_without_its_password(url: str) -> None:
    with pytest.raises(LedgerUnavailable) as failure:
        Ledger.open(url, source="shop")
    assert "127.0.0.1" in str(failure.value)
    assert "canary" not in str(failure.value)


def test_a_server_that_does_not_show_who_it_is_hears_nothing_where_that_is_asked_for() -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speaks_no_tls() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(20)
                    connection.recv(8)  # may we speak TLS?
                    connection.sendall(b"N")
                    heard.append(connection.recv(100))

        server = threading.Thread(target=speaks_no_tls, daemon=True)
        server.start()
        place = f"books:canary-password@127.0.0.1:{listener.getsockname()[1]}/books"
        with pytest.raises(LedgerUnavailable, match="SSL") as failure:
            Ledger.open(f"postgresql://{place}?sslmode=verify-full", source="shop")
        listener.shutdown(socket.SHUT_RDWR)
        server.join()
    assert set(heard) == {b""}, "not even the name of the user"
    assert "canary" not in str(failure.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_plain_postgresql_scheme_means_psycopg(postgresql_url: str, scheme: str) -> None:
    url = postgresql_url.replace("postgresql", scheme, 1)
    Ledger.open(url, source="shop").dispose()


def test_an_unchanged_start_needs_no_migration_tools(
    ledger_url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    Ledger.open(ledger_url, source="shop").dispose()
    program = """
    import sys
    from target_freshbooks.ledger import Ledger
    Ledger.open(sys.argv[1], source="shop").dispose()
    print("alembic" in sys.modules)
    """
    output, errors = start_program(program, ledger_url).communicate(timeout=60)
    assert output == "False\n", errors
