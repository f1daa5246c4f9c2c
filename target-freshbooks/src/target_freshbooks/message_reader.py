"""Message reader: exact decimals, and no line that cannot be read is ever quoted."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import IO, Any, NoReturn, cast

from connector_credentials.json_text import Unreadable, read_json
from singer_sdk.singerlib.encoding import SimpleSingerReader
from typing_extensions import override

from target_freshbooks.shop.fields import unreadable_value
from target_freshbooks.sinks import RecordError


class DamagedInput(RecordError):  # noqa: N818 - a record error of a kind
    """A line of the input is no Singer message."""


class Reader(SimpleSingerReader):
    """Reads messages; a number that is none is left to its field, so that its order parks alone."""

    @override
    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        lines = _lines_of(file_input or self.default_input)
        return super().process_lines(cast("IO[str]", lines), callbacks)  # it only goes through them

    @override
    def deserialize_json(self, line: str) -> dict[str, Any]:
        message = _read(line, unreadable_value)
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "BATCH":
            raise DamagedInput(
                "The tap gives its records as files (a BATCH message), and this target takes them"
                " one by one. Nothing of them was booked: take batch_config out of the tap's"
                " settings and run again."
            )
        if kind == "STATE":
            _read(line, _refuse)  # it goes out again, and no number as another
        if not isinstance(message, dict) or not _is_message(message):
            raise DamagedInput(
                f"A line of {len(line)} characters on the input is no whole Singer message. What"
                " came before is kept; mend the tap and run again."
            )
        return message


def _lines_of(file: IO[str]) -> Iterator[str]:
    try:
        yield from file
    except UnicodeDecodeError as error:
        raise DamagedInput(
            f"The input is not UTF-8 ({error.reason}): the tap was cut off, or writes something"
            " else. What was booked before stays; run again, and mend the tap if it lasts."
        ) from None


def _read(line: str, unreadable: Unreadable) -> Any:  # noqa: ANN401 - any document of JSON
    try:
        return read_json(line, unreadable, constant=unreadable)
    except json.JSONDecodeError as error:
        raise DamagedInput(
            f"A line of {len(line)} characters on the input is not JSON (at character"
            f" {error.pos}): the tap was cut off. What came before is kept; run again."
        ) from None
    except ValueError as error:
        raise DamagedInput(
            f"A line of {len(line)} characters on the input cannot be read: {error}. What came"
            " before is kept; mend the tap and run again."
        ) from None


def _refuse(what: str) -> NoReturn:
    raise ValueError(what)


def _is_message(message: dict[str, Any]) -> bool:
    """Whether a message has the parts that are relied on."""
    kind = message.get("type")  # anything: looked for in tuples, since not all of it can be hashed
    if kind in ("SCHEMA", "RECORD"):
        part = message.get(kind.lower())
        if not isinstance(part, dict) or not isinstance(message.get("stream"), str):
            return False
        return kind == "RECORD" or _is_keyed(part, message.get("key_properties"))
    return kind in ("STATE", "ACTIVATE_VERSION")


def _is_keyed(schema: dict[str, Any], keys: object) -> bool:
    """Whether a schema describes fields, and its key is a list of names or none."""
    names = [] if keys is None else keys
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return is_list and isinstance(schema.get("properties"), dict)
