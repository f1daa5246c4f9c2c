"""What can stop a run, each with a sentence for the operator.

No message holds a body, a token or personal data: only the path asked for, the status and what
to do next.
"""

# ruff: noqa: N818 - named as what they say to the operator
from __future__ import annotations

from singer_sdk.exceptions import FatalAPIError


class BigCommerceError(FatalAPIError):
    """Something that stops the run; its text says what happened and what to do."""


class StateUnusable(BigCommerceError):
    """The state the run was given has a bookmark that cannot be read."""


class CatalogUnusable(BigCommerceError):
    """The catalog the run was given is none."""


class TokenMissing(BigCommerceError):
    """There is no access token, or it cannot be used."""


class NotAuthorized(BigCommerceError):
    """401: BigCommerce does not accept the token."""


class ScopeMissing(BigCommerceError):
    """403: the token's API account may not read this."""


class StoreNotFound(BigCommerceError):
    """404 where the store itself must answer: store_hash or api_url is wrong."""


class StoreSuspended(BigCommerceError):
    """503 whose title says that the store is suspended: trying again does not help."""


class Refused(BigCommerceError):
    """Any other answer which would be the same if we asked again."""


class GaveUp(BigCommerceError):
    """A passing trouble (429, 5xx, time-out, broken answer) outlasted max_retry_seconds."""


class UnexpectedAnswer(BigCommerceError):
    """The API's answers contradict each other, so reading on could lose records."""


class OddAnswer(UnexpectedAnswer):
    """An answer that is JSON, but of no known form.

    Attributes:
        what: What there was, and where, in a sentence.
    """

    def __init__(self, what: str, path: str, more: str = "") -> None:
        where = f" in what GET {path} answered" if path else ""
        self.what = f"BigCommerce gave {what}{where}{more}."
        super().__init__(
            f"{self.what} Nothing is lost: check api_url, run again, and report it to BigCommerce"
            " if it lasts."
        )


class Stopped(BigCommerceError):
    """The run is being shut down."""
