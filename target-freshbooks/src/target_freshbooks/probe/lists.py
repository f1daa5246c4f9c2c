"""Checks of lists, states and numbers: what a search shows, and what a number is worth."""

from dataclasses import replace
from datetime import date, timedelta
from http import HTTPStatus

from target_freshbooks.freshbooks import NotFound, Refused
from target_freshbooks.freshbooks.errors import ERRNO_UNKNOWN_RESOURCE
from target_freshbooks.freshbooks.observed import ACTIVE, ARCHIVED, DELETED
from target_freshbooks.freshbooks.refusals import RefusalKind, classify
from target_freshbooks.probe.bench import Bench
from target_freshbooks.probe.finding import (
    Check,
    Measurement,
    Untold,
    client_of,
    draft_of,
    refusal,
    shows_fresh,
    taken,
    unique,
)

LONG_AGO = date(2000, 1, 31)
"""A day that any lock reaches back to."""


def written_lines(bench: Bench) -> Measurement:
    """See whether the answer to the Draft's creation had the lines that it asked for."""
    draft_of(bench)
    return Measurement("shown" if bench.lines_shown else "left out")


def duplicate_number(bench: Bench) -> Measurement:
    """Make a second invoice of the Draft's number."""
    draft_of(bench)
    measurement = unique(bench.attempt(lambda: bench.invoice(bench.tag, [bench.line()])))
    return replace(measurement, traits={"refuses_taken_numbers": measurement.value == "refused"})


def number_search(bench: Bench) -> Measurement:
    """Search for a part of the Draft's number."""
    draft = draft_of(bench)
    shows_fresh(bench)
    others = list[str]()

    def shown(words: str) -> bool:
        for row in bench.books.invoices.rows((("search[invoice_number]", words),)):
            if row.id == draft.id:
                return True
            if words.casefold() not in row.number.casefold():
                others.append("other")  # the key is ignored: the whole list would come
                return False
        return False

    if not shown(bench.tag):
        raise Untold("a search for the whole number does not show the Draft")
    part, other_case = shown(bench.tag[:-1]), shown(bench.tag.lower())
    heeds_case = "no" if other_case else "yes"
    return Measurement(
        "ignored" if others else "like" if part else "exact", {"heeds_case": heeds_case}
    )


def date_max(bench: Bench) -> Measurement:
    """Search for the client's invoices up to the Draft's day."""
    draft, client = draft_of(bench), client_of(bench)
    shows_fresh(bench)
    of_client = ("search[customerid]", str(client.id))
    until = ("search[date_max]", draft.create_date.isoformat())
    listed = any(row.id == draft.id for row in bench.books.invoices.rows((of_client, until)))
    return Measurement("inclusive" if listed else "exclusive")


def unknown_include(bench: Bench) -> Measurement:
    """Ask for something unknown along with a list."""
    client = client_of(bench)
    query = (("search[userid]", str(client.id)), ("include[]", "probe"))
    return taken(bench.attempt(lambda: list(bench.books.clients.rows(query, _none))))


def _none(_row: object) -> bool:
    return False


def due_date(bench: Bench) -> Measurement:
    """Write the Draft's due date, which is read-only."""
    day = (draft_of(bench).create_date + timedelta(days=9)).isoformat()
    return taken(bench.attempt(lambda: bench.redraft(due_date=day)))


def error_status(bench: Bench) -> Measurement:
    """Ask for something that is refused whatever the account is like: an invoice of no client."""
    draft = draft_of(bench)
    refused = bench.attempt(lambda: bench.alter("invoice", draft.id, {"create_date": "no day"}))
    if not isinstance(refused, Refused):
        raise Untold("a date that is none was taken")
    inside = refused.status < HTTPStatus.MULTIPLE_CHOICES
    return Measurement("inside 200" if inside else "as HTTP status", refusal(refused))


def financial_lock(bench: Bench) -> Measurement:
    """Date the Draft long ago, and if that is refused find the last day that is locked."""
    today = draft_of(bench).create_date

    def is_refused(day: date) -> Refused | None:
        made = bench.attempt(lambda: bench.redraft(create_date=day.isoformat()))
        return made if isinstance(made, Refused) else None

    try:
        refused = is_refused(LONG_AGO)
        if refused is None:
            return Measurement("off")
        evidence, locked, open_ = refusal(refused), LONG_AGO, today
        while (open_ - locked).days > 1:
            middle = locked + (open_ - locked) // 2
            if is_refused(middle):
                locked = middle
            else:
                open_ = middle
        return Measurement(f"on, until {locked}", evidence)
    finally:
        bench.redraft(create_date=today.isoformat())


def archived(bench: Bench) -> Measurement:
    """Archive the Draft, look for it in a list, and change it."""
    draft, client = draft_of(bench), client_of(bench)
    gone = bench.attempt(lambda: bench.redraft(vis_state=ARCHIVED))
    if isinstance(gone, Refused):
        raise Untold(f"a Draft cannot be archived: {gone.words}")
    search = (("search[customerid]", str(client.id)),)
    listed = any(row.id == draft.id for row in bench.books.invoices.rows(search))
    changed = bench.attempt(lambda: bench.redraft(notes=draft.notes + " "))
    evidence = {"listed": "yes" if listed else "no"}
    if isinstance(changed, Refused):
        answer = Measurement("refused", evidence | refusal(changed))
    else:
        state = bench.books.invoices.get(draft.id).vis_state
        answer = Measurement("stays" if state == ARCHIVED else "returns", evidence)
    bench.redraft(vis_state=ACTIVE)
    return answer


def deleted_client(bench: Bench) -> Measurement:
    """Delete the client and name it in a change of the Draft."""
    draft, client = draft_of(bench), client_of(bench)
    gone = bench.attempt(lambda: bench.alter("client", client.id, {"vis_state": DELETED}))
    if isinstance(gone, Refused):
        raise Untold(f"a client with a Draft cannot be deleted: {gone.words}")
    made = bench.attempt(lambda: bench.alter("invoice", draft.id, {"customerid": client.id}))
    bench.attempt(lambda: bench.alter("client", client.id, {"vis_state": ACTIVE}))
    return taken(made)


def deleted_get(bench: Bench) -> Measurement:
    """Delete the Draft and ask for it."""
    draft = draft_of(bench)
    gone = bench.attempt(lambda: bench.alter("invoice", draft.id, {"vis_state": DELETED}))
    if isinstance(gone, Refused):
        raise Untold(f"a Draft cannot be deleted: {gone.words}")
    try:
        bench.books.invoices.get(draft.id)
    except NotFound as missing:
        is_missing = missing.errno in {None, ERRNO_UNKNOWN_RESOURCE}
        return Measurement("missing" if is_missing else "error", refusal(missing))
    except Refused as refused:
        return Measurement("error", refusal(refused))
    return Measurement("found")


def deleted_in_lists(bench: Bench) -> Measurement:
    """Look for the deleted Draft in lists with and without `vis_state`."""
    draft = draft_of(bench)
    shows_fresh(bench)
    search = (("search[invoice_number]", bench.tag),)

    def ours(row: object) -> bool:
        return isinstance(row, dict) and row.get("invoice_number") == bench.tag

    rows = bench.books.invoices.rows
    asked = any(row.id == draft.id for row in rows(search, ours, deleted=True))
    return Measurement("shown if asked for" if asked else "hidden")


def deleted_number(bench: Bench) -> Measurement:
    """Make an invoice of the deleted Draft's number."""
    draft_of(bench)
    made = bench.attempt(lambda: bench.invoice(bench.tag, [bench.line()]))
    is_taken = isinstance(made, Refused) and classify(made).kind is RefusalKind.TAKEN
    if isinstance(made, Refused) and not is_taken:
        raise Untold(f"it is refused for another reason: {made.words}")
    return Measurement("stays used" if is_taken else "free again", taken(made).evidence)


def quota(bench: Bench) -> Measurement:
    """Read the quota from the answers of this probe."""
    headers, throttled = dict(bench.requests.quota), bench.requests.throttled
    evidence: dict[str, object] = {"requests": bench.requests.count, "headers": sorted(headers)}
    if throttled is not None:
        evidence["headers_on_429"] = sorted(throttled)
    limit = headers.get("x-ratelimit-limit")
    return Measurement(f"{limit} requests in a window" if limit else "not told", evidence)


LOOKS = (
    Check(
        "written_lines",
        "the answer to a write may leave out the lines that it asks for; they are read then",
        {},
        written_lines,
        ("fb.written_lines",),
    ),
    Check(
        "duplicate_number",
        "an invoice's number that is taken is refused, as 422 or 409",
        {
            "accepted": "two shops or people could use one number: set invoice_number_prefix",
            "refused": "lists of their days stand for a look for each of many new orders",
        },
        duplicate_number,
        ("fb.number_unique", "fb.number_taken_status", "fb.number_taken_errno"),
    ),
    Check(
        "number_search",
        "a search for a number may be exact or not, so each row is compared again",
        {},
        number_search,
        ("fb.number_search",),
    ),
    Check(
        "date_max",
        "a search up to a day may leave that day out, so one more is asked for",
        {},
        date_max,
        ("fb.date_max",),
    ),
    Check("unknown_include", "none is sent", {}, unknown_include, ("fb.unknown_include",)),
    Check("due_date", "it is read-only and never sent", {}, due_date, ("fb.due_date",)),
    Check(
        "error_status",
        "an error may come inside HTTP 200; each answer is searched for errors",
        {},
        error_status,
        ("fb.error_status",),
    ),
    Check(
        "financial_lock",
        "days may be locked; what falls on one is parked when it is refused",
        {"off": "nothing", "*": "`closed_through` of that day parks such orders without a request"},
        financial_lock,
        ("fb.locked_until", "fb.lock_status"),
    ),
    Check(
        "archived",
        "a change may take an archived record out again, so archived clients and items are left",
        {},
        archived,
        ("fb.archived_put",),
    ),
)

CLOSING = (
    Check(
        "deleted_client",
        "an invoice for a deleted client may be refused; its client is then found or made anew",
        {},
        deleted_client,
        ("fb.deleted_client_invoice",),
    ),
    Check(
        "deleted_get",
        "a deleted record may be found by id, or be missing",
        {},
        deleted_get,
        ("fb.deleted_get",),
    ),
    Check(
        "deleted_in_lists",
        "lists show deleted records if they are asked for by vis_state",
        {"hidden": "a deleted invoice's number shows itself only when it is refused"},
        deleted_in_lists,
    ),
    Check(
        "deleted_number",
        "the number of a deleted invoice stays used",
        {"free again": "an order whose invoice was deleted by hand could be posted anew"},
        deleted_number,
    ),
    Check(
        "quota",
        "each answer tells the quota, and a 429 may tell when to come back",
        {},
        quota,
        ("fb.rate_limit", "fb.rate_window_seconds"),
    ),
)
