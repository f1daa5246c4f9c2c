"""v3 hooks: a client sees its own; destinations are https on port 443.

The sandbox also takes `http://127.0.0.1` and `http://localhost` with any port, which BigCommerce
does not.
"""

import json
import sqlite3
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from starlette.routing import BaseRoute

from connector_sandbox.bigcommerce.access import DEFAULT, Answer, Call, Problem, StoreGuard, answer
from connector_sandbox.bigcommerce.dates import epoch
from connector_sandbox.bigcommerce.filters import is_true, where
from connector_sandbox.bigcommerce.paging import page_of, rows_of
from connector_sandbox.bigcommerce.repository import Numbered
from connector_sandbox.constants import BIGCOMMERCE
from connector_sandbox.decoding import Matching, value_of
from connector_sandbox.filters import Condition, Filter, compare

MOST_PER_SCOPE = 10
_Name = Annotated[str, Matching(r"[\w!#$%&'*+.^`|~-]{1,64}", "a header's name")]
_Value = Annotated[str, Matching(r"[\x20-\x7e]{0,8192}", "a header's text")]
_FIELDS: dict[str, Any] = {
    "scope": Annotated[str, Matching("store/.+", "a known scope")],
    "destination": str,
    "is_active": bool,
    "headers": dict[_Name, _Value] | None,
}
HTTPS_PORT = 443
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost"})


def routes(guard: StoreGuard) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        guard.route("v3/hooks", hooks, DEFAULT, ("GET", "POST")),
        guard.route("v3/hooks/admin", administration, DEFAULT, ("GET", "PUT")),
        guard.route("v3/hooks/{hook_id:int}", hook, DEFAULT, ("GET", "PUT", "DELETE")),
    ]


def _document(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "client_id": row["client_id"],
        "store_hash": call.ctx.switches["bc.store_hash"],
        "scope": row["scope"],
        "destination": row["destination"],
        "headers": json.loads(row["headers"]),
        "is_active": bool(row["is_active"]),
        "created_at": row["created"],
        "updated_at": row["updated"],
    }


_FILTERS: dict[str, Filter] = {
    "scope": compare("scope", "="),
    "destination": compare("destination", "="),
    "is_active": compare("is_active", "=", is_true),
}


def _own(call: Call, table: Mapping[str, Filter]) -> Condition:
    """The client's own hooks."""
    text, values = where(call.query, table)
    return f"client_id = ? AND {text}", [call.token.client_id, *values]


def hooks(call: Call) -> Answer:
    """GET and POST /v3/hooks."""
    if call.method == "POST":
        return _create(call)
    rows, told = rows_of(call, "bc_hooks", _own(call, _FILTERS), "id", page_of(call))
    data = [_document(call, row) for row in rows]
    return answer({"data": data, "meta": {"pagination": told}})


def _create(call: Call) -> Answer:
    asked = _asked(call, ("scope", "destination"))
    now = epoch(call.ctx.clock.now())
    with call.ctx.store.writing() as connection:
        _room_for(connection, call, asked)
        number = Numbered(connection).next("hook")
        connection.execute(
            "INSERT INTO bc_hooks VALUES(?,?,?,?,?,?,?,?)",
            (
                number,
                call.token.client_id,
                asked["scope"],
                asked["destination"],
                json.dumps(asked.get("headers") or {}),
                bool(asked.get("is_active", True)),
                now,
                now,
            ),
        )
        _remember(connection, call, "hook.create", number)
    return _one(call, number)


def _room_for(connection: sqlite3.Connection, call: Call, asked: dict[str, Any]) -> None:
    rows = connection.execute(
        "SELECT destination FROM bc_hooks WHERE client_id = ? AND scope = ?",
        (call.token.client_id, asked["scope"]),
    ).fetchall()
    if any(row["destination"] == asked["destination"] for row in rows):
        raise Problem(422, "A hook with this scope and destination exists already.")
    if len(rows) >= MOST_PER_SCOPE:
        raise Problem(422, "There are ten hooks of this scope already.")


def _remember(connection: sqlite3.Connection, call: Call, kind: str, number: int) -> None:
    call.ctx.history.append(
        connection,
        side=BIGCOMMERCE,
        method=call.method,
        path=call.url_path,
        kind=kind,
        object_id=number,
        body=call.body,
    )


def _asked(call: Call, required: tuple[str, ...]) -> dict[str, Any]:
    asked = call.body
    if not isinstance(asked, dict):
        raise Problem(422, errors={".": "error.expected.jsobject"})
    wrong = {name: "error.path.missing." for name in required if name not in asked}
    for name in asked.keys() & _FIELDS.keys():
        try:
            value_of(_FIELDS[name], asked[name], name)
        except ValueError as error:
            wrong[name] = str(error)
    if not wrong and "destination" in asked and not _reachable(asked["destination"]):
        wrong["destination"] = "must be https on port 443"
    if wrong:
        raise Problem(422, errors=wrong)
    return asked


def _reachable(destination: str) -> bool:
    try:
        parts = urlsplit(destination)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme == "http":
        return parts.hostname in LOCAL_HOSTS
    return parts.scheme == "https" and bool(parts.hostname) and port in {None, HTTPS_PORT}


def hook(call: Call) -> Answer:
    """GET, PUT and DELETE /v3/hooks/{id}."""
    number = int(call.path["hook_id"])
    before = _one(call, number)
    if call.method == "GET":
        return before
    asked = _asked(call, ()) if call.method == "PUT" else {}
    with call.ctx.store.writing() as connection:
        if call.method == "DELETE":
            connection.execute("DELETE FROM bc_hooks WHERE id = ?", (number,))
            _remember(connection, call, "hook.delete", number)
            return before
        for name in asked.keys() & _FIELDS.keys():
            value = json.dumps(asked[name] or {}) if name == "headers" else asked[name]
            connection.execute(
                f"UPDATE bc_hooks SET {name} = ?, updated = ? WHERE id = ?",  # noqa: S608  names above
                (value, epoch(call.ctx.clock.now()), number),
            )
        _remember(connection, call, "hook.update", number)
    return _one(call, number)


def _one(call: Call, number: int) -> Answer:
    row = call.db.execute(
        "SELECT * FROM bc_hooks WHERE id = ? AND client_id = ?", (number, call.token.client_id)
    ).fetchone()
    if row is None:
        raise Problem(404, f"Webhook with id [{number}] not found.")
    return answer({"data": _document(call, row), "meta": {}})


def administration(call: Call) -> Answer:
    """GET and PUT /v3/hooks/admin."""
    if call.method == "PUT":
        return Answer(None, 204)
    text, values = _own(call, {})
    rows = call.db.execute(f"SELECT * FROM bc_hooks WHERE {text} ORDER BY id", values)  # noqa: S608  values are bound
    shown = [_document(call, row) for row in rows]
    return answer({"data": {"hooks_list": shown, "emails": [], "deny_list": []}, "meta": {}})
