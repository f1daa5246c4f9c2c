"""A bookkeeper's notation of one order's books, read into what the plan is made from.

A row is a sentence and, indented below it, sections of short lines:

    A paid order is made as a Draft, proven, sent and paid
        order
            Shirt 1 x 30.00 + VAT 20
            paid transaction:77 36.00
        steps
            create Shirt 1 x 30.00 + VAT 20
            send
            pay transaction:77 36.00
            done

`order` says what the books should hold, `freshbooks` what they hold, `ledger` what is remembered of
it, `attempt` what was asked for or learnt, and `steps` what must follow. What is left out is as one
would think: the total is that of the lines, the ledger's invoice is as FreshBooks has it.

An amount after `=>` is FreshBooks' answer where it is not the foreseen one; `=> 10.00 and a credit
907` where it caps a payment. `...` ends the steps where what follows does not matter.

- order: `LINE`, `without negatives`, `total`, `currency`, `day`, `flag
  REASON`, `hold REASON`, `billing FIRST LAST`, `paid KEY AMOUNT [received AMOUNT]`,
  `refund ID AMOUNT [leaves KEY AMOUNT …]`, `credit ID AMOUNT [in NUMBER wordings]`;
  lines called `Refund ID` are the refund's.
- freshbooks: `invoice [AMOUNT] [draft | archived | deleted] [unmarked | of order ID] [in CURRENCY]
  [on DAY] [client ID] [billed to NAME]`, `LINE`, `payment KEY|by hand AMOUNT [id ID] [credit ID]`,
  `credit note ID AMOUNT [id ID]`, `overpayment KEY AMOUNT`.
- ledger: `invoice [edited] [of other facts | of an earlier version] [archived]
  [head asked | head changed by hand]`,
  `payment KEY AMOUNT [id ID] [from AMOUNT] [asked AMOUNT] [credit ID] [deleted]`,
  `credit note ID AMOUNT [id ID] [wording NUMBER] [deleted]`.
- attempt: fields of `Progress` and settings of `Policy` by name, `client ID`, `negatives refused`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_freshbooks.books import predict_totals
from target_freshbooks.books.desired import (
    ClientDraft,
    CreditNote,
    Desired,
    ExactLine,
    Invoice,
    InvoiceLine,
    LineTax,
    Parked,
    Payment,
    Reason,
    RefundEntry,
)
from target_freshbooks.books.policy import Policy
from target_freshbooks.freshbooks.observed import (
    BillingAddress,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedLine,
    ObservedPayment,
)
from target_freshbooks.ledger import Link
from target_freshbooks.marks import Mark, is_refund_line, refund_line
from target_freshbooks.money import decimals_of
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.identity import invoice_key, invoice_link, part_link
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.head import CLIENT as CLIENT_FIELD
from target_freshbooks.posting.plan.head import asked, written
from target_freshbooks.posting.plan.steps import AttemptState
from target_freshbooks.posting.state import Observed
from target_freshbooks.shop.facts import Address

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDER, CLIENT, INVOICE = 101, 9, 500
MARK = Mark(ORDER, "abc123")
DAY = date(2026, 11, 2)
NOW, BEFORE, EARLIER = "facts of now", "facts of before", "facts in an earlier form"
LINE = re.compile(r"(?P<name>.+?) (?P<qty>-?[\d.]+) x (?P<cost>-?[\d.]+)(?P<taxes>( \+ .+)?)")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its sentence, and the lines of each section."""

    sentence: str
    sections: dict[str, list[str]]

    def __getitem__(self, section: str) -> list[str]:
        return self.sections.get(section, [])


@dataclass(slots=True)
class Scene:
    """What a row says before its steps."""

    context: OrderContext
    observed: Observed
    progress: AttemptState
    links: list[Link] = field(default_factory=list)


def rows_in(table: str) -> Iterator[Row]:
    """The rows of a table; what follows `#` is a remark."""
    row: Row | None = None
    for raw in table.splitlines():
        line = raw.partition("#")[0].rstrip()
        depth = len(line) - len(line.lstrip())
        if not line:
            continue
        if depth == 0:
            if row is not None:
                yield row
            row = Row(line, {})
        elif row is not None and depth == 4:
            section = row.sections.setdefault(line.strip(), [])
        else:
            section.append(" ".join(line.split()))
    if row is not None:
        yield row


def scene_of(row: Row) -> Scene:
    """The row's order, FreshBooks, ledger and attempt."""
    unknown = row.sections.keys() - {"order", "freshbooks", "ledger", "attempt", "steps"}
    if unknown:
        raise SyntaxError(f"no section of a row: {', '.join(unknown)}")
    desired = _desired(row["order"])
    observed = _actual(row["freshbooks"], desired)
    progress, policy, others = _attempt(row["attempt"])
    client_id, earlier = others.pop("client_id", CLIENT), frozenset({EARLIER})
    context = OrderContext(desired, NOW, policy, client_id, earlier=earlier, **others)
    return Scene(context, observed, progress, list(_links(row["ledger"], context, observed)))


def line_of(words: str) -> InvoiceLine | None:
    """`Shirt 2 x 15.00 + VAT 20 + City 1.5` as a line; None where it is none."""
    found = LINE.fullmatch(words)
    if found is None:
        return None
    taxes = (tax.rsplit(" ", 1) for tax in found["taxes"].split(" + ")[1:])
    return InvoiceLine(
        found["name"],
        "",
        Decimal(found["qty"]),
        Decimal(found["cost"]),
        tuple(LineTax(name, Decimal(percent)) for name, percent in taxes),
    )


def in_words(line: InvoiceLine) -> str:
    """The line as `line_of` reads it."""
    taxes = "".join(f" + {tax.name} {tax.percent}" for tax in line.taxes)
    return f"{line.name} {line.quantity} x {line.unit_cost}{taxes}"


def _after(words: str, name: str) -> str | None:
    """The word that follows a name; None where the name is not there."""
    found = re.search(rf"(?:^| ){name} (\S+)", words)
    return found[1] if found else None


def _money(words: str, name: str) -> Decimal | None:
    found = _after(words, name)
    return None if found is None else Decimal(found)


def _has(words: str, *names: str) -> bool:
    return any(f" {name} " in f" {words} " for name in names)


def _desired(said: list[str]) -> Desired:
    lines, others = list[InvoiceLine](), list[InvoiceLine]()
    taken: dict[int, list[ExactLine]] = {}
    current, facts = lines, dict[str, str]()
    paid, given = list[str](), list[str]()
    for words in said:
        line = line_of(words)
        refund_id = line and is_refund_line(line.name)
        if line is not None and refund_id is not None:
            net = line.quantity * line.unit_cost
            taken.setdefault(refund_id, []).append(ExactLine(line.name, "", net, line.taxes))
        elif line is not None:
            current.append(line)
        elif words == "without negatives":
            current = others
        elif words.startswith("paid "):
            paid.append(words)
        elif words.startswith(("refund ", "credit ")):
            given.append(words)
        else:
            name, _, value = words.partition(" ")
            facts[name] = value
    currency = facts.pop("currency", "USD")
    likely = min(predict_totals(tuple(lines), decimals_of(currency)))
    total = Decimal(facts.pop("total", likely))
    first, _, last = facts.pop("billing", "").partition(" ")
    hold, flag = facts.pop("hold", ""), facts.pop("flag", "")
    why = hold or flag
    day = date.fromisoformat(facts.pop("day", DAY.isoformat()))
    if facts:
        raise SyntaxError(f"an order has no {', '.join(facts)}")
    billing = Address(first_name=first, last_name=last)
    return Desired(
        order_id=ORDER,
        client=ClientDraft("customer:7", "ada@shop.example", billing, currency),
        items=(),
        invoice=Invoice(
            str(ORDER),
            day,
            currency,
            total,
            tuple(lines),
            MARK,
            str(MARK),
            str(MARK),
            billing,
            without_negatives=tuple(others),
        ),
        payments=tuple(_payment(words) for words in paid),
        refunds=tuple(_refund(words, taken) for words in given),
        flag=Parked(Reason(why), "as the order says", "look") if why else None,
        hold=bool(hold),
    )


def _payment(words: str) -> Payment:
    _, key, amount, *_ = words.split()
    part = key.replace(":", " ")
    note = str(MARK.of(part))
    return Payment(key, Decimal(amount), DAY, "Cash", note, received=_money(words, "received"))


def _refund(words: str, taken: dict[int, list[InvoiceLine]]) -> RefundEntry:
    kind, own, amount, *rest = words.split()
    refund_id, money = int(own), Decimal(amount)
    if kind == "credit":
        ways = int(_after(words, "in") or 1)
        name = refund_line(refund_id)
        lines = tuple((InvoiceLine(name, f"{n}", Decimal(1), money),) for n in range(ways))
        notes = str(MARK.of(f"refund {refund_id}"))
        note = CreditNote(refund_id, notes, DAY, money, lines)
        return RefundEntry(refund_id, Decimal(0), (), (), DAY, credit_note=note)
    left = tuple((key, Decimal(value)) for key, value in zip(rest[1::2], rest[2::2], strict=True))
    plain = ExactLine(refund_line(refund_id), "", -money)
    return RefundEntry(refund_id, money, left, tuple(taken.get(refund_id, [plain])), DAY)


def _actual(said: list[str], desired: Desired) -> Observed:
    if not said:
        return Observed()
    lines = [line for words in said if (line := line_of(words)) is not None]
    payments = [
        _observed_payment(words, 700 + n, desired.invoice.currency)
        for n, words in enumerate(said)
        if words.startswith("payment ")
    ]
    notes = [
        _observed_note(words, 800 + n, desired.invoice.currency)
        for n, words in enumerate(said)
        if words.startswith("credit note ")
    ]
    standing = {
        words.split()[1]: _observed_note(words, 900 + n, desired.invoice.currency)
        for n, words in enumerate(said)
        if words.startswith("overpayment ")
    }
    invoice = _observed_invoice(said[0], lines, payments, desired)
    return Observed(invoice, tuple(payments), tuple(notes), standing)


def _observed_invoice(
    words: str, lines: list[InvoiceLine], payments: list[ObservedPayment], desired: Desired
) -> ObservedInvoice:
    kind, *rest = words.split()
    if kind != "invoice":
        raise SyntaxError(f"FreshBooks holds an invoice first, not {words!r}")
    wanted = desired.invoice
    said = rest[0] if rest and re.fullmatch(r"-?[\d.]+", rest[0]) else None
    amount = min(predict_totals(tuple(lines), decimals_of(wanted.currency)))
    amount = amount if said is None else Decimal(said)
    paid = sum((payment.amount for payment in payments), start=Decimal(0))
    other = _after(words, "of order")
    mark = str(MARK) if other is None else str(replace(MARK, order_id=int(other)))
    mark = "" if _has(words, "unmarked") else mark
    billing = BillingAddress(wanted.billing.first_name, wanted.billing.last_name)
    name = _after(words, "billed to")
    return ObservedInvoice(
        INVOICE,
        wanted.number,
        int(_after(words, "client") or CLIENT),
        1 if _has(words, "draft") else 2,
        "",
        amount,
        paid,
        amount - paid,
        _after(words, "in") or wanted.currency,
        date.fromisoformat(_after(words, "on") or wanted.day.isoformat()),
        mark,
        mark,
        tuple(map(_observed_line, lines)),
        "",
        billing if name is None else replace(billing, fname=name),
        vis_state=1 if _has(words, "deleted") else 2 if _has(words, "archived") else 0,
    )


def _observed_line(line: InvoiceLine) -> ObservedLine:
    first, second = (*((tax.name, tax.percent) for tax in line.taxes), *[(None, Decimal(0))] * 2)[
        :2
    ]
    amount = line.quantity * line.unit_cost
    texts = (line.name, line.description)
    return ObservedLine(*texts, line.quantity, line.unit_cost, amount, *first, *second)


def _observed_payment(words: str, likely: int, currency: str) -> ObservedPayment:
    _, key, *_ = words.split()
    by_hand = key == "by"
    amount = words.split()[3 if by_hand else 2]
    note = "" if by_hand else str(MARK.of(key.replace(":", " ")))
    credit = _after(words, "credit")
    own = int(_after(words, "id") or likely)
    made = int(credit) if credit else None
    return ObservedPayment(own, INVOICE, Decimal(amount), currency, DAY, "Cash", note, made)


def _observed_note(words: str, likely: int, currency: str) -> ObservedCreditNote:
    said = words.removeprefix("credit note ").removeprefix("overpayment ").split()
    part = "" if words.startswith("overpayment ") else str(MARK.of(f"refund {said[0]}"))
    own = int(_after(words, "id") or likely)
    return ObservedCreditNote(own, CLIENT, "", Decimal(said[1]), currency, part)


def _attempt(said: list[str]) -> tuple[AttemptState, Policy, dict[str, Any]]:
    progress, policy, others = AttemptState(), Policy(), dict[str, Any]()
    for words in said:
        name, _, value = words.partition(" ")
        if re.fullmatch(r"(refund|credit) \d+ wording \d+", words):
            own = {int(value.split()[0]): int(value.split()[2])}
            progress = replace(progress, **{f"{name}_expression": own})
        elif re.fullmatch(r"refund \d+ refused", words):
            progress = replace(progress, refused_refunds={int(value.split()[0]): "refused"})
        elif name == "written":
            progress = replace(progress, written=True, mended=_has(words, "mended"))
        elif name == "client":
            others["client_id"] = int(value)
        elif words == "negatives refused":
            others["negatives_refused"] = True
        elif value:
            setting = int(value) if value.isdigit() else value
            policy = replace(policy, **{name: setting})
        else:
            progress = replace(progress, **{name: True})
    return progress, policy, others


def _links(said: list[str], context: OrderContext, observed: Observed) -> Iterator[Link]:
    for words in said:
        if words.startswith("invoice"):
            yield _invoice_link(words, context, observed)
        elif words.startswith("payment "):
            yield _payment_link(words, observed)
        else:
            yield _note_link(words, observed)


def _invoice_link(words: str, context: OrderContext, observed: Observed) -> Link:
    content = BEFORE if _has(words, "of other facts") else NOW
    content = EARLIER if _has(words, "of an earlier version") else content
    invoice = observed.invoice
    if invoice is None:
        key = invoice_key(ORDER)
        return Link("invoice", key, INVOICE, "as it was", content, order_id=ORDER)
    then = replace(invoice, amount=invoice.amount + 1) if _has(words, "edited") else invoice
    extra = {"archived": True} if _has(words, "archived") else {}
    link = invoice_link(then, ORDER, content=content, extra=extra)
    if _has(words, "head changed by hand"):
        then = replace(then, customer_id=0, billing=BillingAddress(fname="Before"))
    link = written(link, then, {CLIENT_FIELD: then.customer_id}, None)
    if not _has(words, "head asked"):
        return link
    return asked(link, context.head_body, context.desired.client.key)


def _payment_link(words: str, observed: Observed) -> Link:
    _, key, amount, *_ = words.split()
    mark = MARK.of(key.replace(":", " "))
    known = next((row.id for row in observed.payments if row.note == str(mark)), 700)
    extra: dict[str, Any] = {}
    former, asked = _after(words, "from"), _after(words, "asked")
    if asked is not None:
        extra["asked"] = [asked]
    if former is not None:
        extra["wanted"] = [former, asked or amount]
    if _has(words, "credit"):
        extra["overpayment"] = int(_after(words, "credit") or 0)
    own = int(_after(words, "id") or known)
    deleted = _has(words, "deleted")
    link = part_link("payment", ORDER, key, own, deleted=deleted)
    return replace(link, amount=Decimal(amount), day=DAY, extra=extra)


def _note_link(words: str, observed: Observed) -> Link:
    said = words.removeprefix("credit note ").split()
    mark = str(MARK.of(f"refund {said[0]}"))
    known = next((row.id for row in observed.credit_notes if row.notes == mark), 800)
    own = int(_after(words, "id") or known)
    extra = {"expression": int(_after(words, "wording") or 0)}
    deleted = _has(words, "deleted")
    link = part_link("credit_note", ORDER, said[0], own, deleted=deleted)
    return replace(link, amount=Decimal(said[1]), extra=extra)


def lines_in_words(body: dict[str, Any]) -> str:
    """The lines of a body."""
    return "; ".join(in_words(line) for line in wire.from_body(body))
