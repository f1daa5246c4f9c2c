"""Books: how an order becomes an invoice, its payments and its refunds; pure accounting, no I/O.

The chapters, in the order in which an order goes through them; each begins with its rule.

1. What the shop says stands in `target_freshbooks.shop`. `eligibility`: whether the order is to be
   booked.
2. What was sold. `charges`: what the order charges for. `taxes`: at which legal rates. `inference`:
   how prices, discounts and taxes hang together. `breakdown`: parts that add up to the total.
   `marketplaces`: less the tax that a marketplace remits. `stored_value`: less what was redeemed.
3. The invoice. `draft_lines`: its lines. `cents`: their exact amounts in whole cents. `rounding`:
   what FreshBooks, rounding as it may, makes of them. `exemption`: why it bears no tax. `clients`
   and `items`: whom and what it names.
4. The money that came in. `payments`: one for each capture. `money_witnesses`: whether all that
   speaks of the money tells one story. `payment_methods`: what is paid without a transaction, and
   what on account. `surplus`: what came in beyond the invoice.
5. The money that went back. `refund_allocation`: what a refund took back, and which taxes it bore.
   `refund_lines`: the lines that say it. `refunds`: off which payments, and with which lines.
   `refund_fit`: the lines as the invoice takes them.
6. `desire` puts it all together as `desired.Desired`, which the reconciler brings about. `closed`:
   on which open days, and what is corrected beside a closed month.

`policy` holds the bookkeeper's choices, `calendar` tells the shop's days. Beside the books stand
what else is pure: `target_freshbooks.money` (how amounts are rounded and shared), `marks` (the keys
that FreshBooks' records bear) and `capabilities` (what FreshBooks takes, and how it computes).
Everything is a function over frozen dataclasses.
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
from target_freshbooks.books.items import item_body, item_key, items_for, items_of_product
from target_freshbooks.books.refund_fit import fit_credit_note, fit_refund
from target_freshbooks.books.rounding import likeliest_total, mend, predict_totals

__all__ = [
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
]
