"""Failures of runs by kind: what is said of each, in words of our own.

An error's own sentence may name a business or a file, and hold words of FreshBooks or the shop.
"""

from dataclasses import dataclass

from connector_credentials import CredentialError
from connector_credentials.settings import SettingError
from singer_sdk.exceptions import ConfigValidationError
from sqlalchemy.exc import SQLAlchemyError

from target_freshbooks.books.calendar import UnknownZone
from target_freshbooks.failures import DAMAGED, ReaderGone
from target_freshbooks.freshbooks import AccountUnclear, AuthError, Forbidden, FreshBooksError
from target_freshbooks.freshbooks.oauth import AppUnknown
from target_freshbooks.ledger import (
    AnotherAccount,
    AnotherStore,
    LedgerError,
    LockHeld,
    LockLost,
)
from target_freshbooks.posting.apply.brake import TooManyRewrites
from target_freshbooks.sinks import RecordError


@dataclass(frozen=True, slots=True)
class FailureKind:
    """A kind of failure: what is wrong, and what to do next."""

    kind: str
    sentence: str
    next_step: str


_FAILURES: tuple[tuple[tuple[type[BaseException], ...], FailureKind], ...] = (
    (
        (AppUnknown,),
        FailureKind(
            "app",
            "FreshBooks does not know the app by its client_id and client_secret.",
            "Check TARGET_FRESHBOOKS_CLIENT_ID and TARGET_FRESHBOOKS_CLIENT_SECRET. No order is"
            " lost.",
        ),
    ),
    (
        (AuthError,),
        FailureKind(
            "login",
            "FreshBooks does not accept the login, or none is stored.",
            "Log in again: target-freshbooks-ctl login. No order is lost.",
        ),
    ),
    (
        (AccountUnclear, AnotherAccount),
        FailureKind(
            "account",
            "Login and account_id do not lead to the account that the ledger is of.",
            "Look at what target-freshbooks-ctl whoami says.",
        ),
    ),
    (
        (Forbidden,),
        FailureKind(
            "not_allowed",
            "The FreshBooks user may not do what runs do.",
            "See role and scopes: target-freshbooks-ctl doctor.",
        ),
    ),
    (
        (TooManyRewrites,),
        FailureKind(
            "many_rewrites",
            "A run stopped before it rewrote more invoices of earlier runs than"
            " max_rewritten_invoices allows.",
            "Look at target-freshbooks-ctl plan; if it is meant, set max_rewritten_invoices higher"
            " for one run.",
        ),
    ),
    (
        (FreshBooksError,),
        FailureKind(
            "freshbooks",
            "FreshBooks could not be reached, or kept failing.",
            "The next run tries again; if it lasts, see the run's log and FreshBooks' status page.",
        ),
    ),
    (
        (LockHeld, LockLost),
        FailureKind(
            "another_run",
            "Another run worked on the account, for longer than lease_wait_seconds.",
            "See whether it is frozen: the run's log names its process.",
        ),
    ),
    (
        (AnotherStore,),
        FailureKind(
            "store",
            "Orders came in of another store than the one that the source is bound to.",
            "See the tap's store_hash and the target's source.",
        ),
    ),
    (
        (LedgerError, SQLAlchemyError),
        FailureKind(
            "ledger",
            "The ledger cannot be used.",
            "See the run's log and target-freshbooks-ctl doctor: disk, rights, database server.",
        ),
    ),
    (
        (CredentialError,),
        FailureKind(
            "credentials",
            "The credentials store cannot be used.",
            "See the run's log and target-freshbooks-ctl doctor: key file, encryption_key.",
        ),
    ),
    (
        (SettingError, ConfigValidationError, UnknownZone),
        FailureKind(
            "settings",
            "A setting is missing, wrong or misspelt.",
            "The run's log names it.",
        ),
    ),
    (
        (RecordError, *DAMAGED),
        FailureKind(
            "input",
            "What the tap says cannot be read.",
            "See the logs of tap and target; what came before is kept.",
        ),
    ),
    (
        (ReaderGone,),
        FailureKind(
            "reader",
            "Whoever reads the target's state went away.",
            "See the log of Meltano, or of what else starts the runs.",
        ),
    ),
)

DEFECT = FailureKind(
    "defect",
    "A defect of the connector stopped a run.",
    "Report what the run's log says; nothing is lost.",
)

_BY_KIND = {DEFECT.kind: DEFECT} | {failure.kind: failure for _, failure in _FAILURES}


def kind_of(error: BaseException) -> str:
    """The kind of what stopped a run."""
    fitting = (failure.kind for errors, failure in _FAILURES if isinstance(error, errors))
    return next(fitting, DEFECT.kind)


def failure_of(kind: str) -> FailureKind:
    """What is said of a kind; one that another version has noted is said by its name."""
    return _BY_KIND.get(kind) or FailureKind(kind, "Runs fail.", "See the run's log.")
