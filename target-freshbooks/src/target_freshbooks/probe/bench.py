"""Bench: the probe's own records, and the only way in which it writes.

Each record is committed to the ledger before it is made, and each change of one to the audit
journal before it is sent. All bear the probe's tag, `PROBE-` and six digits, so that a person can
tell them, too.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from target_freshbooks.freshbooks import (
    Conflict,
    FreshBooks,
    ObservedClient,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedItem,
    ObservedPayment,
    Refused,
    RequestRecord,
)
from target_freshbooks.ledger import AccountLock, Ledger
from target_freshbooks.ledger.probe_records import Kind

PREFIX = "PROBE-"
DIGITS = 6
MOST_NUMBERS = 6
"""Numbers after its own that a full probe uses at most."""
EMAIL_DOMAIN = "example.com"
"""Reserved for examples (RFC 2606): no mail arrives there."""

Body = Mapping[str, Any]


@dataclass(slots=True)
class Requests:
    """What FreshBooks' answers to a probe tell of its quota."""

    count: int = 0
    quota: Mapping[str, str] = field(default_factory=dict)
    throttled: Mapping[str, str] | None = None

    def note(self, request: RequestRecord) -> None:
        """Take one request in."""
        self.count += 1
        if request.status == 429:  # noqa: PLR2004 - Too Many Requests
            self.throttled = dict(request.quota)
        elif request.quota:
            self.quota = request.quota


@dataclass(slots=True)
class Bench:
    """The probe's place in the account.

    Attributes:
        books: FreshBooks.
        ledger: Where its records are committed.
        lock: The account's.
        run_id: The probe.
        tag: `PROBE-` and six digits: number of the Draft, name of item and client.
        today: The day that its records bear.
        sleep: Waits between looks; it may raise to end the probe.
        seconds: A clock that is never set.
        patience: Seconds that a fresh record is waited for in searches.
        requests: What was asked so far.
        client: Its client, as soon as there is one.
        item: Its item.
        draft: Its Draft as it stands.
        sent: An invoice of it that was sent, in a full probe.
        payment: What was paid on that.
        overpaid: A payment that was more than was outstanding.
        note: A credit note of its client.
    """

    books: FreshBooks
    ledger: Ledger
    lock: AccountLock
    run_id: str
    tag: str
    today: date
    sleep: Callable[[float], None]
    seconds: Callable[[], float]
    patience: float
    requests: Requests
    client: ObservedClient | None = None
    item: ObservedItem | None = None
    draft: ObservedInvoice | None = None
    sent: ObservedInvoice | None = None
    payment: ObservedPayment | None = None
    overpaid: ObservedPayment | None = None
    note: ObservedCreditNote | None = None
    negatives: bool = True
    """A change may bring a negative line."""
    lines_shown: bool = False
    """The answer to the Draft's creation had its lines."""
    unseen: bool = False
    """Fresh records are not shown by searches for longer than it waits."""
    unseen_seconds: float = 0.0
    """How long searches did not show a fresh record."""
    wrote_at: float = 0.0
    """When it wrote last, on its clock."""

    # -- what it writes

    def make(self, record: Kind, key: str, body: Body) -> Any:  # noqa: ANN401 - a record of the kind
        """Make a record of its own.

        Raises:
            Refused: FreshBooks declined, and nothing is there.
        """
        number = self.ledger.probe.intend(self.lock, record, key, body, self.run_id)
        self.wrote_at = self.seconds()
        try:
            made = self.books.collections[record].create(body)
        except Refused:
            self.ledger.probe.close(number, "refused", self.run_id)
            raise
        self.ledger.probe.close(number, "made", self.run_id, remote_id=made.id)
        return made

    def alter(self, record: Kind, id: int, body: Body) -> Any:  # noqa: A002, ANN401 - as above
        """Change a record of its own.

        Raises:
            Refused: FreshBooks declined.
        """
        self.ledger.probe.change(self.lock, record, id, body, self.run_id)
        self.wrote_at = self.seconds()
        return self.books.collections[record].update(id, body)

    def attempt(self, write: Callable[[], Any]) -> Any:  # noqa: ANN401 - as above
        """What a write gives: the record, or the refusal.

        Raises:
            Conflict: Somebody else is at the record, which tells nothing of the account.
        """
        try:
            return write()
        except Conflict:
            raise
        except Refused as refused:
            return refused

    def settle(self) -> None:
        """Wait until searches show what was written last, as far as that is known."""
        self.sleep(max(0.0, self.wrote_at + self.unseen_seconds - self.seconds()))

    # -- its records

    @property
    def email(self) -> str:
        """Its client's, with capitals so that a search shows whether it heeds them."""
        return f"Probe-{self.tag.removeprefix(PREFIX)}@{EMAIL_DOMAIN}"

    @property
    def currency(self) -> str:
        """The account's own, as its client has it."""
        return (self.client.currency_code if self.client else "") or "USD"

    def number(self, more: int) -> str:
        """Another number of its own: the tag's, counted on."""
        digits = (int(self.tag.removeprefix(PREFIX)) + more) % 10**DIGITS
        return f"{PREFIX}{digits:0{DIGITS}d}"

    def line(self, cost: str = "10.00", qty: str = "1", *taxes: tuple[str, str]) -> dict[str, Any]:
        """A line of an invoice; taxes are names with percents."""
        named = {
            f"tax{what}{place}": value
            for place, tax in enumerate(taxes, start=1)
            for what, value in zip(("Name", "Amount"), tax, strict=True)
        }
        amount = {"amount": cost, "code": self.currency}
        return {"name": self.tag, "qty": qty, "unit_cost": amount, **named}

    def invoice_body(self, number: str, lines: Iterable[Body]) -> dict[str, Any]:
        """A new invoice of its client."""
        return {
            "customerid": self.client.id if self.client else None,
            "create_date": self.today.isoformat(),
            "invoice_number": number,
            "currency_code": self.currency,
            "notes": f"{self.tag}: made to find out how this account works; to be deleted.",
            "lines": list(lines),
        }

    def invoice(self, number: str, lines: Iterable[Body], **more: object) -> ObservedInvoice:
        """Make an invoice of its client."""
        body = self.invoice_body(number, lines) | more
        made: ObservedInvoice = self.make("invoice", number, body)
        return made

    def pay(self, invoice: ObservedInvoice, much: str, **more: object) -> ObservedPayment:
        """Pay an invoice of its own."""
        body = {
            "invoiceid": invoice.id,
            "amount": {"amount": much, "code": invoice.currency},
            "date": self.today.isoformat(),
            "type": "Other",
            "note": self.tag,
            "send_client_notification": False,
            **more,
        }
        made: ObservedPayment = self.make("payment", f"{invoice.id}:{body['note']}", body)
        return made

    def credit(self, number: str, amount: str = "1.00") -> ObservedCreditNote:
        """Give its client a credit note."""
        client = self.client.id if self.client else 0
        body = {
            "clientid": client,
            "create_date": self.today.isoformat(),
            "credit_number": number,
            "currency_code": self.currency,
            "credit_type": "goodwill",
            "notes": self.tag,
            "lines": [self.line(amount)],
        }
        made: ObservedCreditNote = self.make("credit_note", f"{client}:{self.tag}", body)
        return made

    def redraft(self, **body: object) -> ObservedInvoice:
        """Change its Draft."""
        assert self.draft is not None  # noqa: S101 - a check asks for it first
        self.draft = self.alter("invoice", self.draft.id, body)
        # The answer may come without the lines that were asked for.
        if self.draft.lines is None:
            self.draft = self.books.invoices.get(self.draft.id)
        return self.draft


def new_tag(rng: random.Random) -> str:
    """`PROBE-` and six digits."""
    return f"{PREFIX}{rng.randrange(10**DIGITS):0{DIGITS}d}"
