"""Checks of a Draft's arithmetic: what it takes in its lines, and what it makes of them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from target_freshbooks.books.desired import InvoiceLine, LineTax
from target_freshbooks.books.rounding import KINDS, kinds_that_give
from target_freshbooks.capabilities import FRESHBOOKS
from target_freshbooks.freshbooks import ObservedInvoice, Refused
from target_freshbooks.freshbooks.refusals import RefusalKind, classify
from target_freshbooks.probe.bench import Bench
from target_freshbooks.probe.finding import Check, Measurement, Untold, draft_of, refusal, taken

A, B = "PROBE A", "PROBE B"
_PLACES = 2

Amounts = Sequence[tuple[str, str]]
"""Lines that bear one tax: unit cost and percent."""

ROUNDINGS: tuple[Amounts, ...] = (
    (("0.10", "5"),),  # half a cent: up or to the even one
    (("0.33", "5"), ("0.33", "5")),  # 1.65 cents each, 3.3 together: per line or in all
)
PERCENTS: Amounts = (("0.33", "5"), ("0.11", "15"))
"""1.65 cents of each percent, 3.3 together: for each percent of a name, or for each name."""


def negative_line(bench: Bench) -> Measurement:
    """Make the Draft with a negative line, else without; then give it one."""
    plain, negative = bench.line("10.00"), bench.line("-1.00")
    made = bench.attempt(lambda: bench.invoice(bench.tag, [plain, negative]))
    on_create = taken(made)
    if isinstance(made, Refused):
        if classify(made).kind is RefusalKind.TAKEN:
            raise Untold(f"the number {bench.tag} is taken")
        made = bench.attempt(lambda: bench.invoice(bench.tag, [plain]))
    if isinstance(made, Refused):
        raise Untold(f"no Draft could be made: {made.words}")
    bench.draft = made
    bench.lines_shown = made.lines is not None
    on_update = taken(bench.attempt(lambda: bench.redraft(lines=[plain, negative])))
    bench.negatives = on_update.value == "accepted"
    sides = {on_create.value, on_update.value}
    both = len(sides) == 1
    value = sides.pop() if both else f"{on_create.value}, {on_update.value} in a change"
    evidence = {"created": dict(on_create.evidence), "changed": dict(on_update.evidence)}
    return Measurement(value, {name: fact for name, fact in evidence.items() if fact})


def _redrawn(bench: Bench, *lines: dict[str, Any], **body: object) -> Any:  # noqa: ANN401 - or a refusal
    draft_of(bench)
    return bench.attempt(lambda: bench.redraft(lines=list(lines), **body))


def _taxed(bench: Bench, amounts: Amounts) -> list[dict[str, Any]]:
    return [bench.line(cost, "1", (A, percent)) for cost, percent in amounts]


def _in_books(amounts: Amounts) -> tuple[InvoiceLine, ...]:
    return tuple(
        InvoiceLine("", "", Decimal(1), Decimal(cost), (LineTax(A, Decimal(percent)),))
        for cost, percent in amounts
    )


def tax_rounding(bench: Bench) -> Measurement:
    """Give the Draft lines whose total differs by the way of rounding."""
    kinds, totals = KINDS, list[str]()
    for amounts in (*ROUNDINGS, PERCENTS):
        drawn = _redrawn(bench, *_taxed(bench, amounts))
        if isinstance(drawn, Refused):
            if amounts is PERCENTS:
                break
            raise Untold(f"taxed lines are refused: {drawn.words}")
        kinds &= kinds_that_give(drawn.amount, _in_books(amounts), _PLACES)
        totals.append(str(drawn.amount))
    if not kinds:
        raise Untold(f"the totals {', '.join(totals)} follow from no way of rounding that we know")
    roundings = sorted(map(list, kinds))
    words = [f"per {what}, half {'even' if even else 'up'}" for what, even in sorted(kinds)]
    return Measurement(" or ".join(words), {"totals": totals}, {"roundings": roundings})


def two_percents(bench: Bench) -> Measurement:
    """Give the Draft two percents under one tax name, on two lines."""
    drawn = _redrawn(bench, *_taxed(bench, PERCENTS))
    if isinstance(drawn, ObservedInvoice) and drawn.lines is not None:
        kept = [str(line.tax_percent1) for line in drawn.lines]
        return Measurement("accepted", {"percents": kept, "total": str(drawn.amount)})
    return taken(drawn)


def percent_decimals(bench: Bench) -> Measurement:
    """Give the Draft a percent of many decimals, and fewer if it is refused."""
    refused: dict[str, Any] = {}
    for percent in ("7.1234567891", "7.1234", "7.123", "7.12", "7.1"):
        drawn = _redrawn(bench, bench.line("10.00", "1", (A, percent)))
        if isinstance(drawn, Refused):
            refused = refused or refusal(drawn)
            continue
        kept = _decimals(_first_line(drawn).tax_percent1)
        used = min(kept, FRESHBOOKS.percent_decimals)
        return Measurement(kept, refused, {"percent_decimals": used})
    raise Untold("percents with decimals are refused")


def unit_cost_decimals(bench: Bench) -> Measurement:
    """Give the Draft a unit cost of many decimals."""
    drawn = _redrawn(bench, bench.line("0.3333333", "3"))
    if isinstance(drawn, Refused):
        return Measurement("refused", refusal(drawn))
    line = _first_line(drawn)
    return Measurement(_decimals(line.unit_cost), {"line": str(line.amount)})


def _first_line(drawn: ObservedInvoice) -> Any:  # noqa: ANN401 - an observed line
    if not drawn.lines:
        raise Untold("FreshBooks does not show the Draft's lines")
    return drawn.lines[0]


def _decimals(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def zero_quantity(bench: Bench) -> Measurement:
    """Give the Draft a line of quantity 0."""
    return taken(_redrawn(bench, bench.line("1.00", "0"), bench.line()))


def negative_quantity(bench: Bench) -> Measurement:
    """Give the Draft a line of quantity -1."""
    return taken(_redrawn(bench, bench.line("1.00", "-1"), bench.line()))


def negative_total(bench: Bench) -> Measurement:
    """Give the Draft lines that come to less than 0."""
    if not bench.negatives:
        raise Untold("no negative line is taken")
    return taken(_redrawn(bench, bench.line("1.00"), bench.line("-2.00")))


def line_currency(bench: Bench) -> Measurement:
    """Give the Draft a line in another currency."""
    other = "EUR" if bench.currency != "EUR" else "USD"
    line = bench.line()
    line["unit_cost"] = {"amount": "1.00", "code": other}
    return taken(_redrawn(bench, line))


def yen(bench: Bench) -> Measurement:
    """Put the Draft into yen for a moment, with a tax that is no whole yen."""
    line = bench.line("101", "1", (A, "10.5"))
    line["unit_cost"]["code"] = "JPY"
    drawn = _redrawn(bench, line, currency_code="JPY")
    if isinstance(drawn, Refused):
        raise Untold(f"the Draft cannot be put into yen: {drawn.words}")
    in_yen = drawn.currency == "JPY"
    _redrawn(bench, bench.line(), currency_code=bench.currency)
    if not in_yen:
        raise Untold("the Draft stays in its currency")
    is_whole = drawn.amount == drawn.amount.to_integral_value()
    return Measurement("yen" if is_whole else "hundredths", {"total": str(drawn.amount)})


CHECKS = (
    Check(
        "negative_line",
        "discounts and refunds are negative lines, which are taken",
        {
            "accepted": "nothing",
            "*": "orders with a discount, or refunds, are parked; book them by hand",
        },
        negative_line,
        ("fb.negative_line",),
    ),
    Check(
        "tax_rounding",
        "tax may be rounded for each line, rate or name, a half up or to the even cent",
        {"*": "the first Draft comes to its total; no Rounding line is tried out"},
        tax_rounding,
        ("fb.tax_rounding", "fb.rounding_mode"),
    ),
    Check(
        "two_percents",
        "two percents of one tax may stand under one name",
        {"refused": "orders with two rates of one name need a tax_mapping that tells them apart"},
        two_percents,
    ),
    Check(
        "percent_decimals",
        "four decimals of a tax's percent are kept",
        {"*": "rates of more decimals than that are booked rounded to them"},
        percent_decimals,
        ("fb.tax_percent_decimals",),
    ),
    Check(
        "unit_cost_decimals",
        "nothing: unit costs are sent in whole cents",
        {},
        unit_cost_decimals,
        ("fb.unit_cost_decimals",),
    ),
    Check(
        "zero_quantity",
        "a line of quantity 0 is refused, so none is sent",
        {},
        zero_quantity,
        ("fb.zero_qty",),
    ),
    Check(
        "negative_quantity",
        "a negative quantity is refused, so amounts are negative and quantities are not",
        {},
        negative_quantity,
        ("fb.negative_qty",),
    ),
    Check(
        "negative_total",
        "an invoice below 0 is refused, so none is sent",
        {},
        negative_total,
        ("fb.negative_total",),
    ),
    Check(
        "line_currency",
        "a line in another currency than its invoice is refused, so none is sent",
        {},
        line_currency,
        ("fb.line_currency",),
    ),
    Check(
        "yen_decimals",
        "amounts in yen may have hundredths or not; either is told from the total",
        {},
        yen,
        ("fb.currency_decimals",),
    ),
)
