"""State machine: one shop's life, the connector's beside it, and what must hold after each run.

Orders of every kind are placed, edited, refunded, captured and cancelled, books are changed by
hand, a month is closed, runs are killed at any write, ledgers are lost, and old news comes again.
After each run that ends well the books equal what the sandbox holds to be true, nothing stands
twice, the next run writes nothing, no plan is left, and a closed month is as it was.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from kinds import ANN, DAY, GUEST, JANE, KINDS, mugs, order_of
from mortal import Death, Killed, mortal
from promises import CLOSED, D, Document, Promises
from target_freshbooks.posting.results import Interrupted
from target_freshbooks.target import TargetFreshBooks

if TYPE_CHECKING:
    from collections.abc import Iterable

BY_HAND = {"name": "By hand", "qty": "1", "unit_cost": {"amount": "51.37", "code": "USD"}}
"""Over what no order comes to: equal amounts, whatever their names, are ours to a new ledger."""
MOVED = {"company": "Moved Ltd", "city": "Troy"}
NEXT_DAY = "2026-11-02"
"""A day after the month that is closed."""
PRICES = st.sampled_from(("0.05", "4.99", "10.00", "33.33"))
ORDER = st.integers(0, 3)
MOST_ORDERS = 4


def nth(orders: Iterable[int], number: int) -> int:
    """One of the orders; numbers beyond the last begin anew."""
    every = list(orders)
    return every[number % len(every)]


class Histories(Promises, RuleBasedStateMachine):
    """One shop's life, and the connector's beside it.

    Attributes:
        steps: Of all histories so far.
        failed: Of each history that broke a promise: all steps until then, and its own.
    """

    steps: ClassVar[int]
    failed: ClassVar[list[tuple[int, int]]]

    def __init__(self) -> None:
        super().__init__()
        self.world.control("POST", "reset", {"seed": False})
        self.world.switch(fb__rate_limit=0, bc__plan_quota=0)
        for file in self.world.home.glob("credentials.*"):
            file.unlink()
        self.forget()
        self.began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
        self.own_steps = -1  # the invariant is looked at before the first one too
        self.refunds: list[tuple[int, int]] = []
        self.older = self.newest = ""
        self.is_ledger_lost = False
        self.changed: set[int] = set()

    def forget(self) -> None:
        """An empty ledger, as if its file had been deleted; its tables need not be made anew."""
        self.world.lose_ledger()
        shutil.copy(self.world.home / "empty.sqlite", self.world.home / "ledger.sqlite")

    @invariant()
    def counted(self) -> None:
        self.own_steps += 1

    def teardown(self) -> None:
        is_broken = isinstance(sys.exception(), Exception)
        self.own_steps += is_broken  # nothing is looked at after the step that broke it
        type(self).steps += self.own_steps
        if is_broken:
            self.failed.append((self.steps, self.own_steps))

    def change(self, order: int, what: str, **document: Any) -> Document | None:
        """Change the order, unless the shop refuses it."""
        path = f"{self.world.url}/_sandbox/shop/orders/{order}/{what}"
        answer = self.world.http.post(path, json=document)
        assert answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR, answer.text
        self.tally[what if answer.is_success else f"{what} (refused)"] += 1
        self.changed.add(order)
        if not answer.is_success:
            return None
        self.world.change(order, "touch", modified=self.now)
        return answer.json()

    @property
    def now(self) -> str:
        """A moment of the shop's: a second for each step, so that what is newer is told as such."""
        return (self.began + timedelta(seconds=self.own_steps)).isoformat()

    has_orders = precondition(lambda self: self.orders)
    is_remembered = precondition(lambda self: self.orders and not self.is_ledger_lost)
    """A killed run may lie between; what it left half-way is known by the ledger."""

    @initialize(
        on_cancel=st.sampled_from(("park", "void")),
        closed_refunds=st.sampled_from(("park", "correction")),
        lines_of_refunds=st.sampled_from(("accept", "refuse")),
        tax_rows=st.sampled_from(("kept", "reduced")),
    )
    def begin(
        self, on_cancel: str, closed_refunds: str, lines_of_refunds: str, tax_rows: str
    ) -> None:
        """The bookkeeper's choices, what FreshBooks takes, how the shop answers, and a customer."""
        self.world.settings = {
            "max_parallel_orders": 1,  # so that a history comes out the same again
            "marketplace_sources": {"amazon": "net"},
            "on_cancel": on_cancel,
            "closed_refunds": closed_refunds,
        }
        self.world.switch(fb__negative_line_paid=lines_of_refunds, bc__refund_tax_rows=tax_rows)
        self.is_refusing = lines_of_refunds == "refuse"
        self.customer = int(self.world.control("POST", "shop/customers", ANN)["id"])

    # -- the shop

    @precondition(lambda self: len(self.orders) < MOST_ORDERS)
    @rule(
        kind=st.sampled_from(tuple(KINDS)),
        price=PRICES,
        quantity=st.integers(1, 3),
        billing=st.sampled_from((JANE, GUEST, ANN)),
        is_of_october=st.booleans(),
    )
    def place(
        self, kind: str, price: str, quantity: int, billing: Document, *, is_of_october: bool
    ) -> None:
        document = order_of(kind, mugs(price, quantity), billing, self.customer)
        document |= {"created": DAY if is_of_october else self.now, "modified": self.now}
        order = self.world.place(**document)
        self.tally[f"place {kind}"] += 1
        self.orders[order] = kind
        if is_of_october:
            self.october.add(order)

    @has_orders
    @rule(order=ORDER, price=PRICES)
    def edit(self, order: int, price: str) -> None:
        order = nth(self.orders, order)
        self.edited.add(order)
        self.change(order, "lines", lines=[mugs(price, 1)])

    @has_orders
    @rule(order=ORDER)
    def move(self, order: int) -> None:
        order = nth(self.orders, order)
        billing = self.world.control("GET", f"shop/orders/{order}")["order"]["billing"]
        self.change(order, "edit", billing=billing | MOVED)

    @has_orders
    @rule(
        order=ORDER,
        amount=st.sampled_from(("0.01", "1.00", "4.00", None)),
        to=st.sampled_from(("stripe", "storecredit")),
    )
    def refund(self, order: int, amount: str | None, to: str) -> None:
        asked = {"everything": True} if amount is None else {"order_amount": amount}
        order = nth(self.orders, order)
        answer = self.change(order, "refund", **asked, to=[{"provider": to}])
        if answer:
            self.refunds.append((order, int(answer["refunds"][-1])))

    @precondition(lambda self: self.refunds)
    @rule(refund=ORDER)
    def decline(self, refund: int) -> None:
        order, refund = self.refunds[refund % len(self.refunds)]
        self.change(order, "decline_refund", refund_id=refund)

    @precondition(lambda self: "authorization" in self.orders.values())
    @rule(order=ORDER, amount=st.sampled_from(("1.00", None)))
    def capture(self, order: int, amount: str | None) -> None:
        self.change(self.of("authorization", order), "capture", amount=amount)

    @precondition(lambda self: "on account" in self.orders.values())
    @rule(order=ORDER)
    def pay(self, order: int) -> None:
        self.change(self.of("on account", order), "edit", payment_status="paid")

    def of(self, kind: str, number: int) -> int:
        return nth((order for order, its in self.orders.items() if its == kind), number)

    @has_orders
    @rule(order=ORDER)
    def cancel(self, order: int) -> None:
        order = nth(self.orders, order)
        if self.change(order, "cancel") is not None:
            self.cancelled.add(order)

    @precondition(lambda self: self.cancelled)
    @rule(order=ORDER)
    def take_up_again(self, order: int) -> None:
        self.change(nth(sorted(self.cancelled), order), "status", status_id=11)

    # -- the books, by hand

    @is_remembered
    @rule(order=ORDER)
    def edit_by_hand(self, order: int) -> None:
        order = nth(self.orders, order)
        if invoice := self.look(order):
            self.tally["edit by hand"] += 1
            change = {"invoice": {"lines": [BY_HAND]}}
            self.world.put(f"invoices/invoices/{invoice['id']}", change)
            self.touched[order] = [BY_HAND["name"]]

    @is_remembered
    @rule(order=ORDER)
    def delete_by_hand(self, order: int) -> None:
        order = nth(self.orders, order)
        if (invoice := self.look(order)) and not self.paid(invoice):
            self.tally["delete by hand"] += 1
            self.world.put(f"invoices/invoices/{invoice['id']}", {"invoice": {"vis_state": 1}})
            self.touched[order] = None

    @has_orders
    @rule(order=ORDER)
    def pay_by_hand(self, order: int) -> None:
        order = nth(self.orders, order)
        invoice = self.look(order)
        if invoice is None or D(invoice["outstanding"]["amount"]) <= 0:
            return
        payment = {"invoiceid": invoice["id"], "amount": invoice["outstanding"]}
        self.tally["pay by hand"] += 1
        note = f"by hand {self.tally['pay by hand']}"
        payment |= {"date": NEXT_DAY, "type": "Check", "note": note}
        self.world.post("payments/payments", {"payment": payment})
        self.touched.setdefault(order, [])

    @precondition(lambda self: self.october and self.closed is None)
    @rule()
    def close(self) -> None:
        """The bookkeeper closes October."""
        self.tally["close"] += 1
        self.world.settings["closed_through"] = f"{CLOSED}-31"
        self.held = self.world.books()
        self.closed = {order: self.figures(order) for order in self.october}

    # -- the connector

    def run(self, messages: str, death: Death | None = None) -> None:
        target = TargetFreshBooks(config=self.world.config)
        with mortal(death), contextlib.redirect_stdout(io.StringIO()):
            try:
                target.listen(io.StringIO(messages))
            finally:
                target.close()

    def heard(self) -> str:
        """What the tap says now."""
        messages: str = self.world.messages()
        if messages != self.newest:
            self.older, self.newest = self.newest, messages
        return messages

    def synced(self) -> None:
        """A run, and what must be so after it; a second one, or old news, writes nothing."""
        self.tally["sync"] += 1
        messages = self.heard()
        self.run(messages)
        assert self.world.writes_of(lambda: self.run(messages)) == 0, "a second run wrote"
        if self.is_ledger_lost:  # the shop's change looks like a person's then
            self.doubtful |= self.changed
        self.is_ledger_lost = False
        # The invoice of a parked order does not bear what the shop changed.
        self.changed = {one for one in self.changed if self.world.row(one).state == "parked"}
        self.compare()
        if self.older:
            self.tally["old news"] += 1
            writes = self.world.writes_of(lambda: self.run(self.older))
            assert writes == 0, "an older state of the shop was posted"

    sync, sync_now = has_orders(rule()(synced)), has_orders(rule()(synced))
    """The same twice, so that it is not seldom among so much else."""

    @has_orders
    @rule(write=st.integers(1, 6), is_sent=st.booleans())
    def sync_and_die(self, write: int, *, is_sent: bool) -> None:
        death = Death(write, is_sent)
        try:
            self.run(self.heard(), death)
            self.tally["sync"] += 1
        except (Killed, Interrupted):
            assert death.is_dead
            self.tally["killed"] += 1

    @precondition(lambda self: self.newest)
    @rule()
    def lose_ledger(self) -> None:
        self.tally["lose ledger"] += 1
        for order in [one for one, lines in self.touched.items() if lines]:
            if (invoice := self.look(order)) and invoice["v3_status"] == "draft":
                self.touched[order] = []  # our Draft is finished where nothing is remembered of it
        self.forget()
        self.older = self.newest = ""
        self.is_ledger_lost = True
