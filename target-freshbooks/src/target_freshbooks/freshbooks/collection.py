"""Collection: one kind of record in FreshBooks' accounting API; each method is one request.

Three habits of FreshBooks shape this file. Unknown search keys are ignored and the whole list
comes back, so every row is checked again. Lists hide deleted records unless asked for them. And a
PUT runs in phases: one that holds `vis_state` or an action drops all its other fields without a
word, so those go by `act`. (FreshBooks "parameters" and "active/deleted" pages.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import parsing
from .errors import Failing, FreshBooksError, NotFound, UnknownOutcome
from .observed import DELETED
from .transport import Operation

if TYPE_CHECKING:
    from .transport import Transport

T = TypeVar("T")
R = TypeVar("R")
Body = Mapping[str, Any]
Search = tuple[tuple[str, str], ...]
RowTest = Callable[[Body], bool]

PER_PAGE = 100  # the most FreshBooks gives; more is silently cut to it
_PHASES = ("vis_state", "ext_vis_state")


class Collection(Generic[T]):
    """The records of one kind of one account. Thread-safe.

    Args:
        transport: Sends the requests.
        account_id: The accounting account.
        path: Where the records live, such as `users/clients`; ends in the plural of the kind.
        singular: What one record is called in bodies.
        parse: Reads a record.
        include: Query that each single record is asked with.
        waits_for_quota: Where False, a write of an amount that FreshBooks' quota would keep
            waiting raises `Throttled` instead: it must rest on a fresh look.
    """

    def __init__(
        self,
        transport: Transport,
        account_id: str,
        path: str,
        singular: str,
        parse: Callable[[Body], T],
        *,
        include: Search = (),
        waits_for_quota: bool = True,
    ) -> None:
        self._transport = transport
        self._account_id = account_id
        self._template = f"/accounting/account/{{account_id}}/{path}"
        self._singular = singular
        self._plural = path.rpartition("/")[2]
        self._parse = parse
        self._include = include
        self._waits_for_quota = waits_for_quota

    def get(self, id: int) -> T:  # noqa: A002 - FreshBooks' name
        """One record."""
        return self._one("GET", self._parse, id=id)

    def holding(self, id: int, body: Body) -> T | None:  # noqa: A002
        """The record if its fields have these values, else None."""
        return self._one(
            "GET", lambda row: self._parse(row) if parsing.holds(row, body) else None, id=id
        )

    def create(self, body: Body) -> T:
        """A new record."""
        return self._one("POST", self._parse, body=body)

    def update(self, id: int, body: Body) -> T:  # noqa: A002
        """Change fields of a record."""
        dropping = [key for key in body if key in _PHASES or key.startswith("action_")]
        if dropping:
            raise ValueError(f"{dropping} would make FreshBooks drop every other field")
        return self._one("PUT", self._parse, id=id, body=body)

    def act(self, id: int, **action: Any) -> T:  # noqa: A002, ANN401 - JSON
        """Change the state of a record, which FreshBooks does with nothing beside it."""
        return self._one("PUT", self._parse, id=id, body=action)

    def delete(self, id: int) -> T:  # noqa: A002
        """Hide a record."""
        return self.act(id, vis_state=DELETED)

    def rows(
        self, search: Search = (), ours: RowTest | None = None, *, deleted: bool = False
    ) -> Iterator[T]:
        """The rows of all pages that are ours, the deleted ones or all others, each id once.

        A row is checked before it is read in full, so that one which is none of our business
        cannot stop us, whatever state it is in.
        """
        query = (*search, ("search[vis_state]", str(DELETED))) if deleted else search
        listing = Operation("GET", self._template, {})
        seen: set[str] = set()
        page = 1
        while True:
            rows, pages = self._page(query, page)
            for row in rows:
                hidden = parsing.text(row, "vis_state") == str(DELETED)
                id_ = parsing.text(row, "id")
                # A row may slip to the next page while we read, and come again.
                if (
                    hidden == deleted
                    and (ours is None or ours(row))
                    and (not id_ or id_ not in seen)
                ):
                    seen.add(id_)
                    yield readable(listing, lambda row=row: self._parse(row))  # type: ignore[misc]
            # `total` may count rows that cannot be read, so it does not end the list.
            if not rows or page >= pages:
                return
            page += 1

    def _one(
        self,
        method: str,
        parse: Callable[[Body], R],
        *,
        id: int | None = None,  # noqa: A002
        body: Body | None = None,
    ) -> R:
        operation = Operation(
            method,
            self._template if id is None else f"{self._template}/{{id}}",
            self._account() if id is None else {**self._account(), "id": id},
            self._include,
            None if body is None else {self._singular: body},
            impatient=not self._waits_for_quota and body is not None and "amount" in body,
        )

        def read() -> R:
            row = self._answered(operation).get(self._singular)
            if not isinstance(row, Mapping):
                raise parsing.Unreadable(f"no {self._singular}")
            return parse(row)

        return readable(operation, read)

    def _answered(self, operation: Operation) -> Body:
        """The result; before a record counts as missing, the account is seen to be there.

        Raises:
            Forbidden: It is the account that is missing.
        """
        try:
            return _result(self._transport.run(operation))
        except NotFound:
            self._page((), 1)
            raise

    def _page(self, query: Search, page: int) -> tuple[list[Body], int]:
        paging = (("page", str(page)), ("per_page", str(PER_PAGE)))
        operation = Operation("GET", self._template, self._account(), (*query, *paging))

        def read() -> tuple[list[Body], int]:
            result = _result(self._transport.run(operation))
            rows = result.get(self._plural)
            if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
                raise parsing.Unreadable(f"no {self._plural}")
            return rows, parsing.whole(result, "pages", 1)

        return readable(operation, read)

    def _account(self) -> dict[str, str | int]:
        if not self._account_id:
            raise ValueError("no account_id: ask me() and choose_account() first")
        return {"account_id": self._account_id}


def has_text(key: str, wanted: str) -> RowTest:
    """Whether a row has exactly this text at the key: filters may be ignored, or be "like"."""
    return lambda row: parsing.text(row, key) == wanted


def readable(operation: Operation, read: Callable[[], R]) -> R:
    """What `read` gives; an answer that lacks the record is as good as no answer."""
    try:
        return read()
    except parsing.Unreadable as exc:
        problem = f"an answer that cannot be read: {exc}"
    error: FreshBooksError = (
        UnknownOutcome(operation.name, problem, answered=True)
        if operation.writes
        else Failing(operation.name, problem)
    )
    raise error


def _result(response: Body) -> Body:
    result = response.get("result")
    if not isinstance(result, Mapping):
        raise parsing.Unreadable("no result")
    return result
