"""Failures that may stop a run, as sentences that tell the operator what to do.

None of them holds a record's content.
"""

import logging

from connector_credentials import CredentialError
from connector_credentials.output import places
from connector_credentials.settings import SettingError
from singer_sdk.exceptions import (
    InvalidInputLine,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)
from sqlalchemy.exc import SQLAlchemyError

from target_freshbooks.books.calendar import UnknownZone
from target_freshbooks.freshbooks import FreshBooksError
from target_freshbooks.ledger import LedgerError
from target_freshbooks.sinks import RecordError


class ReaderGone(Exception):  # noqa: N818 - the word says it
    """Standard output, which takes the state, was closed by whoever read it."""

    def __init__(self) -> None:
        super().__init__("The reader of the state went away. Nothing is lost: run again.")


EXPECTED = (
    FreshBooksError,
    LedgerError,
    CredentialError,
    RecordError,
    SettingError,
    UnknownZone,
    ReaderGone,
)
"""Their own messages are such sentences."""

DAMAGED = (InvalidInputLine, MissingKeyPropertiesError, RecordsWithoutSchemaException)
"""What the SDK says of messages that do not fit together; its words may quote them."""


def explain(error: Exception) -> str | None:
    """The sentence for an operator; None if the error is a defect of ours."""
    if isinstance(error, EXPECTED):
        return str(error)
    if isinstance(error, DAMAGED):
        return (
            f"The input is damaged ({type(error).__name__}): a record without its schema or its"
            " key. What came before is kept; mend the tap and run again."
        )
    if isinstance(error, SQLAlchemyError):
        return f"The ledger cannot be used: {type(error).__name__}"
    return None


def tell(error: Exception, logger: logging.Logger) -> None:
    """Log what ended a run."""
    sentence = explain(error)
    if sentence is None:
        logger.critical(
            "Stopped by a defect (%s). Nothing is lost: run again, and report this: %s",
            type(error).__name__,
            places(error),
        )
    else:
        logger.error("%s", sentence)
