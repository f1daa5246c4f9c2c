"""Delivery: messages go to the services of `notify_urls`, within a time limit.

They are sent by a process of its own (`courier`), which ends when its time is over: so apprise and
its hundred services can hold nobody up, and what they log, URLs and answers, is seen by nobody.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from target_freshbooks.notify.courier import SECONDS
from target_freshbooks.notify.message import Message
from target_freshbooks.settings import ordinal, scheme

MOST_SECONDS = 10 * SECONDS
"""For the courier itself, whose start takes a second, and long on a busy machine."""

COURIER = "target_freshbooks.notify.courier"
PASSED_ON = {
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS",
    "LD_LIBRARY_PATH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
}
PASSED_ON_BEGINNING = ("LC_", "XDG_", "PYTHON")
"""Of our environment what the courier needs of the machine, and none of our secrets."""
UNANSWERED = f"it did not answer within {SECONDS} s"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One of `notify_urls`.

    Attributes:
        url: As apprise takes it; holds secrets.
        key: By which it is known what it was told: stays when its password or options change.
        name: For people: its place in the list and its scheme.
    """

    url: str = field(repr=False)
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of a message; `failure` is empty if the service took it."""

    service: Recipient
    failure: str


def services_of(urls: Sequence[str]) -> list[Recipient]:
    """The services, in the order of the setting."""
    services, met = [], Counter[str]()
    for place, url in enumerate(urls, 1):
        shown = _without_secrets(url)
        met[shown] += 1
        key = hashlib.sha256(f"{shown} {met[shown]}".encode()).hexdigest()[:16]
        services.append(Recipient(url, key, f"the {ordinal(place)} service ({scheme(url)})"))
    return services


def deliver(messages: Sequence[tuple[Recipient, Message]]) -> list[Delivery]:
    """Hand each service its message; all at once, and for so long at most."""
    jobs = json.dumps([{"url": one.url, **asdict(message)} for one, message in messages])
    answers = _answers(jobs)
    return [
        Delivery(service, answers.get(place, UNANSWERED))
        for place, (service, _) in enumerate(messages)
    ]


def _answers(jobs: str) -> dict[int, str]:
    """By place what the courier said of each job before its time was over."""
    # -P: what lies in the working folder is no module of ours.
    courier = subprocess.Popen(  # noqa: S603 - this Python and a module of ours
        [sys.executable, "-P", "-m", COURIER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if _is_passed_on(name)},
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = courier.communicate(jobs, MOST_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(courier.pid, signal.SIGKILL)  # with whatever a service has started
        said, _ = courier.communicate()
    answers = {}
    for line in said.splitlines():
        with suppress(ValueError, TypeError):  # what a service prints is no answer
            place, failure = json.loads(line)
            answers[int(place)] = str(failure)
    return answers


def _is_passed_on(name: str) -> bool:
    return name.upper() in PASSED_ON or name.startswith(PASSED_ON_BEGINNING)


def _without_secrets(url: str) -> str:
    """The URL without password and options; tokens in other places are long and random."""
    try:
        parts = urlsplit(url)
        login = f"{parts.username}@" if parts.username else ""
        place = f"{login}{parts.hostname}:{parts.port}"
    except ValueError:
        return url.partition("?")[0]
    return f"{parts.scheme}://{place}{parts.path}"
