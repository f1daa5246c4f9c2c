"""The Singer SDK's private names: each is there as we use it, and they are used in one module."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from connector_credentials.settings.singer import StrictSettings
from singer_sdk import Stream, Tap, Target
from singer_sdk.plugin_base import PluginBase
from tap_bigcommerce_orders import sdk
from tap_bigcommerce_orders.source import Source
from tap_bigcommerce_orders.tap import TapBigCommerceOrders

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(sdk.__file__).parent
OVERRIDDEN = [
    (StrictSettings, "_validate_config", (PluginBase, Tap, Target)),
    (StrictSettings, "cb_config", (PluginBase, Tap, Target)),
    (sdk.PlainTap, "_handle_termination", (PluginBase, Tap)),
    (sdk.PlainStream, "_increment_stream_state", (Stream,)),
    (sdk.ToldStateWriter, "write_state", (sdk.StateWriter,)),
    (sdk.WholeMessageWriter, "write_message", (sdk.SingerWriter,)),
]
CALLED = [
    (Stream, "_write_schema_message", ["self"]),
    (Stream, "_write_record_message", ["self", "record"]),
    (sdk.StateWriter, "__init__", ["self", "message_writer"]),
    (PluginBase, "append_builtin_config", ["config_jsonschema"]),
]


def parameters(function: Callable[..., object]) -> list[str]:
    return list(inspect.signature(function).parameters)


def made() -> TapBigCommerceOrders:
    return TapBigCommerceOrders(config={"store_hash": "abc123", "access_token": "t"})


@pytest.mark.parametrize(("ours", "name", "owners"), OVERRIDDEN)
def test_what_is_overridden_is_there_and_takes_what_it_took(
    ours: type, name: str, owners: tuple[type, ...]
) -> None:
    for owner in owners:
        assert parameters(getattr(ours, name)) == parameters(getattr(owner, name)), owner


@pytest.mark.parametrize(("owner", "name", "taken"), CALLED)
def test_what_is_called_is_there_and_takes_what_it_took(
    owner: type, name: str, taken: list[str]
) -> None:
    assert parameters(getattr(owner, name)) == taken


def test_what_is_set_and_read_is_what_the_sdk_works_with() -> None:
    tap = made()
    assert "_env_var_config" in vars(PluginBase)
    assert tap.config["store_hash"] == tap._config["store_hash"] == "abc123"
    assert isinstance(tap.state_writer, sdk.ToldStateWriter)
    assert {id(stream._tap) for stream in tap.streams.values()} == {id(tap)}


def test_the_tap_is_what_its_streams_take_it_for() -> None:
    asked = {name for name, one in vars(Source).items() if isinstance(one, property)}
    assert len(asked) == 4
    assert asked <= set(dir(made()))


def test_no_other_module_uses_a_private_name_of_the_sdk() -> None:
    tap = made()
    known = [dir(one) for one in (Tap, Stream, sdk.StateWriter, sdk.SingerWriter)]
    known += [vars(tap), vars(tap.streams["orders"])]
    private = {name for names in known for name in names if re.match("_(?!_)", name)}
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        used |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        hidden = {
            f"{node.module}.{one.name}"
            for node in imports
            for one in node.names
            if (node.module or "").startswith("singer_sdk") and "._" in f"{node.module}.{one.name}"
        }
        if path.name == "sdk.py":
            assert {"_tap", "_state_writer"} <= used & private
            continue
        assert hidden == set(), path.name
        if path.name == "tap.py" or path.parent.name == "streams":  # what is made of SDK classes
            assert used & private == set(), path.name
