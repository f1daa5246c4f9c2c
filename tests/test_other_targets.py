"""The tap feeds targets that nobody here wrote, in environments of their own: all rows arrive.

`tests/targets` has what is installed for each.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
import pytest
from connector_sandbox.settings import tap_settings
from connector_sandbox.testing.postgresql import postgresql

from demo import sandbox as sandboxes
from demo.project import BIN, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)

Rows = dict[str, list[dict[str, Any]]]
ORDERS = 60
RUN_SECONDS = 300
SCHEMA = "shop"


class Sent:
    """What the tap wrote: its file, and of each stream the schema, the key and the records."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.schemas: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, list[str]] = {}
        self.records: Rows = {}
        self.state: dict[str, Any] = {}
        for line in file.read_text(encoding="utf-8").splitlines():
            message = json.loads(line)
            if message["type"] == "SCHEMA":
                self.schemas[message["stream"]] = message["schema"]["properties"]
                self.keys[message["stream"]] = message["key_properties"]
            elif message["type"] == "RECORD":
                self.records.setdefault(message["stream"], []).append(message["record"])
            elif message["type"] == "STATE":
                self.state = message["value"]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """All streams of a small shop."""
    home = tmp_path_factory.mktemp("tap")
    sandboxes.plant(home / "shop", orders=ORDERS)
    tap = [str(BIN / "tap-bigcommerce-orders"), "--config", str(home / "tap.json")]
    with sandboxes.up(home / "shop") as shop:
        (home / "tap.json").write_text(json.dumps(tap_settings(shop.url)), encoding="utf-8")
        found = subprocess.run([*tap, "--discover"], check=True, stdout=subprocess.PIPE)
        catalog = json.loads(found.stdout)
        for stream in catalog["streams"]:
            (whole,) = [one for one in stream["metadata"] if not one["breadcrumb"]]
            whole["metadata"]["selected"] = True
        (home / "catalog.json").write_text(json.dumps(catalog), encoding="utf-8")
        with (home / "messages.jsonl").open("wb") as messages:
            command = [*tap, "--catalog", str(home / "catalog.json")]
            subprocess.run(command, stdout=messages, check=True)
    return Sent(home / "messages.jsonl")


def installed(name: str, home: Path) -> Path:
    """Install a target as it is pinned; its program, or a skip where that cannot be done."""
    pins = ROOT / "tests" / "targets" / f"{name}.txt"
    uv, venv = str(BIN / "uv"), home / "venv"
    subprocess.run([uv, "venv", "-q", "--python", str(BIN / "python"), str(venv)], check=True)
    python = ["--python", str(venv / "bin" / "python")]
    done = subprocess.run(
        [uv, "pip", "install", "-q", *python, "--only-binary", "duckdb", "-r", str(pins)],
        env={"UV_SYSTEM_CERTS": "1", **os.environ},  # as tools/setup.sh: a proxy may open TLS
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"{name} cannot be installed here: {done.stderr.strip()[-300:]}")
    return venv / "bin" / name


class Store(Protocol):
    """Where a target puts rows."""

    settings: dict[str, Any]

    def rows(self, program: Path, stream: str) -> list[dict[str, Any]]:
        """The rows of a stream, their values as JSON has them."""


class Files:
    """target-jsonl: a file for each stream and run."""

    def __init__(self, home: Path) -> None:
        self._out = home / "out"
        self._out.mkdir()
        self.settings = {"destination_path": str(self._out)}

    def rows(self, program: Path, stream: str) -> list[dict[str, Any]]:  # noqa: ARG002 - the others need it
        (file,) = self._out.glob(f"{stream}-*.jsonl")
        found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        file.unlink()
        return found


class DuckDB:
    """target-duckdb: a table for each stream, read by the duckdb that came with it."""

    def __init__(self, home: Path) -> None:
        self.settings = {
            "filepath": str(home / "warehouse.duckdb"),
            "default_target_schema": SCHEMA,
        }

    def rows(self, program: Path, stream: str) -> list[dict[str, Any]]:
        script = (
            "import duckdb, sys; shop = duckdb.connect(sys.argv[1], read_only=True)\n"
            "rows = shop.execute(f'SELECT to_json(t) FROM {sys.argv[2]} t')\n"
            "print(*(row for (row,) in rows.fetchall()), sep='\\n')"
        )
        python = program.with_name("python")
        command = [str(python), "-c", script, self.settings["filepath"], f"{SCHEMA}.{stream}"]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        return [json.loads(line) for line in told.stdout.splitlines()]


class PostgreSQL:
    """target-postgres: a table for each stream on a real server."""

    def __init__(self, url: str) -> None:
        self._url = url
        driven = url.replace("postgresql://", "postgresql+psycopg://")
        self.settings = {"sqlalchemy_url": driven, "default_target_schema": SCHEMA}

    def rows(self, program: Path, stream: str) -> list[dict[str, Any]]:  # noqa: ARG002 - as above
        with psycopg.connect(self._url) as connection:
            query = f'SELECT row_to_json(t) FROM {SCHEMA}."{stream}" t'  # noqa: S608 - names of ours
            return [row for (row,) in connection.execute(query)]


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    match request.node.callspec.params["name"]:
        case "target-jsonl":
            yield Files(tmp_path)
        case "target-duckdb":
            yield DuckDB(tmp_path)
        case _:
            with postgresql() as url:
                yield PostgreSQL(url)


def plain(value: object, schema: dict[str, Any]) -> object:
    """A value as all of the targets may hold it: a time to the second, in UTC, without its zone."""
    if schema.get("format") == "date-time" and isinstance(value, str):
        return value[:19].replace(" ", "T")
    return value


def by_key(rows: list[dict[str, Any]], stream: str, sent: Sent) -> dict[tuple[Any, ...], Any]:
    """The rows of a stream by their key, with the fields that its schema names."""
    return {
        tuple(row[name] for name in sent.keys[stream]): {
            name: plain(row.get(name), schema) for name, schema in sent.schemas[stream].items()
        }
        for row in rows
    }


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("target-jsonl", marks=pytest.mark.more),
        pytest.param("target-duckdb", marks=pytest.mark.sweep),
        pytest.param("target-postgres", marks=pytest.mark.sweep),
    ],
)
def test_another_target_holds_every_row_as_it_was_sent_and_once_however_often_it_comes(
    name: str, sent: Sent, store: Store, tmp_path: Path
) -> None:
    program = installed(name, tmp_path)
    config = tmp_path / "target.json"
    config.write_text(json.dumps(store.settings), encoding="utf-8")
    assert len(sent.records) == len(sent.schemas) == 11
    for _ in range(2):
        with sent.file.open("rb") as messages:
            done = subprocess.run(
                [str(program), "--config", str(config)],
                stdin=messages,
                capture_output=True,
                text=True,
                timeout=RUN_SECONDS,
                check=False,
            )
        assert done.returncode == 0, done.stderr[-4000:]
        state = json.loads(done.stdout.splitlines()[-1])
        assert state["bookmarks"] == sent.state["bookmarks"]
        for stream, records in sent.records.items():
            held = store.rows(program, stream)
            wanted = by_key(records, stream, sent)
            assert by_key(held, stream, sent) == wanted, stream
            assert len(held) == len(wanted), stream
    amounts = [row["total_inc_tax"] for row in sent.records["orders"]]
    assert all(isinstance(amount, str) and "." in amount for amount in amounts)
