"""One control route under ``/_sandbox``: its body is read at the door, or refused with the reason.

A refusal is ``{"error": words}``, with 400 for what is not understood or cannot be, 404 for what
is not there.
"""

import inspect
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connector_sandbox.decoding import decode
from connector_sandbox.exact_json import dumps, loads

Handler = Callable[[Any, Request], Any]


class NotThere(LookupError):  # noqa: N818  an answer, not a failure
    """What is asked for does not exist; its number or name is the argument."""


class ControlRoutes:
    """Collects handlers: ``@control.on("PUT", "switches")`` above ``def set(asked, request)``."""

    def __init__(self) -> None:
        self.routes: list[BaseRoute] = []

    def on(
        self, method: str, path: str, takes: type = object, *, status: int = 200
    ) -> Callable[[Handler], Handler]:
        """Serve a path below ``/_sandbox/``.

        Args:
            method: HTTP method.
            path: may hold Starlette's parameters.
            takes: what the body is: a record, ``dict``, or ``object`` for any JSON (None for none).
            status: of an answer that is not a response of its own.
        """

        def add(handler: Handler) -> Handler:
            async def endpoint(request: Request) -> Response:
                try:
                    asked = _read(takes, await request.body())
                    given = handler(asked, request)
                    if inspect.isawaitable(given):
                        given = await given
                except NotThere as missing:
                    return answer({"error": f"there is no {missing}"}, 404)
                except ValueError as refused:
                    return answer({"error": str(refused)}, 400)
                return given if isinstance(given, Response) else answer(given, status)

            self.routes.append(Route(f"/_sandbox/{path}", endpoint, methods=[method]))
            return handler

        return add


def _read(takes: type, body: bytes) -> Any:  # noqa: ANN401  what `takes` says
    if takes is object:
        return loads(body) if body else None
    document = loads(body or b"{}")
    if takes is not dict:
        return decode(takes, document)
    if not isinstance(document, dict):
        raise ValueError(f"the body is a JSON object, not {document!r}")  # noqa: TRY004  400 to all
    return document


def answer(document: Any, status: int = 200) -> Response:  # noqa: ANN401  any JSON document
    """An answer in JSON."""
    return Response(dumps(document), status, media_type="application/json")
