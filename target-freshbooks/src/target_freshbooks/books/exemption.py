"""Exemption: an order without tax because of who bought says so, with the customer's VAT number.

A tax office asks of a sale without tax why it has none. Either the customer is exempt (the shop
would tax the goods, and did not), or the customer is a business in another country that accounts
for the VAT itself, which it shows by its VAT number: the reverse charge. Where nothing would be
taxed anyway, nothing is said.

The shop asks for the number in a form field of its checkout or of the customer's account, whose
name is the setting `vat_number_field`. Clients that we make get it too.

An invoice's notes say it on a line of its own, after the order's mark. It follows an order that is
edited; what a person adds to the notes stays.
"""

import re

from target_freshbooks.books.policy import Policy
from target_freshbooks.capabilities import FRESHBOOKS, clean
from target_freshbooks.shop.facts import FormFields, OrderFacts

_PREFIXES = frozenset(
    {
        *("AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "GB"),
        *("GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO"),
        *("SE", "SI", "SK", "XI"),
    }
)
"""What VAT numbers begin with in Europe; Greece's begin with EL."""
_NUMBER = re.compile(r"([A-Z]{2})[0-9A-Z+*]{2,13}")


_TAX_NOTE = re.compile(
    r".+ collected and remits [0-9.]+ tax|Reverse charge: .+|Exempt from tax(?:; .+)?"
)
"""A line of an invoice's notes that says of its tax what is to be said."""


def vat_number(*forms: FormFields, field: str) -> str:
    """The VAT number in the first form that has one; empty if none has, or no field is named."""
    wanted = field.strip().casefold()
    numbers = (
        clean(value, FRESHBOOKS.address_length)
        for form in forms
        for name, value in form
        if wanted and name.strip().casefold() == wanted and value.strip()
    )
    return next(numbers, "")


def vat_number_of(facts: OrderFacts, policy: Policy) -> str:
    """The number told with the order, else that of the customer's account."""
    account = facts.customer.form_fields if facts.customer is not None else ()
    return vat_number(facts.order.form_fields, account, field=policy.vat_number_field)


def exemption_note(facts: OrderFacts, policy: Policy) -> str:
    """Why the order bears no tax, as far as the shop tells; empty where it is not to be said."""
    order, number = facts.order, vat_number_of(facts, policy)
    if order.total_tax or not order.total_inc_tax:
        return ""
    # The shop has prices with and without tax of what it sold without: it would have been taxed.
    exempt = any(line.total_inc_tax != line.total_ex_tax for line in order.lines)
    named = f"VAT number {number}" if number else ""
    if _is_from_abroad(number, facts.store_country):
        return f"Reverse charge: the customer accounts for the VAT; {named}"
    if number or exempt:
        return f"Exempt from tax; {named}".removesuffix("; ")
    return ""


def _is_from_abroad(number: str, store_country: str) -> bool:
    """Whether it is a VAT number of another country than the store's."""
    parts = _NUMBER.fullmatch(re.sub(r"[\s.\-]", "", number.upper()))
    own = {"GR": "EL"}.get(store_country, store_country)
    return parts is not None and parts[1] in _PREFIXES - {own, store_country}


def renewed(notes: str, wanted: str) -> str:
    """The notes as they stand, but saying of the tax what the wanted ones say."""
    kept = [line for line in notes.splitlines() if not _TAX_NOTE.fullmatch(line.strip())]
    of_tax = [line for line in wanted.splitlines() if _TAX_NOTE.fullmatch(line)]
    return "\n".join([*kept, *of_tax])
