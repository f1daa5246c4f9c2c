"""The control routes under ``/_sandbox``: faults, switches, clock, history, counts, reset."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connector_sandbox import acting, constants
from connector_sandbox.context import Context
from connector_sandbox.control_routes import ControlRoutes, answer
from connector_sandbox.decoding import Within

_MOST_SECONDS = 10**9


@dataclass(frozen=True, slots=True)
class ClockMove:
    """How the clock is to go; ``advance_seconds`` may be negative."""

    set: datetime | None = None
    advance_seconds: Annotated[float, Within(-_MOST_SECONDS, _MOST_SECONDS)] = 0
    rate: Annotated[float, Within(0, 10**6)] | None = None


@dataclass(frozen=True, slots=True)
class Reset:
    """Whether the shop is filled again."""

    seed: bool = True


def routes(ctx: Context) -> list[BaseRoute]:
    """Give the control routes of one sandbox."""
    control = ControlRoutes()
    _serve_faults(control, ctx)
    _serve_records(control, ctx)
    _serve_switches_and_clock(control, ctx)
    _serve_state(control, ctx)
    return control.routes


def _serve_faults(control: ControlRoutes, ctx: Context) -> None:
    @control.on("POST", "faults", status=HTTPStatus.CREATED)
    def add(asked: Any, _request: Request) -> Any:  # noqa: ANN401 - one rule or a list
        several = isinstance(asked, list)
        told = ctx.faults.add(*(asked if several else [asked]))
        return told if several else told[0]

    @control.on("GET", "faults")
    def show(_asked: object, _request: Request) -> Any:  # noqa: ANN401 - JSON
        return ctx.faults.told()

    @control.on("DELETE", "faults")
    @control.on("DELETE", "faults/{id:int}")
    def lift(_asked: object, request: Request) -> Any:  # noqa: ANN401 - JSON
        ctx.faults.remove(request.path_params.get("id"))
        return ctx.faults.told()

    @control.on("POST", "faults/{id:int}/release")
    def release(_asked: object, request: Request) -> Any:  # noqa: ANN401 - JSON
        return {"released": ctx.faults.release(request.path_params["id"])}

    @control.on("POST", "by-hand")
    async def by_hand(asked: object, request: Request) -> Response:
        answers = await acting.act(request.app, acting.checked(asked), {})
        failed = any(one["status"] >= HTTPStatus.BAD_REQUEST for one in answers)
        return answer(answers, HTTPStatus.UNPROCESSABLE_ENTITY if failed else HTTPStatus.OK)


def _serve_records(control: ControlRoutes, ctx: Context) -> None:
    @control.on("GET", "history")
    def history(_asked: object, request: Request) -> Any:  # noqa: ANN401 - JSON
        query = request.query_params
        since = int(query.get("since") or 0)
        rows = ctx.history.rows(since=since, side=query.get("side"), order=query.get("order"))
        return {"history": rows}

    @control.on("GET", "requests")
    def requests(_asked: object, request: Request) -> Any:  # noqa: ANN401 - JSON
        latest = {"latest": ctx.counts.latest()} if request.query_params.get("latest") else {}
        return ctx.counts.summary() | latest

    @control.on("POST", "requests/reset")
    def count_anew(_asked: object, _request: Request) -> Any:  # noqa: ANN401 - JSON
        ctx.counts.clear()
        return ctx.counts.summary()


def _serve_switches_and_clock(control: ControlRoutes, ctx: Context) -> None:
    @control.on("GET", "switches")
    def show_switches(_asked: object, request: Request) -> Any:  # noqa: ANN401 - JSON
        if request.query_params.get("describe"):
            return {"switches": ctx.switches.described()}
        return ctx.switches.values()

    @control.on("PUT", "switches", dict)
    def set_switches(asked: dict[str, Any], _request: Request) -> Any:  # noqa: ANN401 - JSON
        ctx.switches.set(asked)
        return ctx.switches.values()

    @control.on("GET", "clock")
    def show_clock(_asked: object, _request: Request) -> Any:  # noqa: ANN401 - JSON
        return {"now": ctx.clock.now().isoformat(), "rate": ctx.clock.rate}

    @control.on("POST", "clock", ClockMove)
    def move_clock(asked: ClockMove, request: Request) -> Any:  # noqa: ANN401 - JSON
        ctx.clock.move(asked.set, timedelta(seconds=asked.advance_seconds), asked.rate)
        return show_clock(None, request)


def _serve_state(control: ControlRoutes, ctx: Context) -> None:
    @control.on("POST", "reset", Reset)
    def reset(asked: Reset, _request: Request) -> Any:  # noqa: ANN401 - JSON
        ctx.reset()
        return {"reset": True, "seeded": ctx.seed_if_empty() if asked.seed else None}

    @control.on("POST", "seed")
    def seed(_asked: object, _request: Request) -> Any:  # noqa: ANN401 - JSON
        return {"seeded": ctx.seed_if_empty()}

    @control.on("GET", "inspect")
    def show_all(_asked: object, _request: Request) -> Any:  # noqa: ANN401 - JSON
        return inspection(ctx)


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
