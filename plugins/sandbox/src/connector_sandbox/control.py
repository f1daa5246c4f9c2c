"""The control routes under ``/_sandbox``: faults, switches, clock, history, counts, reset."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connector_sandbox import acting, constants
from connector_sandbox.faults import FaultError
from connector_sandbox.switches import SwitchError

if TYPE_CHECKING:
    from connector_sandbox.app import Context

Handler = Callable[[Request], Awaitable[Response]]


def routes(ctx: Context) -> list[BaseRoute]:
    """Give the control routes of one sandbox."""
    table: list[tuple[str, str, Handler]] = [
        *_fault_routes(ctx),
        *_acting_routes(),
        *_record_routes(ctx),
        *_switch_routes(ctx),
        *_clock_routes(ctx),
        *_state_routes(ctx),
    ]
    return [
        Route(f"/_sandbox/{path}", handler, methods=[method]) for method, path, handler in table
    ]


def _fault_routes(ctx: Context) -> list[tuple[str, str, Handler]]:
    async def add(request: Request) -> Response:
        orders = await request.json()
        try:
            rules = [
                ctx.faults.add(one) for one in (orders if isinstance(orders, list) else [orders])
            ]
        except (FaultError, TypeError) as error:
            return _refused(str(error))
        told = [rule.told() for rule in rules]
        return JSONResponse(told if isinstance(orders, list) else told[0], status_code=201)

    async def show(request: Request) -> Response:
        del request
        return JSONResponse(ctx.faults.told())

    async def lift(request: Request) -> Response:
        ctx.faults.remove(request.path_params.get("id"))
        return JSONResponse(ctx.faults.told())

    async def release(request: Request) -> Response:
        return JSONResponse({"released": ctx.faults.release(request.path_params["id"])})

    return [
        ("POST", "faults", add),
        ("GET", "faults", show),
        ("DELETE", "faults", lift),
        ("DELETE", "faults/{id:int}", lift),
        ("POST", "faults/{id:int}/release", release),
    ]


def _acting_routes() -> list[tuple[str, str, Handler]]:
    async def by_hand(request: Request) -> Response:
        try:
            writes = acting.checked(await request.json())
            answers = await acting.act(request.app, writes, {})
        except acting.ActError as error:
            return _refused(str(error))
        failed = any(answer["status"] >= HTTPStatus.BAD_REQUEST for answer in answers)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if failed else HTTPStatus.OK
        return JSONResponse(answers, status_code=status)

    return [("POST", "by-hand", by_hand)]


def _record_routes(ctx: Context) -> list[tuple[str, str, Handler]]:
    async def history(request: Request) -> Response:
        asked = request.query_params
        rows = ctx.history.rows(
            since=int(asked.get("since") or 0), side=asked.get("side"), order=asked.get("order")
        )
        return JSONResponse({"history": rows})

    async def requests(request: Request) -> Response:
        summary = ctx.counts.summary()
        if request.query_params.get("latest"):
            summary["latest"] = ctx.counts.latest()
        return JSONResponse(summary)

    async def count_anew(request: Request) -> Response:
        del request
        ctx.counts.clear()
        return JSONResponse(ctx.counts.summary())

    return [
        ("GET", "history", history),
        ("GET", "requests", requests),
        ("POST", "requests/reset", count_anew),
    ]


def _switch_routes(ctx: Context) -> list[tuple[str, str, Handler]]:
    async def show_switches(request: Request) -> Response:
        if request.query_params.get("describe"):
            return JSONResponse({"switches": ctx.switches.described()})
        return JSONResponse(ctx.switches.values())

    async def set_switches(request: Request) -> Response:
        try:
            ctx.switches.set(await request.json())
        except SwitchError as error:
            return _refused(str(error))
        return JSONResponse(ctx.switches.values())

    return [("GET", "switches", show_switches), ("PUT", "switches", set_switches)]


def _clock_routes(ctx: Context) -> list[tuple[str, str, Handler]]:
    async def show_clock(request: Request) -> Response:
        del request
        return JSONResponse({"now": ctx.clock.now().isoformat(), "rate": ctx.clock.rate})

    async def move_clock(request: Request) -> Response:
        asked: dict[str, Any] = await request.json()
        try:
            moment = datetime.fromisoformat(asked["set"]) if "set" in asked else None
            by = timedelta(seconds=float(asked.get("advance_seconds", 0)))
            rate = float(asked.get("rate", ctx.clock.rate))
        except (TypeError, ValueError) as error:
            return _refused(f"the clock takes set (ISO 8601), advance_seconds and rate: {error}")
        if moment is not None:
            ctx.clock.set(moment)
        ctx.clock.advance(by)
        ctx.clock.run_at(rate)
        return await show_clock(request)

    return [("GET", "clock", show_clock), ("POST", "clock", move_clock)]


def _state_routes(ctx: Context) -> list[tuple[str, str, Handler]]:
    async def reset(request: Request) -> Response:
        raw = await request.body()
        asked = await request.json() if raw else {}
        ctx.reset()
        planted = ctx.plant() if ctx.plant is not None and asked.get("seed", True) else None
        return JSONResponse({"reset": True, "seeded": planted})

    async def seed(request: Request) -> Response:
        del request
        if ctx.plant is None:
            return _refused("this build has no month of orders to seed")
        return JSONResponse({"seeded": ctx.plant()})

    async def show_all(request: Request) -> Response:
        del request
        return JSONResponse(inspection(ctx))

    return [
        ("POST", "reset", reset),
        ("POST", "seed", seed),
        ("GET", "inspect", show_all),
    ]


def inspection(ctx: Context) -> dict[str, Any]:
    """Tell what the sandbox holds and how to log in to it."""
    return {
        "data_dir": str(ctx.data_dir),
        "clock": {"now": ctx.clock.now().isoformat(), "rate": ctx.clock.rate},
        "bigcommerce": {
            "store_hash": ctx.switches["bc.store_hash"],
            "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
            "client_id": constants.BIGCOMMERCE_CLIENT_ID,
            "client_secret": constants.BIGCOMMERCE_CLIENT_SECRET,
        },
        "freshbooks": {
            "client_id": constants.FRESHBOOKS_CLIENT_ID,
            "client_secret": constants.FRESHBOOKS_CLIENT_SECRET,
            "redirect_uri": constants.FRESHBOOKS_REDIRECT_URI,
            "account_id": constants.FRESHBOOKS_ACCOUNT_ID,
            "refresh_token": constants.FRESHBOOKS_REFRESH_TOKEN,
        },
        "holds": {name: tell() for name, tell in sorted(ctx.inspections.items())},
        "history_rows": ctx.store.connect().execute("SELECT count(*) FROM history").fetchone()[0],
        "switches": ctx.switches.values(),
        "faults": ctx.faults.told(),
    }


def _refused(message: str) -> Response:
    return JSONResponse({"error": message}, status_code=400)
