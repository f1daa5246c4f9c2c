"""Invariants inside the tests: desired and observed states are checked wherever a suite makes them.

The makers are wrapped here, not in the product, so that any test of any package that brings forth
an unsound state fails, whatever else it looks at. What is said of FreshBooks' side holds whoever
else is at work there: somebody may pay by hand between two of our requests, or edit an invoice to
less than was paid on it, of which FreshBooks may or may not make a credit.
"""

from __future__ import annotations

import gc
import re
import threading
import zlib
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials.stop import STOP
from target_freshbooks.books.desired import Desired
from target_freshbooks.freshbooks.observed import DELETED
from target_freshbooks.posting.state import Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

pytest_plugins = ["connector_sandbox.testing"]

WHOLE_MODULE = r"^pytestmark = \[?pytest\.mark\.(\w+)\b"


def pytest_addoption(parser: pytest.Parser) -> None:
    """A share of the tests, the same on every machine."""
    parser.addoption("--part", default="1/1", help="the K-th of N parts of the tests, as K/N")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Whether no test of a module would be chosen, by the one mark that all of them bear.

    Else each worker reads it, and pytest's reading of assertions takes longer than some tests.
    """
    left_out = re.fullmatch(r"not \((.*)\)", config.getoption("markexpr"))
    if left_out is None or collection_path.suffix != ".py":
        return None
    mark = re.search(WHOLE_MODULE, collection_path.read_text(encoding="utf-8"), re.MULTILINE)
    return True if mark and mark[1] in left_out[1].split(" or ") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of other parts out; by its name each is in one of them, if not in all."""
    part, parts = map(int, config.getoption("part").split("/"))
    mine: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        is_mine = zlib.crc32(item.nodeid.encode()) % parts == part % parts
        in_all = item.get_closest_marker("in_each_part") is not None
        (mine if is_mine or in_all else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = mine


def pytest_collection_finish() -> None:
    """Have garbage looked for seldom, and not among the modules and tests, which all stay."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell a failure of a long proof when it is met: the others may take an hour yet."""
    if report.failed and "sweep" in report.keywords:
        print(f"\n{report.nodeid}\n{report.longreprtext}\n{report.capstdout}")  # noqa: T201


UNSOUND: list[str] = []
"""What was found in the test at work; a state may be made in any of its threads."""


def _twice(keys: Iterable[object]) -> bool:
    found = list(keys)
    return len(set(found)) != len(found)


def unsound_desired(desired: Desired) -> Iterator[str]:
    """What cannot be in a desired state, a sentence each."""
    invoice, payments, refunds = desired.invoice, desired.payments, desired.refunds
    total, paid = invoice.total, sum(payment.amount for payment in payments)
    if total < 0:
        yield f"the total is {total}"
    if paid > total:
        yield f"payments come to {paid}, the invoice to {total}"
    if any(payment.amount < 0 for payment in payments):
        yield "a payment is negative"
    if _twice(payment.key for payment in payments):
        yield "two payments have one key"
    if _twice(entry.refund_id for entry in refunds):
        yield "a refund stands twice"
    if _twice(item.key for item in desired.items):
        yield "two items have one key"
    currencies = {desired.client.currency, *(item.currency for item in desired.items)}
    if currencies != {invoice.currency}:
        yield f"currencies {sorted(currencies)} on an invoice in {invoice.currency}"
    back, came_in = sum(entry.money for entry in refunds), sum(one.most for one in payments)
    if back > came_in and desired.flag is None:  # the shop says so, and a person is told
        yield f"refunds come to {back}, and {came_in} came in"
    yield from _unsound_refunds(desired)


def _unsound_refunds(desired: Desired) -> Iterator[str]:
    most = {payment.key: payment.most for payment in desired.payments}
    left, total = {one.key: one.amount for one in desired.payments}, desired.invoice.total
    for entry in desired.refunds:
        if entry.value < 0:
            yield f"refund {entry.refund_id} is of {entry.money}"
        after = dict(entry.payments_after)
        if after.keys() - most.keys():
            yield f"refund {entry.refund_id} lowers a payment that there is not"
            return
        left.update(after)
        total -= entry.money
        if any(not 0 <= amount <= most[key] for key, amount in left.items()):
            yield f"after refund {entry.refund_id} a payment is out of its bounds: {left}"
        if sum(left.values()) > max(total, 0):
            yield f"after refund {entry.refund_id} payments {left} are above the total {total}"


def unsound_actual(observed: Observed) -> Iterator[str]:
    """What FreshBooks cannot hold, whoever else works there, a sentence each."""
    invoice, payments = observed.invoice, observed.payments
    if _twice(payment.id for payment in payments):
        yield "a payment stands twice"
    if _twice(note.id for note in observed.credit_notes):
        yield "a credit note stands twice"
    if any(payment.vis_state == DELETED or payment.amount < 0 for payment in payments):
        yield "a payment is deleted or negative"
    if invoice is None:
        return
    if any(payment.invoice_id != invoice.id for payment in payments):
        yield "a payment is of another invoice"
    currencies = {record.currency for record in (*payments, *observed.credit_notes)}
    if currencies - {invoice.currency}:
        yield f"currencies {sorted(currencies)} on an invoice in {invoice.currency}"
    if invoice.paid + invoice.outstanding != invoice.amount:
        yield (
            f"{invoice.paid} paid and {invoice.outstanding} outstanding make no {invoice.amount}"
        )
    if invoice.paid < 0:
        yield f"{invoice.paid} paid"


def checked(kind: type[Any], unsound: Callable[[Any], Iterator[str]]) -> Callable[..., None]:
    """The maker of a frozen record, which notes what cannot be."""
    made = kind.__init__

    @wraps(made)
    def make(self: object, *args: object, **named: object) -> None:
        made(self, *args, **named)
        UNSOUND.extend(f"{kind.__name__}: {fault}" for fault in unsound(self))

    return make


@pytest.fixture(scope="session", autouse=True)
def states_are_checked() -> Iterator[None]:
    """Wrap the makers; also `replace` makes a record through them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Desired, "__init__", checked(Desired, unsound_desired))
        patch.setattr(Observed, "__init__", checked(Observed, unsound_actual))
        yield


@pytest.fixture(autouse=True)
def no_state_is_unsound(states_are_checked: None) -> Iterator[list[str]]:
    """Fail the test in which an unsound state was made."""
    del states_are_checked
    UNSOUND.clear()
    yield UNSOUND
    if UNSOUND:
        pytest.fail("; ".join(dict.fromkeys(UNSOUND)), pytrace=False)


@pytest.fixture(autouse=True)
def nobody_asks_to_stop() -> None:
    """A stop is asked of the whole process, also by a run that fails, and not of the next test."""
    STOP.event = threading.Event()
