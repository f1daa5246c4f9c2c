"""Workers: threads for several orders at once, an order never in two threads' hands."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from target_freshbooks.posting.results import Interrupted

POLL_SECONDS = 0.5
QUEUED_PER_WORKER = 4


class Workers:
    """Threads that one other thread hands tasks to.

    The first failure of a task stops the run: nothing is begun any more, and it is raised in the
    thread that hands over.
    """

    def __init__(self, count: int, stop: threading.Event) -> None:
        """Start no thread yet.

        Args:
            count: How many threads there are at most.
            stop: Set where the run is to stop, by others or after a failure of a task.
        """
        self._stop = stop
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="order")
        self._count = count
        self._at_work: dict[Future[None], int | None] = {}
        self._failure: BaseException | None = None

    def __len__(self) -> int:
        """How many tasks are in hand or queued."""
        return len(self._at_work)

    def submit(self, order_id: int, task: Callable[[], None]) -> None:
        """Have a task of an order done; waits for an earlier one of it, and if too many queue.

        Raises:
            Interrupted: The run is to stop. What ended another task is raised as it is.
        """
        while order_id in self._at_work.values():
            self._collect()
        self.wait_until(self._count * QUEUED_PER_WORKER)
        self._at_work[self._pool.submit(task)] = order_id

    def submit_at_once(self, task: Callable[[], None]) -> None:
        """Have a task of no order done as soon as a thread is free, and wait until one is."""
        self.wait_until(self._count - 1)
        self._at_work[self._pool.submit(task)] = None

    def wait_until(self, left: int) -> None:
        """Return when no more than so many tasks are left."""
        while len(self._at_work) > left:
            self._collect()
        self.raise_failure()

    def wait_for_orders(self) -> None:
        """Return when no task of an order is left."""
        while any(order_id is not None for order_id in self._at_work.values()):
            self._collect()
        self.raise_failure()

    def raise_failure(self) -> None:
        """Raise what ended a task, if anything did, or `Interrupted` if the run is to stop."""
        if self._failure is not None:
            raise self._failure
        if self._stop.is_set():
            raise Interrupted

    def close(self) -> None:
        """Wait for the tasks in hand, cancel those queued, and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _collect(self) -> None:
        """Wait for some task to end, or for the wish to stop; keep the first failure."""
        done, _ = wait(self._at_work, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            del self._at_work[future]
            failure = None if future.cancelled() else future.exception()
            if failure is not None and self._failure is None:
                self._failure = failure
                self._stop.set()
        if self._stop.is_set():
            self._pool.shutdown(wait=False, cancel_futures=True)
            # Nobody tells `wait` of a future that was cancelled in the queue: it would wait on.
            self._at_work = {
                future: order_id
                for future, order_id in self._at_work.items()
                if not future.cancelled()
            }
