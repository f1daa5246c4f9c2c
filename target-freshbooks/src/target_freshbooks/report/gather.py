"""Gathering a month: FreshBooks' lists in a few requests, and the ledger.

Nothing is asked of the shop, and nothing of its own records, which retention drops.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from target_freshbooks.access import Account
from target_freshbooks.books.calendar import UnknownZone, zone
from target_freshbooks.books.items import line_key
from target_freshbooks.books.policy import LineNames, Policy
from target_freshbooks.ctl.status import waiting_orders
from target_freshbooks.ctl.verify import Verification
from target_freshbooks.freshbooks import FreshBooks, NotFound, ObservedInvoice
from target_freshbooks.freshbooks.observed import DELETED, DRAFT
from target_freshbooks.ledger import EarlierMonth, Ledger, Link, OrderRow
from target_freshbooks.marks import marks_in
from target_freshbooks.posting.account_profile import AccountProfile
from target_freshbooks.posting.identity import invoice_key, marked_text, marks_of
from target_freshbooks.report.content import MonthReport
from target_freshbooks.report.corrections import Corrected, corrections_among
from target_freshbooks.report.delays import delays
from target_freshbooks.report.figures import InvoiceFigures, LineKinds, figures_of
from target_freshbooks.report.month import Absent, Month, make_row
from target_freshbooks.report.payments import PaymentsOfMonth, is_of, other_stores, read_payments
from target_freshbooks.report.stored import Owed, StoredValue
from target_freshbooks.shop.records import read_timezone


@dataclass(slots=True)
class Gathering:
    """What is read of one month.

    Args:
        account: FreshBooks.
        ledger: The ledger.
        policy: The settings.
        month: The month.
    """

    account: Account
    ledger: Ledger
    policy: Policy
    month: Month
    listed: dict[int, ObservedInvoice] = field(default_factory=dict)
    """The month's invoices, by id."""
    _kinds: dict[str | None, LineKinds] = field(default_factory=dict)

    @property
    def books(self) -> FreshBooks:
        """FreshBooks' lists."""
        return self.account.books

    def read(self) -> MonthReport:
        """Read all of it."""
        ledger, month = self.ledger, self.month
        owed = self._read_invoices()
        orders = [one for one in ledger.orders.all(since=month.first) if self._is_of_month(one)]
        corrections = corrections_among(ledger.links.of_kind("correction"), self.listed)
        payments = read_payments(self.books, ledger, month)
        earlier = self._earlier()
        touched = self._earlier_orders(
            *(one.order_id for one in payments.receipts),
            *(one.order_id for one in earlier),
            *(one.order_id for one in corrections.values() if one),
        )
        verification = Verification(self.account, ledger, self.policy).verify(month.first, touched)
        found: dict[int, list[str]] = {}
        for one in verification.findings:
            found.setdefault(one.order_id, []).append(f"{one.kind}: {one.detail}")
        absent, in_books = self._split(orders, found)
        invoices = {one.order_id: self._invoice_of(one) for one in in_books}
        made = [
            make_row(one, invoices[one.order_id], tuple(found.get(one.order_id, ())))
            for one in in_books
        ]
        rows = sorted((row for row in made if row), key=lambda row: (row.day, row.order_id))
        order_ids = self._order_ids(invoices)
        touched |= self._earlier_orders(*self._named())
        return MonthReport(
            month=month,
            source=ledger.scope.source,
            rows=tuple(rows),
            absent=absent,
            unseen=sum(one.order_date is None for one in ledger.orders.all(state="new")),
            undated=tuple(
                one.order_id for one in ledger.orders.all(state="parked") if one.order_date is None
            ),
            figures=tuple(self._figures(order_ids, corrections)),
            payments=payments,
            foreign=tuple(
                one
                for key, one in self.listed.items()
                if key not in order_ids and key not in corrections
            ),
            corrections=tuple(one for one in corrections.values() if one),
            owed=owed,
            other_stores=bool(other_stores(ledger)),
            changed=tuple(ledger.intents.of_earlier_months(month=str(month))),
            earlier=earlier,
            delays=self._delays(orders, payments),
            findings=tuple(
                one
                for one in verification.findings
                if (order := ledger.orders.get(one.order_id)) is None
                or (one.order_id in touched and not self._is_of_month(order))
            ),
            in_work=tuple(set(verification.in_work) & {one.order_id for one in orders}),
            chain=ledger.audit.verify_chain(),
        )

    def _is_of_month(self, order: OrderRow) -> bool:
        return order.order_date is not None and order.order_date in self.month

    def _earlier_orders(self, *order_ids: int) -> set[int]:
        """Those of the orders that are of earlier months."""
        rows = (self.ledger.orders.get(order_id) for order_id in set(order_ids))
        first = self.month.first
        return {row.order_id for row in rows if row and row.order_date and row.order_date < first}

    def _named(self) -> Iterator[int]:
        """The orders of this store in whose name invoices of the month stand."""
        store = self.ledger.ownership.store_hash()
        for one in self.listed.values():
            yield from (m.order_id for m in marks_in(marked_text(one)) if m.store == store)

    def _read_invoices(self) -> tuple[Owed, ...]:
        """List the month's invoices; those before it too if stored value was ever sold or given.

        Nothing more is asked of FreshBooks if no order ever had such a line.
        """
        month, items, others = self.month, self._stored_value_items(), other_stores(self.ledger)
        stored = StoredValue(items, month.first)
        invoices = self.books.invoices
        for one in invoices.until(month.last) if items else invoices.dated(month.first, month.last):
            if not is_of(others, marked_text(one)):
                stored.add(one)
            if one.create_date in month:
                self.listed[one.id] = one
        return stored.owed()

    def _stored_value_items(self) -> dict[str, str]:
        """The items of stored value as FreshBooks calls them, and what the settings call them now.

        What was sold under one name may be redeemed under another.
        """
        now = self.policy.names
        kept = (one["line_names"] for one in self.ledger.terms.all_settings())
        return {
            self._called(name): called
            for then in (*(LineNames(**names) for names in kept), now)
            for name, called in (
                (then.gift_certificate, now.gift_certificate),
                (then.store_credit, now.store_credit),
            )
            if self.ledger.links.get("item", line_key(name)) is not None
        }

    def _called(self, name: str) -> str:
        """What FreshBooks calls the item of lines with a name."""
        link = self.ledger.links.get("item", line_key(name))
        return name if link is None else str(link.extra.get("name", name))

    def _split(
        self, orders: Iterable[OrderRow], found: Collection[int]
    ) -> tuple[tuple[Absent, ...], list[OrderRow]]:
        """The orders that are not in the books, and the others; those something is found of too."""
        reasons = {
            number: name for name, ids in waiting_orders(self.ledger).items() for number in ids
        }
        absent, in_books = [], []
        for one in orders:
            taken_up = one.state in {"posted", "parked", "settled"} or one.order_id in found
            outside = not taken_up and self._link_of(one) is None
            if outside and one.order_date is not None:
                why = reasons.get(one.order_id, one.reason or "waits for the next run")
                absent.append(
                    Absent(one.order_id, one.order_date, one.currency or "", one.order_total, why)
                )
            else:
                in_books.append(one)
        return tuple(absent), in_books

    def _link_of(self, order: OrderRow) -> Link | None:
        return self.ledger.links.get("invoice", invoice_key(order.order_id))

    def _invoice_of(self, order: OrderRow) -> ObservedInvoice | None:
        link = self._link_of(order)
        if link is None:
            return None
        if link.remote_id in self.listed:
            return self.listed[link.remote_id]
        try:
            invoice = self.books.invoices.get(link.remote_id)
        except NotFound:
            return None
        return None if invoice.vis_state == DELETED else invoice

    def _order_ids(self, invoices: Mapping[int, ObservedInvoice | None]) -> dict[int, int]:
        """The order of each of the month's invoices that is ours, by the invoice's id."""
        orders = {one.id: order for order, one in invoices.items() if one and one.id in self.listed}
        for one in self.listed.values():
            if one.id not in orders and marks_of(one):
                link = self.ledger.links.of_remote("invoice", one.id)
                if link is not None and link.order_id is not None:
                    orders[one.id] = link.order_id
        return orders

    def _figures(
        self, order_ids: Mapping[int, int], corrections: Mapping[int, Corrected | None]
    ) -> Iterator[InvoiceFigures]:
        account = AccountProfile(self.books, self.ledger, learns=False).capabilities
        for one in self.listed.values():
            corrected = corrections.get(one.id)
            order_id = corrected.order_id if corrected else order_ids.get(one.id)
            if order_id is not None and one.status != DRAFT:
                yield figures_of(one, self._kinds_of(order_id), account)

    def _kinds_of(self, order_id: int) -> LineKinds:
        """How the lines of an order's invoice are told apart: by the names it was posted under."""
        row = self.ledger.orders.get(order_id)
        at = None if row is None else row.terms
        if at not in self._kinds:
            terms = self.ledger.terms.of(order_id)
            kept = None if terms is None else terms.settings["line_names"]
            names = self.policy.names if kept is None else LineNames(**kept)
            items = self.ledger.links.starting("item", line_key(""))
            called = {
                link.key.removeprefix(line_key("")): str(link.extra.get("name", ""))
                for link in items
            }
            called = {key: name or key for key, name in called.items()}
            self._kinds[at] = LineKinds(names, called, frozenset(called.values()))
        return self._kinds[at]

    def _earlier(self) -> tuple[EarlierMonth, ...]:
        """What was changed of earlier months while this one ran (by UTC's days)."""
        began = datetime.combine(self.month.first, time(), UTC)
        ended = datetime.combine(self.month.last, time(), UTC) + timedelta(days=1)
        changes = self.ledger.intents.of_earlier_months(opened=(began, ended))
        return tuple(one for one in changes if one.month < str(self.month))

    def _delays(self, orders: Iterable[OrderRow], payments: PaymentsOfMonth) -> Mapping[str, int]:
        """From the first payment of the month's orders, where it came in the month too."""
        try:
            here = zone(self.policy.timezone or read_timezone(self.ledger.inbox.body("store")))
        except UnknownZone:
            return {}  # no day can be told, and none is shown
        paid = payments.first_days
        return delays(
            (paid[one.order_id], one.posted_at.astimezone(here).date())
            for one in orders
            if one.posted_at is not None and one.order_id in paid
        )
