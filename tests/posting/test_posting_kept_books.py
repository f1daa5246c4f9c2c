"""Books that an earlier version wrote are left as they are, its ledger kept or lost.

The folders `tests/fixtures/books-*` were written by `python -m kept NAME`. What this version writes
itself must stand just so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.server import running

from kept import LEDGER, SETTINGS, SHOP, from_text
from kept.__main__ import WAYS, write

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXTURES = Path(__file__).parents[1] / "fixtures"
KEPT = sorted(FIXTURES.glob("books-*"))

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(
    params=[
        *(
            pytest.param(way, id=f"now{name}", marks=pytest.mark.sweep)
            for name, way in WAYS.items()
        ),
        *(pytest.param(one, id=one.name, marks=pytest.mark.more) for one in KEPT),
    ],
)
def kept(request: pytest.FixtureRequest, tmp_path: Path, world_at: Any) -> Iterator[Any]:
    """The shop, the books and the ledger of a kept folder."""
    folder = request.param
    if not isinstance(folder, Path):
        folder = tmp_path / "written"
        write(folder, request.param)
    from_text(folder / SHOP, tmp_path / "sandbox" / "sandbox.sqlite")
    from_text(folder / LEDGER, tmp_path / "ledger.sqlite")
    settings = json.loads((folder / SETTINGS).read_text("utf-8"))
    with running(tmp_path / "sandbox", fb__rate_limit=0, bc__plan_quota=0) as sandbox:
        # However old the folder is, the ledger's bodies are not dropped for it.
        world = world_at(sandbox.url, tmp_path, settings | {"ledger_retention_days": 36500})
        yield world
        world.http.close()


def standing(world: Any) -> dict[int, tuple[str, str | None]]:
    with world.ledger() as ledger:
        return {row.order_id: (row.state, row.reason) for row in ledger.orders.all()}


def test_nothing_is_written_to_books_that_stand(kept: Any) -> None:
    before = standing(kept)
    states = {state for state, _ in before.values()}
    assert {"posted", "parked", "waiting"} <= states
    posted = sorted(order for order, (state, _) in before.items() if state == "posted")
    assert kept.writes_of(kept.sync) == 0, "syncing again"
    assert standing(kept) == before
    assert kept.writes_of(lambda: kept.ctl("replay", "--since", "2000-01-01")) == 0, "replay"
    assert standing(kept) == before
    plans = kept.ctl("plan", *map(str, posted))
    assert [(plan["order_id"], plan["steps"]) for plan in plans if plan["steps"]] == []
    assert kept.ctl("verify")["findings"] == []
    kept.lose_ledger()
    assert kept.writes_of(kept.sync) == 0, "syncing with the ledger lost"
    assert standing(kept) == before
    assert kept.writes_of(kept.sync) == 0, "and once more"
