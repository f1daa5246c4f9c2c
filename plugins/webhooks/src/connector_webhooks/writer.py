"""Group commit: whatever hooks wait at the moment go into one transaction.

One thread writes. It takes the first hook, then all others that have queued up while the last
transaction was being synced, commits them together, and only then answers each. So the disk is
synced once per batch instead of once per hook, and no hook is acknowledged before its own commit.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from connector_webhooks.errors import InboxError
from connector_webhooks.inbox import key_of

if TYPE_CHECKING:
    from connector_webhooks.inbox import Inbox, IncomingHook

MOST_PER_COMMIT = 500
# Beyond this many the disk is not keeping up: senders are told to come again.
MOST_WAITING = 5_000
# A failed commit counts for so long: without hooks there is no other that could tell.
SECONDS_FAILED = 30

log = logging.getLogger(__name__)

Ticket = tuple["IncomingHook", "Future[bool]"]


class Overfull(Exception):  # noqa: N818 - a state of the queue, answered 503
    """Too many hooks wait for the disk."""


class Writer:
    """The one thread that stores hooks.

    Args:
        inbox: Where to.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._failed_at = -math.inf
        self._waiting: queue.Queue[Ticket | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._work, name="inbox-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what was submitted, then end."""
        self._waiting.put(None)
        self._thread.join()

    def failed_lately(self) -> bool:
        """Whether the last commit failed, within the seconds for which that still tells much."""
        return time.monotonic() - self._failed_at < SECONDS_FAILED

    def submit(self, hook: IncomingHook) -> Future[bool]:
        """Queue a hook; the future holds, after its commit, whether it was new.

        Raises:
            Overfull: The disk is not keeping up.
        """
        future: Future[bool] = Future()
        try:
            self._waiting.put_nowait((hook, future))
        except queue.Full:
            raise Overfull from None
        return future

    def _work(self) -> None:
        last = False
        while not last:
            taken = [self._waiting.get()]
            more = min(self._waiting.qsize(), MOST_PER_COMMIT - 1)
            taken += [self._waiting.get() for _ in range(more)]
            last = None in taken
            # A sender that was given up on meanwhile will send again: nothing to store for it.
            batch = [one for one in taken if one and one[1].set_running_or_notify_cancel()]
            if batch:
                self._commit(batch)

    def _commit(self, batch: list[Ticket]) -> None:
        try:
            new = self._inbox.store([hook for hook, _ in batch])
        except Exception as error:  # each sender is told, so that it sends again
            words = "%d hooks could not be stored; their sender will repeat them. %s"
            told = isinstance(error, InboxError)
            log.error(words, len(batch), error, exc_info=not told)  # noqa: TRY400 - mostly told
            self._failed_at = time.monotonic()
            for _, future in batch:
                future.set_exception(error)
            return
        self._failed_at = -math.inf
        for hook, future in batch:
            key = key_of(hook.webhook_id)
            future.set_result(key in new)
            new.discard(key)  # of two equal ones in a batch the second is the duplicate
