"""What can stop a command, worded for the person who runs it."""


class WebhooksError(Exception):
    """A condition the operator must act on; its text says what happened and what to do."""


class InboxError(WebhooksError):
    """The inbox cannot be used, or belongs to another store."""


class ApiError(WebhooksError):
    """BigCommerce refused, or could not be reached.

    Attributes:
        status: The HTTP status, or 0 when there was no answer.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
