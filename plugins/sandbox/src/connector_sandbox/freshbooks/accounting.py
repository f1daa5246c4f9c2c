"""The accounting family over HTTP: lists and single records of every kind, alike."""

import json
import math
from dataclasses import replace
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connector_sandbox.context import Context
from connector_sandbox.freshbooks import errors, search, values
from connector_sandbox.freshbooks.guard import AccountGuard
from connector_sandbox.freshbooks.resource import Resource
from connector_sandbox.wire import STALE_SECONDS

_BASE = "/accounting/account/{account_id}"


class Endpoint:
    """The two routes of one kind of record."""

    def __init__(self, ctx: Context, guard: AccountGuard, resource: Resource) -> None:
        self._ctx = ctx
        self._guard = guard
        self._resource = resource
        self._kind = resource.kind

    def routes(self) -> list[BaseRoute]:
        """The list's route and the single record's."""
        path = f"{_BASE}/{self._kind.path}"
        many = self._guard.accounting(self._many)
        one = self._guard.accounting(self._one)
        return [
            Route(path, many, methods=["GET", "POST"]),
            Route(f"{path}/{{id}}", one, methods=["GET", "PUT", "DELETE"]),
        ]

    async def _many(self, request: Request) -> Response:
        asked = self._admit(request)
        if request.method == "GET":
            return self._list(request, asked)
        raw = await _read_json(request)
        body = self._inner(raw)
        with self._ctx.store.writing():
            document = self._resource.create(body)
            self._resource.note("POST", request.url.path, "create", document["id"], raw)
        return self._answer(document, asked)

    async def _one(self, request: Request) -> Response:
        asked = self._admit(request)
        record_id = self._record_id(request)
        if request.method == "GET":
            return self._answer(self._resource.read(record_id), asked)
        if request.method == "DELETE":
            return self._delete(request, record_id)
        raw = await _read_json(request)
        body = self._inner(raw)
        with self._ctx.store.writing():
            document, verb = self._resource.put(record_id, body)
            self._resource.note("PUT", request.url.path, verb, record_id, raw)
        return self._answer(document, asked)

    def _list(self, request: Request, asked: search.ListRequest) -> Response:
        stale = request.scope.get(STALE_SECONDS)
        if stale is None:
            stale = self._ctx.switches.number("fb.stale_search_seconds")
        rows, total = self._resource.search(asked, stale)
        result = {
            self._kind.plural: [self._resource.shown(row, asked.includes) for row in rows],
            "page": asked.page,
            "pages": math.ceil(total / asked.per_page),
            "per_page": asked.per_page,
            "total": total,
        }
        return JSONResponse({"response": {"result": result}})

    def _delete(self, request: Request, record_id: int) -> Response:
        if self._kind.deletes_over_http is None:
            return Response(status_code=405)
        with self._ctx.store.writing():
            self._resource.delete(record_id)
            self._resource.note("DELETE", request.url.path, "delete", record_id, None)
        return JSONResponse({"response": {}})

    def _answer(self, document: dict[str, Any], asked: search.ListRequest) -> Response:
        shown = self._resource.shown(document, asked.includes)
        return JSONResponse({"response": {"result": {self._kind.singular: shown}}})

    def _admit(self, request: Request) -> search.ListRequest:
        self._guard.need_scope(request, self._kind.scope)
        asked = search.parse(request.query_params.multi_items())
        unknown = asked.includes - self._kind.includes
        refuses = unknown and self._ctx.switches["fb.unknown_include"] == "refuse"
        refusal = errors.invalid(self._kind.singular, "include", min(unknown, default=""))
        errors.refuse(refuses, refusal)
        if request.method != "GET" and self._ctx.switches["fb.written_lines"] == "left_out":
            return replace(asked, includes=asked.includes - {"lines"})
        return asked

    def _inner(self, raw: dict[str, Any]) -> dict[str, Any]:
        """What stands under the singular key; anything else is not seen at all."""
        body = raw.get(self._kind.singular)
        if not isinstance(body, dict):
            return {}
        if self._ctx.switches["fb.non_bmp"] == "refuse":
            values.refuse_non_bmp(self._kind.singular, body)
        return body

    def _record_id(self, request: Request) -> int:
        given: str = request.path_params["id"]
        strange = errors.not_found(self._kind.singular, self._kind.id_field, given)
        errors.refuse(not given.isdigit(), strange)
        return int(given)


async def _read_json(request: Request) -> dict[str, Any]:
    try:
        parsed = json.loads(await request.body(), parse_float=Decimal)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        entry = errors.Entry(errors.PARSE, "The request body could not be parsed.")
        raise errors.Refusal(entry, status=400)
    return parsed
