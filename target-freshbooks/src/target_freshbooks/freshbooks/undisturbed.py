"""Stretches of work that a signal must not break off half-way, such as spending a token.

A signal is of the whole process, and so is this: whoever handles signals looks at `held` and, if
a thread is in such a stretch, waits for the word that it is over. Nothing is held up by it but the
end of the process.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A set and a list, changed in one step each: a handler may look between any two.
_stretches: set[object] = set()
_listeners: list[Callable[[], None]] = []


@contextmanager
def undisturbed() -> Iterator[None]:
    """Such a stretch. Others may begin inside it and in other threads."""
    stretch = object()
    _stretches.add(stretch)
    try:
        yield
    finally:
        _stretches.discard(stretch)
        if not _stretches:
            for listener in tuple(_listeners):
                listener()


def held() -> bool:
    """Whether any thread is in such a stretch."""
    return bool(_stretches)


@contextmanager
def told_when_over(listener: Callable[[], None]) -> Iterator[None]:
    """Call the listener, in the thread that was last, whenever no thread is in a stretch now."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
