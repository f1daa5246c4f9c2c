"""Airflow runs Meltano for one store or for many: a DAG for each job, a task for each store.

Copy this file and `orders_into_freshbooks_stores.py` into your DAGs folder itself, or let Airflow
read them here. Copied elsewhere, they need `MELTANO_PROJECT_ROOT`, the folder of meltano.yml.

Without a list of stores there is one, set up in the project: its settings and secrets reach Meltano
as always, from `.env` beside meltano.yml or from the environment of the Airflow worker, of which
Airflow's own variables do not go on to Meltano. A list is named by `ORDERS_INTO_FRESHBOOKS_STORES`:
a file, or `variable:NAME` for a variable of Airflow's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orders_into_freshbooks_stores import (
    ALONE,
    Store,
    by_account,
    pool,
    read,
    settings_of,
    sqlalchemy_url,
)

try:
    from airflow.providers.standard.hooks.subprocess import SubprocessHook
    from airflow.sdk import DAG, BaseOperator, Connection, Variable, get_parsing_context
    from airflow.sdk.exceptions import AirflowException
    from airflow.sdk.log import mask_secret
except ImportError as error:  # an older one lacks some of these names
    message = "This DAG file needs Airflow 3.3 or later of 3, with its standard provider."
    raise ImportError(message) from error

if TYPE_CHECKING:
    from collections.abc import Sequence

PROJECT = Path(os.environ.get("MELTANO_PROJECT_ROOT") or Path(__file__).resolve().parents[3])
MELTANO = os.environ.get("MELTANO_EXECUTABLE") or str(PROJECT / ".venv" / "bin" / "meltano")
ENVIRONMENT = os.environ.get("MELTANO_ENVIRONMENT") or "prod"
REPORTS = Path(os.environ.get("ORDERS_INTO_FRESHBOOKS_REPORTS") or PROJECT / "output")
LIST = os.environ.get("ORDERS_INTO_FRESHBOOKS_STORES", "")
AIRFLOW = ("AIRFLOW_", "_AIRFLOW_")
"""How Airflow's own variables begin: its keys, and the variables and connections of all stores."""

# Meltano frees the lock of a killed run five minutes after its last sign of life; an earlier try
# would only find the lock.
RETRY_DELAY = timedelta(minutes=6)

# A store may be at work for a day, as at its first run, while the others' runs go on every quarter
# of an hour: its own wait for the account's pool, and then find nothing to do.
RUNS_AT_ONCE = 96

DAG_ID = "orders_into_freshbooks_{}"


@dataclass(frozen=True)
class Job:
    """What Meltano is told, and when.

    Attributes:
        schedule: As in meltano.yml, where it is there.
        words: Meltano's arguments.
        of_account: Whether it asks FreshBooks, so that only one of an account runs at a time.
        retries: How often it is tried again.
    """

    schedule: str
    words: tuple[str, ...]
    of_account: bool = True
    retries: int = 2


JOBS = {
    "sync": Job("*/15 * * * *", ("run", "sync")),
    "deep": Job("17 2 * * *", ("run", "deep")),
    # What it finds, it finds again.
    "verify": Job("17 4 * * *", ("invoke", "target-freshbooks:verify"), retries=0),
    "report": Job("17 5 2 * *", ("invoke", "target-freshbooks:report")),
    # A run that hangs in the account's pool is among what it tells.
    "notify": Job("47 * * * *", ("invoke", "target-freshbooks:notify"), of_account=False),
    "hooks-check": Job("17 6 * * *", ("invoke", "webhooks:check"), of_account=False),
}


class MeltanoOperator(BaseOperator):
    """Runs Meltano for a store.

    Args:
        job: Key of JOBS.
        store: The entry of the list. Secrets are looked up where the task runs; Airflow keeps and
            shows no more of them than their names.
    """

    def __init__(self, *, job: str, store: Store, **arguments: Any) -> None:  # noqa: ANN401 - Airflow's own
        super().__init__(**arguments)
        self.job = job
        self.store = store

    @cached_property
    def hook(self) -> SubprocessHook:
        """Starts Meltano and passes its output on."""
        return SubprocessHook()

    def execute(self, context: Any) -> None:  # noqa: ANN401, ARG002 - Airflow's own
        """Run Meltano to its end.

        Raises:
            AirflowException: It did not end with 0.
        """
        # exec: a task that Airflow ends passes its SIGTERM on to Meltano itself.
        command = ["/bin/sh", "-c", 'umask 077 && exec "$@"', "sh", MELTANO, *self.words()]
        ended = self.hook.run_command(command, env=self.environment(), cwd=str(PROJECT))
        if ended.exit_code != 0:
            raise AirflowException(
                f"meltano {' '.join(self.words())} ended with {ended.exit_code}: its log is above."
            )

    def on_kill(self) -> None:
        """Ask Meltano, tap and target to stop."""
        self.hook.send_sigterm()

    def words(self) -> Sequence[str]:
        """Meltano's arguments; a report is of the month before, in a folder of the store's."""
        words = JOBS[self.job].words
        if self.job != "report":
            return words
        month = datetime.now(UTC).replace(day=1) - timedelta(days=1)
        return *words, "--month", f"{month:%Y-%m}", "--output", str(REPORTS / self.store["name"])

    def environment(self) -> dict[str, str]:
        """The worker's environment, but for Airflow's own, with what is the store's."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(AIRFLOW)
        }
        environment["MELTANO_ENVIRONMENT"] = ENVIRONMENT
        environment |= settings_of(self.store, PROJECT / ".meltano")
        for variable, reference in self.store["secrets"].items():
            environment[variable] = secret(variable, reference)
        return environment


def secret(variable: str, reference: str) -> str:
    """Look a secret up in Airflow: a variable, or a connection's password or whole URL."""
    kind, _, name = reference.partition(":")
    if kind == "variable":
        value = Variable.get(name)
    else:
        connection = Connection.get(name)
        if variable.endswith(("_URL", "_URI")):
            value = sqlalchemy_url(connection.get_uri())
        else:
            value = connection.password
    if not value:
        raise AirflowException(f"{reference}, for {variable}, is empty in Airflow: fill it in.")
    mask_secret(value)
    return str(value)


def stores() -> list[Store]:
    """The stores of the list, or the one that is set up in the project."""
    if not LIST:
        return [ALONE]
    kind, _, name = LIST.partition(":")
    return read(Variable.get(name) if kind == "variable" else Path(LIST).read_text("utf-8"))


def dag_of(name: str, job: Job, listed: list[Store]) -> DAG:
    """A DAG of a Meltano job: a task for each account, mapped over its stores."""
    many = ALONE not in listed
    with DAG(
        dag_id=DAG_ID.format(name),
        description=f"meltano {' '.join(job.words)}",
        schedule=job.schedule,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=RUNS_AT_ONCE if many and job.of_account else 1,
        max_active_tasks=max(16, len(listed)),  # the executor's slots and the pools are the limit
        tags=["meltano", "bigcommerce", "freshbooks"],
    ) as dag:
        for account, members in by_account(listed).items():
            MeltanoOperator.partial(
                task_id=f"meltano_run_{account}" if account else "meltano_run",
                job=name,
                pool=pool(account if job.of_account else ""),
                retries=job.retries,
                retry_delay=RETRY_DELAY,
                execution_timeout=timedelta(hours=6),
                map_index_template="{{ task.store.name }}",
            ).expand(store=members)
    return dag


STORES = stores()
WANTED = get_parsing_context().dag_id  # in a worker, which has a task of one DAG to run
DAGS = {
    name: dag_of(name, job, STORES)
    for name, job in JOBS.items()
    if WANTED in {None, DAG_ID.format(name)}
}
globals().update({dag.dag_id: dag for dag in DAGS.values()})
