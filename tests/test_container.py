"""What the Dockerfile makes runs as compose.yaml has it run, with a real PostgreSQL.

No container engine is needed: the Dockerfile's own commands are carried out in a folder
(`tools/image.py`), and the services' own commands run there, in the environment and with the
secrets that compose.yaml gives them.
"""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from connector_sandbox import constants
from connector_sandbox.settings import KEY
from connector_sandbox.testing.postgresql import postgresql, tell_postgresql
from packaging.utils import canonicalize_name

from demo.project import ROOT
from demo.receiver import serving
from image import Image, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.sandbox import Sandbox

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(900)]

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
CHOSEN = {
    "STORE_HASH": constants.STORE_HASH,
    "START_DATE": "2026-01-01T00:00:00Z",
    "FRESHBOOKS_CLIENT_ID": constants.FRESHBOOKS_CLIENT_ID,
    "FRESHBOOKS_REDIRECT_URI": constants.FRESHBOOKS_REDIRECT_URI,
    "INVOICE_START_DATE": "2026-01-01",
    "WEBHOOKS_DESTINATION": "https://hooks.example.com/webhooks",
}
"""What its owner writes into deploy/.env."""
CHOICE = re.compile(r"\$\{(\w+)(?::[?-]([^}]*))?\}")
RUN_SECONDS = 300
OURS = (
    "connector-credentials",
    "connector-webhooks",
    "tap-bigcommerce-orders",
    "target-freshbooks",
)


def tree(root: Path) -> dict[str, tuple[float, int]]:
    """When each file and folder of the image was last written, and how large it is."""
    return {
        str(path.relative_to(root)): (path.lstat().st_mtime, path.lstat().st_size)
        for path in root.rglob("*")
        if path.parts[len(root.parts)] not in ("data", "run")
    }


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image, made once; or a skip where no packages are to be had."""
    try:
        return build(tmp_path_factory.mktemp("image"))
    except subprocess.CalledProcessError as error:
        if "pip install" in str(error.cmd) and "--require-hashes" in str(error.cmd):
            pytest.skip("the packages of the image cannot be installed here")
        raise


@dataclass(frozen=True)
class Container:
    """A service of compose.yaml, as processes on this machine.

    Attributes:
        environment: All that its programs find.
        command: What it is started with, entry point and all.
    """

    image: Image
    environment: dict[str, str]
    command: list[str]

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command in it, as `docker compose run` does."""
        return subprocess.Popen(
            [*self.image.entrypoint, *command],
            cwd=self.image.at("."),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str) -> tuple[int, str]:
        """Run a command in it to its end; its exit code and what it said."""
        process = self.start(*command)
        said, _ = process.communicate(timeout=RUN_SECONDS)
        return process.returncode, said

    def healthy(self, port: int) -> bool:
        """Ask as the engine does, but for the port, which is a free one here."""
        check = [word.replace(":8789/", f":{port}/") for word in self.image.health]
        done = subprocess.run(check, env=self.environment, capture_output=True, check=False)
        return done.returncode == 0


def contained(image: Image, name: str, sandbox: Sandbox, secrets: dict[str, str]) -> Container:
    """A service with its own settings, and a sandbox in the place of both APIs."""
    service = COMPOSE["services"][name]
    for secret in service["secrets"]:
        file = image.root / "run" / "secrets" / secret
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(secrets[secret] + "\n", encoding="utf-8")

    def choose(found: re.Match[str]) -> str:
        return CHOSEN.get(found[1]) or found[2]

    given = {
        variable: image.inside(CHOICE.sub(choose, value))
        for variable, value in service["environment"].items()
    }
    more = {
        "LANG": "C.UTF-8",  # the base image has it so
        "TAP_BIGCOMMERCE_ORDERS_API_URL": sandbox.url,
        "TARGET_FRESHBOOKS_API_URL": sandbox.url,
        "TARGET_FRESHBOOKS_AUTH_URL": sandbox.url,
        "TARGET_FRESHBOOKS_REFRESH_TOKEN": constants.FRESHBOOKS_REFRESH_TOKEN,
        "WEBHOOKS_API_URL": sandbox.url,
    }
    command = [image.inside(word) for word in service["command"]]
    return Container(image, image.environment | given | more, command)


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """The addresses of ledger and Meltano's database, on a server that was begun as compose's."""
    with postgresql() as server:
        tell_postgresql(server, "CREATE DATABASE ledger")
        tell_postgresql(server, (ROOT / "deploy/databases.sql").read_text(encoding="utf-8"))
        driven = server.replace("postgresql://", "postgresql+psycopg://")
        yield {
            secret: driven.replace("/postgres?", f"/{database}?")
            for secret, database in (("ledger_url", "ledger"), ("meltano_database_uri", "meltano"))
        }


@pytest.fixture
def secrets() -> Iterator[dict[str, str]]:
    with databases() as urls:
        yield urls | {
            "bigcommerce_access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
            "bigcommerce_client_secret": constants.BIGCOMMERCE_CLIENT_SECRET,
            "freshbooks_client_secret": constants.FRESHBOOKS_CLIENT_SECRET,
            "encryption_key": KEY,
        }


def versions(lines: str) -> dict[str, str]:
    """The version of each package that lines pin, by its normalized name."""
    pins = (line.partition("==") for line in lines.splitlines() if "==" in line)
    return {canonicalize_name(name): version for name, _, version in pins}


def test_the_image_has_our_programs_of_these_sources_and_every_package_as_pinned(
    image: Image,
) -> None:
    manifest = (ROOT / "target-freshbooks" / "pyproject.toml").read_text(encoding="utf-8")
    version = tomllib.loads(manifest)["project"]["version"]
    freeze = [str(image.at("/opt/connector/bin/pip")), "list", "--format=freeze"]
    told = subprocess.run(freeze, check=True, stdout=subprocess.PIPE, text=True).stdout
    installed = versions(told)
    assert {name: installed.pop(name) for name in OURS} == dict.fromkeys(OURS, version)
    for name in ("pip", "setuptools"):  # an environment is made with them
        installed.pop(name, None)
    pinned = versions((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert installed.items() <= pinned.items()
    assert "pip_url" not in image.at("/project/meltano.yml").read_text(encoding="utf-8")
    names = {path.name for path in image.at("/project").iterdir()}
    assert names == {"meltano.yml", "entrypoint.sh", "schedule.py", "data", ".meltano"}


def test_a_job_of_the_scheduler_fills_the_books_and_writes_to_data_and_the_databases_alone(
    image: Image, few_orders: Sandbox, secrets: dict[str, str]
) -> None:
    scheduler = contained(image, "scheduler", few_orders, secrets)
    before = tree(image.root)
    run = "import runpy; runpy.run_path('schedule.py')['Runs']().run('sync', {})"
    code, said = scheduler.run("python", "-c", run)
    assert code == 0, said[-4000:]
    assert few_orders.ask("books")["invoices"], said[-4000:]
    for job in ("doctor", "notify"):
        code, said = scheduler.run("meltano", "run", job)
        assert code == 0, said[-4000:]
    code, said = scheduler.run("meltano", "invoke", "target-freshbooks:status", "--json")
    assert code == 0, said[-4000:]
    assert tree(image.root) == before
    assert list(image.at("/data").glob("*.sqlite")) == []
    assert not image.at("/data/meltano.db").exists()
    for secret in secrets.values():
        assert secret not in said


def test_the_scheduler_names_its_jobs_and_ends_when_it_is_told_to(
    image: Image, few_orders: Sandbox, secrets: dict[str, str]
) -> None:
    scheduler = contained(image, "scheduler", few_orders, secrets)
    process = scheduler.start(*scheduler.command)
    assert process.stdout is not None
    jobs = {}
    for line in process.stdout:
        if found := re.search(r"The job (\S+) runs at (.+)\.$", line):
            jobs[found[1]] = found[2]
        if "Scheduler started" in line or len(jobs) == 4:
            break
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, said
    schedules = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["schedules"]
    assert jobs == {one["job"]: one["interval"] for one in schedules}


def test_a_scheduler_that_is_told_to_end_before_it_knows_its_jobs_ends_as_told(
    image: Image, few_orders: Sandbox, secrets: dict[str, str]
) -> None:
    scheduler = contained(image, "scheduler", few_orders, secrets)
    process = scheduler.start(*scheduler.command)
    assert process.stdout is not None
    next(line for line in process.stdout if "The job" in line)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, said


def test_the_health_check_tells_whether_the_receiver_takes_hooks(
    image: Image, few_orders: Sandbox, secrets: dict[str, str], tmp_path: Path
) -> None:
    receiver = contained(image, "receiver", few_orders, secrets)
    assert receiver.command == ["webhooks", "serve"] == image.command
    assert not receiver.healthy(1)
    program = [*image.entrypoint, image.at("/opt/connector/bin/webhooks").as_posix()]
    with serving(receiver.environment, tmp_path, program=program) as running:
        port = int(running.internal_url.rpartition(":")[2])
        assert receiver.healthy(port)
        assert running.stop() == 0
        assert not receiver.healthy(port)
    assert (image.at("/data") / "webhooks.sqlite").exists()


def test_a_database_s_address_that_cannot_be_read_stops_the_container(image: Image) -> None:
    with tempfile.NamedTemporaryFile() as empty:
        for file, words in ((empty.name, "is empty"), ("/no/such/file", "/no/such/file")):
            done = subprocess.run(
                [*image.entrypoint, "echo", "started"],
                env=image.environment | {"MELTANO_DATABASE_URI_FILE": file},
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode != 0, done.stdout) == (True, "")
            assert words in done.stderr
