"""A sandbox with an empty shop, the shop's messages, and the target as a process or in this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from connector_sandbox.testing import Harness

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PERSON = {
    "first_name": "Xaverine",
    "last_name": "Quillfeather",
    "email": "xaverine.q@mail.example",
    "street_1": "77 Mulberry Passage",
    "city": "Albany",
    "phone": "+1 555 0199",
}


class Shop(Harness):
    """The shop and the books, and the target's settings for them."""

    ORDER: ClassVar[Mapping[str, Any]] = {**Harness.ORDER, "billing": PERSON}

    def asked(self) -> list[str]:
        """What FreshBooks was asked since the last `requests/reset`, token requests included."""
        rows = self.requests()
        return [f"{row['method']} {row['path']}" for row in rows if row["side"] == "freshbooks"]


@pytest.fixture
def shop(sandbox_url: str, tmp_path: Path) -> Iterator[Shop]:
    with Shop(sandbox_url, tmp_path) as shop:
        yield shop
