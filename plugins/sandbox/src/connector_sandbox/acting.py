"""Requests made by another hand: a bookkeeper in the books, a shopper in the shop, an operator.

They go through the sandbox's own routes, without a token, quota, right or fault in the way, and
the history tells them apart. Made on demand, or by a fault rule at a chosen moment of somebody
else's request (kind ``act``); in the latter case ``$name`` in a path or body stands for a value
of that request: ``$id`` of its path, any other name for a field of what it sends, with dots for
fields inside (``$amount.code``); ``$answer.id`` for a field of the record it was answered.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

from connector_sandbox.constants import FRESHBOOKS_ACCOUNT_ID
from connector_sandbox.decoding import Matching, decode
from connector_sandbox.exact_json import dumps

API, BY_HAND = "api", "by hand"
_actor: ContextVar[str] = ContextVar("actor", default=API)
_NAME = re.compile(r"\$([A-Za-z_][\w.]*)")
_LAST_ID = re.compile(r"/(\d+)$")


class ActError(ValueError):
    """Writes that cannot be understood."""


@dataclass(frozen=True, slots=True)
class _Write:
    """What one write may hold."""

    path: str
    method: Annotated[str, Matching("[A-Z]+", "an HTTP method")] = "POST"
    json: Any = None
    by: str = BY_HAND


def actor() -> str:
    """Who makes the request in hand: ``api``, or ``by hand`` (or the name given there)."""
    return _actor.get()


def is_by_hand() -> bool:
    """Whether it is made by another hand."""
    return _actor.get() != API


def checked(writes: object) -> list[dict[str, Any]]:
    """The writes, each with ``method``, ``path`` and perhaps ``json`` and ``by``.

    Raises:
        ActError: They are none.
    """
    told: list[Any] = writes if isinstance(writes, list) else [writes]
    for one in told:
        try:
            decode(_Write, one)
        except ValueError as error:
            raise ActError(f"a write has path, method (POST), json and by: {error}") from error
    return told


async def act(
    app: ASGIApp, writes: Sequence[Mapping[str, Any]], known: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Make the requests one after the other.

    Args:
        app: The sandbox.
        writes: See ``checked``. A path without a slash in front is below the FreshBooks account.
        known: What ``$name`` stands for.

    Returns:
        ``status`` and ``json`` of each answer.
    """
    return [await _one(app, _filled(write, known)) for write in writes]


def known_of(path: str, body: bytes, answer: bytes = b"") -> dict[str, Any]:
    """What ``$name`` stands for at a request, and its answer where there is one already."""
    record_id = _LAST_ID.search(path)
    known: dict[str, Any] = dict(_record(body))
    if record_id is not None:
        known["id"] = int(record_id[1])
    if answer:
        result = _json(answer)
        for level in ("response", "result"):
            result = result.get(level, result) if isinstance(result, dict) else result
        known["answer"] = _inner(result)
    return known


def _record(body: bytes) -> dict[str, Any]:
    return _inner(_json(body))


def _inner(document: object) -> dict[str, Any]:
    """The record inside the one key of a body."""
    if not isinstance(document, dict):
        return {}
    only = next(iter(document.values())) if len(document) == 1 else document
    return only if isinstance(only, dict) else document


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _filled(value: Any, known: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return {key: _filled(one, known) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, known) for one in value]
    if not isinstance(value, str):
        return value
    whole = _NAME.fullmatch(value)
    if whole is not None:
        return _looked_up(whole[1], known)
    return _NAME.sub(lambda match: str(_looked_up(match[1], known)), value)


def _looked_up(name: str, known: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    value: Any = known
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise ActError(f"the request has no {name}")
        value = value[part]
    return value


async def _one(app: ASGIApp, write: Mapping[str, Any]) -> dict[str, Any]:
    path = str(write["path"])
    if not path.startswith("/"):
        path = f"/accounting/account/{FRESHBOOKS_ACCOUNT_ID}/{path}"
    parts = urlsplit(path)
    body = dumps(write["json"]).encode() if "json" in write else b""
    status, said = int(HTTPStatus.INTERNAL_SERVER_ERROR), b""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, said
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            said += message.get("body", b"")

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": write.get("method", "POST"),
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "scheme": "http",
        "headers": [(b"content-type", b"application/json")],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }
    token = _actor.set(str(write.get("by", BY_HAND)))
    try:
        await app(scope, receive, send)
    finally:
        _actor.reset(token)
    return {"status": status, "json": _json(said)}
