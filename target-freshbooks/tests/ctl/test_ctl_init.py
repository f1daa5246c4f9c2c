"""`init` asks the few questions, writes `.env` for its owner alone, logs in, and examines all."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from connector_sandbox import constants
from connector_sandbox.settings import clean_environment
from connector_sandbox.testing import BIN, Harness
from target_freshbooks.ctl.env_file import EnvFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRETS = (constants.BIGCOMMERCE_ACCESS_TOKEN, constants.FRESHBOOKS_CLIENT_SECRET)
ANSWERS = (
    "https://api.bigcommerce.com/stores/sandbox/v3/",
    constants.BIGCOMMERCE_ACCESS_TOKEN,
    constants.FRESHBOOKS_CLIENT_ID,
    constants.FRESHBOOKS_CLIENT_SECRET,
    "",  # the redirect URI that is proposed
    "2026-11-01",
)
MODEL = "# A line of the example\nTAP_BIGCOMMERCE_ORDERS_STORE_HASH=\nOTHER=kept\n"


class Newcomer(Harness):
    """Somebody who sets the programs up in a folder of their own."""

    @property
    def env_file(self) -> Path:
        return self.home / ".env"

    def begin(self, *answers: str) -> subprocess.Popen[str]:
        addresses = {
            "TARGET_FRESHBOOKS_API_URL": self.url,
            "TARGET_FRESHBOOKS_AUTH_URL": self.url,
            "TARGET_FRESHBOOKS_CLIENT_ID": "",  # as Meltano hands over what nobody has set
        }
        process = self.start("target-freshbooks-ctl", "init", "--config=ENV", environment=addresses)
        assert process.stdin is not None
        process.stdin.write("".join(f"{answer}\n" for answer in answers))
        process.stdin.flush()
        return process

    def log_in(self, process: subprocess.Popen[str]) -> str:
        """Agree on the page that is shown, and paste where that leads; all that was said."""
        assert process.stdout is not None
        said = ""
        while not (page := re.search(r"http://\S+/oauth/authorize\S*", said)):
            line = process.stdout.readline()
            assert line, said + process.communicate()[1]
            said += line
        landed = self.http.post(page[0]).headers["location"]
        out, log = process.communicate(f"{landed}\n", timeout=120)
        return said + out + log


@pytest.fixture
def newcomer(sandbox_url: str, tmp_path: Path) -> Iterator[Newcomer]:
    with Newcomer(sandbox_url, tmp_path) as newcomer:
        yield newcomer


def test_answers_lead_to_a_login_and_a_set_up_that_doctor_finds_well(newcomer: Newcomer) -> None:
    (newcomer.home / ".env.example").write_text(MODEL, encoding="utf-8")
    process = newcomer.begin(*ANSWERS)
    said = newcomer.log_in(process)
    assert process.returncode == 0, said
    values = EnvFile(newcomer.env_file).values()
    assert values == {
        "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": "sandbox",
        "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN": constants.BIGCOMMERCE_ACCESS_TOKEN,
        "TAP_BIGCOMMERCE_ORDERS_START_DATE": "2026-10-31",
        "TARGET_FRESHBOOKS_CLIENT_ID": constants.FRESHBOOKS_CLIENT_ID,
        "TARGET_FRESHBOOKS_CLIENT_SECRET": constants.FRESHBOOKS_CLIENT_SECRET,
        "TARGET_FRESHBOOKS_REDIRECT_URI": "https://localhost/callback",
        "TARGET_FRESHBOOKS_INVOICE_START_DATE": "2026-11-01",
        "OTHER": "kept",
    }
    text = newcomer.env_file.read_text(encoding="utf-8")
    assert text.startswith("# A line of the example\n")
    assert newcomer.env_file.stat().st_mode & 0o777 == 0o600
    key = newcomer.home / "data" / "target-freshbooks.sqlite.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "ok      login: FreshBooks takes the login" in said
    assert "DRY_RUN=true" in said
    assert not any(secret in said for secret in SECRETS)

    # Again: Enter keeps each value, and the login stays.
    process = newcomer.begin(*([""] * len(ANSWERS)))
    out, log = process.communicate()
    assert process.returncode == 0, out + log
    assert "is stored already" in out
    assert newcomer.env_file.read_text(encoding="utf-8") == text
    assert not any(secret in out + log for secret in SECRETS)
    assert "from an earlier day" not in out

    # An earlier first day: the tap has to read more than it has.
    process = newcomer.begin(*ANSWERS[:-1], "2026-07-01")
    out, log = process.communicate()
    assert process.returncode == 0, out + log
    assert "meltano run --full-refresh backfill" in out
    values = EnvFile(newcomer.env_file).values()
    assert values["TAP_BIGCOMMERCE_ORDERS_START_DATE"] == "2026-06-30"


def test_where_secret_or_redirect_uri_are_changed_a_login_shows_whether_they_are_taken(
    newcomer: Newcomer,
) -> None:
    process = newcomer.begin(*ANSWERS)
    newcomer.log_in(process)
    assert process.returncode == 0
    newcomer.control("PUT", "switches", {"fb.extra_redirect_uri": "https://localhost/another"})
    wrong = [*ANSWERS[:3], "canary-of-another-app", *ANSWERS[4:]]
    process = newcomer.begin(*wrong)
    said = newcomer.log_in(process)
    assert process.returncode == 1, said
    assert "is stored already" not in said
    assert "check TARGET_FRESHBOOKS_CLIENT_ID and TARGET_FRESHBOOKS_CLIENT_SECRET" in said
    for answers in (ANSWERS, [*ANSWERS[:4], "https://localhost/another", ANSWERS[5]]):
        process = newcomer.begin(*answers)
        said = newcomer.log_in(process)
        assert process.returncode == 0, said


def test_a_token_that_is_stored_encrypted_is_not_asked_for(newcomer: Newcomer) -> None:
    stored = "TAP_BIGCOMMERCE_ORDERS_CREDENTIALS_URL=sqlite:///data/target-freshbooks.sqlite\n"
    newcomer.env_file.write_text(stored, encoding="utf-8")
    store, _, *others = ANSWERS
    process = newcomer.begin(store, *others)
    said = newcomer.log_in(process)
    assert process.returncode == 0, said
    assert "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN" not in EnvFile(newcomer.env_file).values()


def test_a_secret_is_not_shown_as_it_is_typed(newcomer: Newcomer) -> None:
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [str(BIN / "target-freshbooks-ctl"), "init"],
        stdin=end,
        stdout=end,
        stderr=end,
        cwd=newcomer.home,
        env=clean_environment(),
        start_new_session=True,
    )
    os.close(end)
    said = ""
    for prompt, answer in (
        ("store hash", "sandbox"),
        ("access token", "canary"),
        ("client id", ""),
    ):
        while prompt not in said:
            said += os.read(terminal, 1024).decode()
        os.write(terminal, f"{answer}\n".encode())
    while "It is needed" not in said:
        said += os.read(terminal, 1024).decode()
    process.kill()
    process.wait()
    os.close(terminal)
    assert "sandbox" in said  # what is no secret is shown
    assert "canary" not in said


@pytest.mark.more
@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (("not a hash!",), "abc123"),
        (("sandbox", "canary token"), "holds blanks"),
        (("sandbox", ""), "It is needed"),
        (("sandbox", "canary-1", "id", "canary-2", "", "01.11.2026"), "invoice_start_date"),
        (("sandbox",), "Stopped."),
    ],
)
def test_an_answer_that_cannot_be_used_ends_it_and_nothing_is_written(
    newcomer: Newcomer, answers: tuple[str, ...], words: str
) -> None:
    process = newcomer.begin(*answers)
    out, log = process.communicate()
    assert process.returncode != 0
    assert words in out + log
    assert "canary" not in out + log
    assert list(newcomer.home.iterdir()) == []


@pytest.mark.parametrize("option", ["--json", "--config=target.json"])
def test_what_init_cannot_do_is_refused(newcomer: Newcomer, option: str) -> None:
    process = newcomer.start("target-freshbooks-ctl", "--config=ENV", "init", option)
    _, log = process.communicate()
    assert (process.returncode, "Usage" in log) == (1, True)


def test_a_value_is_set_where_it_stands_and_all_else_stays(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# first\nexport A='one two' # why\nB=old  # note\nB = \"older\"\nnonsense\n",
        encoding="utf-8",
    )
    file = EnvFile(path, tmp_path / "model")
    assert file.values() == {"A": "one two", "B": "older"}
    file.put("B", "new")
    file.put("C", "https://localhost/x?y=1&z=%20")
    file.write()
    assert path.read_text(encoding="utf-8") == (
        "# first\nexport A='one two' # why\nB=old  # note\nB=new\nnonsense\n"
        "C=https://localhost/x?y=1&z=%20\n"
    )
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("value", ["a b", "a#b", "${HOME}", "a'b", "a\nB=c", "", "a\\b"])
def test_a_value_that_reads_in_two_ways_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ValueError, match=r"^A$"):
        EnvFile(tmp_path / ".env").put("A", value)
