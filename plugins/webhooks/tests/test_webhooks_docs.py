from __future__ import annotations

from pathlib import Path

from connector_webhooks.settings import defaults

DOCS = Path(__file__).parents[1] / "docs" / "webhooks.md"


def test_every_setting_is_documented_with_its_default() -> None:
    text = DOCS.read_text()
    table = [line for line in text.splitlines() if line.startswith("| `")]
    for name, default in defaults().items():
        (row,) = [line for line in table if f"`{name}`" in line.split("|")[1]]
        assert str(default) in row.replace("`", ""), name
