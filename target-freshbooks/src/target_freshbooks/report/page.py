"""What every file for a person is written by: a page from a template, a cell of a spreadsheet."""

import re
from decimal import Decimal
from typing import Any

from connector_credentials.output import visible
from jinja2 import Environment, PackageLoader, StrictUndefined

from target_freshbooks.money import decimals_of

FORMULA = re.compile(r"""[\s'"]*[=+@\uff0b\uff0d\uff1d\uff20-]|[\t\r]""")
"""How a text begins that a spreadsheet may reckon with."""


def page(template: str, **values: Any) -> str:  # noqa: ANN401 - what the template speaks of
    """One HTML page that needs nothing else; whatever the values hold, it stays text."""
    environment = Environment(
        loader=PackageLoader("target_freshbooks.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(str(value)),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["money"] = money
    return environment.get_template(template).render(**values)


def money(amount: Decimal | None, currency: str) -> str:
    """An amount for reading, with as many decimals as its currency has."""
    if amount is None:
        return ""
    return f"{amount:,.{decimals_of(currency)}f}"


def cell(value: Any) -> str:  # noqa: ANN401 - a column's value
    """A cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    return visible(f"'{value}" if FORMULA.match(value) else value)
