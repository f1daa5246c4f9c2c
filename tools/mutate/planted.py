"""A fault of each kind, to be planted in a copy: the state machine must find it and shrink it.

Unlike `lines`, which names the test that guards each line, these show that the machine finds what
nobody thought of: no history is written for any of them.
"""

from __future__ import annotations

from mutate.lines import Mutation
from mutate.lines.mutation import FRESHBOOKS

POSTING = f"{FRESHBOOKS}/posting"

PLANTED = (
    Mutation(
        "an invoice is made again",
        "P1",
        f"{POSTING}/context.py",
        '"invoice_number": invoice.number,',
        '"invoice_number": f"{invoice.number}-{id(self) % 97}",',
        (),
    ),
    Mutation(
        "a payment is made again with the ledger lost",
        "P1",
        f"{POSTING}/observe/by_request.py",
        "if invoice.paid != 0 or recorded.payment_ids or not recorded.known:",
        "if recorded.payment_ids:",
        (),
    ),
    Mutation(
        "a payment is left out",
        "P2",
        f"{POSTING}/plan/payments.py",
        "    ahead = amounts if ahead is None else ahead\n"
        "    for payment in context.desired.payments:\n",
        "    ahead = amounts if ahead is None else ahead\n"
        "    for payment in context.desired.payments[:1]:\n",
        (),
    ),
    Mutation(
        "a payment is too high",
        "P2",
        f"{POSTING}/plan/payments.py",
        "context.payment_body(observed.own.id, payment, wanted),",
        "context.payment_body(observed.own.id, payment, wanted + 1),",
        (),
    ),
    Mutation(
        "a refund is applied twice",
        "P2",
        f"{POSTING}/plan/refunds.py",
        "missing = [entry for entry in wanted if entry.refund_id not in standing]",
        "missing = wanted",
        (),
    ),
    Mutation(
        "an older state is posted over a newer one",
        "P3",
        f"{FRESHBOOKS}/ledger/inbox/inbox.py",
        "    taken, outdated = precedence.latest(received, before)\n",
        "    taken, outdated = received, frozenset[int]()\n",
        (),
    ),
    Mutation(
        "somebody else's change is overwritten",
        "P11",
        f"{POSTING}/context.py",
        "return left is not None and left != fingerprint(invoice)",
        "return False",
        (),
    ),
    Mutation(
        "a second run writes",
        "P5",
        f"{POSTING}/order_work.py",
        'return row.state == "posted" or row.policy_hash == self._outcomes.policy_hash',
        'return row.state == "posted"',
        (),
    ),
    Mutation(
        "a plan is left",
        "P5",
        f"{POSTING}/digests.py",
        '            "billing": _address(invoice.billing),\n',
        "",
        (),
    ),
    Mutation(
        "an order is lost without a trace",
        "P4",
        f"{POSTING}/outcomes.py",
        '        event = "unchanged" if result.unchanged else result.state\n',
        '        event = "unchanged" if result.unchanged else result.state\n'
        '        if event == "waiting":\n            return\n',
        (),
    ),
    Mutation(
        "a closed month is changed",
        "P12",
        f"{POSTING}/apply/fence.py",
        "return ClosedDays(through, self._locked)",
        "return ClosedDays(None, self._locked)",
        (),
    ),
)
