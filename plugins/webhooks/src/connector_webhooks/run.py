"""One targeted run: which program it is, what it is told, and how it ended.

By default it is the ordinary ``meltano run`` of tap and target, the tap under a name of its own.
The order numbers travel in the environment (``TAP_BIGCOMMERCE_ORDERS_ORDER_IDS``, a JSON array).
"""

from __future__ import annotations

import json
import logging
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from connector_credentials.settings import SettingError

from connector_webhooks.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector_webhooks.secrecy import Redaction
    from connector_webhooks.settings import Settings

ORDER_IDS = "TAP_BIGCOMMERCE_ORDERS_ORDER_IDS"
ON_PARKED = "TARGET_FRESHBOOKS_ON_PARKED"
RUN_ID = "CONNECTOR_WEBHOOKS_RUN_ID"
# The tap refuses orders of another store than its own, where these numbers are other orders.
STORE_HASH = "CONNECTOR_WEBHOOKS_STORE_HASH"
# --force: Meltano would refuse its own state id for five minutes after a killed run. That lock
# guards the bookmark, and a run of named orders keeps none; the target's lock guards the books.
# --hooks: the tap under a name of its own, since Meltano keeps a run's catalog and state in a
# folder of that name, where a webhook's run and the scheduled one would take each other's.
MELTANO_RUN = ("run", "--force", "tap-bigcommerce-orders--hooks", "target-freshbooks")

# The receiver's own settings, under their names and under those that Meltano gives a utility's
# settings besides. The child has no business with them; it has credentials of its own.
_KEPT_BACK = (PREFIX, "MELTANO_UTILIZE_")

RUN_LINE = "CONNECTOR_RUN_COMMAND"
"""The variable in which bash gets the operator's line; it is gone once the line runs."""

log = logging.getLogger(__name__)


class RunStatus(StrEnum):
    """How a run ended."""

    DELIVERED = "delivered"
    FAILED = "failed"
    STOPPED = "stopped"
    """We were to stop before it had ended well."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended, and in words why."""

    status: RunStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """What to start.

    Attributes:
        arguments: The command; no secret is in it.
        directory: Where it starts.
        environment: All of its environment but the order numbers.
        timeout_seconds: After that it is ended.
    """

    arguments: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    timeout_seconds: int

    @classmethod
    def of(cls, settings: Settings, environment: Mapping[str, str]) -> Program:
        """The run that the settings ask for."""
        project = settings.run_directory or environment.get("MELTANO_PROJECT_ROOT") or "."
        directory = Path(project).resolve()
        passed_on = {
            name: value for name, value in environment.items() if not name.startswith(_KEPT_BACK)
        }
        return cls(
            arguments=_arguments(settings.run_command, directory),
            directory=directory,
            # What was parked is delivered: the target has it, and lists it with its reason.
            environment=passed_on
            | {ON_PARKED: "warn", STORE_HASH: settings.store_hash}
            | ({RUN_LINE: settings.run_command} if settings.run_command else {}),
            timeout_seconds=settings.run_timeout_seconds,
        )


def start(
    program: Program, order_ids: Sequence[int], run_id: str, redaction: Redaction
) -> subprocess.Popen[bytes]:
    """Start a run of these orders, in a process group of its own.

    Raises:
        OSError: There is no such program or directory.
    """
    orders = json.dumps(list(order_ids))
    command = "run_command" if RUN_LINE in program.environment else shlex.join(program.arguments)
    log.info("%s", redaction(f"{ORDER_IDS}='{orders}' {command}"))
    return subprocess.Popen(  # noqa: S603 - the operator's own command
        list(program.arguments),
        cwd=program.directory,
        env={**program.environment, ORDER_IDS: orders, RUN_ID: run_id},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _arguments(command: str, directory: Path) -> tuple[str, ...]:
    if not command:
        return (_meltano(directory), *MELTANO_RUN)
    bash = shutil.which("bash")
    if bash is None:
        raise SettingError(
            "run_command needs bash, so that a failing tap in `tap | target` is noticed."
        )
    # The line may hold a secret, and arguments are for all to see.
    return (bash, "-o", "pipefail", "-c", f'line=${RUN_LINE}; unset {RUN_LINE}; eval "$line"')


def _meltano(directory: Path) -> str:
    # Meltano leaves a link to itself there, which works from within a plugin's own environment.
    linked = directory / ".meltano" / "run" / "bin"
    if linked.exists():
        return str(linked)
    beside = Path(sys.executable).with_name("meltano")
    return shutil.which("meltano") or (str(beside) if beside.exists() else "meltano")
