"""`meltano run doctor`: both programs' findings as one job, settings as Meltano hands them over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from demo import sandbox as sandboxes
from demo.login import log_in
from demo.project import Project

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.more


def run(project: Project, name: str) -> tuple[int, str]:
    log = project.home / f"{name}.log"
    with log.open("w", encoding="utf-8") as output:
        code = project.meltano("run", "doctor", output=output)
    return code, log.read_text(encoding="utf-8")


def test_the_job_tells_of_both_sides_and_fails_if_one_is_broken(tmp_path: Path) -> None:
    with sandboxes.up(tmp_path / "served") as sandbox:
        project = Project(home=tmp_path, url=sandbox.url, settings={})
        log_in(project)
        code, log = run(project, "well")
        assert code == 0, log
        assert "store: BigCommerce takes the token for store sandbox" in log
        assert "login: FreshBooks takes the login" in log
        assert "last run: No run has ended well yet" in log

        nobody = {"TARGET_FRESHBOOKS_CLIENT_ID": "sandbox-nobody"}
        code, log = run(Project(home=tmp_path, url=sandbox.url, settings=nobody), "broken")
        assert code == 1, log
        assert "login: No FreshBooks login is stored" in log
