"""Courier: the process that hands messages to apprise; a line of JSON for each on standard output.

It reads the jobs as JSON from standard input, so that no URL is among a process' arguments.
"""

import json
import logging
import os
import re
import sys
import threading
import time
from typing import Any

from connector_credentials.output import say

SECONDS = 30
"""How long all deliveries may take together, once apprise is loaded."""

REFUSED = "it did not take the message, or could not be reached"
NOT_UNDERSTOOD = "apprise does not understand its URL"
_CODE = re.compile(r"error=([0-9]{3})\b")


class _Codes(logging.Handler):
    """Hears of the status that a service answered with; nothing else of the words is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.by_thread: dict[int | None, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if found := _CODE.search(record.getMessage()):
            self.by_thread[record.thread] = found[1]


def main() -> None:
    """Deliver all jobs at once; end when each is done, or the time is over."""
    # Here, for this process alone: its hundred services take long to load.
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415

    jobs = json.load(sys.stdin)
    codes = _Codes()
    logging.getLogger("apprise").addHandler(codes)
    asset = AppriseAsset(
        app_id="target-freshbooks",
        app_desc="BigCommerce orders into FreshBooks",
        app_url="",
        image_url_mask="",
        image_url_logo="",
    )

    def hand_over(place: int, service: Any, job: dict[str, str]) -> None:  # noqa: ANN401 - apprise has no types
        try:
            taken = service.notify(body=job["body"], title=job["title"], notify_type=job["kind"])
            code = codes.by_thread.get(threading.get_ident())
            failure = "" if taken else f"it answered {code}" if code else REFUSED
        except Exception as error:  # noqa: BLE001 - one service's defect must not keep the others
            failure = f"apprise failed at it ({type(error).__name__})"
        say(json.dumps([place, failure]))

    threads = []
    for place, job in enumerate(jobs):
        service = Apprise.instantiate(job["url"], asset=asset)
        if service is None:
            say(json.dumps([place, NOT_UNDERSTOOD]))
            continue
        thread = threading.Thread(target=hand_over, args=(place, service, job), daemon=True)
        threads.append(thread)
        thread.start()
    deadline = time.monotonic() + SECONDS
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    os._exit(0)  # nothing that a service has left running is waited for


if __name__ == "__main__":
    main()
