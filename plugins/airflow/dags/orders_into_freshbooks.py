"""Airflow runs Meltano: what changed every 15 minutes, the last week again every night.

Copy this file into your DAGs folder, or let Airflow read it here. Copied elsewhere, it needs
`MELTANO_PROJECT_ROOT`, the folder of meltano.yml. Settings and secrets reach Meltano as always:
from `.env` beside meltano.yml, or from the environment of the Airflow worker.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = Path(os.environ.get("MELTANO_PROJECT_ROOT") or Path(__file__).resolve().parents[3])
MELTANO = os.environ.get("MELTANO_EXECUTABLE") or str(PROJECT / ".venv" / "bin" / "meltano")
ENVIRONMENT = os.environ.get("MELTANO_ENVIRONMENT") or "prod"

# Meltano frees the lock of a killed run five minutes after its last sign of life; an earlier try
# would only find the lock.
RETRY_DELAY = timedelta(minutes=6)

SCHEDULES = {"sync": "*/15 * * * *", "deep": "17 2 * * *"}  # Meltano job: when


def dag_of(job: str, schedule: str) -> DAG:
    """One DAG of one task: the Meltano job, never two at once, never for times gone by."""
    with DAG(
        dag_id=f"orders_into_freshbooks_{job}",
        description=f"meltano run {job}",
        schedule=schedule,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        tags=["meltano", "bigcommerce", "freshbooks"],
    ) as dag:
        BashOperator(
            task_id="meltano_run",
            cwd=str(PROJECT),
            # exec: a task that Airflow ends passes its SIGTERM on to Meltano itself.
            bash_command='umask 077 && exec "$MELTANO" run "$JOB"',
            env={"MELTANO": MELTANO, "MELTANO_ENVIRONMENT": ENVIRONMENT, "JOB": job},
            append_env=True,
            retries=2,
            retry_delay=RETRY_DELAY,
            execution_timeout=timedelta(hours=6),
        )
    return dag


DAGS = {job: dag_of(job, schedule) for job, schedule in SCHEDULES.items()}
globals().update({dag.dag_id: dag for dag in DAGS.values()})
