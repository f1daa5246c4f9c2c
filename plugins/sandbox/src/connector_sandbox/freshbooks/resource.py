"""What all kinds of FreshBooks records have in common: create, read, list, PUT in phases.

A PUT runs in phases ("Active and Deleted Objects" page): ``ext_vis_state``, else ``vis_state``,
else actions, else ordinary fields. Only the first phase that is present runs; every other key of
the body is dropped without an error.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from connector_sandbox.constants import FRESHBOOKS, FRESHBOOKS_ACCOUNT_ID
from connector_sandbox.freshbooks import errors, search, values
from connector_sandbox.freshbooks.records import Document, Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from connector_sandbox.context import Context
    from connector_sandbox.freshbooks.account import Account
    from connector_sandbox.freshbooks.search import Filter, ListRequest

EASTERN = ZoneInfo("America/New_York")
ACTIVE, DELETED, ARCHIVED = 0, 1, 2
_STATE_VERBS = {ACTIVE: "restore", DELETED: "delete", ARCHIVED: "archive"}


class Resource:
    """One kind of record.

    Class attributes:
        singular: the body key, such as ``credit_note``.
        plural: the key in lists.
        path: below ``/accounting/account/{account_id}/``.
        scope: the object's name in scopes, such as ``billable_items``.
        id_field: the id's other name, used in errors and as a field.
        first_id: id of the first record.
        columns: fields that searches narrow by.
        deletes_over_http: whether HTTP DELETE exists, and whether it removes for good.
        actions: keys of the action phase of a PUT.
        day_field: what dates it, for a Financial Lock.
    """

    singular: ClassVar[str]
    plural: ClassVar[str]
    path: ClassVar[str]
    scope: ClassVar[str]
    id_field: ClassVar[str]
    first_id: ClassVar[int]
    columns: ClassVar[Sequence[str]] = ()
    deletes_over_http: ClassVar[str | None] = None
    actions: ClassVar[Sequence[str]] = ()
    day_field: ClassVar[str] = ""
    sort_keys: ClassVar[Mapping[str, Callable[[Document], Any]]] = {}
    known_includes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, ctx: Context, account: Account) -> None:
        self.ctx = ctx
        self.account = account
        self.switches = ctx.switches
        self.records = Records(
            ctx.store,
            self.plural,
            self.columns,
            self.first_id,
            lambda: ctx.clock.now().timestamp(),
        )
        self.filters: dict[str, Filter] = {
            "vis_state": search.same_number("vis_state"),
            "updated_min": search.day_from("updated"),
            "updated_max": search.day_until("updated", inclusive=self.max_is_inclusive),
            **self.own_filters(),
        }

    # -- what each kind says of itself ----------------------------------------------------------

    def blank(self, record_id: int) -> Document:
        """A new record with every field at its default."""
        raise NotImplementedError

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the ordinary fields of a body into a document, or refuse them."""
        raise NotImplementedError

    def own_filters(self) -> dict[str, Filter]:
        """The search keys that work, besides ``vis_state`` and ``updated_*``."""
        return {}

    def shown(self, document: Document, includes: frozenset[str]) -> Document:
        """A document as it is answered."""
        del includes
        return document

    def act(self, document: Document, body: Document) -> str:
        """Run the action phase and name what was done."""
        raise NotImplementedError

    def state_changes(self, document: Document, state: int) -> None:
        """Take note, or refuse, before ``vis_state`` changes."""

    def after_write(self, document: Document) -> None:
        """Carry a write on to other records."""

    # -- requests -------------------------------------------------------------------------------

    def create(self, body: Document) -> Document:
        """POST: make a record."""
        record_id = self.records.next_id()
        document = self.blank(record_id)
        self.fill(document, body, creating=True)
        self._refuse_locked(document)
        self.stamp(document)
        self.records.insert(record_id, document)
        self.after_write(document)
        return self.existing(record_id)

    def read(self, record_id: int) -> Document:
        """GET by id; a deleted record is found or not as switched."""
        document = self.existing(record_id)
        if document.get("vis_state") == DELETED:
            if self.switches["fb.deleted_get"] == "error":
                name = self.singular.replace("_", " ").capitalize()
                entry = errors.Entry(
                    errors.DELETED,
                    f"{name} was deleted.",
                    self.id_field,
                    self.singular,
                    str(record_id),
                )
                raise errors.Refusal(entry)
            if self.switches["fb.deleted_get"] == "missing":
                raise errors.not_found(self.singular, self.id_field, record_id)
        return document

    def put(self, record_id: int, body: Document) -> tuple[Document, str]:
        """PUT: run the first phase that is present; give the record and what was done."""
        document = self.existing(record_id)
        if "ext_vis_state" in body:
            return document, "ext_vis_state"
        if body.get("vis_state") != ARCHIVED:
            self._refuse_locked(document)
        if "vis_state" in body and "vis_state" in document:
            state = values.whole(self.singular, "vis_state", body["vis_state"])
            if state not in _STATE_VERBS:
                raise errors.invalid(self.singular, "vis_state", state)
            self.state_changes(document, state)
            document["vis_state"] = state
            verb = _STATE_VERBS[state]
        elif any(action in body for action in self.actions):
            verb = self.act(document, body)
        else:
            self.fill(document, body, creating=False)
            self._refuse_locked(document)
            verb = "update"
        if (
            "vis_state" not in body
            and document.get("vis_state") == ARCHIVED
            and self.switches["fb.archived_put"] == "returns"
        ):
            document["vis_state"] = ACTIVE
        self.stamp(document)
        self.records.update(record_id, document)
        self.after_write(document)
        return self.existing(record_id), verb

    def delete(self, record_id: int) -> None:
        """HTTP DELETE: for good, or by ``vis_state``."""
        document = self.existing(record_id)
        if self.deletes_over_http == "hard":
            self.records.remove(record_id)
        else:
            self.put(document["id"], {"vis_state": DELETED})

    def search(self, asked: ListRequest, stale_seconds: float) -> tuple[list[Document], int]:
        """GET of the list: the page asked for and the total."""
        offset = (asked.page - 1) * asked.per_page
        known = {key: found for key, found in asked.searched.items() if key in self.filters}
        sort = self._sort(asked.sort)
        descending = self.switches["fb.default_order"] == "id_desc"
        if not known and sort is None and stale_seconds <= 0:
            rows, total = self.records.page(
                size=asked.per_page, offset=offset, descending=descending
            )
        else:
            found = self._matching(known, stale_seconds)
            if descending:
                found.reverse()
            if sort is not None:
                key, backwards = sort
                found.sort(key=key, reverse=backwards)
            rows, total = found[offset : offset + asked.per_page], len(found)
        if self.switches["fb.list_total"] == "all" and not known:
            total = self.records.count()
        return rows, total

    # -- for the kinds themselves ---------------------------------------------------------------

    def existing(self, record_id: int) -> Document:
        """Read a record or refuse with 1012."""
        document = self.records.get(record_id)
        if document is None:
            raise errors.not_found(self.singular, self.id_field, record_id)
        return document

    def is_taken(self, document: Document, field: str) -> bool:
        """Whether another record, a deleted one too, has the same in that column."""
        others = self.records.documents(**{field: document[field]})
        return any(other["id"] != document["id"] for other in others)

    def eastern_now(self) -> str:
        """Now, as accounting timestamps have it: US Eastern, without a zone."""
        return f"{self.ctx.clock.now().astimezone(EASTERN):%Y-%m-%d %H:%M:%S}"

    def eastern_today(self) -> str:
        """Today in US Eastern."""
        return self.eastern_now()[:10]

    def stamp(self, document: Document) -> None:
        """Note that a document is being written now."""
        document["updated"] = self.eastern_now()

    def max_is_inclusive(self) -> bool:
        """Whether ``_max`` of a date includes that day."""
        return bool(self.switches["fb.date_max"] == "inclusive")

    def take_text(
        self, document: Document, body: Document, fields: Iterable[str], limit: str | None = None
    ) -> None:
        """Take text fields that are present, each no longer than a switch says."""
        most = self.switches.number(limit) if limit else 0
        for field in fields:
            if field in body:
                document[field] = values.text(self.singular, field, body[field], most)

    def base(self, record_id: int) -> Document:
        """The fields that every record has."""
        return {
            "id": record_id,
            self.id_field: record_id,
            "accounting_systemid": FRESHBOOKS_ACCOUNT_ID,
            "updated": "",
        }

    def note(self, method: str, path: str, verb: str, record_id: int, body: Any) -> None:  # noqa: ANN401 - JSON
        """Write an accepted write into the history, in the transaction at hand."""
        self.ctx.history.append(
            self.ctx.store.connect(),
            side=FRESHBOOKS,
            method=method,
            path=path,
            kind=f"{self.singular}.{verb}",
            object_id=record_id,
            body=body,
            status=200,
        )

    def _refuse_locked(self, document: Document) -> None:
        day = str(document[self.day_field]) if self.day_field else ""
        if day and day <= str(self.switches["fb.locked_until"]):
            status = self.switches.number("fb.lock_status")
            raise errors.locked(self.singular, self.day_field, day, status)

    def _matching(self, known: Mapping[str, list[str]], stale_seconds: float) -> list[Document]:
        tests = [self.filters[key].test(found) for key, found in known.items()]
        if "vis_state" not in known:
            tests.append(lambda row: row.get("vis_state", ACTIVE) != DELETED)
        if stale_seconds > 0:
            documents = self.records.documents_of(self.ctx.clock.now().timestamp() - stale_seconds)
        else:
            narrowing = {self.filters[key].column: found for key, found in known.items()}
            wanted = {column: found for column, found in narrowing.items() if column}
            documents = self.records.documents(**wanted)
        return [document for document in documents if all(test(document) for test in tests)]

    def _sort(self, asked: str | None) -> tuple[Callable[[Document], Any], bool] | None:
        if asked is None:
            return None
        key, _, direction = asked.rpartition("_")
        if key not in self.sort_keys or direction not in {"asc", "desc"}:
            return None
        return self.sort_keys[key], direction == "desc"


def pages(total: int, per_page: int) -> int:
    """How many pages a list has."""
    return math.ceil(total / per_page)
