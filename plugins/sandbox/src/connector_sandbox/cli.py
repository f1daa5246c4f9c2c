"""The command ``sandbox``: ``up``, ``reset``, ``seed``, ``inspect``."""

import argparse
import contextlib
import json
import os
import sys
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from connector_sandbox import constants
from connector_sandbox.app import create_app, create_context
from connector_sandbox.clock import Clock
from connector_sandbox.context import Context
from connector_sandbox.control import inspection
from connector_sandbox.server import SandboxServer, listen
from connector_sandbox.switches import SwitchError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0, or 1 with the reason on stderr."""
    try:
        try:
            return _carried_out(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _forget_reader()
        return 1


def _carried_out(argv: Sequence[str] | None) -> int:
    asked = _parser().parse_args(argv)
    try:
        done: int = asked.run(asked)
    except BrokenPipeError:
        raise
    except (OSError, SwitchError, RuntimeError) as error:
        print(f"sandbox: {error}", file=sys.stderr)  # noqa: T201 - a command speaks
        return 1
    return done


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sandbox",
        description="BigCommerce and FreshBooks on localhost, for trying and testing.",
    )
    commands = parser.add_subparsers(required=True)
    up = commands.add_parser("up", help="serve both APIs until interrupted")
    up.add_argument("--host", default=constants.DEFAULT_HOST)
    up.add_argument("--port", type=int, default=constants.DEFAULT_PORT, help="0: any free port")
    up.add_argument("--clock-rate", type=float, default=1.0, help="sandbox seconds per second")
    up.add_argument("--seed", type=int, default=constants.DEFAULT_SEED)
    up.add_argument("--empty", action="store_true", help="do not seed an empty sandbox")
    up.add_argument(
        "--switch", action="append", default=[], metavar="NAME=VALUE", help="may be repeated"
    )
    up.set_defaults(run=_up)
    for name, run, words in (
        ("reset", _reset, "empty the sandbox and seed it anew"),
        ("seed", _seed, "fill an empty sandbox with the month of orders"),
        ("inspect", _inspect, "tell what it holds and how to log in"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("--url", help="a running sandbox (else the data directory)")
        command.add_argument("--json", action="store_true", help="one JSON document")
        command.set_defaults(run=run)
        if name == "reset":
            command.add_argument("--empty", action="store_true", help="do not seed anew")
    for command in commands.choices.values():
        command.add_argument("--data", type=Path, default=Path("data/sandbox"))
    return parser


def _up(asked: argparse.Namespace) -> int:
    app = create_app(asked.data, clock=Clock(rate=asked.clock_rate), seed=asked.seed)
    context: Context = app.state.context
    context.switches.start_with(dict(_pair(text) for text in asked.switch))
    if not asked.empty:
        context.seed_if_empty()
    listener, url = listen(asked.host, asked.port)

    def announce() -> None:
        try:
            _say({"url": url})
        except BrokenPipeError:  # it is served all the same
            _forget_reader()

    server = SandboxServer(app, announce)
    with contextlib.suppress(KeyboardInterrupt):  # the way it is meant to end
        server.run(sockets=[listener])
    context.store.close()
    return 0


def _reset(asked: argparse.Namespace) -> int:
    def here(context: Context) -> dict[str, Any]:
        context.reset()
        return {"reset": True, "seeded": None if asked.empty else context.seed_if_empty()}

    return _show(asked, "reset", {"seed": not asked.empty}, here)


def _seed(asked: argparse.Namespace) -> int:
    return _show(asked, "seed", {}, lambda context: {"seeded": context.seed_if_empty()})


def _inspect(asked: argparse.Namespace) -> int:
    return _show(asked, "inspect", None, inspection)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SwitchError(f"--switch takes NAME=VALUE, not {text!r}")
    return name, value


def _call(url: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
    if not url.startswith(("http://", "https://")):
        raise RuntimeError(f"--url must be http(s), not {url!r}")
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
        f"{url.rstrip('/')}/_sandbox/{path}",
        data=None if body is None else json.dumps(body).encode(),
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # nosec B310 # noqa: S310 - as above
        return json.load(answer)


def _show(
    asked: argparse.Namespace,
    path: str,
    body: dict[str, Any] | None,
    here: Callable[[Context], dict[str, Any]],
) -> int:
    """Tell what a running sandbox answers, or what is done here to the data directory."""
    document = _call(asked.url, path, body) if asked.url else here(create_context(asked.data)[0])
    if asked.json:
        _say(document)
        return 0
    for name, value in document.items():
        _print(f"{name}:" if isinstance(value, dict) else f"{name}: {value}")
        for inner, detail in value.items() if isinstance(value, dict) else ():
            _print(f"  {inner}: {detail if isinstance(detail, str) else json.dumps(detail)}")
    return 0


def _say(document: dict[str, Any]) -> None:
    _print(json.dumps(document, default=str))


def _forget_reader() -> None:
    """Say that nobody reads standard output, and let nothing more fail at that."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
    print("sandbox: the reader of the output went away", file=sys.stderr)  # noqa: T201 - as above


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command speaks
