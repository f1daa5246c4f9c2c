"""How an order becomes an invoice, its payments and its refunds: pure accounting, no I/O.

The way of an order through this package, which is also the order to read it in:

1. `reading` turns the shop's records into facts (`shop`), refusing what cannot be understood.
2. `eligibility` decides whether the order is to be in the books, or waits.
3. `charges` lists what the order charges for; `taxes` says at which rates; `inference` finds out
   how the figures hang together; `breakdown` makes parts of them that add up to the total.
4. `draft_lines` says the parts as invoice lines, `cents` brings them to whole cents, and `rounding`
   knows what FreshBooks, rounding as it may, will make of them.
5. `payments` finds the money that came in, `surplus` what of it is beyond the invoice.
6. `refund_allocation` says what went back and which taxes it bore, `lowering` off which payments,
   `refund_fit` which lines the invoice gets; `refunds` puts these together.
7. `clients` and `items` say whom and what the invoice names.
8. `desire` puts it all together as `desired.Desired`, which the reconciler then brings about.

Everything is a pure function over frozen dataclasses; `policy` holds the bookkeeper's choices,
`capabilities` what FreshBooks can hold.
"""

from target_freshbooks.books.breakdown import break_down
from target_freshbooks.books.clients import (
    client_body,
    client_for,
    client_forms,
    client_of_customer,
    email_key,
)
from target_freshbooks.books.desire import desire
from target_freshbooks.books.draft_lines import draft_lines
from target_freshbooks.books.eligibility import assess
from target_freshbooks.books.fields import ReadError
from target_freshbooks.books.items import item_body, item_key, items_for, items_of_product
from target_freshbooks.books.reading import (
    read_customer,
    read_facts,
    read_order,
    read_product,
    read_refund,
    read_tax_row,
    read_transaction,
)
from target_freshbooks.books.refund_fit import fit_credit_note, fit_refund
from target_freshbooks.books.rounding import likeliest_total, mend, predict_totals

__all__ = [
    "ReadError",
    "assess",
    "break_down",
    "client_body",
    "client_for",
    "client_forms",
    "client_of_customer",
    "desire",
    "draft_lines",
    "email_key",
    "fit_credit_note",
    "fit_refund",
    "item_body",
    "item_key",
    "items_for",
    "items_of_product",
    "likeliest_total",
    "mend",
    "predict_totals",
    "read_customer",
    "read_facts",
    "read_order",
    "read_product",
    "read_refund",
    "read_tax_row",
    "read_transaction",
]
