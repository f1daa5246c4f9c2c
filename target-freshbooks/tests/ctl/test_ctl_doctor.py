"""`doctor` names what is broken in a set-up and how to mend it, once, and changes nothing."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials import CredentialStore
from connector_credentials.cli import main
from connector_credentials.health_checks import examine
from connector_credentials.shared_checks import installed_version
from connector_sandbox.testing import Harness, Reply, answering
from connector_sandbox.testing.certificate import write_certificate
from cryptography.fernet import Fernet
from target_freshbooks.ctl.context import Context
from target_freshbooks.ctl.doctor import CHECKS, OPERATOR_ERRORS, look_at_sandbox
from target_freshbooks.ctl.examined import SetUp, free_bytes
from target_freshbooks.ledger import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connector_credentials.health_checks import Finding

ENTRY = "freshbooks:sandbox-client"
OWN = {"encryption_key": "", "credentials_url": ""}  # a key file beside the ledger, as by default
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def healthy(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A set-up in which a run has ended well."""
    home = tmp_path_factory.mktemp("healthy")
    with Harness(sandbox_url, home, dict(OWN)) as harness:
        harness.place()
        harness.sync()
        yield harness


class Place(Harness):
    """A copy of a healthy set-up, to be broken."""

    options: Mapping[str, Any] = {}
    environment: Mapping[str, str] = {}

    @property
    def ledger(self) -> Path:
        return self.home / "ledger.sqlite"

    @property
    def key(self) -> Path:
        return self.home / "ledger.sqlite.key"

    @property
    def credentials(self) -> CredentialStore:
        return CredentialStore.open(f"sqlite:///{self.ledger}", None)

    def sql(self, statement: str) -> None:
        with closing(sqlite3.connect(self.ledger)) as connection, connection:
            assert connection.execute(statement).rowcount > 0, statement

    def findings(self) -> dict[str, Finding]:
        """What doctor finds here, by check."""
        file = str(self.home / "target.json")
        if not (self.home / "target.json").exists():
            file = self.config_file()
        setup = SetUp(Context((file,), False), environment=self.environment, **self.options)
        with closing(setup):
            return dict(examine(CHECKS, setup, OPERATOR_ERRORS))


@pytest.fixture
def place(healthy: Harness, tmp_path: Path) -> Iterator[Place]:
    home = tmp_path / "data"
    shutil.copytree(healthy.home, home)
    (home / "target.json").unlink(missing_ok=True)
    place = Place(healthy.url, home, dict(healthy.settings))
    yield place
    place.http.close()


def snapshot(home: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(file): (file.stat().st_mode, file.stat().st_mtime_ns, file.read_bytes())
        for file in sorted(home.rglob("*"))
    }


def token_requests(place: Place) -> int:
    return sum(row["count"] for row in place.requests() if row["path"] == "/auth/oauth/token")


def test_a_healthy_set_up_is_all_well_and_nothing_of_it_is_changed(place: Place) -> None:
    place.config_file()
    before, spent = snapshot(place.home), token_requests(place)
    process = place.start(
        "target-freshbooks-ctl", "--config", f"{place.home}/target.json", "doctor", "--json"
    )
    out, log = process.communicate()
    found = json.loads(out)
    assert {one["name"]: one["level"] for one in found["checks"]} == {
        check.name: "ok" for check in CHECKS
    }, out + log
    assert (process.returncode, found["ok"]) == (0, True)
    assert snapshot(place.home) == before
    assert token_requests(place) == spent


def test_where_there_is_nothing_yet_nothing_is_made_and_the_next_steps_are_told(
    sandbox_url: str, tmp_path: Path
) -> None:
    place = Place(sandbox_url, tmp_path, {**OWN, "refresh_token": ""})
    place.config_file()
    before = snapshot(tmp_path)
    found = place.findings()
    place.http.close()
    unwell = {name: one.cure for name, one in found.items() if one.level in {"warn", "fail"}}
    assert set(unwell) == {"login", "last run"}
    assert "login" in unwell["login"]
    assert "DRY_RUN" in unwell["last run"]
    assert snapshot(tmp_path) == before


def test_a_seed_of_the_settings_is_not_spent(sandbox_url: str, tmp_path: Path) -> None:
    place = Place(sandbox_url, tmp_path, dict(OWN))
    place.config_file()
    before, spent = snapshot(tmp_path), token_requests(place)
    assert place.findings()["login"].level == "warn"
    assert (snapshot(tmp_path), token_requests(place)) == (before, spent)
    place.http.close()


def test_a_token_that_has_ended_is_renewed_in_the_ordinary_way(healthy: Harness) -> None:
    place = Place(healthy.url, healthy.home, dict(healthy.settings))
    document: dict[str, Any] = place.credentials.read(ENTRY) or {}
    ago = "2020-01-01T00:00:00+00:00"
    place.credentials.write(ENTRY, {**document, "expires_at": ago, "refreshed_at": ago})
    spent = token_requests(place)
    assert [place.findings()["login"].level for _ in range(2)] == ["ok", "ok"]
    assert token_requests(place) == spent + 1
    place.http.close()


# -- broken set-ups: each function breaks one thing


def a_setting_that_cannot_be_read(place: Place) -> None:
    place.settings["max_parallel_orders"] = "many"


def a_setting_that_is_missing(place: Place) -> None:
    place.settings["client_secret"] = ""


def a_misspelt_setting(place: Place) -> None:
    place.settings["leger_url"] = "x"


def credit_notes_beside_lines(place: Place) -> None:
    place.settings["refund_mode"] = "credit_note"


def an_unknown_setting(place: Place) -> None:
    place.settings["colour"] = "blue"


def plain_http(place: Place) -> None:
    place.settings["api_url"] = "http://api.freshbooks.invalid"


def a_configuration_that_is_no_json(place: Place) -> None:
    file = place.home / "target.json"
    file.touch(mode=0o600)
    file.write_text("{", encoding="utf-8")


def a_configuration_open_to_others(place: Place) -> None:
    place.config_file()
    (place.home / "target.json").chmod(0o644)


def data_open_to_others(place: Place) -> None:
    place.home.chmod(0o755)


def a_key_open_to_others(place: Place) -> None:
    place.key.chmod(0o644)


def an_address_of_the_sandbox_with_an_app_of_freshbooks(place: Place) -> None:
    document = place.credentials.read(ENTRY) or {}
    place.credentials.write("freshbooks:my-app", document)
    place.settings["client_id"] = "my-app"


def addresses_of_two_worlds(place: Place) -> None:
    place.settings["auth_url"] = "https://auth.freshbooks.invalid"


def a_ledger_where_nothing_can_be_written(place: Place) -> None:
    obstacle = place.home / "obstacle"
    obstacle.touch(mode=0o600)
    place.settings["credentials_url"] = f"sqlite:///{place.ledger}"
    place.settings["ledger_url"] = f"sqlite:///{obstacle}/ledger.sqlite"


def a_folder_of_another_user(place: Place) -> None:
    place.options = {"may_write": lambda path: path != place.home}


def a_lock_of_another_user(place: Place) -> None:
    place.options = {"may_write": lambda path: path.suffix != ".lock"}


def a_journal_of_another_user(place: Place) -> None:
    (place.home / "ledger.sqlite-shm").touch(mode=0o600)
    place.options = {"may_write": lambda path: not path.name.endswith("-shm")}


def credentials_of_another_user(place: Place) -> None:
    apart = place.home / "apart"
    apart.mkdir(mode=0o700)
    for file in (place.ledger, place.key):
        shutil.copy2(file, apart)
    place.settings["credentials_url"] = f"sqlite:///{apart}/{place.ledger.name}"
    place.options = {"may_write": lambda path: path.name != "apart"}


def a_ledger_of_a_later_version(place: Place) -> None:
    place.sql("UPDATE ledger_version SET version_num = '9001'")


def a_ledger_that_is_none(place: Place) -> None:
    other = place.home / "other.sqlite"
    other.touch(mode=0o600)
    other.write_text("no database at all, but long enough to be looked at" * 9, encoding="utf-8")
    place.settings["credentials_url"] = f"sqlite:///{place.ledger}"
    place.settings["ledger_url"] = f"sqlite:///{other}"


def a_full_disk(place: Place) -> None:
    place.options = {"free_bytes": lambda _: 5 * 1024**2}


def a_wrong_key(place: Place) -> None:
    place.key.write_text(Fernet.generate_key().decode(), encoding="ascii")


def a_lost_key(place: Place) -> None:
    place.key.unlink()


def a_key_that_is_none(place: Place) -> None:
    place.settings["encryption_key"] = "canary-no-key"


def no_login(place: Place) -> None:
    place.settings["refresh_token"] = ""
    place.credentials.delete(ENTRY)


def a_login_that_was_ended_beside_the_token_it_began_with(place: Place) -> None:
    document = place.credentials.read(ENTRY) or {}
    place.credentials.write(ENTRY, {"seed_sha256": document["seed_sha256"]})  # as logout leaves it


def a_login_that_was_revoked(place: Place) -> None:
    place.settings["refresh_token"] = ""
    dead = {"access_token": "dead", "refresh_token": "dead"}
    place.credentials.write(ENTRY, {**(place.credentials.read(ENTRY) or {}), **dead})


def a_wrong_client_secret_once_the_token_has_ended(place: Place) -> None:
    place.settings["client_secret"] = "canary-of-another-app"
    ended = {"expires_at": "2020-01-01T00:00:00+00:00", "refreshed_at": "2020-01-01T00:00:00+00:00"}
    place.credentials.write(ENTRY, {**(place.credentials.read(ENTRY) or {}), **ended})


def a_login_without_a_scope(place: Place) -> None:
    document: dict[str, Any] = place.credentials.read(ENTRY) or {}
    scope = document["scope"].replace("user:payments:write", "")
    place.credentials.write(ENTRY, {**document, "scope": scope})


def a_ledger_of_another_account(place: Place) -> None:
    place.sql("UPDATE ledger_account SET account_id = 'OTHER1'")


def an_account_that_there_is_not(place: Place) -> None:
    place.settings["account_id"] = "NOPE99"


def a_store_that_is_not_the_ledgers(place: Place) -> None:
    place.environment = {"TAP_BIGCOMMERCE_ORDERS_STORE_HASH": "other1"}


def freshbooks_out_of_reach(place: Place) -> None:
    place.settings |= {"api_url": NOBODY, "auth_url": NOBODY}


def an_unknown_time_zone(place: Place) -> None:
    place.sql("DELETE FROM ledger_inbox WHERE stream = 'store'")


def a_clock_of_tomorrow(place: Place) -> None:
    place.options = {"clock": lambda: utc_now() + timedelta(hours=1)}


def no_run_of_late(place: Place) -> None:
    place.sql("UPDATE ledger_runs SET ended_at = '2020-01-01T00:00:00.000000Z'")


def no_run_that_ended_well(place: Place) -> None:
    place.sql("UPDATE ledger_runs SET outcome = 'failed'")


def an_old_python(place: Place) -> None:
    wrong = {"Python": "3.9.1"}
    place.options = {"installed": lambda name: wrong.get(name) or installed_version(name)}


def another_sdk(place: Place) -> None:
    wrong = {"singer-sdk": "0.99.0"}
    place.options = {"installed": lambda name: wrong.get(name) or installed_version(name)}


def name_of(value: object) -> str:
    return str(getattr(value, "__name__", ""))


Broken = tuple["Callable[[Place], None]", str, str, str]
BROKEN: tuple[Broken, ...] = (
    (a_setting_that_cannot_be_read, "settings", "max_parallel_orders", "--config"),
    (a_setting_that_is_missing, "settings", "client_secret", ".env"),
    (a_misspelt_setting, "settings", "leger_url", ".env"),
    (an_unknown_setting, "settings", "colour", "remove colour"),
    (
        credit_notes_beside_lines,
        "settings",
        "refund_mode is credit_note",
        "TARGET_FRESHBOOKS_STORED_VALUE to payment",
    ),
    (plain_http, "settings", "by http://", ".env"),
    (a_configuration_that_is_no_json, "settings", "no JSON object", "--config"),
    (a_configuration_open_to_others, "files", "target.json", "chmod 600"),
    (data_open_to_others, "files", "data", "chmod 700"),
    (a_key_open_to_others, "files", "ledger.sqlite.key", "chmod 600"),
    (
        an_address_of_the_sandbox_with_an_app_of_freshbooks,
        "sandbox",
        "this machine",
        "TARGET_FRESHBOOKS_API_URL",
    ),
    (addresses_of_two_worlds, "sandbox", "auth_url", "TARGET_FRESHBOOKS_AUTH_URL"),
    (a_ledger_where_nothing_can_be_written, "ledger", "obstacle", "TARGET_FRESHBOOKS_LEDGER_URL"),
    (a_folder_of_another_user, "ledger", "data does not let us", "right to write"),
    (a_lock_of_another_user, "ledger", ".lock does not let us", "right to write"),
    (a_journal_of_another_user, "ledger", "-shm does not let us", "right to write"),
    (
        credentials_of_another_user,
        "ledger",
        "apart does not let us",
        "TARGET_FRESHBOOKS_CREDENTIALS_URL",
    ),
    (a_ledger_of_a_later_version, "ledger", "9001", "TARGET_FRESHBOOKS_LEDGER_URL"),
    (a_ledger_that_is_none, "ledger", "not a database", "TARGET_FRESHBOOKS_LEDGER_URL"),
    (a_full_disk, "disk", "5 MiB", "Make room"),
    (a_wrong_key, "key", "does not open", "Put the key file back"),
    (a_lost_key, "key", "is gone", "Put the key file back"),
    (a_key_that_is_none, "key", "no Fernet key", "TARGET_FRESHBOOKS_ENCRYPTION_KEY"),
    (no_login, "login", "No FreshBooks login", "target-freshbooks-ctl login"),
    (
        a_login_that_was_ended_beside_the_token_it_began_with,
        "login",
        "refresh_token was used already",
        "target-freshbooks-ctl login",
    ),
    (a_login_that_was_revoked, "login", "no longer accepts", "target-freshbooks-ctl login"),
    (
        a_wrong_client_secret_once_the_token_has_ended,
        "login",
        "does not know this client_id with this client_secret",
        "TARGET_FRESHBOOKS_CLIENT_SECRET",
    ),
    (a_login_without_a_scope, "scopes", "user:payments:write", "developer page"),
    (a_ledger_of_another_account, "account", "OTHER1", "Log in as somebody"),
    (an_account_that_there_is_not, "account", "NOPE99", "TARGET_FRESHBOOKS_ACCOUNT_ID"),
    (a_store_that_is_not_the_ledgers, "store", "other1", "TAP_BIGCOMMERCE_ORDERS_STORE_HASH"),
    (freshbooks_out_of_reach, "FreshBooks", "cannot connect", "TARGET_FRESHBOOKS_API_URL"),
    (an_unknown_time_zone, "time zone", "not known", "TARGET_FRESHBOOKS_TIMEZONE"),
    (a_clock_of_tomorrow, "clock", "ahead of", "time service"),
    (no_run_of_late, "last run", "2020-01-01", "schedule"),
    (no_run_that_ended_well, "last run", "No run", "DRY_RUN"),
    (an_old_python, "versions", "Python is 3.9.1", "make setup"),
    (another_sdk, "versions", "singer-sdk is 0.99.0", "make setup"),
)


@pytest.mark.parametrize(("break_it", "check", "said", "cure"), BROKEN, ids=name_of)
def test_what_is_broken_is_named_once_and_with_its_cure(
    place: Place, break_it: Callable[[Place], None], check: str, said: str, cure: str
) -> None:
    break_it(place)
    found = place.findings()
    unwell = {name: one for name, one in found.items() if one.level in {"warn", "fail"}}
    assert set(unwell) == {check}
    assert said in unwell[check].sentence
    assert cure in unwell[check].cure
    assert "canary" not in str(found)


def test_the_cure_of_what_a_key_does_not_open_can_be_typed_as_it_is(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    a_wrong_key(place)
    (cure,) = re.findall(r"connector-credentials [^)]+", place.findings()["key"].sentence)
    assert main(shlex.split(cure)[1:]) == 0
    assert capsys.readouterr().out == f"removed {ENTRY}\n"


def test_a_certificate_that_nobody_vouches_for_is_named(place: Place, tmp_path: Path) -> None:
    with answering(lambda _: Reply({}), write_certificate(tmp_path / "pem")) as url:
        place.settings |= {"api_url": url, "auth_url": url}
        finding = place.findings()["FreshBooks"]
    assert finding.level == "fail"
    assert "is not trusted here" in finding.sentence


def test_what_needs_a_server_that_is_down_is_not_looked_at(place: Place) -> None:
    with answering(lambda _: Reply({}, 503)) as url:
        place.settings |= {"api_url": url, "auth_url": url}
        found = place.findings()
    assert found["FreshBooks"].level == "fail"
    skipped = {name for name, one in found.items() if one.level == "skipped"}
    assert skipped == {"clock", "login", "scopes", "account"}


def test_an_outage_is_not_told_as_a_login_that_is_dead(place: Place) -> None:
    with answering(lambda one: Reply({}, 503 if "Authorization" in one.headers else 401)) as url:
        place.settings |= {"api_url": url, "auth_url": url, "max_retry_seconds": 0}
        found = place.findings()
    assert (found["FreshBooks"].level, found["login"].level) == ("ok", "fail")
    assert "target-freshbooks-ctl login" not in found["login"].cure


def test_credentials_of_the_sandbox_do_not_go_to_freshbooks(place: Place) -> None:
    setup = SetUp(Context((place.config_file(),), False), environment={})
    real = "https://api.freshbooks.invalid"
    setup.settings = replace(setup.settings, api_url=real, auth_url=real)
    finding = look_at_sandbox(setup)
    assert (finding.level, "TARGET_FRESHBOOKS_CLIENT_ID" in finding.cure) == ("fail", True)


def test_free_space_is_that_of_the_disk(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)


def test_the_page_lists_every_check() -> None:
    page = Path(__file__).parents[3] / "docs" / "doctor.md"
    section = page.read_text(encoding="utf-8").split("\n## The books")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(.+?)`", section, re.MULTILINE) == [check.name for check in CHECKS]
