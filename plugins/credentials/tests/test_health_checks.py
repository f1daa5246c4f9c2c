"""Health checks: one fault is told once, with its cure, and none ends the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from connector_credentials.first_contact import clock_agreement, make_contact, reachability
from connector_credentials.health_checks import (
    Check,
    Finding,
    Level,
    document,
    examine,
    exit_code,
    fail,
    lines,
    ok,
    warn,
)
from connector_credentials.shared_checks import free_space, private_files, versions
from connector_sandbox.testing import Asked, Reply, answering

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def look_well(_: object) -> Finding:
    return ok("It is well.")


def look_odd(_: object) -> Finding:
    return warn("It is odd.", "Look at it.")


def look_ill(_: object) -> Finding:
    return fail("It is broken.", "Mend it.")


def refuse(_: object) -> Finding:
    raise LookupError("There is no such thing.")


def fall(_: object) -> Finding:
    raise RuntimeError("canary-secret")


def results_of(*checks: Check[None]) -> list[tuple[str, Finding]]:
    return [tuple(result) for result in examine(checks, None, (LookupError,))]


def test_what_rests_on_something_broken_is_not_looked_at_and_what_rests_on_that_neither() -> None:
    first = Check("first", look_ill, "")
    second = Check("second", look_well, "", ("first",))
    found = results_of(first, second, Check("third", look_well, "", ("second",)))
    assert [finding.level for _, finding in found] == ["fail", "skipped", "skipped"]
    assert found[1][1].sentence == "not looked at: it rests on first"
    assert "first" in found[1][1].cure


def test_what_rests_on_something_odd_is_looked_at() -> None:
    found = results_of(Check("first", look_odd, ""), Check("second", look_ill, "", ("first",)))
    assert [finding.level for _, finding in found] == ["warn", "fail"]


def test_an_error_for_operators_is_told_in_its_words_with_the_checks_cure() -> None:
    ((_, finding),) = results_of(Check("one", refuse, "Make one."))
    assert finding == fail("There is no such thing.", "Make one.")


def test_any_other_error_is_told_by_kind_and_place_and_the_rest_goes_on() -> None:
    (_, broken), (_, after) = results_of(Check("one", fall, "Do."), Check("two", look_well, ""))
    assert (broken.level, after.level) == (Level.FAIL, Level.OK)
    assert "RuntimeError" in broken.sentence
    assert "test_health_checks.py" in broken.sentence
    assert "canary" not in str(broken)


def test_a_warning_ends_with_0_and_a_failure_with_1() -> None:
    odd, ill = Check("odd", look_odd, ""), Check("ill", look_ill, "")
    assert exit_code(list(examine([odd], None, ()))) == 0
    results = list(examine([odd, ill], None, ()))
    assert exit_code(results) == 1
    assert list(lines(results)) == [
        "warn    odd: It is odd.",
        "          cure: Look at it.",
        "fail    ill: It is broken.",
        "          cure: Mend it.",
    ]
    assert document(results)["checks"][1] == {
        "name": "ill",
        "level": "fail",
        "sentence": "It is broken.",
        "cure": "Mend it.",
    }
    assert document(results)["ok"] is False


@pytest.mark.parametrize(
    ("ahead", "level"),
    [(0, "ok"), (5, "ok"), (-5, "ok"), (60, "warn"), (-60, "warn"), (600, "fail"), (-600, "fail")],
)
def test_our_clock_is_compared_with_the_servers(ahead: int, level: str) -> None:
    headers = {"Date": format_datetime(NOW, usegmt=True)}
    with answering(lambda _: Reply({}, headers=headers)) as url:
        contact = make_contact(url, "test", lambda: NOW + timedelta(seconds=ahead))
    assert clock_agreement(contact).level == level


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_server_that_tells_no_time_is_no_proof_of_ours(date: str) -> None:
    with answering(lambda _: Reply({}, headers={"Date": date} if date else {})) as url:
        contact = make_contact(url, "test", lambda: NOW)
    assert clock_agreement(contact).level == "warn"


def test_a_slow_answer_does_not_put_our_clock_wrong() -> None:
    times = iter([NOW, NOW + timedelta(minutes=5)])
    headers = {"Date": format_datetime(NOW + timedelta(minutes=4), usegmt=True)}
    with answering(lambda _: Reply({}, headers=headers)) as url:
        contact = make_contact(url, "test", lambda: next(times))
    assert clock_agreement(contact).level == "ok"


def test_a_first_contact_carries_no_login_and_follows_no_redirect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login canary password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    asked: list[Asked] = []

    def answer(request: Asked) -> Reply:
        asked.append(request)
        return Reply({}, 302, {"Location": "/elsewhere"})

    with answering(answer) as url:
        contact = make_contact(url, "test", lambda: NOW)
    (only,) = asked
    assert "Authorization" not in only.headers
    finding = reachability(contact, "SOME_URL")
    assert (finding.level, "SOME_URL" in finding.cure) == ("fail", True)


@pytest.mark.parametrize(
    ("mode", "key_mode", "level", "cure"),
    [
        (0o600, 0o600, "ok", ""),
        (0o640, 0o600, "warn", "chmod 600"),
        (0o600, 0o644, "fail", "rotate-key"),
    ],
)
def test_what_others_may_read_is_told(
    tmp_path: Path, mode: int, key_mode: int, level: str, cure: str
) -> None:
    file, key = tmp_path / "file", tmp_path / "key"
    file.touch()
    key.touch()
    file.chmod(mode)
    key.chmod(key_mode)
    finding = private_files([file, tmp_path / "missing"], [key])
    assert (finding.level, cure in finding.cure) == (level, True)


def test_a_folder_for_everybody_is_not_to_be_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert private_files([tmp_path], []).level == "ok"


@pytest.mark.parametrize(("mebibytes", "level"), [(5000, "ok"), (500, "warn"), (5, "fail")])
def test_room_on_the_disk_is_that_of_the_folder_there_is(
    tmp_path: Path, mebibytes: int, level: str
) -> None:
    finding = free_space(tmp_path / "not" / "yet", lambda _: mebibytes * 1024**2)
    assert (finding.level, str(tmp_path) in finding.sentence) == (level, True)


def test_a_version_that_does_not_fit_is_named() -> None:
    wrong = {"Python": "3.9.1", "sqlalchemy": None, "meltano": "3.0.0"}
    finding = versions("connector-credentials", lambda name: wrong.get(name, "2.32.5"))
    assert finding.level == "fail"
    for words in ("Python is 3.9.1", "sqlalchemy is missing", "meltano is 3.0.0"):
        assert words in finding.sentence
