"""Collection: one kind of record in FreshBooks' accounting API; each method is one request.

Three habits of FreshBooks shape this file. Unknown search keys are ignored and the whole list
comes back, so every row is checked again. Lists hide deleted records unless asked for them. And a
PUT runs in phases: one that holds `vis_state` or an action drops all its other fields without a
word, so those go alone. (FreshBooks "parameters" and "active/deleted" pages.)
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from http import HTTPStatus
from typing import Any, ClassVar, Generic, TypeVar

from . import parsing
from .errors import Failing, FreshBooksError, NotFound, Refused, UnknownOutcome
from .observed import DELETED, ObservedRecord
from .refusals import UNEXPLAINED, RefusalKind, classify
from .transport import Operation, Transport

T = TypeVar("T", bound=ObservedRecord)
R = TypeVar("R")
Body = Mapping[str, Any]
Search = tuple[tuple[str, str], ...]
RowTest = Callable[[Body], bool]

PER_PAGE = 100  # the most FreshBooks gives; more is silently cut to it
_PHASES = ("vis_state", "ext_vis_state")


class TooManyPages(Exception):  # noqa: N818 - it tells a size, and nothing failed
    """A list is longer than it is worth to read.

    Attributes:
        pages: How many pages it has.
    """

    def __init__(self, pages: int) -> None:
        super().__init__(f"the list has {pages} pages")
        self.pages = pages


class Collection(Generic[T]):
    """The records of one kind of one account. Thread-safe.

    Attributes:
        path: Where the records live, such as `users/clients`; ends in the plural of the kind.
        singular: What one record is called in bodies.
        parse: Reads a record.
        include: Query that each single record is asked with.
        marked_in: The fields that tell whose a record is.
    """

    path: ClassVar[str]
    singular: ClassVar[str]
    parse: Callable[[Body], T]
    include: ClassVar[Search] = ()
    marked_in: ClassVar[tuple[str, ...]] = ("notes",)

    def __init__(self, transport: Transport, account_id: str) -> None:
        self._transport = transport
        self._account_id = account_id
        self._template = f"/accounting/account/{{account_id}}/{self.path}"
        self._plural = self.path.rpartition("/")[2]

    def get(self, id: int) -> T:  # noqa: A002 - FreshBooks' name
        """One record."""
        return self._one("GET", id=id)

    def standing(self, id: int) -> T | None:  # noqa: A002
        """The record; None if it was deleted, or merged, in whichever way FreshBooks says so."""
        try:
            record = self.get(id)
        except Refused as refused:
            if classify(refused).kind is not RefusalKind.GONE:
                raise
            return None
        return None if record.vis_state == DELETED else record

    def create(self, body: Body, *, impatient: bool = False) -> T:
        """A new record.

        Args:
            body: What stands inside the singular key.
            impatient: It rests on what was seen just before: `Throttled` is raised rather than
                that it is sent after a wait for FreshBooks' quota.
        """
        return self._one("POST", body=body, impatient=impatient)

    def update(self, id: int, body: Body, *, impatient: bool = False) -> T:  # noqa: A002
        """Change fields of a record, or its state alone: FreshBooks drops what is beside that.

        `vis_state` hides a record (`DELETED`), or files it away (`ARCHIVED`).

        Args:
            id: Of the record.
            body: What stands inside the singular key.
            impatient: As with `create`.
        """
        if len(body) > 1 and any(key in _PHASES or key.startswith("action_") for key in body):
            raise ValueError(f"the state in {sorted(body)} makes FreshBooks drop every other field")
        return self._one("PUT", id=id, body=body, impatient=impatient)

    def rows(
        self,
        search: Search = (),
        ours: RowTest | None = None,
        *,
        deleted: bool = False,
        most_pages: int | None = None,
    ) -> Iterator[T]:
        """The rows of all pages that are ours, the deleted ones or all others, each id once.

        A row is checked before it is read in full, so that one which is none of our business
        cannot stop us, whatever state it is in.

        Raises:
            TooManyPages: There are more than `most_pages`; one request was made.
        """
        query = (*search, ("search[vis_state]", str(DELETED))) if deleted else search
        listing = Operation("GET", self._template, {})
        ids: set[str] = set()
        page, before = 1, list[Body]()
        while True:
            rows, pages = self._page(query, page)
            if most_pages is not None and pages > most_pages:
                raise TooManyPages(pages)
            if rows and rows == before:
                raise Failing(listing.name, "it gives the same page twice, so its end never comes")
            before = rows
            for row in rows:
                hidden = parsing.text(row, "vis_state") == str(DELETED)
                id_ = parsing.text(row, "id")
                # A row may slip to the next page while we read, and come again.
                if (
                    hidden == deleted
                    and (ours is None or ours(row))
                    and (not id_ or id_ not in ids)
                ):
                    ids.add(id_)
                    yield readable(listing, lambda row=row: self.parse(row))  # type: ignore[misc]
            # `total` may count rows that cannot be read, so it does not end the list.
            if not rows or page >= pages:
                return
            page += 1

    def exactly(
        self, key: str, value: str, *more: tuple[str, str], deleted: bool = False
    ) -> Iterator[T]:
        """The rows with exactly this text at the key: filters may be ignored, or be "like"."""
        search = ((f"search[{key}]", value), *more)
        return self.rows(search, lambda row: parsing.text(row, key) == value, deleted=deleted)

    def naming(self, words: str, first: date | None, *, deleted: bool = False) -> Iterator[T]:
        """All records with these words where they are marked, of any day or of `first` and later.

        FreshBooks cannot search for words: all pages of those days are read, one at a time.
        """
        return self.rows((*since(first), *self.include), self.names(words), deleted=deleted)

    def names(self, words: str) -> RowTest:
        """Tells whether a row has the words where records of the kind are marked."""
        return lambda row: any(words in parsing.text(row, key) for key in self.marked_in)

    def _one(
        self,
        method: str,
        *,
        id: int | None = None,  # noqa: A002
        body: Body | None = None,
        impatient: bool = False,
    ) -> T:
        operation = Operation(
            method,
            self._template if id is None else f"{self._template}/{{id}}",
            self._account() if id is None else {**self._account(), "id": id},
            self.include,
            None if body is None else {self.singular: body},
            impatient=impatient,
        )

        def read() -> T:
            row = self._answered(operation).get(self.singular)
            if not isinstance(row, Mapping):
                raise parsing.Unreadable(f"no {self.singular}")
            return self.parse(row)

        return readable(operation, read)

    def _answered(self, operation: Operation) -> Body:
        """The result; before a record counts as missing or blocked, others are seen to be read.

        Raises:
            Forbidden: It is the account that is missing, or all of it that is blocked.
        """
        try:
            return _result(self._transport.run(operation))
        except Refused as refused:
            blocked = refused.status == HTTPStatus.FORBIDDEN and refused.errors == (UNEXPLAINED,)
            if isinstance(refused, NotFound) or blocked:
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


def since(day: date | None) -> Search:
    """A search for the day and later ones; None: of any day."""
    return () if day is None else (("search[date_min]", day.isoformat()),)


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
