"""Order context: everything the plan needs besides what FreshBooks holds at the moment."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import chain
from typing import Any

from target_freshbooks.books import predict_totals
from target_freshbooks.books.closed import ClosedDays
from target_freshbooks.books.desired import (
    CreditNote,
    Desired,
    Lines,
    Parked,
    Payment,
    Reason,
    RefundEntry,
    round_trip,
)
from target_freshbooks.books.exemption import renewed
from target_freshbooks.books.policy import Policy
from target_freshbooks.freshbooks.observed import DRAFT, ObservedInvoice
from target_freshbooks.money import decimals_of
from target_freshbooks.posting.digests import fingerprint
from target_freshbooks.posting.identity import is_marked
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.head import head_body
from target_freshbooks.posting.state import Recorded

ZERO = Decimal(0)
MOST_CREDIT_NUMBER = 10  # characters (FreshBooks support, "credit notes")


@dataclass(frozen=True, slots=True)
class OrderContext:
    """Desired state, policy and memory of one order.

    Attributes:
        desired: What the books should hold.
        content: `content_digest` of the facts behind it.
        earlier: What earlier versions of that digest made of the same facts.
        policy: The bookkeeper's settings.
        client_id: FreshBooks' id of the client (0 in a plan if it is still to be created).
        item_names: Item key → the name FreshBooks has for the item.
        recorded: What the ledger knows.
        closed: The days that are closed.
        expense_category: FreshBooks' id of `refunds_expense_category`; 0: there is none.
        unmarked: The field, `notes` or `po_number`, that FreshBooks keeps too short for the mark.
        keeps_client: Its invoice is left with the client that it has.
        otherwise: The desired state as it would be said of an account with other ways.
        negatives_refused: FreshBooks takes no line below zero: the invoice is said without.
    """

    desired: Desired
    content: str
    policy: Policy
    client_id: int
    item_names: Mapping[str, str] = field(default_factory=dict)
    recorded: Recorded = field(default_factory=Recorded)
    earlier: frozenset[str] = frozenset()
    negatives_refused: bool = False
    keeps_client: bool = False
    closed: ClosedDays = field(default_factory=ClosedDays)
    expense_category: int = 0
    unmarked: str = ""
    otherwise: Callable[[], Iterable[Desired]] = tuple

    @property
    def decimals(self) -> int:
        """Decimals of the invoice's currency."""
        return decimals_of(self.desired.invoice.currency)

    @property
    def lines(self) -> Lines:
        """The invoice's own lines, with the items' FreshBooks names."""
        invoice = self.desired.invoice
        way = invoice.without_negatives if self.negatives_refused else invoice.lines
        return wire.named(way, self.item_names)

    @property
    def head_body(self) -> dict[str, Any]:
        """The head that the invoice should have."""
        return head_body(self.client_id, self.desired.invoice.billing)

    @property
    def is_edited(self) -> bool:
        """Whether the order is not what the invoice's lines were made from."""
        return self.recorded.content not in {self.content, *self.earlier}

    def is_ours(self, invoice: ObservedInvoice) -> bool:
        """Whether the invoice bears the order's marker."""
        return is_marked(invoice, self.desired.invoice.marker)

    def was_edited(self, invoice: ObservedInvoice) -> bool:
        """Whether a person changed the invoice since we last wrote it."""
        left = self.recorded.fingerprint
        return left is not None and left != fingerprint(invoice)

    def refunds_on(self, invoice: ObservedInvoice) -> list[RefundEntry]:
        """The order's refunds whose lines stand on the invoice."""
        on_it = wire.refunds_on(invoice)
        return [entry for entry in self.desired.refunds if entry.refund_id in on_it]

    def keeps_draft(self, invoice: ObservedInvoice | None, *, send: bool) -> bool:
        """Whether the invoice, or a correction of it, is to stay a Draft for now."""
        drafted = invoice is not None and invoice.status == DRAFT
        return drafted and self.policy.post_as == "draft" and not send

    def total_with_refunds_on(self, invoice: ObservedInvoice) -> Decimal:
        """What the invoice must come to with the refunds whose lines stand on it."""
        booked = self.refunds_on(invoice)
        return self.desired.invoice.total - sum((entry.money for entry in booked), start=ZERO)

    def outdated_refunds(self, invoice: ObservedInvoice) -> frozenset[int]:
        """The refunds whose lines on the invoice do not say the money that went back.

        Declined since, sent back another way, or of another amount. If FreshBooks rounds taxes
        over the whole invoice, lines that are right may not show it by themselves and count too.
        """
        wanted = {
            entry.refund_id: (-entry.money, entry.stored)
            for entry in self.desired.refunds
            if entry.taken
        }
        on_it = wire.refunds_on(invoice)
        return frozenset(
            refund_id
            for refund_id, lines in on_it.items()
            if wanted.get(refund_id)
            not in {
                (total, wire.stored_on(lines)) for total in predict_totals(lines, self.decimals)
            }
        )

    def agrees(self, invoice: ObservedInvoice) -> bool:
        """Whether the invoice is the order's, less the refunds on it, outdated ones too.

        Its total, and amounts and taxes of its lines, are those of the order; names stay as they
        are found. They may have been chosen when something else was known of the account.
        """
        return any(
            replace(self, desired=desired)._agrees(invoice)  # noqa: SLF001 - one of us
            for desired in chain((self.desired,), self.otherwise())
        )

    def _agrees(self, invoice: ObservedInvoice) -> bool:
        return self._comes_to_its_order(invoice) and self._says_its_order(invoice)

    def _says_its_order(self, invoice: ObservedInvoice) -> bool:
        rounding = self.policy.names.rounding

        def money(lines: Lines) -> Counter[tuple[object, ...]]:
            return wire.amounts_and_taxes(line for line in lines if line.name != rounding)

        wanted = self.desired.invoice
        counted = money(wire.sale_on(invoice))
        return counted in (money(wanted.lines), money(wanted.without_negatives))

    def _comes_to_its_order(self, invoice: ObservedInvoice) -> bool:
        if invoice.amount == self.total_with_refunds_on(invoice):
            return True
        outdated = self.outdated_refunds(invoice)
        on_it = wire.refunds_on(invoice)
        lines = tuple(line for refund_id in outdated for line in on_it[refund_id])
        booked = self.refunds_on(invoice)
        due = [entry.money for entry in booked if entry.refund_id not in outdated]
        left = self.desired.invoice.total - sum(due, start=ZERO)
        return invoice.amount - left in predict_totals(lines, self.decimals)

    def body_of_lines(self, lines: Lines) -> dict[str, Any]:
        """The body that replaces the invoice's lines."""
        return {"lines": wire.lines_body(lines, self.desired.invoice.currency)}

    def day_body(self, invoice: ObservedInvoice) -> dict[str, Any]:
        """What sets the day of an invoice that was edited by hand right again."""
        day = self.desired.invoice.day
        if not self.was_edited(invoice) or invoice.create_date == day:
            return {}
        return {"create_date": day.isoformat()}

    def notes_body(self, invoice: ObservedInvoice) -> dict[str, Any]:
        """What has the notes say of the tax what holds for the order now."""
        notes = renewed(invoice.notes, self.desired.invoice.notes)
        return {} if notes.split() == invoice.notes.split() else {"notes": notes}

    def invoice_body(self, lines: Lines) -> dict[str, Any]:
        """The body that creates the invoice."""
        invoice = self.desired.invoice
        body: dict[str, Any] = {
            **self.head_body,
            "create_date": invoice.day.isoformat(),
            "invoice_number": invoice.number,
            "currency_code": invoice.currency,
            "notes": invoice.notes,
            "po_number": invoice.po_number,
            "due_offset_days": invoice.due_days,
        }
        body.pop(self.unmarked, None)  # the mark stands in the other of both
        return body | self.body_of_lines(lines)

    def payment_body(self, invoice_id: int, payment: Payment, amount: Decimal) -> dict[str, Any]:
        """The body that records a payment; never e-mails the customer a receipt."""
        return {
            "invoiceid": invoice_id,
            "amount": self.money(amount),
            "date": payment.day.isoformat(),
            "type": payment.type,
            "note": payment.note,
            "send_client_notification": False,
        }

    def credit_note_body(
        self, note: CreditNote, expression: int, customer_id: int
    ) -> dict[str, Any]:
        """The body that gives the invoice's client credit for a refund."""
        lines = note.variants[expression]
        number = self.credit_number(note.refund_id, expression)
        return {
            "clientid": customer_id,
            "create_date": note.day.isoformat(),
            # FreshBooks numbers it if ours would be too long: its notes make it ours.
            **({"credit_number": number} if number else {}),
            "currency_code": self.desired.invoice.currency,
            "credit_type": "goodwill",
            "notes": note.notes,
            "lines": wire.lines_body(
                wire.named(lines, self.item_names), self.desired.invoice.currency
            ),
        }

    def credit_number(self, refund_id: int, expression: int) -> str:
        """The number of a refund's credit note: the prefix and `R5`, and without a prefix `R5`.

        The first that is not too long; empty if both are. Another wording is another document: the
        number of a deleted one may stay taken.
        """
        own = f"R{refund_id}-{expression + 1}" if expression else f"R{refund_id}"
        numbers = (f"{self.policy.invoice_number_prefix}{own}", own)
        return next((number for number in numbers if len(number) <= MOST_CREDIT_NUMBER), "")

    def money(self, amount: Decimal) -> dict[str, str]:
        """An amount as FreshBooks takes it."""
        places = max(self.decimals, 2)
        return {
            "amount": round_trip(amount.quantize(Decimal(1).scaleb(-places))),
            "code": self.desired.invoice.currency,
        }

    def wording(self, amount: Decimal) -> str:
        """An amount as a person reads it."""
        return f"{amount:.{self.decimals}f} {self.desired.invoice.currency}"

    def payments_at(self, entry: RefundEntry | None) -> dict[str, Decimal]:
        """Amount of each payment once `entry` (and all refunds before it) is booked."""
        amounts = {payment.key: payment.amount for payment in self.desired.payments}
        if entry is not None:
            amounts.update(dict(entry.payments_after))
        return amounts

    def edited(self, what: str) -> Parked:
        """The order is parked since a person changed its invoice."""
        return Parked(
            Reason.EDITED_IN_FRESHBOOKS,
            f"Invoice {self.desired.invoice.number}: {what}",
            "Compare both; then either undo the edit in FreshBooks and replay the order, or replay"
            " it with --overwrite to let the order's own figures win.",
        )
