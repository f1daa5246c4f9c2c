"""How an order becomes an invoice, its payments and its refunds: pure accounting, no I/O.

The way of an order through this package, which is also the order to read it in:

1. `reading` turns the shop's records into facts (`shop`), refusing what cannot be understood.
2. `eligibility` decides whether the order is to be in the books, or waits.
3. `things` lists what the order charges for; `explanation` finds out how its figures hang together;
   `taxes` names its taxes; `breakdown` puts the three together: parts that add up to the total.
4. `slots`, `rounding`, `nudging` and `expression` say the parts as invoice lines that FreshBooks,
   rounding as it may, puts at the order's total to the cent.
5. `payments` finds the money that came in, `surplus` what of it is beyond the invoice; `refunded`,
   `lowering`, `refund_fit` and `refunds` say what went back.
6. `clients` and `items` say whom and what the invoice names.
7. `desire` puts it all together as `desired.Desired`, which the reconciler then brings about.

Everything is a pure function over frozen dataclasses; `policy` holds the bookkeeper's choices.
"""

from target_freshbooks.books.clients import (
    client_body,
    client_for,
    client_forms,
    client_of_customer,
    email_key,
)
from target_freshbooks.books.desire import desire
from target_freshbooks.books.eligibility import assess, is_cancelled
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
    "client_body",
    "client_for",
    "client_forms",
    "client_of_customer",
    "desire",
    "email_key",
    "fit_credit_note",
    "fit_refund",
    "is_cancelled",
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
