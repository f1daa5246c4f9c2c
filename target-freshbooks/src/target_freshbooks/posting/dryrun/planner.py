"""Planner: the reconciler runs over an order with a writer that only foresees the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from target_freshbooks.books.reading import ReadError
from target_freshbooks.ledger import Ledger, ScratchLedger
from target_freshbooks.posting import reasons
from target_freshbooks.posting.account_profile import AccountProfile
from target_freshbooks.posting.apply.brake import Brake
from target_freshbooks.posting.apply.clients_and_items import ClientsAndItems
from target_freshbooks.posting.apply.parts import Parts
from target_freshbooks.posting.dryrun.simulator import Simulator
from target_freshbooks.posting.facts import fence_of, gather
from target_freshbooks.posting.observe.by_request import RequestObserver
from target_freshbooks.posting.plan.render import Plan
from target_freshbooks.posting.plan.steps import Asked
from target_freshbooks.posting.reconciler import Reconciler
from target_freshbooks.posting.results import OrderResult

if TYPE_CHECKING:
    import threading

    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.posting.observe.observer import Observer


class Planner:
    """Plans orders over the ledger and FreshBooks as they are; writes to neither."""

    def __init__(
        self,
        books: FreshBooks,
        ledger: Ledger,
        policy: Policy,
        stop: threading.Event,
        observer: Observer | None = None,
    ) -> None:
        self._books = books
        self._observer = observer or RequestObserver(books)
        self._ledger = ledger
        self._policy = policy
        self._stop = stop
        self._profile = AccountProfile(books, ledger, learns=False)

    def plan(self, order_id: int, asked: Asked | None = None) -> Plan | None:
        """The plan of an order in the ledger; None if its record is not there."""
        row = self._ledger.orders.get(order_id)
        if row is not None and row.state == "settled":
            return Plan(order_id, OrderResult("settled", why=row.detail))
        stored = self._ledger.inbox.facts_of(order_id)
        if stored is None:
            return None
        try:
            return self.of_facts(gather(self._ledger, stored), asked)
        except ReadError as error:
            return Plan(order_id, OrderResult("parked", parked=reasons.unreadable(error)))

    def of_facts(self, facts: OrderFacts, asked: Asked | None = None) -> Plan:
        """The plan of an order whose facts are at hand."""
        ledger = ScratchLedger(self._ledger)
        fence, brake = fence_of(ledger, self._policy), Brake(None)
        simulator = Simulator(
            self._books, self._observer, ledger, fence, self._profile.capabilities
        )
        parts = Parts(
            self._books,
            simulator,
            ledger,
            simulator,
            ClientsAndItems(self._books, ledger, simulator, _never, _never),
            _never,
            self._stop,
            brake,
            self._profile,
        )
        result = Reconciler(parts, self._policy).reconcile(facts, asked=asked or Asked())
        return Plan(facts.order.id, result, tuple(simulator.steps), bool(brake.rewritten))


def _never(unanswered: object) -> NoReturn:
    raise AssertionError(f"a planning writer always answers, but: {unanswered!r}")
