"""Connection limits: whoever reaches the port can hold few connections, and none for long.

A sender is to say its whole request header within a time. At a limit, in all or per address, a
connection that keeps its request to itself makes room, one of whoever holds the most: genuine
senders hold few and say theirs at once, so that idle connections push out one another and never a
hook. So does one that sends further requests before the answer, or does not read its answers, which
no genuine sender does. Any other request that has wholly come is never cut off. What is not for the
internet has a port and limits of its own, so that it is answered whatever the internet does.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

    from connector_webhooks.metrics import Metrics


@dataclass
class ConnectionLimits:
    """How many connections there may be, and how long each may take over its header.

    Attributes:
        most: Connections in all.
        most_per_address: Connections of one address; a proxy before us is one.
        header_seconds: Longest time for a request's header.
        open: The connections there are, oldest first.
    """

    most: int
    most_per_address: int
    header_seconds: float
    metrics: Metrics
    open: dict[LimitedProtocol, None] = field(default_factory=dict)

    def admit(self, new: LimitedProtocol) -> None:
        """Count a connection in; at a limit one that keeps something to itself makes room.

        It is one of the address with the most connections, the oldest of them: whoever holds few,
        as genuine senders do, is not pushed out by others however fast they come again.
        """
        self.open[new] = None
        numbers = Counter(one.address for one in self.open)
        candidates: Iterable[LimitedProtocol] = ()
        if numbers[new.address] > self.most_per_address:
            candidates = (one for one in self.open if one.address == new.address)
        elif len(self.open) > self.most:
            candidates = sorted(self.open, key=lambda one: -numbers[one.address])
        for one in candidates:
            if one.is_held_up:
                self.drop(one, "limit")
                break

    def release(self, old: LimitedProtocol) -> None:
        """Count a connection out."""
        self.open.pop(old, None)

    def drop(self, connection: LimitedProtocol, reason: str) -> None:
        """End a connection at once."""
        self.release(connection)
        self.metrics.connections_dropped.labels(reason).inc()
        connection.transport.abort()


class LimitedProtocol(H11Protocol):
    """Uvicorn's HTTP/1.1 under limits; a subclass names them, by port."""

    limits_of: ClassVar[Mapping[int, ConnectionLimits]]
    limits: ConnectionLimits
    _deadline: asyncio.TimerHandle | None = None

    @property
    def address(self) -> str:
        """The sender's address; empty if it has none."""
        return self.client[0] if self.client else ""

    @property
    def is_held_up(self) -> bool:
        """Whether its sender holds it up: by half a request, more than one, or an answer unread."""
        if not self._has_request or self.cycle.more_body:
            return True
        return self.flow.write_paused or bool(self.conn.trailing_data[0])

    @property
    def _has_request(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None before the first one
        return cycle is not None and not cycle.response_complete

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.limits = self.limits_of[transport.get_extra_info("sockname")[1]]
        self._wait_for_header()
        self.limits.admit(self)

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait_for_header()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.limits.release(self)
        self._end_wait()
        super().connection_lost(exc)

    def _wait_for_header(self) -> None:
        """Begin the time for a header, or end it if the header has come."""
        if self._has_request:
            self._end_wait()
        elif self._deadline is None:
            seconds = self.limits.header_seconds
            self._deadline = self.loop.call_later(seconds, self.limits.drop, self, "slow_header")

    def _end_wait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def protocol_under(limits_of: Mapping[int, ConnectionLimits]) -> type[LimitedProtocol]:
    """Uvicorn's protocol under the limits of the port that a connection came to.

    What is no HTTP is answered 400 and not logged: whoever sends it must not fill our log.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return type("Protocol", (LimitedProtocol,), {"limits_of": limits_of})
