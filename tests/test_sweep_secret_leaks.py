"""No secret in anything a run leaves behind; a sample of the scenes, and all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweeps import secret_leaks

if TYPE_CHECKING:
    from pathlib import Path

SOME = ("FreshBooks answers 401", "the token endpoint answers HTML")


@pytest.mark.more
def test_no_secret_is_found_after_runs_that_succeed_and_fail(tmp_path: Path) -> None:
    assert (
        secret_leaks.sweep(tmp_path, faults={name: secret_leaks.FAULTS[name] for name in SOME})
        == []
    )


@pytest.mark.sweep
def test_no_secret_is_found_after_runs_that_fail_in_every_way(tmp_path: Path) -> None:
    assert secret_leaks.sweep(tmp_path, faults=secret_leaks.FAULTS) == []
