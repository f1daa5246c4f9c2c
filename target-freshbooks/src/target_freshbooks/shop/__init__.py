"""Shop: what the shop says, decoded from its records, and refused where it cannot be understood.

`facts` is what is known of an order, which every accounting rule starts from; `records` and
`order_lines` make it of the shop's records, field by field as `fields` says.
"""

from target_freshbooks.shop.fields import ReadError
from target_freshbooks.shop.records import (
    read_customer,
    read_facts,
    read_order,
    read_product,
    read_refund,
    read_tax_row,
    read_transaction,
)

__all__ = [
    "ReadError",
    "read_customer",
    "read_facts",
    "read_order",
    "read_product",
    "read_refund",
    "read_tax_row",
    "read_transaction",
]
