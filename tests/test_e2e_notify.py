"""`meltano run notify`: what is due is told as a job, the URLs as Meltano hands them over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.testing import Asked, Reply, answering

from demo.project import Project

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.more


def test_as_a_job_it_tells_that_no_run_has_ended_well(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []

    def take(asked: Asked) -> Reply:
        told.append(asked.json)
        return Reply({})

    log = tmp_path / "log"
    with answering(take) as url:
        urls = json.dumps([f"json://me:canary-pw@{url.removeprefix('http://')}/in"])
        settings = {"TARGET_FRESHBOOKS_NOTIFY_URLS": urls}
        project = Project(home=tmp_path, url="http://127.0.0.1:9", settings=settings)
        for _ in range(2):
            with log.open("a", encoding="utf-8") as output:
                assert project.meltano("run", "notify", output=output) == 0, log.read_text()
    assert [one["message"].partition(".")[0] for one in told] == ["No run has ended well yet"]
    assert "canary-pw" not in log.read_text(encoding="utf-8")
