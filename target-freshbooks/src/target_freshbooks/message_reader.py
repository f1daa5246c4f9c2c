"""Message reader: exact decimals, and no line that cannot be read is ever quoted."""

import json
from typing import Any

from connector_credentials.json_text import read_json
from singer_sdk.singerlib.encoding import SimpleSingerReader
from typing_extensions import override

from target_freshbooks.shop.fields import unreadable_value
from target_freshbooks.sinks import RecordError


class DamagedInput(RecordError):  # noqa: N818 - a record error of a kind
    """A line of the input is no Singer message."""


class Reader(SimpleSingerReader):
    """Reads messages; a number that is none is left to its field, so that its order parks alone."""

    @override
    def deserialize_json(self, line: str) -> dict[str, Any]:
        try:
            message = read_json(line, unreadable_value, constant=unreadable_value)
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
        if not isinstance(message, dict) or not _is_message(message):
            raise DamagedInput(
                f"A line of {len(line)} characters on the input is no whole Singer message. What"
                " came before is kept; mend the tap and run again."
            )
        return message


def _is_message(message: dict[str, Any]) -> bool:
    """Whether a message has the parts that are relied on."""
    kind = message.get("type")  # anything: looked for in tuples, since not all of it can be hashed
    if kind in ("SCHEMA", "RECORD"):
        part = message.get(kind.lower())
        return isinstance(part, dict) and isinstance(message.get("stream"), str)
    return kind in ("STATE", "ACTIVATE_VERSION", "BATCH")
