"""A name that no setting has is told; one that is nearly a setting's stops the run."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials.settings import Form, SettingError
from connector_credentials.settings.names import nearly

if TYPE_CHECKING:
    from pathlib import Path

LOG = logging.getLogger("settings")
FORM = Form(
    "OURS_",
    {
        "dry_run": {"type": ["boolean", "null"]},
        "invoice_number_prefix": {"type": ["string", "null"]},
        "port": {"type": ["integer", "null"]},
        "mapping": {"type": ["object", "null"], "additionalProperties": {"type": ["string"]}},
        "access_token": {"type": ["string", "null"], "secret": True},
    },
    others=frozenset({"log_level"}),
    removed={"lease_seconds": "use lease_wait_seconds instead"},
)


@pytest.mark.parametrize(
    ("one", "is_near"),
    [
        ("dry_run", True),
        ("dryrun", True),
        ("dry_runs", True),
        ("dry_rum", True),
        ("dyr_run", True),
        ("dry_rnu", True),
        ("ry_run", True),
        ("xdry_run", True),
        ("dry_r", False),
        ("dry_ran_", False),
        ("yrd_run", False),
        ("dyr_rnu", False),
        ("", False),
    ],
)
def test_one_slip_is_a_letter_more_less_or_wrong_or_two_swapped(one: str, *, is_near: bool) -> None:
    assert nearly(one, "dry_run") is is_near
    assert nearly("dry_run", one) is is_near


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("OURS_INVOICE_NUMER_PREFIX", "OURS_INVOICE_NUMBER_PREFIX"),
        ("OURS_DRYRUN", "OURS_DRY_RUN"),
        ("OURS_POTR", "OURS_PORT"),
        ("OUR_DRY_RUN", "OURS_DRY_RUN"),
        ("OURSDRY_RUN", "OURS_DRY_RUN"),
        ("OUSR_DRY_RUN", "OURS_DRY_RUN"),
        ("OURSD_RY_RUN", "OURS_DRY_RUN"),
        ("YOURS_DRY_RUN", "OURS_DRY_RUN"),
    ],
)
def test_a_variable_nearly_named_as_a_setting_stops_the_run(variable: str, setting: str) -> None:
    with pytest.raises(SettingError) as told:
        FORM.check_names({}, {variable: "canary"}, LOG)
    assert str(told.value) == (
        f"There is no setting {variable}. If it is {setting}, mend its name; if not, remove it."
    )


@pytest.mark.parametrize("key", ["dry_rum", "Dry_Run", "dry-run", "DRY_RUN"])
def test_a_key_of_a_file_nearly_named_as_a_setting_stops_the_run(key: str) -> None:
    with pytest.raises(SettingError, match=f"no setting {key}. If it is dry_run, mend"):
        FORM.check_names({key: "true"}, {}, LOG)


def test_other_unknown_names_are_told_in_one_line_without_their_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    FORM.check_names({"shoe_size": "canary"}, {"OURS_SHOE_SIZE": "canary", "X": "y"}, LOG)
    assert caplog.messages == [
        "No setting has this name, so it has no effect: shoe_size, OURS_SHOE_SIZE."
    ]


@pytest.mark.parametrize("key", ["lease_seconds", "OURS_LEASE_SECONDS"])
def test_a_setting_that_was_removed_is_answered_with_what_to_use_now(key: str) -> None:
    given: tuple[Any, Any] = ({}, {key: "3"}) if key.isupper() else ({key: 3}, {})
    with pytest.raises(SettingError) as told:
        FORM.check_names(*given, LOG)
    assert str(told.value) == f"The setting {key} is no more: use lease_wait_seconds instead."


def test_what_others_put_under_our_prefix_is_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    environment = {
        "OURS_DRY_RUN": "false",
        "OURS_LOG_LEVEL": "DEBUG",
        # Meltano's extras, and its inherited plugins, under names of their own.
        "OURS__SELECT": "[]",
        "OURS__DEEP_DRY_RUN": "true",
        "OURS__DEEP__CATALOG": "x",
        "MELTANO_EXTRACTOR_NAME": "ours-eu",
        "OURS_EU_DRY_RUN": "true",
        "OURS_EU_PORT": "1",
        # A piece of an object setting, as Meltano writes it.
        "OURS_MAPPING_STATE": "NY",
        # The Singer SDK's.
        "OURS_STREAM_MAPS": "{}",
        "OURS_STREAM_MAPS_ORDERS_ID": "x",
        "OURS_FLATTENING_ENABLED": "true",
        "OURS_LOGLEVEL": "INFO",
        # Kubernetes' links to services that are called `ours` and `ours-web`.
        "OURS_SERVICE_HOST": "10.0.0.1",
        "OURS_SERVICE_PORT": "80",
        "OURS_SERVICE_PORT_HTTP": "80",
        "OURS_PORT": "tcp://10.0.0.1:80",
        "OURS_PORT_80_TCP": "tcp://10.0.0.1:80",
        "OURS_PORT_80_TCP_PROTO": "tcp",
        "OURS_PORT_80_TCP_PORT": "80",
        "OURS_PORT_80_TCP_ADDR": "10.0.0.1",
        "OURS_WEB_SERVICE_HOST": "10.0.0.2",
        "OURS_WEB_PORT": "udp://10.0.0.2:53",
        "OURS_WEB_PORT_53_UDP_ADDR": "10.0.0.2",
    }
    FORM.check_names({"stream_maps": {}, "flattening_max_depth": 2}, environment, LOG)
    assert caplog.messages == []


def test_a_service_link_is_no_value_of_a_setting() -> None:
    given = FORM.of_environment({"OURS_PORT": "tcp://10.0.0.1:80", "OURS_DRY_RUN": "true"})
    assert given == {"dry_run": "true"}
    assert FORM.of_environment({"OURS_PORT": "8788"}) == {"port": "8788"}


def test_an_object_that_comes_in_pieces_is_no_object_left_out() -> None:
    with pytest.raises(SettingError, match=r"mapping comes in pieces \(OURS_MAPPING_STATE\)"):
        FORM.of_environment({"OURS_MAPPING_STATE": "NY"})
    whole = {"OURS_MAPPING_STATE": "NY", "OURS_MAPPING": '{"State": "NY"}'}
    assert FORM.read(FORM.of_environment(whole)) == {"mapping": {"State": "NY"}}


def test_blank_and_null_are_not_given() -> None:
    assert FORM.read({"dry_run": "", "port": None, "invoice_number_prefix": " "}) == {}


def test_a_file_that_cannot_be_read_is_named_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    with pytest.raises(SettingError, match=r"mine\.json cannot be read: No such file"):
        FORM.of_file(path, LOG)
    for content in ('{"access_token": "canary",', "[1]", "\x00"):
        path.write_text(content)
        with pytest.raises(SettingError) as told:
            FORM.of_file(path, LOG)
        assert str(told.value) == f"The configuration {path} is no JSON object."
    path.write_text(json.dumps({"dry_run": True}))
    assert FORM.of_file(path, LOG) == {"dry_run": True}
