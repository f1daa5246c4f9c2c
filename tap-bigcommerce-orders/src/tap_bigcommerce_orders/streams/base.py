"""What all streams share: the one connection, the form of records, the window of time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from singer_sdk.helpers.conform import TypeConformanceLevel
from typing_extensions import override

from tap_bigcommerce_orders.normalize import latest, normalize, parse_time, read_iso
from tap_bigcommerce_orders.odd_values import set_apart
from tap_bigcommerce_orders.sdk import PlainStream
from tap_bigcommerce_orders.state_memory import GIVEN, GivenRows
from tap_bigcommerce_orders.state_validation import POSITION
from tap_bigcommerce_orders.window import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    from tap_bigcommerce_orders.connection import Connection


class BigCommerceStream(PlainStream):
    """A stream of the store, read through the tap's one connection."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # done already, unknown fields too
    primary_keys: Sequence[str] = ("id",)

    @property
    def connection(self) -> Connection:
        """The store's API, shared by all streams."""
        return self.source.connection

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        # The last word on whose it is has the setting that it was asked for with.
        record = {**normalize(row, self.schema), "store_hash": self.source.store_hash}
        set_apart(record, self.schema)
        if self.replication_key:
            record.setdefault(self.replication_key, None)  # the SDK's bookmark looks for it
        return record

    def window_start(self, at_least: timedelta = timedelta()) -> datetime | None:
        """Decide from when on to read; None for everything there is.

        Look-back covers what was written late with an earlier time. As in all taps on the Singer
        SDK the later one of bookmark and ``start_date`` counts; a bookmark only of a stream that
        the catalog does not want in full.

        Args:
            at_least: Look so far back, if lookback_seconds are fewer.
        """
        start_date = self.config.get("start_date")
        incremental = self.replication_method == "INCREMENTAL"
        last = parse_time(self.stream_state.get(POSITION)) if incremental else None
        since = last and max(last, BEGINNING) - self.lookback(at_least)
        start = latest(read_iso(start_date) if start_date else None, since)
        return start and max(start, BEGINNING)

    def lookback(self, at_least: timedelta = timedelta()) -> timedelta:
        """How far to look back; at least so far, if lookback_seconds are fewer."""
        return max(timedelta(seconds=self.config["lookback_seconds"]), at_least)

    def given_rows(self, at_least: timedelta = timedelta()) -> GivenRows:
        """The rows of this stream that runs before have given, looking back at least so far."""
        before = self.stream_state.get(GIVEN, {})
        return GivenRows(before, self.window_end - self.lookback(at_least))

    def remember(self, rows: GivenRows) -> None:
        """Have the state tell the next run which rows were given."""
        given = rows.newest() if self.replication_method == "INCREMENTAL" else {}
        self.stream_state.pop(GIVEN, None)
        self.stream_state.update({GIVEN: given} if given else {})

    @property
    def window_end(self) -> datetime:
        """Until when to read: the run's start, or end_date if earlier."""
        started, end_date = self.source.started, self.config.get("end_date")
        return max(BEGINNING, min(started, read_iso(end_date))) if end_date else started
