"""The container's files name what there is: settings, commands, limits, and images by hash."""

from __future__ import annotations

import importlib.util
import re
import threading
import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from connector_sandbox.testing import until
from connector_webhooks.settings import FORM as WEBHOOKS
from connector_webhooks.settings import Settings
from tap_bigcommerce_orders.settings import FORM as TAP
from target_freshbooks.settings import FORM as TARGET

from demo.project import BIN, ROOT
from image import instructions

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

DEPLOY = ROOT / "deploy"
DOCKERFILE = instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
NGINX = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
MELTANO: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if "build" in one}
FORMS = {form.prefix: form for form in (TAP, TARGET, WEBHOOKS)}
OF_OTHERS = {"TZ", "MELTANO_ENVIRONMENT", "MELTANO_DATABASE_URI_FILE"}
BY_HASH = re.compile(r"[a-z]+:\d+\.\d+(\.\d+)?-[a-z-]+@sha256:[0-9a-f]{64}")
SETTINGS = Settings()


def rest_of(word: str) -> list[str]:
    return [one.rest for one in DOCKERFILE if one.word == word]


@pytest.fixture(scope="module")
def schedule() -> ModuleType:
    spec = importlib.util.spec_from_file_location("deploy_schedule", DEPLOY / "schedule.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", OURS)
def test_each_variable_is_a_setting_and_each_secret_comes_from_a_file_it_is_given(
    name: str,
) -> None:
    service = OURS[name]
    for variable, value in service["environment"].items():
        form = next((FORMS[one] for one in FORMS if variable.startswith(one)), None)
        if form is None:
            assert variable in OF_OTHERS
        else:
            setting = variable.removeprefix(form.prefix).lower()
            assert setting in form.properties, variable
            assert not form.properties[setting].get("secret") or value in (
                "",
                "sqlite:////data/webhooks.sqlite",  # no password is in it
            ), variable
        if variable.endswith("_FILE"):
            assert value.removeprefix("/run/secrets/") in service["secrets"], variable
    assert service["environment"]["MELTANO_ENVIRONMENT"] in {
        one["name"] for one in MELTANO["environments"]
    }


def test_every_secret_that_is_declared_has_a_file_of_its_name_and_a_service() -> None:
    used = {secret for one in SERVICES.values() for secret in one.get("secrets", ())}
    declared = COMPOSE["secrets"]
    assert set(declared) == used
    assert {name: one["file"] for name, one in declared.items()} == {
        name: f"secrets/{name}" for name in used
    }
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"deploy/secrets/", "deploy/settings.env", ".env"} <= set(ignored)


def test_each_command_is_a_program_or_a_file_of_the_image() -> None:
    copied = " ".join(rest_of("COPY")).split()
    for service in OURS.values():
        program, argument = service["command"]
        assert (BIN / program).exists()
        if program == "python":
            assert f"deploy/{argument.removeprefix('/project/')}" in copied
        else:
            assert (program, argument) == ("webhooks", "serve")
    assert rest_of("CMD") == ['["webhooks", "serve"]']
    assert "deploy/entrypoint.sh" in copied
    assert rest_of("ENTRYPOINT") == ['["sh", "/project/entrypoint.sh"]']


def test_the_proxy_has_the_receiver_s_limits_paths_and_port() -> None:
    limits = dict(re.findall(r"^ *(\w+) (.+);.*?(?:# \w+)?$", NGINX, re.MULTILINE))
    assert limits["limit_conn"] == f"addresses {SETTINGS.max_connections_per_address}"
    assert limits["client_header_timeout"] == f"{SETTINGS.header_timeout_seconds}s"
    assert limits["client_body_timeout"] == f"{SETTINGS.request_timeout_seconds}s"
    assert limits["client_max_body_size"] == str(SETTINGS.max_body_bytes)
    assert f"set $receiver receiver:{SETTINGS.port};" in NGINX
    (place,) = re.findall(r"location ~ (\S+) ", NGINX)
    for path in (SETTINGS.hook_path, SETTINGS.exceptions_path):
        assert re.match(place, path)
    for path in ("/metrics", "/readyz", "/healthz", f"{SETTINGS.hook_path}/x"):
        assert not re.match(place, path)
    receiver = SERVICES["receiver"]["environment"]
    assert receiver["WEBHOOKS_HOST"] == "0.0.0.0"  # noqa: S104 - within the network of the proxy
    assert receiver["WEBHOOKS_MAX_CONNECTIONS_PER_ADDRESS"] == str(SETTINGS.max_connections)
    assert "ports" not in SERVICES["receiver"]


def test_the_health_check_asks_the_receiver_s_own_port() -> None:
    (check,) = rest_of("HEALTHCHECK")
    assert f"http://{SETTINGS.internal_host}:{SETTINGS.internal_port}/readyz" in check
    assert rest_of("EXPOSE") == [str(SETTINGS.port)]
    assert SERVICES["scheduler"]["healthcheck"] == {"disable": True}


def test_images_are_named_by_version_and_hash_and_no_index_is_named() -> None:
    stages = {one.split(" AS ")[0] for one in rest_of("FROM")}
    assert len(stages) == 1
    others = {one["image"] for name, one in SERVICES.items() if name not in OURS}
    for named in stages | others:
        assert BY_HASH.fullmatch(named), named
    installs = [one for run in rest_of("RUN") for one in re.findall(r"pip install .*", run)]
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install
    assert not re.search(r"index-url|find-links|https?://(?!127)", " ".join(rest_of("RUN")))
    text = (ROOT / "target-freshbooks" / "pyproject.toml").read_text(encoding="utf-8")
    version = tomllib.loads(text)["project"]["version"]
    assert {one["image"] for one in OURS.values()} == {f"orders-into-freshbooks:{version}"}


def test_nobody_in_the_image_is_root_and_nothing_but_its_data_can_be_written() -> None:
    assert rest_of("USER") == ["10001:10001"]
    (users,) = [run for run in rest_of("RUN") if run.startswith("useradd")]
    assert "install -d -o connector -g connector -m 700 /data" in users
    assert rest_of("VOLUME") == ["/data"]
    for service in (*OURS.values(), SERVICES["proxy"]):
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - in the container
    assert all(one["volumes"] == ["data:/data"] for one in OURS.values())


def test_the_build_sees_what_is_copied_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    sources = {
        source
        for one in rest_of("COPY")
        if not one.startswith("--from")
        for source in one.split()[:-1]
    }
    assert lines[1] == "*"
    assert let_in == sources
    assert {"**/.env", "**/*.sqlite*"} <= set(lines)


def test_the_scheduler_s_times_are_those_of_cron(schedule: ModuleType) -> None:
    began = datetime(2026, 2, 28, 23, 50, tzinfo=UTC)
    due = {
        one["name"]: schedule.trigger(one["interval"]).get_next_fire_time(None, began)
        for one in MELTANO["schedules"]
    }
    assert {name: f"{when:%d %H:%M}" for name, when in due.items()} == {
        "sync-every-15-minutes": "01 00:00",
        "deep-every-night": "01 02:17",
        "notify-every-hour": "01 00:47",
        "hooks-check-every-morning": "01 06:17",
    }


@pytest.mark.parametrize("when", ["0 6 * * 1-5", "0 6 1 * mon", "0 6 * *", "61 * * * *"])
def test_times_that_would_be_others_than_cron_s_are_refused(
    schedule: ModuleType, when: str
) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - cron's own words, or APScheduler's
        schedule.trigger(when)


def test_a_run_at_work_is_asked_to_end_and_none_begins_after_that(
    schedule: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meltano, seen = tmp_path / "meltano", tmp_path / "seen"
    seen.touch()
    meltano.write_text(
        "#!/bin/bash\n"
        f"""trap 'echo stopped >> {seen}; exit 143' TERM\n"""
        f"""echo "$@" "$MORE" >> {seen}\n"""
        "for look in {1..400}; do sleep 0.05; done\n"  # 20 s: no run stays where nobody ends it
    )
    meltano.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    runs = schedule.Runs()
    run = threading.Thread(target=runs.run, args=("sync", {"MORE": "!"}), daemon=True)
    run.start()
    until(seen.read_text, "the run")
    runs.end()
    until(lambda: not run.is_alive(), "the end of the run")
    runs.run("sync", {"MORE": "!"})
    assert seen.read_text().splitlines() == ["run sync !", "stopped"]
