"""What can go wrong between us and FreshBooks, told apart by what the caller may do next.

The line that matters most runs between "certainly not done" (`Refused`, `Outage`, `AuthError`,
`Forbidden`) and "may have been done" (`UnknownOutcome`): FreshBooks has no idempotency keys, so
after the latter the caller looks before it writes again.

Messages are safe to log: FreshBooks' words with e-mail addresses taken out, never a body.
"""

from dataclasses import dataclass

from connector_credentials.masking import without_emails

ERRNO_UNKNOWN_RESOURCE = 1012
ERRNO_READ_ONLY_FIELD = 1038


@dataclass(frozen=True, slots=True)
class ApiError:
    """One entry of an error answer, whichever of FreshBooks' formats it came in.

    Attributes:
        errno: FreshBooks' code (1001 required field, 1012 unknown resource ...), if it gave one.
        field: The field it complains about, "" if none.
        message: Its own words.
        object: The kind of thing it speaks of, such as "invoice".
    """

    errno: int | None
    field: str
    message: str
    object: str


class FreshBooksError(Exception):
    """Base of all. `operation` is the method with the path template, `message` is safe to log."""

    def __init__(self, operation: str, message: str) -> None:
        super().__init__(f"{operation}: {message}")
        self.operation = operation
        self.message = message


class Refused(FreshBooksError):  # noqa: N818 - the word says it
    """FreshBooks understood and declined: nothing was written, and asking again is useless.

    Attributes:
        status: The HTTP status (200 when the errors came inside a success).
        errors: All entries of the answer, at least one.
    """

    def __init__(self, operation: str, status: int, errors: tuple[ApiError, ...]) -> None:
        self.status = status
        self.errors = errors
        super().__init__(operation, f"refused ({status}, errno {self.errno}): {self.words}")

    @property
    def errno(self) -> int | None:
        """The first code given."""
        return next((error.errno for error in self.errors if error.errno is not None), None)

    @property
    def field(self) -> str:
        """The first field named, "" if none was."""
        return next((error.field for error in self.errors if error.field), "")

    @property
    def words(self) -> str:
        """FreshBooks' own words, joined, without e-mail addresses."""
        sentences = [
            f"{error.field}: {error.message}" if error.field else error.message
            for error in self.errors
        ]
        return without_emails("; ".join(text for text in sentences if text)) or "no reason given"


class NotFound(Refused):
    """No such record (HTTP 404 or errno 1012)."""


class Conflict(Refused):
    """The record is being changed by another request: trying again later may work."""


class UnknownOutcome(FreshBooksError):  # noqa: N818 - the word says it
    """A write that may or may not have happened: look before writing it again.

    Attributes:
        answered: Whether FreshBooks itself answered, so that the request is not carried out later.
    """

    def __init__(self, operation: str, message: str, *, answered: bool = False) -> None:
        super().__init__(operation, message)
        self.answered = answered


class Outage(FreshBooksError):  # noqa: N818 - the word says it
    """FreshBooks cannot be used now. A write that ends so was certainly not carried out."""


class Unreachable(Outage):
    """No try reaches FreshBooks from here: a certificate, an address or a proxy is to be mended."""


class Throttled(Outage):
    """A write that must rest on a fresh look was kept waiting by FreshBooks' quota; not sent."""


class Failing(Outage):
    """A read that reached FreshBooks kept coming to nothing: an outage, or that record alone.

    Attributes:
        kind: What failed, beside the kinds of writes.
        since: When it came to nothing first, on the monotonic clock.
    """

    kind = "read"
    since: float = 0.0


class AuthError(FreshBooksError):
    """FreshBooks no longer accepts our tokens: a person has to connect again."""


class Forbidden(FreshBooksError):  # noqa: N818 - the word says it
    """This user cannot read there, or the account is inactive or missing: nothing will work."""
