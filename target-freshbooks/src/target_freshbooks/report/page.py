"""What every file for a person is written by: a page from a template, a cell of a spreadsheet."""

import base64
import hashlib
import re
from decimal import Decimal
from typing import Any

from connector_credentials.output import visible
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from target_freshbooks.money import ZERO, cent, decimals_of, is_whole, plain

FORMULA = re.compile(r"""[\s'"]*[=+@\uff0b\uff0d\uff1d\uff20-]|[\t\r]""")
"""How a text begins that a spreadsheet may reckon with."""


def page(template: str, **values: Any) -> str:  # noqa: ANN401 - what the template speaks of
    """One HTML page that needs nothing else; whatever the values hold, it stays text."""
    environment = Environment(
        loader=PackageLoader("target_freshbooks.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"money": money, "percent": percent}
    environment.globals["digest"] = lambda name: _digest(environment, name)
    return environment.get_template(template).render(**values)


def _shown(value: object) -> str:
    """A value as it is put into a page; what a macro of ours has made of values is done already."""
    return value if isinstance(value, Markup) else visible(str(value))


def _digest(environment: Environment, name: str) -> str:
    """A script or style that the page includes, as its Content-Security-Policy allows it."""
    text = environment.get_template(name).render()
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def exact(amount: Decimal, currency: str) -> Decimal:
    """The amount with the decimals of its currency, and with more where it has more."""
    amount, decimals = amount + ZERO, decimals_of(currency)
    return amount.quantize(cent(decimals)) if is_whole(amount, decimals) else amount.normalize()


def money(amount: Decimal | None, currency: str) -> str:
    """An amount for reading, with as many decimals as its currency has."""
    return "" if amount is None else f"{exact(amount, currency):,f}"


def percent(number: Decimal | None) -> str:
    """A rate for reading; nothing where it is not known."""
    return "" if number is None else f"{plain(number)} %"


def cell(value: Any) -> str:  # noqa: ANN401 - a column's value
    """A cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    return visible(f"'{value}" if FORMULA.match(value) else value)
