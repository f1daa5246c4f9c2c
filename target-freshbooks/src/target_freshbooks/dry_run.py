"""The end of a dry run: its figures and plans are told, and what was not done."""

import logging
from pathlib import Path

from connector_credentials.commands import meltano
from connector_credentials.settings import SettingError

from target_freshbooks.run import Run
from target_freshbooks.wiring import without_start_date

logger = logging.getLogger(__name__)


def tell_dry_run(run: Run, plan_file: Path | None) -> None:
    """Tell a dry run's figures, write its plans to their file, and say what was not done.

    Raises:
        SettingError: The file cannot be written; or nobody meant it to be a dry run.
    """
    for line in run.outlook():
        logger.info("%s", line)
    outlook = run.outcomes.outlook
    if plan_file is not None and outlook is not None:
        # Its templates cost an ordinary run a part of its start.
        from target_freshbooks.report.plans import write_plans  # noqa: PLC0415 - see above

        try:
            write_plans(plan_file, outlook.documents, outlook.summary)
        except OSError as error:
            raise SettingError(
                f"The file {plan_file} (plan_file) cannot be written ({error.strerror}): check its"
                " folder's owner and rights, or name another. Nothing was written to FreshBooks."
            ) from None
        logger.info("The plans of %d orders are in %s.", len(outlook.documents), plan_file)
    logger.info(
        "This was a dry run: nothing was written to FreshBooks, and no bookmark was moved.%s",
        ""
        if run.lacks_start_date
        else " To have it done, run the same again without dry_run and plan_file, as with"
        f" `TARGET_FRESHBOOKS_DRY_RUN=false {meltano('run', 'sync')}`.",
    )
    if run.lacks_start_date:
        raise SettingError(without_start_date(run.lacks_start_date))
