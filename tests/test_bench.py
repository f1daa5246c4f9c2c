"""What `make bench` writes: tables as Markdown, a picture, and rows counted alike for every tap."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from bench import peers
from bench.tables import Table, row
from demo.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_figures_beyond_the_headings_stand_in_the_last_column() -> None:
    table = Table("Speed", ("what", "value"), "Of everything.")
    table.show(iter([row("reading", "3 s", "(ratio 2)"), row("writing", "4 s")]))
    assert table.markdown() == (
        "## Speed\n\nOf everything.\n\n| what | value |\n| --- | --- |\n"
        "| reading | 3 s (ratio 2) |\n| writing | 4 s |\n"
    )


def test_an_object_with_a_number_in_a_list_of_a_record_is_a_row_in_both_protocols(
    tmp_path: Path,
) -> None:
    order = {"id": 1, "products": [{"id": 5, "applied": [{"id": 7}, {"name": "x"}]}], "tags": ["a"]}
    kept = tmp_path / "kept.jsonl"
    messages = [
        {"type": "SCHEMA", "stream": "orders"},
        {"type": "RECORD", "stream": "orders", "record": order},
        {"type": "RECORD", "record": {"stream": "orders", "data": order}},
        {"type": "RECORD", "stream": "products", "record": {"id": 9}},
    ]
    kept.write_text("".join(f"{json.dumps(one)}\n" for one in messages), encoding="utf-8")
    assert peers.rows(kept) == 3 + 3 + 1
    assert peers.orders(kept) == {1}


@pytest.mark.more
@pytest.mark.timeout(600)
def test_a_quick_run_writes_the_page(tmp_path: Path) -> None:
    chosen = ("machine", "workers", "pipe", "growth")
    words = [sys.executable, "-m", "bench", "--quick", "--write", str(tmp_path), *chosen]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    figures = [line for line in page.splitlines() if line.startswith("| ")]
    assert len(figures) > 15
    picture = ET.fromstring((tmp_path / "benchmarks.svg").read_text(encoding="utf-8"))  # noqa: S314 - ours
    given = {value for one in picture.iter() for value in one.attrib.values()}
    assert [value for value in given if "://" in value] == [], "it loads nothing"
    assert "The whole pipe" in done.stdout
