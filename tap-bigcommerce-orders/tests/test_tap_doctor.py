"""`--doctor` names what keeps the tap from reading, once and with its cure, and changes nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials import CredentialStore
from connector_credentials.health_checks import examine
from connector_credentials.shared_checks import installed_version
from connector_sandbox.settings import clean_environment
from connector_sandbox.testing import Asked, Reply, answering
from connector_sandbox.testing.certificate import write_certificate
from tap_bigcommerce_orders.doctor import CHECKS, OPERATOR_ERRORS
from tap_bigcommerce_orders.examined import SetUp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connector_credentials.health_checks import Finding

TOKEN = "canary-token-9f8e7d"
OTHER_TOKEN = "canary-hooks-token"
HOOK = {"scope": "store/order/*", "destination": "https://hooks.example/x", "is_active": True}


@dataclass
class Place:
    """A set-up of the tap, and the shop it reads."""

    home: Path
    url: str = ""
    tokens: set[str] = field(default_factory=lambda: {TOKEN, OTHER_TOKEN})
    forbidden: set[str] = field(default_factory=set)
    says_it_is: str = "sandbox"
    zone: str = "America/Chicago"
    orders: list[dict[str, int]] = field(default_factory=lambda: [{"id": 7}])
    hooks: list[dict[str, Any]] = field(default_factory=lambda: [HOOK])
    settings: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        answer = self.answer(asked)
        answer.headers = {"Date": format_datetime(datetime.now(UTC), usegmt=True)}
        return answer

    def answer(self, asked: Asked) -> Reply:
        path = asked.path.removeprefix("/stores/sandbox")
        if asked.headers.get("X-Auth-Token") not in self.tokens:
            return Reply({"title": "Unauthorized"}, 401)
        if path in self.forbidden:
            return Reply({"title": "Forbidden"}, 403)
        answers: dict[str, Any] = {
            "/v2/store": {"id": self.says_it_is, "timezone": {"name": self.zone}},
            "/v2/orders": self.orders,
            "/v3/orders/7/transactions": {"data": []},
            "/v3/customers": {"data": []},
            "/v3/catalog/products": {"data": []},
            "/v3/hooks": {"data": self.hooks},
        }
        return Reply(answers[path]) if path in answers else Reply({}, 404)

    @property
    def config(self) -> dict[str, Any]:
        told = {"store_hash": "sandbox", "access_token": TOKEN, "api_url": self.url}
        return {**told, "max_retry_seconds": 0, **self.settings}

    @property
    def file(self) -> Path:
        return self.home / "tap.json"

    def write(self) -> str:
        self.file.touch(mode=0o600)
        self.file.write_text(json.dumps(self.config), encoding="utf-8")
        return str(self.file)

    def findings(self) -> dict[str, Finding]:
        if not self.file.exists():
            self.write()
        setup = SetUp(self.config, (str(self.file),), environment=self.environment, **self.options)
        with closing(setup):
            return dict(examine(CHECKS, setup, OPERATOR_ERRORS))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tap_bigcommerce_orders", *arguments],
            cwd=self.home,
            env=clean_environment() | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    with answering(place.reply) as place.url:
        yield place


def test_a_healthy_set_up_is_all_well_and_nothing_is_written(place: Place) -> None:
    file = place.write()
    before = sorted(place.home.rglob("*"))
    done = place.run("--doctor=json", "--config", file)
    found = json.loads(done.stdout)
    levels = {one["name"]: one["level"] for one in found["checks"]}
    assert levels == {check.name: "ok" for check in CHECKS}, done.stdout + done.stderr
    assert (done.returncode, found["ok"]) == (0, True)
    assert sorted(place.home.rglob("*")) == before
    assert {asked.method for asked in place.asked} == {"GET"}
    assert "canary" not in done.stdout + done.stderr


def test_a_failure_is_told_in_lines_and_ends_with_1(place: Place) -> None:
    place.tokens = set()
    place.environment = {
        f"TAP_BIGCOMMERCE_ORDERS_{name.upper()}": str(value) for name, value in place.config.items()
    }
    done = place.run("--config=ENV", "--doctor")
    assert done.returncode == 1
    assert "fail    store: BigCommerce answered 401 to GET /v2/store" in done.stdout
    assert "skipped scopes: not looked at: it rests on store" in done.stdout
    assert "canary" not in done.stdout + done.stderr


def test_the_token_may_be_in_the_store_which_is_left_as_it_is(place: Place) -> None:
    url = f"sqlite:///{place.home}/store.sqlite"
    CredentialStore.open(url, None).write("bigcommerce:sandbox", {"access_token": TOKEN})
    before = {file: file.stat().st_mtime_ns for file in sorted(place.home.iterdir())}
    place.settings = {"access_token": "", "credentials_url": url}
    found = place.findings()
    place.file.unlink()
    assert {one.level for one in found.values()} == {"ok"}, found
    assert {file: file.stat().st_mtime_ns for file in sorted(place.home.iterdir())} == before


def test_a_shop_without_orders_says_that_transactions_were_not_seen(place: Place) -> None:
    place.orders = []
    finding = place.findings()["scopes"]
    assert (finding.level, "shows no order" in finding.sentence) == ("ok", True)


# -- broken set-ups: each function breaks one thing


def a_setting_that_cannot_be_read(place: Place) -> None:
    place.settings["page_size"] = "many"


def a_misspelt_setting(place: Place) -> None:
    place.environment["TAP_BIGCOMMERCE_ORDERS_STORE_HASHH"] = "x"


def an_unknown_setting(place: Place) -> None:
    place.environment["TAP_BIGCOMMERCE_ORDERS_COLOUR"] = "blue"


def a_store_hash_that_is_none(place: Place) -> None:
    place.settings["store_hash"] = "https://x"


def plain_http(place: Place) -> None:
    place.settings["api_url"] = "http://api.bigcommerce.invalid"


def a_configuration_open_to_others(place: Place) -> None:
    place.write()
    place.file.chmod(0o644)


def a_dotenv_open_to_others(place: Place) -> None:
    file = place.home / ".env"
    file.touch()
    file.chmod(0o644)
    place.environment["MELTANO_PROJECT_ROOT"] = str(place.home)


def no_token(place: Place) -> None:
    place.settings["access_token"] = ""


def a_store_without_the_token(place: Place) -> None:
    place.settings |= {"access_token": "", "credentials_url": f"sqlite:///{place.home}/no.sqlite"}


def a_token_that_is_refused(place: Place) -> None:
    place.tokens = set()


def another_stores_answer(place: Place) -> None:
    place.says_it_is = "other1"


def a_missing_scope(place: Place) -> None:
    place.forbidden = {"/v3/orders/7/transactions"}


def bigcommerce_out_of_reach(place: Place) -> None:
    place.settings["api_url"] = "http://127.0.0.1:9"


def an_unknown_time_zone(place: Place) -> None:
    place.zone = "Mars/Olympus"


def a_clock_of_tomorrow(place: Place) -> None:
    place.options = {"clock": lambda: datetime.now(UTC) + timedelta(hours=1)}


def hooks_that_are_missing(place: Place) -> None:
    place.environment["WEBHOOKS_DESTINATION"] = "https://hooks.example/other"


def hooks_that_are_switched_off(place: Place) -> None:
    place.environment["WEBHOOKS_DESTINATION"] = HOOK["destination"]
    place.environment["WEBHOOKS_ACCESS_TOKEN"] = OTHER_TOKEN
    place.hooks = [{**HOOK, "is_active": False}]


def another_sdk(place: Place) -> None:
    wrong = {"singer-sdk": "0.99.0"}
    place.options = {"installed": lambda name: wrong.get(name) or installed_version(name)}


def name_of(value: object) -> str:
    return str(getattr(value, "__name__", ""))


BROKEN: tuple[tuple[Callable[[Place], None], str, str, str], ...] = (
    (a_setting_that_cannot_be_read, "settings", "page_size", "--config"),
    (a_misspelt_setting, "settings", "STORE_HASHH", ".env"),
    (an_unknown_setting, "settings", "COLOUR", "remove TAP_BIGCOMMERCE_ORDERS_COLOUR"),
    (a_store_hash_that_is_none, "settings", "store_hash", ".env"),
    (plain_http, "settings", "by http://", ".env"),
    (a_configuration_open_to_others, "files", "tap.json", "chmod 600"),
    (a_dotenv_open_to_others, "files", ".env", "chmod 600"),
    (no_token, "token", "no access token", "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN"),
    (a_store_without_the_token, "token", "no access token", "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN"),
    (a_token_that_is_refused, "store", "401", "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN"),
    (another_stores_answer, "store", "another store", "TAP_BIGCOMMERCE_ORDERS_STORE_HASH"),
    (a_missing_scope, "scopes", "store_v2_transactions_read_only", "Make an API account"),
    (bigcommerce_out_of_reach, "BigCommerce", "cannot connect", "TAP_BIGCOMMERCE_ORDERS_API_URL"),
    (an_unknown_time_zone, "time zone", "Mars/Olympus", "TARGET_FRESHBOOKS_TIMEZONE"),
    (a_clock_of_tomorrow, "clock", "ahead of", "time service"),
    (hooks_that_are_missing, "hooks", "no hook", "webhooks register"),
    (hooks_that_are_switched_off, "hooks", "switched off", "webhooks check"),
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


def test_a_store_that_is_not_the_sandboxs_is_not_read_there(place: Place) -> None:
    place.settings["store_hash"] = "abc123"
    finding = place.findings()["sandbox"]
    assert (finding.level, "TAP_BIGCOMMERCE_ORDERS_API_URL" in finding.cure) == ("warn", True)


def test_a_certificate_that_nobody_vouches_for_is_named(place: Place, tmp_path: Path) -> None:
    with answering(place.reply, write_certificate(tmp_path / "pem")) as place.url:
        finding = place.findings()["BigCommerce"]
    assert (finding.level, "is not trusted here" in finding.sentence) == ("fail", True)


def test_the_page_lists_every_check() -> None:
    page = Path(__file__).parents[2] / "docs" / "doctor.md"
    section = page.read_text(encoding="utf-8").split("\n## The shop")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(.+?)`", section, re.MULTILINE) == [check.name for check in CHECKS]
