"""The questions, GETs only, and how they were answered.

A few requests for the whole store, the newest thousand orders with what the list includes, and of
some of those, one or two of each kind, what belongs to them. All answers are kept as they came,
refusals too: how something is refused is what is to be found out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any

from tap_bigcommerce_orders.consignments import split_consignments
from tap_bigcommerce_orders.normalize import Json, amount, format_time, parse_time, whole
from tap_bigcommerce_orders.order_lines import INCLUDED
from tap_bigcommerce_orders.order_pages import SECOND
from tap_bigcommerce_orders.pages import MAX_LIMIT

if TYPE_CHECKING:
    from datetime import datetime

    from tap_bigcommerce_orders.connection import Connection, Params, Seen

Row = dict[str, Any]

ORDERS = "/v2/orders"
REFUNDS = "/v3/orders/payment_actions/refunds"
CUSTOMERS = "/v3/customers"
TAX_SETTINGS = "/v3/tax/settings"

PAGES = 4  # of 250 orders: the newest thousand
REFUNDED = 15
PAID_ORDERS = 60  # whose transactions are read, one request each
OF_A_KIND = 2
TAXED_ORDERS = 8
MISSING_NUMBERS = 5
NO_ID = 2_147_483_647  # above the number of any order

AN_ANSWER = frozenset(
    {
        *(HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
        *(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
    }
)
"""Refusals that tell something."""


@dataclass(slots=True)
class Evidence:
    """What was answered.

    Attributes:
        seen: Each answer with its path, in their order.
        asked: Answers to questions about the store and its lists, by the question's name.
        of_order: The same of single orders, by question and order.
        orders: The sample: the newest orders as they came, newest first.
        lines: Their line items, where the list included them.
    """

    seen: list[tuple[str, Seen]] = field(default_factory=list)
    asked: dict[str, Seen] = field(default_factory=dict)
    of_order: defaultdict[str, dict[int, Seen]] = field(default_factory=lambda: defaultdict(dict))
    orders: dict[int, Row] = field(default_factory=dict)
    lines: dict[int, list[Row]] = field(default_factory=dict)
    probed: int = 0
    """The order by which filters are tried."""

    not_needed = frozenset({TAX_SETTINGS})
    """What may be refused without harm."""

    def rows(self, question: str) -> list[Row]:
        """The rows of an answer about the store; none where it was refused or not asked."""
        return rows_of(self.asked.get(question))

    def of(self, question: str) -> Iterator[tuple[Row, list[Row]]]:
        """Each order that was asked about, with the rows of the answer."""
        for order_id, seen in self.of_order[question].items():
            yield self.orders[order_id], rows_of(seen)

    def orders_with(self, *names: str) -> list[Row]:
        """The orders of which one of the amounts is not nothing."""
        return [order for order in self.orders.values() if any(has(order, name) for name in names)]


def rows_of(seen: Seen | None) -> list[Row]:
    """The objects of an answer's list, v2's or v3's."""
    if seen is None or seen.status >= HTTPStatus.BAD_REQUEST:
        return []
    body = seen.body.get("data") if isinstance(seen.body, Mapping) else seen.body
    return [row for row in body if isinstance(row, dict)] if isinstance(body, list) else []


def has(order: Row, name: str) -> bool:
    """Whether the order has an amount of that name that is not nothing."""
    return bool(amount(order.get(name)))


def figure(row: Row, name: str) -> Any:  # noqa: ANN401 - a Decimal, or 0
    """An amount of a row; 0 where there is none."""
    return amount(row.get(name)) or 0


def gather(connection: Connection) -> Evidence:
    """Ask all questions.

    Raises:
        BigCommerceError: The store does not answer, or does not take the token.
    """
    asking = _Asking(connection)
    asking.about_the_store()
    asking.for_orders()
    if asking.evidence.orders:
        asking.about_lists()
        asking.about_some_orders()
    return asking.evidence


class _Asking:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.evidence = Evidence()

    def _look(self, path: str, params: Params | None = None) -> Seen:
        seen = self._connection.look(path, params, told=AN_ANSWER)
        self.evidence.seen.append((path, seen))
        return seen

    def _ask(self, question: str, path: str, params: Params | None = None) -> Seen:
        self.evidence.asked[question] = seen = self._look(path, params)
        return seen

    def about_the_store(self) -> None:
        """The store itself, and one request for each scope."""
        self._ask("store", "/v2/store")
        self._ask("currencies", "/v2/currencies")
        self._ask("tax classes", "/v2/tax_classes")
        self._ask("tax settings", TAX_SETTINGS)
        self._ask("products", "/v3/catalog/products", {"limit": 1})
        self._ask("transactions", f"/v3/orders/{NO_ID}/transactions")
        self._ask("refunds", REFUNDS, {"limit": MAX_LIMIT})
        self._ask("count", f"{ORDERS}/count")
        for row in rows_of(self._ask("customers", CUSTOMERS, {"limit": 1})):
            self._about_cursors(row)

    def _about_cursors(self, customer: Row) -> None:
        """A list of one, to its end."""
        one: Params = {"id:in": str(customer.get("id")), "limit": MAX_LIMIT}
        body = self._ask("last page", CUSTOMERS, one).body
        cursor = within(body, "meta", "cursor_pagination")
        if within(cursor, "links").get("next") and cursor.get("end_cursor"):
            self._ask("after the last page", CUSTOMERS, {**one, "after": cursor["end_cursor"]})

    def for_orders(self) -> None:
        """The newest orders, with all that the list includes."""
        asked: Params = {"sort": "id:desc", "limit": MAX_LIMIT, **INCLUDED}
        for page in range(1, PAGES + 1):
            rows = rows_of(self._ask("orders", ORDERS, {**asked, "page": page}))
            for row in rows:
                order_id = whole(row.get("id"))
                if order_id is not None:
                    split = split_consignments(row.get("consignments"))
                    self.evidence.orders.setdefault(order_id, row)
                    self.evidence.lines.setdefault(order_id, split[1] if split else [])
            if len(rows) < MAX_LIMIT:
                break

    def about_lists(self) -> None:
        """How the list of orders is filtered, sorted, limited, and how it ends."""
        self._ask("no orders", ORDERS, {"min_id": NO_ID})
        newest = max(self.evidence.orders)
        self._ask("limit 251", ORDERS, {"limit": MAX_LIMIT + 1, "min_id": newest})
        self._ask("deleted", ORDERS, {"is_deleted": "true", "limit": MAX_LIMIT})
        by_status: Params = {"sort": "status_id:asc", "limit": MAX_LIMIT}
        self._ask("sorted", ORDERS, by_status)
        self._ask("sorted again", ORDERS, by_status)
        self._about_filters()

    def _about_filters(self) -> None:
        dated = [(parse_time(row.get("date_modified")), n) for n, row in self._sample()]
        times = sorted((time, n) for time, n in dated if time)
        if not times:
            return
        time, self.evidence.probed = times[len(times) // 2]
        for question, start, end in (
            ("around", time - SECOND, time + SECOND),
            ("from on", time, time + SECOND),
            ("until", time - SECOND, time),
        ):
            self._ask(question, ORDERS, {**_between(start, end), "limit": MAX_LIMIT})

    def _sample(self) -> Iterable[tuple[int, Row]]:
        return self.evidence.orders.items()

    def about_some_orders(self) -> None:
        """What belongs to orders, of a few of each kind."""
        self._each("transactions", "/v3/orders/{}/transactions", self._of_each_kind())
        paid = self.evidence.of_order["transactions"]
        if paid:
            ids = ",".join(map(str, paid))
            self._ask("refunds of orders", REFUNDS, {"order_id:in": ids, "limit": MAX_LIMIT})
        several = (n for n, seen in paid.items() if len(rows_of(seen)) > 1)
        for order_id in islice(several, 1):
            seen = self._look(f"/v3/orders/{order_id}/transactions", {"limit": 1, "page": 1})
            self.evidence.of_order["one transaction"][order_id] = seen
        self._each("taxes", "/v2/orders/{}/taxes", self._taxed(), {"details": "true"})
        with_fees = (n for n, row in self._sample() if row.get("fees"))
        self._each("fees", "/v2/orders/{}/fees", islice(with_fees, OF_A_KIND))
        with_coupon = (n for n, row in self._sample() if has(row, "coupon_discount"))
        self._each("coupons", "/v2/orders/{}/coupons", islice(with_coupon, OF_A_KIND))
        without = (n for n, row in self._sample() if not has(row, "coupon_discount"))
        self._each("no coupons", "/v2/orders/{}/coupons", islice(without, 1))
        self._about_archived()

    def _each(
        self, question: str, path: str, order_ids: Iterable[int], params: Params | None = None
    ) -> None:
        for order_id in order_ids:
            seen = self._look(path.format(order_id), {"limit": MAX_LIMIT, **(params or {})})
            self.evidence.of_order[question][order_id] = seen
            if seen.status == HTTPStatus.FORBIDDEN:
                return

    def _about_archived(self) -> None:
        """What numbers give that the list passes over, and orders that it says are archived."""
        numbers, listed = set(self.evidence.orders), list(self._sample())
        archived = [n for n, row in listed if row.get("is_deleted") is True]
        missing = (n for n in range(max(numbers), min(numbers), -1) if n not in numbers)
        for n in (*archived[:1], *islice(missing, MISSING_NUMBERS)):
            self.evidence.of_order["by number"][n] = self._look(f"{ORDERS}/{n}")

    def _of_each_kind(self) -> list[int]:
        """Orders whose money is looked at: one of each kind, refunded ones, then the newest."""
        kinds: defaultdict[tuple[Json, ...], list[int]] = defaultdict(list)
        for n, row in self._sample():
            fields = (
                str(row.get(name)) for name in ("status_id", "payment_method", "payment_status")
            )
            spent = (has(row, name) for name in ("store_credit_amount", "gift_certificate_amount"))
            kinds[(*fields, *spent)].append(n)
        made = (whole(row.get("order_id")) for row in self.evidence.rows("refunds"))
        refunded = [n for n in made if n in self.evidence.orders]
        first, second = ([n for g in kinds.values() for n in g[at : at + 1]] for at in (0, 1))
        wanted = dict.fromkeys((*first, *refunded[-REFUNDED:], *second, *self.evidence.orders))
        return list(wanted)[:PAID_ORDERS]

    def _taxed(self) -> list[int]:
        """Orders with tax: those with fees, and those of most lines."""
        taxed = [n for n, row in self._sample() if has(row, "total_tax")]
        lines, orders = self.evidence.lines, self.evidence.orders
        taxed.sort(key=lambda n: (not _taxed_fees(orders[n]), -len(lines[n])))
        return taxed[:TAXED_ORDERS]


def fees_of(order: Row) -> list[Row]:
    """The fees that the list included in an order."""
    fees = order.get("fees")
    return [fee for fee in fees if isinstance(fee, dict)] if isinstance(fees, list) else []


def _taxed_fees(order: Row) -> bool:
    return any(has(fee, "cost_tax") for fee in fees_of(order))


def within(value: Json, *names: str) -> Mapping[str, Json]:
    """The object inside, by its names; an empty one where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _between(start: datetime, end: datetime) -> dict[str, str]:
    return {"min_date_modified": format_time(start), "max_date_modified": format_time(end)}
