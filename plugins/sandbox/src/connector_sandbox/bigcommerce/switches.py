"""Every BigCommerce behaviour nobody could confirm, as a switch with both sides."""

from connector_sandbox.constants import STORE_HASH
from connector_sandbox.decoding import Matching, Within
from connector_sandbox.switches import Switches, SwitchValue

YES_NO = (True, False)

_SWITCHES: tuple[tuple[str, SwitchValue, tuple[SwitchValue, ...] | None, str], ...] = (
    ("bc.inclusive_filters", True, YES_NO, "min_* and max_* of v2 orders include the bound"),
    ("bc.tie_order", "id", ("id", "id_desc", "shuffled", "random"),
     "order of rows equal in the sort: by id, by id backwards, in a fixed shuffle, anew each time"),
    ("bc.limit_over_250", "clamp", ("clamp", "413"), "what limit=251 gets"),
    ("bc.archived_in_lists", False, YES_NO, "archived orders are rows of the v2 list"),
    ("bc.archived_by_id", "found", ("found", "404"), "what an archived order's own URL gives"),
    ("bc.is_deleted_filter", "ignored", ("ignored", "honoured"), "the filter gone from the spec"),
    ("bc.empty", "204", ("204", "[]", "mixed"),
     "an empty v2 list; mixed: 204 for lists of orders, [] for an order's children"),
    ("bc.transactions_none", "204", ("204", "200", "404"), "an order without transactions"),
    ("bc.transactions_meta", "pagination", ("pagination", "empty"), "meta of transactions"),
    ("bc.transactions_pages", "ignored", ("ignored", "honoured"),
     "page of transactions; ignored: always the first 250"),
    ("bc.refunds_meta", "empty", ("empty", "pagination"), "meta of refunds"),
    ("bc.not_applicable", "mixed", ("mixed", "null", "{}"), "objects that do not apply"),
    ("bc.empty_texts", "mixed", ("mixed", "null", "text"), "texts that are not set"),
    ("bc.fees_in_subtotal", False, YES_NO, "subtotals of an order hold its fees"),
    ("bc.fees_form", "array", ("array", "wrapped", "misspelt"),
     "GET fees: rows, {fees: rows}, or rows with cost_exc_tax"),
    ("bc.fee_tax_rows", False, YES_NO, "taxes of an order list those on fees"),
    ("bc.fee_money", "text", ("text", "number"), "amounts of fees"),
    ("bc.coupon_money", "text", ("text", "number"), "amounts of coupons"),
    ("bc.discount_tax", "as_priced", ("as_priced", "included"),
     "discounts are stated as prices are entered, or always with tax"),
    ("bc.subtotal_tax", "after", ("after", "before"),
     "subtotal_tax and the total_tax of lines are after discounts, or before them"),
    ("bc.included_lines", "fifty", ("fifty", "all", "none"),
     "line items that include gives of a consignment: fifty and a __warning__, all, or none"),
    ("bc.consignment_structure", "honoured", ("honoured", "ignored"),
     "the parameter consignment_structure; ignored: consignments is an array"),
    ("bc.product_options", "list", ("list", "object"), "options of an order product"),
    ("bc.default_currency", "code", ("code", "null", "empty"), "default_currency_code of orders"),
    ("bc.texts", "plain", ("plain", "entities"), "names and notes of orders: & or &amp;"),
    ("bc.failed_amount", "number", ("number", "null"), "amount of a transaction that failed"),
    ("bc.refund_objects", True, YES_NO,
     "a refund is an object; else, as at older gateways, a transaction and no other change"),
    ("bc.refund_tax_rows", "kept", ("kept", "reduced"),
     "tax rows of what was refunded, but for a refund that overrides: as charged, or what is left"),
    ("bc.refund_transactions", True, YES_NO,
     "a refund through a gateway makes a transaction too; else only the refund tells of it"),
    ("bc.void_rows", "named", ("named", "no_amount", "unnamed"),
     "a void names transaction and amount, the transaction only, or neither"),
    ("bc.authorized_says", "authorized", ("authorized", "captured"),
     "payment_status of orders that are authorized only"),
    ("bc.tax_line_ids", "number", ("number", "text"), "order_product_id of detailed tax rows"),
    ("bc.tax_detail_ids", "unique", ("unique", "repeated"),
     "ids of tax rows with details: own ones, or those of the rows without details"),
    ("bc.credit_transactions", True, YES_NO,
     "redeemed store credit and gift certificates appear as transactions"),
    ("bc.capture_moves_modified", True, YES_NO, "a capture moves the order's date_modified"),
    ("bc.refund_requested_amount", "null", ("null", "ex", "inc"),
     "requested_amount of a refunded product"),
    ("bc.customer_last_page", "no_next", ("no_next", "count_0"),
     "how cursor paging of customers ends: no next link, or one more empty page"),
    ("bc.tax_class_zero", False, YES_NO, "the default tax class is in the list of tax classes"),
    ("bc.tax_class_id", "text", ("text", "number"), "ids of tax classes"),
    ("bc.channel_ids", "list", ("list", "null"), "channels of a customer who may use all"),
    ("bc.forbidden_v2", "array", ("array", "object"), "form of a v2 403"),
    ("bc.suspended", False, YES_NO, "the store is suspended: 503"),
    ("bc.quota_429_headers", True, YES_NO, "a 429 tells its quota headers"),
    ("bc.webhook_signed", True, YES_NO, "hooks are signed"),
    ("bc.webhook_hash", "data", ("data", "data_and_time"), "what the hash of a hook covers"),
)  # fmt: skip

_OPEN: tuple[tuple[str, SwitchValue, Within | Matching, str], ...] = (
    ("bc.store_hash", STORE_HASH, Matching("[A-Za-z0-9]+", "letters and digits"),
     "whose store this is: two sandboxes can be two stores"),
    ("bc.plan_quota", 150, Within(0, 1_000_000), "requests per window; 0 for no limit"),
    ("bc.quota_window_seconds", 30, Within(1, 86_400), "length of the window in real seconds"),
    ("bc.transactions_max", 250, Within(1, 250), "how many transactions of an order are given"),
    ("bc.webhook_timeout_seconds", 5, Within(1, 600), "real seconds for a receiver's answer"),
)  # fmt: skip

SETTLED_BY = {
    "bc.archived_by_id": "an archived order by its number",
    "bc.archived_in_lists": "archived orders are listed",
    "bc.authorized_says": "payment_status of what is authorized only",
    "bc.capture_moves_modified": "a capture moves date_modified",
    "bc.channel_ids": "channels of a customer",
    "bc.consignment_structure": "consignment_structure",
    "bc.coupon_money": "amounts of coupons",
    "bc.credit_transactions": "store credit and gift certificates are transactions",
    "bc.customer_last_page": "end of the customers",
    "bc.default_currency": "default_currency_code",
    "bc.discount_tax": "basis of discounts",
    "bc.empty": "an empty v2 list",
    "bc.empty_texts": "texts that are not set",
    "bc.failed_amount": "amount of a failed transaction",
    "bc.fee_money": "amounts of fees",
    "bc.fee_tax_rows": "tax rows of fees",
    "bc.fees_form": "form of GET fees",
    "bc.fees_in_subtotal": "fees stand in subtotals",
    "bc.forbidden_v2": "form of a refusal",
    "bc.included_lines": "lines that the list includes",
    "bc.inclusive_filters": "bounds of date filters are included",
    "bc.is_deleted_filter": "the filter is_deleted",
    "bc.limit_over_250": "limit above 250",
    "bc.not_applicable": "objects that do not apply",
    "bc.plan_quota": "quota",
    "bc.product_options": "options of a line",
    "bc.quota_window_seconds": "window of the quota",
    "bc.refund_objects": "a gateway's refund is a refund object",
    "bc.refund_requested_amount": "requested_amount of a refunded product",
    "bc.refund_transactions": "a refund makes a transaction",
    "bc.refunds_meta": "meta of refunds",
    "bc.store_hash": "store that answers",
    "bc.subtotal_tax": "tax of subtotals and discounts",
    "bc.tax_class_id": "ids of tax classes",
    "bc.tax_class_zero": "the default tax class is listed",
    "bc.tax_detail_ids": "ids of tax rows",
    "bc.tax_line_ids": "line of a tax row",
    "bc.texts": "names",
    "bc.tie_order": "order of equal rows",
    "bc.transactions_max": "most transactions of an order",
    "bc.transactions_meta": "meta of transactions",
    "bc.transactions_none": "an order without transactions",
    "bc.transactions_pages": "pages of transactions",
    "bc.void_rows": "what a void names",
}
"""The check of `tap-bigcommerce-orders --probe` that settles a switch on a real store."""

NOT_BY_READING = {
    "bc.quota_429_headers": "no read asks for a 429 on purpose",
    "bc.refund_tax_rows": "nothing tells what a row was before the refund",
    "bc.suspended": "stops the probe, with words that say so",
    "bc.webhook_hash": "told by hooks that come",
    "bc.webhook_signed": "told by hooks that come",
    "bc.webhook_timeout_seconds": "told by hooks that come",
}
"""Why no check of the probe settles a switch."""


def declare(switches: Switches) -> None:
    """Make the switches of this side known."""
    for name, default, choices, words in _SWITCHES:
        switches.declare(name, default, choices, words)
    for name, default, takes, words in _OPEN:
        switches.declare(name, default, None, words, takes)
