"""What all kinds of FreshBooks records have in common: create, read, list, PUT in phases.

A PUT runs in phases ("Active and Deleted Objects" page): ``ext_vis_state``, else ``vis_state``,
else actions, else ordinary fields. Only the first phase that is present runs; every other key of
the body is dropped without an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from connector_sandbox.constants import FRESHBOOKS, FRESHBOOKS_ACCOUNT_ID
from connector_sandbox.documents import Document, Documents
from connector_sandbox.filters import where
from connector_sandbox.freshbooks import errors, search, values

if TYPE_CHECKING:
    from connector_sandbox.context import Context
    from connector_sandbox.filters import Filter
    from connector_sandbox.freshbooks.account import Account
    from connector_sandbox.freshbooks.search import ListRequest

EASTERN = ZoneInfo("America/New_York")
ACTIVE, DELETED, ARCHIVED = 0, 1, 2
_STATE_VERBS = {ACTIVE: "restore", DELETED: "delete", ARCHIVED: "archive"}

Reader = Callable[["Resource", str, Any], Any]
"""Makes of what was sent for a field what is kept of it, or refuses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is told of one kind of record.

    Attributes:
        singular: the body key, such as ``credit_note``.
        path: below ``/accounting/account/{account_id}/``; its end is the key in lists.
        scope: the object's name in scopes, such as ``billable_items``.
        id_field: the id's other name, used in errors and as a field.
        first_id: id of the first record.
        indexed: fields that are looked up by.
        deletes_over_http: whether HTTP DELETE exists, and whether it removes for good.
        actions: keys of the action phase of a PUT.
        day_field: what dates it, for a Financial Lock.
        sorts: what the keys of ``sort`` stand for in SQL.
        includes: what ``include[]`` knows.
        blank: the fields of a new record that do not depend on it.
        fields: the fields that are taken as they are read.
    """

    singular: str
    path: str
    scope: str
    id_field: str
    first_id: int
    indexed: tuple[str, ...] = ()
    deletes_over_http: str | None = None
    actions: tuple[str, ...] = ()
    day_field: str = ""
    sorts: Mapping[str, str] = field(default_factory=dict)
    includes: frozenset[str] = frozenset()
    blank: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Reader] = field(default_factory=dict)

    @property
    def plural(self) -> str:
        """The key in lists."""
        return self.path.rpartition("/")[2]


class Resource:
    """The records of one kind, which a subclass tells in ``kind``."""

    kind: ClassVar[Kind]

    def __init__(self, ctx: Context, account: Account) -> None:
        self.ctx = ctx
        self.account = account
        self.switches = ctx.switches
        self.records = Documents(
            ctx.store,
            f"fb_{self.kind.plural}",
            (*self.kind.indexed, "vis_state"),
            self.kind.first_id,
            self._seconds,
        )

    # -- what each kind says of itself ----------------------------------------------------------

    def blank(self, record_id: int) -> Document:
        """A new record with every field at its default."""
        return {
            "id": record_id,
            self.kind.id_field: record_id,
            "accounting_systemid": FRESHBOOKS_ACCOUNT_ID,
            "updated": "",
            **self.kind.blank,
        }

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the ordinary fields of a body into a document, or refuse them."""
        raise NotImplementedError

    def filters(self) -> dict[str, Filter]:
        """The search keys that work."""
        return {
            "vis_state": search.ids("vis_state", "vis_state"),
            **search.updated(self.switches["fb.updated_search"], self.days("updated", "updated")),
        }

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
        gone = document.get("vis_state") == DELETED
        told = self.switches["fb.deleted_get"]
        kind, own = self.kind.singular, self.kind.id_field
        errors.refuse(gone and told == "error", errors.deleted(kind, own, record_id))
        errors.refuse(gone and told == "missing", errors.not_found(kind, own, record_id))
        return document

    def put(self, record_id: int, body: Document) -> tuple[Document, str]:
        """PUT: run the first phase that is present; give the record and what was done."""
        document = self.existing(record_id)
        if "ext_vis_state" in body:
            return document, "ext_vis_state"
        if body.get("vis_state") != ARCHIVED:
            self._refuse_locked(document)
        if "vis_state" in body and "vis_state" in document:
            verb = self._change_state(document, body["vis_state"])
        elif any(action in body for action in self.kind.actions):
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
        self.save(document)
        self.after_write(document)
        return self.existing(record_id), verb

    def delete(self, record_id: int) -> None:
        """HTTP DELETE: for good, or by ``vis_state``."""
        self.existing(record_id)
        if self.kind.deletes_over_http == "hard":
            self.records.remove(record_id)
        else:
            self.put(record_id, {"vis_state": DELETED})

    def search(self, asked: ListRequest, stale_seconds: float) -> tuple[list[Document], int]:
        """GET of the list: the page asked for and the total."""
        filters = self.filters()
        condition, wanted = where(asked.searched, filters)
        if "vis_state" not in asked.searched:
            condition += f" AND vis_state IS NOT {DELETED}"
        way = "DESC" if self.switches["fb.default_order"] == "id_desc" else "ASC"
        order = f"{self._sort(asked.sort)} id {way}"
        offset = (asked.page - 1) * asked.per_page
        page = f"ORDER BY {order} LIMIT {asked.per_page} OFFSET {offset}"
        moment = self._seconds() - stale_seconds if stale_seconds > 0 else None
        rows = self.records.select(condition, wanted, page, moment)
        if self.switches["fb.list_total"] == "all" and not asked.searched.keys() & filters.keys():
            return rows, self.records.count()
        return rows, self.records.count(condition, wanted, moment)

    # -- for the kinds themselves ---------------------------------------------------------------

    def existing(self, record_id: int) -> Document:
        """Read a record or refuse with 1012."""
        document = self.records.get(record_id)
        if document is None:
            raise errors.not_found(self.kind.singular, self.kind.id_field, record_id)
        return document

    def save(self, document: Document) -> None:
        """Write a document that was there before, as of now."""
        self.stamp(document)
        self.records.update(document["id"], document)

    def stamp(self, document: Document) -> None:
        """Note that a document is being written now."""
        document["updated"] = self.eastern_now()

    def eastern_now(self) -> str:
        """Now, as accounting timestamps have it: US Eastern, without a zone."""
        return f"{self.ctx.clock.now().astimezone(EASTERN):%Y-%m-%d %H:%M:%S}"

    def eastern_today(self) -> str:
        """Today in US Eastern."""
        return self.eastern_now()[:10]

    def ids(self, column: str, *names: str) -> dict[str, Filter]:
        """The filters by ids in a column, each by its name and in the plural."""
        named = search.ids(names[0], column)
        return {f"{name}{end}": named for name in names for end in ("", "s")}

    def days(self, of: str, name: str) -> dict[str, Filter]:
        """The filters by the days of a field; whether ``_max`` includes its day is a switch."""
        until = "<=" if self.switches["fb.date_max"] == "inclusive" else "<"
        return {f"{name}_min": search.day(of, ">="), f"{name}_max": search.day(of, until)}

    def take(self, document: Document, body: Document) -> None:
        """Take the kind's ``fields`` that are present."""
        for name, read in self.kind.fields.items():
            if name in body:
                document[name] = read(self, name, body[name])

    def require(self, body: Document, *names: str, creating: bool) -> None:
        """Refuse a body that lacks one of these, or empties it."""
        for name in names:
            missing = (creating or name in body) and body.get(name) in (None, "")
            errors.refuse(missing, errors.required(self.kind.singular, name))

    def refuse(
        self, when: object, name: str, value: object, words: str = "", errno: int = errors.INVALID
    ) -> None:
        """Refuse a field's value, when that is so."""
        errors.refuse(when, errors.invalid(self.kind.singular, name, value, words, errno=errno))

    def refuse_taken(self, document: Document, name: str, words: str, switch: str) -> None:
        """Refuse what another record has in that column, a deleted one too; by switch."""
        taken = switch != "no" and document[name] and self.is_taken(document, name)
        status = int(switch) if switch.isdigit() else 422
        refusal = errors.exists(self.kind.singular, name, document[name], words, status)
        errors.refuse(taken, refusal)

    def is_taken(self, document: Document, name: str) -> bool:
        """Whether another record, a deleted one too, has the same in that column."""
        return self.records.count(f"{name} = ? AND id != ?", (document[name], document["id"])) > 0

    def note(self, method: str, path: str, verb: str, record_id: int, body: Any) -> None:  # noqa: ANN401 - JSON
        """Write an accepted write into the history, in the transaction at hand."""
        self.ctx.history.append(
            self.ctx.store.connect(),
            side=FRESHBOOKS,
            method=method,
            path=path,
            kind=f"{self.kind.singular}.{verb}",
            object_id=record_id,
            body=body,
        )

    def _seconds(self) -> float:
        return self.ctx.clock.now().timestamp()

    def _change_state(self, document: Document, sent: object) -> str:
        state = values.whole(self.kind.singular, "vis_state", sent)
        self.refuse(state not in _STATE_VERBS, "vis_state", state)
        self.state_changes(document, state)
        document["vis_state"] = state
        return _STATE_VERBS[state]

    def _refuse_locked(self, document: Document) -> None:
        day = str(document[self.kind.day_field]) if self.kind.day_field else ""
        status = self.switches.number("fb.lock_status")
        errors.refuse(
            day and day <= str(self.switches["fb.locked_until"]),
            errors.locked(self.kind.singular, self.kind.day_field, day, status),
        )

    def _sort(self, asked: str) -> str:
        key, _, direction = asked.rpartition("_")
        if key not in self.kind.sorts or direction not in {"asc", "desc"}:
            return ""
        return f"{self.kind.sorts[key]} {direction},"
