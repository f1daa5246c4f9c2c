"""Exemption: an order without tax because of who bought says so, with the customer's VAT number.

A tax office asks of a sale without tax why it has none. Either the customer is exempt (the shop
would tax the goods, and did not), or the customer is a business that accounts for the VAT itself,
which it shows by its VAT number: the reverse charge. That is said only of a sale from one member of
the EU into another; a British or American store's sale abroad is exempt as an export. In which
country the store is, only its record tells: without it the customer's number stands alone, as it
does with goods that never left that country, which may be zero-rated. Where nothing would be taxed
anyway, nothing is said.

The shop asks for the number in a form field of its checkout or of the customer's account, whose
name is the setting `vat_number_field`. Clients that we make get it too.

An invoice's notes say it on a line of its own, after the order's mark. It follows an order that is
edited; what a person adds to the notes stays.
"""

import re

from target_freshbooks.books.policy import Policy
from target_freshbooks.books.taxes import freshbooks_name
from target_freshbooks.capabilities import FRESHBOOKS, clean
from target_freshbooks.shop.facts import FormFields, Order, OrderFacts, OrderLine

_MEMBERS = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)
"""The EU's members by ISO 3166."""
_NUMBER = re.compile(r"([A-Z]{2})[0-9A-Z+*]{2,13}")
_BY_ITSELF = re.compile(
    r"zero|nul|exempt|exent|esent|isent|exon|free|frei|vrij|fri\b|(?:non|not|un)[- ]?tax",
    re.IGNORECASE,
)
"""In the name of a rate of zero: the goods are zero-rated or exempt, in many of the EU's languages.

So is BigCommerce's own class "Non-Taxable Goods".
"""
_OF_THE_BUYER = re.compile(r"revers|intra|innergem|verleg|autoliq|b2b", re.IGNORECASE)
"""In the name of such a rate: who bought is the reason."""

_TAX_NOTE = re.compile(
    r".+ collected and remits [0-9.]+ tax|Reverse charge: .+|Exempt from tax(?:; .+)?"
    r"|Customer's VAT number .+"
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
    if order.total_tax or not order.total_inc_tax or _is_untaxed_anyway(facts, policy):
        return ""
    # The shop has prices with and without tax of what it sold without: it would have been taxed.
    exempt = any(line.total_inc_tax != line.total_ex_tax for line in _sold(order))
    named = f"VAT number {number}" if number else ""
    if _is_reverse_charge(facts, number):
        return f"Reverse charge: the customer accounts for the VAT; {named}"
    if exempt or (number and facts.store_country and not _stays_at_home(facts)):
        return f"Exempt from tax; {named}".removesuffix("; ")
    return f"Customer's {named}" if number else ""


def _is_untaxed_anyway(facts: OrderFacts, policy: Policy) -> bool:
    """Whether all that was sold bears no tax whoever buys it, as its tax rows name it."""
    zero_rated = {
        row.line_id
        for row in facts.taxes
        if not row.rate and not row.amount and row.item_type in ("item", "")
        for name in [f"{row.name} {row.tax_class} {freshbooks_name(row, policy)}"]
        if _BY_ITSELF.search(name) and not _OF_THE_BUYER.search(name)
    }
    sold = _sold(facts.order)
    return bool(sold) and all(
        line.total_inc_tax == line.total_ex_tax
        and (line.type == "giftcertificate" or not zero_rated.isdisjoint({line.id, None}))
        for line in sold
    )


def _sold(order: Order) -> list[OrderLine]:
    """The lines that were not given away."""
    priced = (line for line in order.lines if line.total_inc_tax)
    return [line for line in priced if line.discounted_total_inc_tax != 0]


def _stays_at_home(facts: OrderFacts) -> bool:
    """Whether all of it was sent within the store's country."""
    return _shipped_to(facts) == {facts.store_country}


def _shipped_to(facts: OrderFacts) -> set[str]:
    return {address.places[0] for address in facts.order.addresses if address.places}


def _is_reverse_charge(facts: OrderFacts, number: str) -> bool:
    """Whether a store in the EU sold to a business of another member, and sent nothing elsewhere.

    Northern Ireland counts as one for a customer (XI), whose goods go to GB. It does not for a
    store, which only its postcode would tell from a British one.
    """
    parts = _NUMBER.fullmatch(re.sub(r"[\s.\-]", "", number.upper()))
    country = {"EL": "GR"}.get(parts[1], parts[1]) if parts else ""
    others = _MEMBERS - {facts.store_country} | ({"XI", "GB"} if country == "XI" else set())
    return facts.store_country in _MEMBERS and country in others and _shipped_to(facts) <= others


def renewed(notes: str, wanted: str) -> str:
    """The notes as they stand, but saying of the tax what the wanted ones say."""
    kept = [line for line in notes.splitlines() if not _TAX_NOTE.fullmatch(line.strip())]
    of_tax = [line for line in wanted.splitlines() if _TAX_NOTE.fullmatch(line)]
    return "\n".join([*kept, *of_tax])
