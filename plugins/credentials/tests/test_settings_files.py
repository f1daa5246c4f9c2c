"""A secret may stand in a file; what is wrong with the file is told, and never what is in it."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from connector_credentials.settings import Form, SettingError

if TYPE_CHECKING:
    from pathlib import Path

SECRET = Form("OURS_", {"token": {"type": ["string", "null"], "secret": True}, "port": {}})


@pytest.mark.parametrize(
    ("content", "secret"),
    [("abc", "abc"), ("abc\n", "abc"), ("abc\r\n", "abc"), ("a b \n\n", "a b \n"), (" x", " x")],
)
def test_a_secret_may_stand_in_a_file_whose_last_newline_is_cut(
    tmp_path: Path, content: str, secret: str
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content.encode())
    environment = {"OURS_TOKEN_FILE": str(file), "OURS_TOKEN": "", "OURS_PORT_FILE": "x"}
    given = SECRET.of_environment(environment)
    assert SECRET.read(given) == {"token": secret}
    assert SECRET.read({"token_file": str(file), "port": 1}) == {"token": secret, "port": 1}


@pytest.mark.parametrize("content", [b"", b"\n", b" \n", b"canary\xff", None])
def test_a_file_without_a_secret_is_told_by_its_path_and_not_by_its_content(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingError) as told:
        SECRET.read({"token_file": str(file)})
    assert str(told.value).startswith(f"The file of the setting token_file, {file}, ")
    assert "canary" not in "".join(traceback.format_exception(told.value))


@pytest.mark.parametrize(("path", "words"), [(7, "token_file is 7: it must be text"), ("\0", "te")])
def test_a_path_that_is_none_is_told(path: object, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        SECRET.read({"token_file": path})


def test_a_secret_given_both_ways_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        SettingError, match="token and token_file are both given: leave one"
    ) as told:
        SECRET.read({"token": "canary", "token_file": str(tmp_path / "canary")})
    assert "canary" not in str(told.value)


def test_only_a_secret_has_a_file_and_a_misspelt_one_stops() -> None:
    assert set(SECRET.properties) == {"token", "token_file", "port"}
    with pytest.raises(SettingError, match=r"OURS_TOKENFILE\. If it is OURS_TOKEN_FILE, mend"):
        SECRET.check_names({}, {"OURS_TOKENFILE": "x"}, logging.getLogger("settings"))
    again = replace(SECRET, properties=SECRET.properties)
    assert again.properties == SECRET.properties


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff", b"[]", b"1" * 5_000])
def test_a_configuration_that_is_no_object_is_told_by_its_path(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(body)
    with pytest.raises(SettingError, match=r"config\.json is no JSON object"):
        SECRET.of_file(path, logging.getLogger("test"))
