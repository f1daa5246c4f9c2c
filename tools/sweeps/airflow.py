"""An Airflow of a proof's own, with a LocalExecutor on PostgreSQL, and its worker's sudden end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from connector_sandbox.settings import KEY, clean_environment

from demo.project import ROOT, end_group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PROGRAM = ROOT / ".meltano" / "utilities" / "airflow" / "venv" / "bin" / "airflow"
START_SECONDS = 300
RUN_SECONDS = 600
DAG = "orders_into_freshbooks_{}"
ENDED = ("success", "failed")
REFUSED = 400
Task = dict[str, Any]


def until(look: Callable[[], bool], what: str, seconds: float = RUN_SECONDS) -> None:
    """Look once a second, for each look is a request, until it is so.

    Raises:
        AssertionError: It did not come to pass in so many seconds.
    """
    end = time.monotonic() + seconds
    while not look():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come to pass within {seconds} s")
        time.sleep(1)


@dataclass
class Airflow:
    """A running Airflow: API server, DAG processor and scheduler.

    Attributes:
        home: Its folder, with all logs.
        environment: Of all its parts, and so of the tasks.
        url: Of its API.
        scheduler: The process whose children are the workers.
    """

    home: Path
    environment: dict[str, str]
    url: str
    stack: ExitStack
    token: str = ""
    scheduler: int = 0
    logs: list[Path] = field(default_factory=list)

    def serve(self) -> None:
        """Start the API server, and wait until it answers."""
        port = str(urlsplit(self.url).port)
        self._start("api-server", "--host", "127.0.0.1", "--port", port, "--workers", "1")
        until(self._is_up, "Airflow answers", START_SECONDS)

    def schedule(self, *jobs: str) -> None:
        """Start what reads the DAGs and what runs them, and wait until these are known."""
        self._start("dag-processor")
        self.scheduler = self._start("scheduler", "--skip-serve-logs")
        wanted = {DAG.format(job) for job in jobs}
        until(lambda: wanted <= self._dags(), f"{wanted} are read", START_SECONDS)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Speak to its API.

        Raises:
            AssertionError: It refuses; its words and the logs' ends are in the message.
        """
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.url}/api/v2/{path}"
        answer = httpx.request(method, url, json=body, headers=headers, timeout=60)
        if answer.status_code >= REFUSED:
            raise AssertionError(f"{path}: {answer.text}\n{self.told()}")
        return answer.json()

    def trigger(self, job: str) -> str:
        """Start a run of a job's DAG, and give its id."""
        dag = f"dags/{DAG.format(job)}"
        self.ask("PATCH", dag, {"is_paused": False})
        run = {"logical_date": None, "dag_run_id": f"{job}_now"}  # its own would have a plus in it
        return str(self.ask("POST", f"{dag}/dagRuns", run)["dag_run_id"])

    def until(
        self,
        job: str,
        run: str,
        keys: tuple[tuple[str, int], ...],
        states: tuple[str, ...] = ENDED,
        seconds: float = RUN_SECONDS,
    ) -> list[Task]:
        """Wait until tasks of a run, by name and number, are in one of the states: these tasks.

        Raises:
            AssertionError: They are not in so many seconds; the logs' ends are in the message.
        """
        found: list[Task] = []

        def look() -> bool:
            path = f"dags/{DAG.format(job)}/dagRuns/{run}/taskInstances"
            tasks = self.ask("GET", path)["task_instances"]
            by_key = {(one["task_id"], one["map_index"]): one for one in tasks}
            found[:] = [by_key.get(key, {"state": None}) for key in keys]
            return {one["state"] for one in found} <= {*states}

        try:
            until(look, f"{keys} are {states}", seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}: {found}\n{self.told()}") from None
        return found

    def told(self) -> str:
        """The ends of all logs, for a failure's message."""
        logs = [*self.logs, *sorted((self.home / "logs").rglob("*.log"))]
        return "\n".join(f"== {log}\n{log.read_text('utf-8')[-1500:]}" for log in logs[-14:])

    def _start(self, name: str, *arguments: str) -> int:
        self.logs.append(self.home / f"{name}.log")
        process = subprocess.Popen(
            [str(PROGRAM), name, *arguments],
            env=self.environment,
            cwd=self.home,
            stdout=self.stack.enter_context(self.logs[-1].open("w", encoding="utf-8")),
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.stack.callback(end_group, process)
        return process.pid

    def _is_up(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/auth/token", timeout=60)
        except httpx.HTTPError:
            return False
        if answer.status_code >= REFUSED:
            return False
        self.token = str(answer.json()["access_token"])
        return True

    def _dags(self) -> set[str]:
        return {str(one["dag_id"]) for one in self.ask("GET", "dags?limit=100")["dags"]}


@contextmanager
def airflow(home: Path, database: str, dags: Path, **settings: str) -> Iterator[Airflow]:
    """An Airflow that is not started yet; whoever has one besides keeps it.

    Args:
        home: Its folder.
        database: SQLAlchemy URL of an empty PostgreSQL database, for its metadata.
        dags: The folder it reads its DAGs from.
        settings: Further environment variables.
    """
    home.mkdir()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{one.getsockname()[1]}"
    environment = clean_environment() | {
        "NO_COLOR": "1",
        "XDG_STATE_HOME": str(home / "state"),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__FERNET_KEY": KEY,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": str(START_SECONDS),
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": str(START_SECONDS),
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": KEY,
        "AIRFLOW__API_AUTH__JWT_SECRET": KEY * 2,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database,
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        **settings,
    }
    subprocess.run([str(PROGRAM), "db", "migrate"], env=environment, cwd=home, check=True)
    with ExitStack() as stack:
        yield Airflow(home, environment, url, stack)


def kill_worker(service: Airflow, variable: str) -> int:
    """Kill -9 the worker that runs a task, with all that it started.

    Args:
        service: Whose worker it is.
        variable: NAME=VALUE in the environment of the task's programs and of no others.

    Returns:
        How many processes were killed.
    """
    doomed = set()
    for one in Path("/proc").glob("[0-9]*"):
        try:
            words = (one / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended, or is another user's
        if variable.encode() in words and str(service.home).encode() in b"\0".join(words):
            doomed.add(int(one.name))
    for child in tuple(doomed):
        process = _parent(child)
        while process not in {service.scheduler, *doomed}:
            if process <= 1:
                raise AssertionError(f"process {child} is not of the scheduler")
            doomed.add(process)
            process = _parent(process)
    for process in doomed:
        os.kill(process, signal.SIGKILL)
    return len(doomed)


def _parent(process: int) -> int:
    status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    return int(status.rpartition(")")[2].split()[1])
