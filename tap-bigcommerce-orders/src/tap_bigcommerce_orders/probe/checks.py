"""The checks, all of them: what is open, what is taken for granted, and what a finding changes.

A check that settles a switch of the sandbox finds one of its values. The connector is right under
each; what a finding changes is told where somebody should know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.probe import of_documents, of_lists, of_money

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_bigcommerce_orders.probe.evidence import Evidence
    from tap_bigcommerce_orders.probe.finding import Finding, Found

EITHER = "nothing"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the documentation leaves open.

    Attributes:
        name: What it is.
        switch: The sandbox's switch that it settles; empty for none.
        assumed: What is taken for granted; `EITHER` where each way is provided for.
        look: Finds out from what was answered.
        changes: What follows for the operator, by what is found.
    """

    name: str
    switch: str
    assumed: str
    look: Callable[[Evidence], Finding]
    changes: Mapping[Found, str] = field(default_factory=dict)


def look_at(evidence: Evidence) -> list[tuple[Check, Finding]]:
    """What each check finds."""
    return [(check, check.look(evidence)) for check in CHECKS]


ONE_MORE = "an order costs one more request"

CHECKS = (
    Check("store that answers", "bc.store_hash", "the one of store_hash", of_lists.answers_for),
    Check("quota", "bc.plan_quota", EITHER, of_lists.quota),
    Check("window of the quota", "bc.quota_window_seconds", EITHER, of_lists.quota_window),
    Check("form of a refusal", "bc.forbidden_v2", EITHER, of_lists.forbidden),
    Check("bounds of date filters are included", "bc.inclusive_filters", EITHER, of_lists.filters),
    Check("the sort is honoured", "", "yes", of_lists.sorting,
          {False: "every run reads the whole list"}),
    Check("order of equal rows", "bc.tie_order", EITHER, of_lists.ties),
    Check("limit above 250", "bc.limit_over_250", "never sent", of_lists.limit),
    Check("an empty v2 list", "bc.empty", EITHER, of_lists.empty),
    Check("archived orders are listed", "bc.archived_in_lists", EITHER, of_lists.archived_listed,
          {False: "an archived order is heard of by a hook or order_ids only"}),
    Check("an archived order by its number", "bc.archived_by_id", EITHER, of_lists.archived_found),
    Check("the filter is_deleted", "bc.is_deleted_filter", "never sent", of_lists.deleted_filter),
    Check("end of the customers", "bc.customer_last_page", EITHER, of_lists.last_page),
    Check("consignment_structure", "bc.consignment_structure", EITHER, of_documents.structure),
    Check("lines that the list includes", "bc.included_lines", EITHER, of_documents.included_lines,
          {"none": ONE_MORE, "fifty": "an order of more lines costs one more request"}),
    Check("options of a line", "bc.product_options", EITHER, of_documents.options),
    Check("default_currency_code", "bc.default_currency", "a code", of_documents.currency,
          dict.fromkeys(("null", "empty"), "an order is parked unless both currency ids agree")),
    Check("names", "bc.texts", EITHER, of_documents.entities),
    Check("texts that are not set", "bc.empty_texts", EITHER, of_documents.empty_texts),
    Check("objects that do not apply", "bc.not_applicable", EITHER, of_money.not_applicable),
    Check("basis of discounts", "bc.discount_tax", EITHER, of_documents.discount_basis),
    Check("tax of subtotals and discounts", "bc.subtotal_tax", EITHER, of_documents.subtotal_tax),
    Check("rounding of tax", "", EITHER, of_documents.rounding),
    Check("fees stand in subtotals", "bc.fees_in_subtotal", EITHER, of_documents.fees_inside),
    Check("form of GET fees", "bc.fees_form", EITHER, of_documents.fees_form),
    Check("amounts of fees", "bc.fee_money", EITHER, of_documents.fee_money),
    Check("tax rows of fees", "bc.fee_tax_rows", EITHER, of_documents.fee_taxes),
    Check("amounts of coupons", "bc.coupon_money", EITHER, of_documents.coupon_money),
    Check("line of a tax row", "bc.tax_line_ids", EITHER, of_documents.tax_line_ids),
    Check("ids of tax rows", "bc.tax_detail_ids", EITHER, of_documents.tax_row_ids),
    Check("the default tax class is listed", "bc.tax_class_zero", EITHER,
          of_documents.default_class),
    Check("ids of tax classes", "bc.tax_class_id", EITHER, of_documents.class_ids),
    Check("channels of a customer", "bc.channel_ids", EITHER, of_documents.channels),
    Check("an order without transactions", "bc.transactions_none", EITHER,
          of_lists.transactions_none),
    Check("meta of transactions", "bc.transactions_meta", EITHER, of_lists.transactions_meta),
    Check("pages of transactions", "bc.transactions_pages", EITHER, of_lists.transaction_pages),
    Check("most transactions of an order", "bc.transactions_max", "250",
          of_lists.most_transactions),
    Check("amount of a failed transaction", "bc.failed_amount", EITHER, of_money.failed),
    Check("what a void names", "bc.void_rows", EITHER, of_money.voids),
    Check("payment_status of what is authorized only", "bc.authorized_says", EITHER,
          of_money.authorized),
    Check("store credit and gift certificates are transactions", "bc.credit_transactions", EITHER,
          of_money.credit_rows),
    Check("a capture moves date_modified", "bc.capture_moves_modified", EITHER, of_money.captures,
          {False: "a capture is seen when the order changes next: set lookback_seconds, or hooks"}),
    Check("meta of refunds", "bc.refunds_meta", EITHER, of_lists.refunds_meta),
    Check("refunds by order", "", "yes", of_lists.refund_filters),
    Check("a gateway's refund is a refund object", "bc.refund_objects", EITHER,
          of_money.refund_objects,
          {False: "such an order is parked money_unclear, for a person to refund"}),
    Check("a refund makes a transaction", "bc.refund_transactions", EITHER,
          of_money.refund_transactions),
    Check("requested_amount of a refunded product", "bc.refund_requested_amount", EITHER,
          of_money.requested),
)  # fmt: skip
