"""Expenses (``expenses/expenses``), and the categories they are booked under, which stand fast."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from connector_sandbox.freshbooks import errors, search, values
from connector_sandbox.freshbooks.resource import ACTIVE, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector_sandbox.freshbooks.records import Document
    from connector_sandbox.freshbooks.search import Filter

OWNER = 1
"""The only member of the staff."""

_NAMES = ("Advertising", "Bank Fees", "Refunds", "Rent or Lease", "Travel")
_FIRST = 3_436_001

_REQUIRED = ("amount", "categoryid", "staffid", "date")


def categories() -> list[dict[str, Any]]:
    """The categories, in the order of their ids."""
    return [
        {
            "id": _FIRST + at,
            "categoryid": _FIRST + at,
            "category": name,
            "is_cogs": False,
            "is_editable": False,
            "parentid": None,
            "vis_state": ACTIVE,
        }
        for at, name in enumerate(_NAMES)
    ]


class Expenses(Resource):
    """The expenses of the account."""

    singular = "expense"
    plural = "expenses"
    path = "expenses/expenses"
    scope = "expenses"
    id_field = "expenseid"
    first_id = 5_102_301
    day_field = "date"
    columns: ClassVar[Sequence[str]] = ("expenseid",)

    def blank(self, record_id: int) -> Document:
        """An expense of nothing."""
        return {
            **self.base(record_id),
            "expenseid": record_id,
            "account_name": "",
            "amount": values.money(Decimal(0), self.account.home_currency),
            "categoryid": None,
            "clientid": 0,
            "date": "",
            "has_receipt": False,
            "invoiceid": None,
            "isduplicate": False,
            "markup_percent": "0",
            "notes": "",
            "projectid": 0,
            "staffid": None,
            "status": 0,
            "taxAmount1": None,
            "taxName1": None,
            "vendor": None,
            "vis_state": ACTIVE,
        }

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields."""
        for field in _REQUIRED if creating else ():
            if body.get(field) in (None, ""):
                raise errors.required(self.singular, field)
        if body.get("amount") is not None:
            sent = body["amount"]
            given = sent.get("code") if isinstance(sent, dict) else None
            code = str(given or document["amount"]["code"])
            amount = values.sum_of_money(
                self.singular, "amount", sent, code, other_currency="ignore"
            )
            document["amount"] = values.money(amount, code)
        if "categoryid" in body:
            number = values.whole(self.singular, "categoryid", body["categoryid"])
            if number not in {one["id"] for one in categories()}:
                raise errors.not_found("category", "categoryid", number)
            document["categoryid"] = number
        if "staffid" in body:
            number = values.whole(self.singular, "staffid", body["staffid"])
            if number != OWNER:
                raise errors.not_found("staff", "staffid", number)
            document["staffid"] = number
        if "date" in body:
            document["date"] = values.day(self.singular, "date", body["date"])
        self.take_text(document, body, ("notes", "vendor"))

    def own_filters(self) -> dict[str, Filter]:
        """The keys that work."""
        return {
            "date_min": search.day_from("date"),
            "date_max": search.day_until("date", inclusive=self.max_is_inclusive),
        }
