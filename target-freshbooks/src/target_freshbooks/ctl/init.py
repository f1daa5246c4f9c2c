"""`init`: the few questions that a set-up takes, its `.env`, the login, and what doctor finds.

Secrets are asked for without an echo, go into `.env` (mode 600) and into this process' environment,
and nowhere else. A value that is there already is kept unless another is given. Without a terminal
the answers are read from standard input, a line each, in the order of `QUESTIONS`.
"""

import getpass
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import click
from connector_credentials.commands import dry_run, meltano
from connector_credentials.output import say, say_aside
from connector_credentials.settings import SettingError, read_value

from target_freshbooks.access import open_store
from target_freshbooks.ctl.context import Context, asked, command
from target_freshbooks.ctl.doctor import examined
from target_freshbooks.ctl.env_file import PLAIN, EnvFile
from target_freshbooks.ctl.login import login
from target_freshbooks.freshbooks import entry_name
from target_freshbooks.settings import FORM, schema

TAP = "TAP_BIGCOMMERCE_ORDERS_"
TOKEN = f"{TAP}ACCESS_TOKEN"
START_DAY = f"{FORM.prefix}INVOICE_START_DATE"
CLIENT_SECRET = f"{FORM.prefix}CLIENT_SECRET"
REDIRECT_URI = f"{FORM.prefix}REDIRECT_URI"
MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a set-up needs.

    Attributes:
        variable: The variable of the environment that holds it.
        text: What is asked.
        read: Makes of an answer what is written; ValueError with a sentence if it cannot be.
        secret: Whether it is asked for without an echo.
        default: What an empty answer means if nothing is set yet; empty for "it is needed".
    """

    variable: str
    text: str
    read: Callable[[str], str]
    secret: bool = False
    default: str = ""


def _plain(answer: str) -> str:
    if not PLAIN.fullmatch(answer):
        raise ValueError("It holds blanks or other characters that it cannot have: copy it again.")
    return answer


def _store_hash(answer: str) -> str:
    """Read `abc123`, also out of the API path that BigCommerce shows."""
    match = re.fullmatch(r"(?:.*/stores/)?([a-z0-9]+)(?:/.*)?", answer)
    if match is None:
        raise ValueError("It is the part abc123 of https://api.bigcommerce.com/stores/abc123/v3/.")
    return match[1]


def _setting(name: str) -> Callable[[str], str]:
    def read(answer: str) -> str:
        return _plain(str(read_value(name, answer, schema["properties"][name])))

    return read


QUESTIONS = (
    Question(f"{TAP}STORE_HASH", "BigCommerce store hash, or API path", _store_hash),
    Question(TOKEN, "BigCommerce access token", _plain, secret=True),
    Question(f"{FORM.prefix}CLIENT_ID", "FreshBooks client id", _plain),
    Question(CLIENT_SECRET, "FreshBooks client secret", _plain, secret=True),
    Question(
        REDIRECT_URI,
        "Redirect URI of the FreshBooks app",
        _plain,
        default="https://localhost/callback",
    ),
    Question(
        START_DAY,
        "First day whose orders are invoiced (2026-01-31)",
        _setting("invoice_start_date"),
    ),
)


@command("init")
@click.option("--loopback", is_flag=True, help="Wait for the browser on the redirect URI's port.")
def init(context: Context, *, loopback: bool) -> None:
    """Set up: ask what is needed, write .env, log in, and look whether runs can go on."""
    if any(source != "ENV" for source in context.sources):
        raise click.UsageError("init writes .env, so it takes no --config but ENV.")
    if context.as_json:
        raise click.UsageError("init asks questions, so it has no --json.")
    project = Path(os.environ.get("MELTANO_PROJECT_ROOT", ""))
    file = EnvFile(project / ".env", model=project / ".env.example")
    before = file.values()
    for question in QUESTIONS:
        known = file.values().get(question.variable, "")
        if question.variable == TOKEN and file.values().get(f"{TAP}CREDENTIALS_URL"):
            continue  # it is stored encrypted
        answer = _answered(question, known)
        if answer != known:
            file.put(question.variable, answer)
    reads_earlier = _read_from_start(file)
    file.write()
    say(f"Written to {file.path}, which only you may read.")
    if reads_earlier:
        again = meltano("run", "--full-refresh", "backfill")
        say(f"The tap is to read from an earlier day than before. If it has read already: {again}")
    _take_over(file)
    settings = context.settings
    stored = open_store(settings).read(entry_name(settings.client_id))
    if stored and stored.get("refresh_token") and not _is_app_changed(before, file.values()):
        say("A FreshBooks login is stored already: it is kept.")
    else:
        click.get_current_context().invoke(login, loopback=loopback)
    code = examined(context)
    say(f"The shop's side is looked at by: {meltano('run', 'doctor')}")
    say("A dry run shows what would be written, and writes nothing:", f"  {dry_run()}")
    if code:
        sys.exit(code)


def _is_app_changed(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether a login is needed to see that the app's settings are right.

    A stored one shows that only when its access token ends, half a day later.
    """
    return any(
        now[one.variable] != (before.get(one.variable) or one.default)
        for one in QUESTIONS
        if one.variable in {CLIENT_SECRET, REDIRECT_URI}
    )


def _read_from_start(file: EnvFile) -> bool:
    """Have the tap read all that is to be invoiced; whether it was to read less until now.

    It reads from the day before: in the shop's time zone a day may begin earlier than in UTC.
    """
    values = file.values()
    start = max(date.fromisoformat(values[START_DAY]), date(2000, 1, 1))
    wanted, known = (start - timedelta(days=1)).isoformat(), values.get(f"{TAP}START_DATE", "")
    if known and known[: len(wanted)] <= wanted and not file.is_new:
        return False
    file.put(f"{TAP}START_DATE", wanted)
    return bool(known) and not file.is_new


def _take_over(file: EnvFile) -> None:
    """Have what follows see the settings as Meltano's runs will, the answers first."""
    answers = {question.variable for question in QUESTIONS}
    for name, value in file.values().items():
        if name.startswith(FORM.prefix) and value and (name in answers or not os.environ.get(name)):
            os.environ[name] = value


def _answered(question: Question, known: str) -> str:
    """Ask until the answer can be used; an empty one keeps what is known.

    Raises:
        click.ClickException: None could be used.
    """
    for _ in range(MOST_TRIES):
        answer = _ask(question, known)
        if not answer and (kept := known or question.default):
            return kept
        try:
            if not answer:
                raise ValueError("It is needed.")  # noqa: TRY301 - told as any other that cannot be
            return question.read(answer)
        except SettingError as error:  # which is a ValueError that names the setting
            say_aside(str(error))
        except ValueError as error:
            say_aside(f"{question.text}: {error}")
        if not sys.stdin.isatty():
            break
    raise click.ClickException(
        f"{question.text}: no answer could be used, and nothing was written. Run init again."
    )


def _ask(question: Question, known: str) -> str:
    """One line of the terminal, or of standard input.

    Raises:
        click.Abort: There is none.
    """
    if known:
        hint = " [set; Enter keeps it]" if question.secret else f" [{known}]"
    else:
        hint = f" [{question.default}]" if question.default else ""
    prompt = f"{question.text}{hint}: "
    if question.secret and sys.stdin.isatty():
        return getpass.getpass(prompt).strip()  # on the terminal itself, which Meltano leaves alone
    return asked(prompt, say)
