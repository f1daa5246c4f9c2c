"""Logging in to FreshBooks as a person does: open the page, agree, paste where the browser landed.

The program is `target-freshbooks-ctl login`, unchanged; this module stands in for the person and
the browser only. The page is the sandbox's consent page.
"""

from __future__ import annotations

import html
import re
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx

if TYPE_CHECKING:
    from demo.project import Project

ANSWER_SECONDS = 60


class LoginFailed(Exception):  # noqa: N818 - the word says it
    """`login` ended with an error; its own words are in the message."""


def log_in(project: Project) -> str:
    """Go through the whole flow and return what `login` said.

    Raises:
        LoginFailed: The program did not print a page to open, or did not accept the code.
    """
    with subprocess.Popen(
        project.program("target-freshbooks-ctl", "login"),
        env=project.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdin is not None  # noqa: S101 - asked for with PIPE
        assert process.stdout is not None  # noqa: S101 - asked for with PIPE
        printed: list[str] = []
        try:
            page = None
            for line in process.stdout:
                printed.append(line)
                page = re.search(r"https?://\S+/oauth/authorize\S*", line)
                if page:
                    break
            if page is None:
                raise LoginFailed("".join(printed))
            rest, _ = process.communicate(landed_at(page[0]) + "\n", timeout=ANSWER_SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
        printed.append(rest)
        if process.returncode != 0:
            raise LoginFailed("".join(printed))
        return "".join(printed)


def landed_at(page: str) -> str:
    """Open the consent page, agree, and return the address the browser is sent to.

    The address (`https://localhost/callback?code=...`) is not opened: as on a person's machine,
    nothing listens there.
    """
    with httpx.Client(timeout=ANSWER_SECONDS) as browser:
        answer = browser.get(page)
        if not answer.is_redirect:
            form = re.search(r"<form[^>]*>", answer.raise_for_status().text)
            action = re.search(r'action="([^"]*)"', form[0]) if form else None
            fields = dict(
                re.findall(r'<(?:input|button)[^>]*name="([^"]+)"[^>]*value="([^"]*)"', answer.text)
            )
            target = urljoin(str(answer.url), html.unescape(action[1]) if action else "")
            answer = browser.post(target, data={k: html.unescape(v) for k, v in fields.items()})
        location: str = answer.headers.get("location", "")
    if "code" not in urlsplit(location).query:
        raise LoginFailed(f"the consent page answered {answer.status_code} and gave no code")
    return location
