"""The Singer sinks: thin adapters that hand each record to the posting service."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from connector_credentials.json_text import decimal_of
from singer_sdk import RecordSink
from singer_sdk.target_base import Target
from typing_extensions import override

from target_freshbooks.ledger import Record
from target_freshbooks.ledger.inbox.records import MOST_ID
from target_freshbooks.marks import Mark, marks_in
from target_freshbooks.posting.service import CHILD_STREAMS
from target_freshbooks.shop.fields import Fields, ReadError

if TYPE_CHECKING:
    from target_freshbooks.target import TargetFreshBooks


ODD_VALUES = "odd_values"


class RecordError(ValueError):
    """A record lacks what is needed to know what it is. The message holds no field's value."""


class UnvalidatedSink(RecordSink):
    """A sink that takes records as they were said, whatever their schema.

    They are read field by field in `shop.records`, where a bad one parks its order.
    """

    @override
    def get_validator(self) -> None:
        return None  # to check a schema alone takes tenths of a second

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        return record


class ShopSink(UnvalidatedSink):
    """A sink of a stream of the shop. Records stay text: money is read in `books`."""

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        if lacking := REQUIRED_KEYS.get(stream_name, frozenset()) - set(self.key_properties or ()):
            raise RecordError(
                f"The key properties of {stream_name} lack {' and '.join(sorted(lacking))}, so that"
                " one record would take another's place. Nothing was booked: mend the tap or its"
                " stream map and run again."
            )
        self._target = cast("TargetFreshBooks", target)  # there is no other

    @override
    def setup(self) -> None:
        self._target.service.announce(self.stream_name)

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        store_hash = record.get("store_hash")
        if not isinstance(store_hash, str) or not _fits_a_mark(store_hash):
            raise RecordError(
                f"A record of {self.stream_name} has no store_hash that is one word, so nobody can"
                " tell whose it is. Nothing of it was booked: use a tap that says it, such as"
                " tap-bigcommerce-orders."
            )
        self._target.service.expect(store_hash)
        try:
            put_back(record)
        except (ReadError, LookupError, TypeError, ValueError):
            raise RecordError(_damaged(self.stream_name, ODD_VALUES)) from None
        self.take(record)

    def take(self, record: dict[str, Any]) -> None:
        """Hand a record of the right store on."""
        self._target.service.take_other(Record(self.stream_name, self.key_of(record), None, record))

    def key_of(self, record: dict[str, Any]) -> tuple[Any, ...]:
        """The record's key: its key properties, or its name if it is the only one."""
        keys = self.key_properties or ()
        for name in IDS.intersection(keys):
            if record.get(name) is None or isinstance(record[name], list):
                raise RecordError(_damaged(self.stream_name, name))
        return tuple(record.get(name) for name in keys) or (self.stream_name,)


IDS = frozenset({"id", "order_id"})

REQUIRED_KEYS = {
    "transactions": frozenset({"id"}),
    "refunds": frozenset({"id"}),
    "order_taxes": IDS,
    "order_coupons": frozenset({"id"}),
    "customers": frozenset({"id"}),
    "products": frozenset({"id"}),
}
"""Without which two records of a stream are taken for one; an order has its id in any case."""


class OrderPartSink(ShopSink):
    """Transactions, refunds, taxes, coupons: kept until their order comes."""

    @override
    def take(self, record: dict[str, Any]) -> None:
        order_id = whole_number(record, "order_id", self.stream_name)
        self._target.service.take_child(
            Record(self.stream_name, self.key_of(record), order_id, record)
        )


class OrderSink(ShopSink):
    """Orders: the record that says that all of the order has been said."""

    @override
    def take(self, record: dict[str, Any]) -> None:
        self._target.service.take_order(whole_number(record, "id", self.stream_name), record)


class IgnoredSink(UnvalidatedSink):
    """A stream that has no place in the books."""

    @override
    def setup(self) -> None:
        self.logger.info("Stream %s is not booked: its records are left out", self.stream_name)

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Nothing is done with it."""


OTHER_STREAMS = ("customers", "products", "store")
"""Streams that say something the books use besides orders and their parts."""


def sink_for(stream_name: str) -> type[RecordSink]:
    """The sink of a stream."""
    if stream_name == "orders":
        return OrderSink
    if stream_name in CHILD_STREAMS:
        return OrderPartSink
    return ShopSink if stream_name in OTHER_STREAMS else IgnoredSink


def put_back(record: dict[str, Any]) -> None:
    """Put values back that a tap has set apart since they are not of their described type.

    What they are of use for is decided where they are read: a bad one parks its order.

    Args:
        record: A record; `odd_values` has such values by their JSON Pointers (RFC 6901).
    """
    for pointer, value in Fields(record).inside(ODD_VALUES).body.items():
        _, *path = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/"))
        *above, last = path
        place: Any = record
        for part in above:
            place = place[int(part) if isinstance(place, list) else part]
        place[int(last) if isinstance(place, list) else last] = value
    record.pop(ODD_VALUES, None)


def whole_number(record: dict[str, Any], name: str, stream: str) -> int:
    """An id of the record.

    Raises:
        RecordError: It is missing or no id: the record cannot even be parked.
    """
    number = decimal_of(str(record.get(name)))
    if number is None or number != int(number) or not 0 < number < MOST_ID:
        raise RecordError(_damaged(stream, name))
    return int(number)


def _fits_a_mark(store_hash: str) -> bool:
    """Whether what is booked of the store's orders is found again by it."""
    mark = Mark(1, store_hash)
    return marks_in(str(mark)) == [mark]


def _damaged(stream: str, name: str) -> str:
    return (
        f"A record of {stream} has no usable {name}; the tap's output is damaged. Nothing of it was"
        " booked; run again."
    )
