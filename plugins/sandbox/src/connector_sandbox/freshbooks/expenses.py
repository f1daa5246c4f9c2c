"""Expenses (``expenses/expenses``), and the categories they are booked under, which stand fast."""

from typing import Any

from connector_sandbox.documents import Document
from connector_sandbox.filters import Filter
from connector_sandbox.freshbooks import errors, values
from connector_sandbox.freshbooks.readers import day, own_currency, text
from connector_sandbox.freshbooks.resource import ACTIVE, Kind, Reader, Resource
from connector_sandbox.freshbooks.templates import BLANK

OWNER = 1
"""The only member of the staff."""

_NAMES = ("Advertising", "Bank Fees", "Refunds", "Rent or Lease", "Travel")
_FIRST = 3_436_001


def categories() -> list[dict[str, Any]]:
    """The categories, in the order of their ids."""
    return [
        {
            "id": number,
            "categoryid": number,
            "category": name,
            "is_cogs": False,
            "is_editable": False,
            "parentid": None,
            "vis_state": ACTIVE,
        }
        for number, name in enumerate(_NAMES, _FIRST)
    ]


def _known(noun: str, *numbers: int) -> Reader:
    """One of these numbers."""

    def read(of: Resource, name: str, sent: object) -> int:
        number = values.whole(of.kind.singular, name, sent)
        errors.refuse(number not in numbers, errors.not_found(noun, name, number))
        return number

    return read


class Expenses(Resource):
    """The expenses of the account."""

    kind = Kind(
        singular="expense",
        path="expenses/expenses",
        scope="expenses",
        id_field="expenseid",
        first_id=5_102_301,
        day_field="date",
        blank=BLANK["expense"],
        fields={
            "categoryid": _known("category", *(one["id"] for one in categories())),
            "staffid": _known("staff", OWNER),
            "date": day,
            "notes": text(),
            "vendor": text(),
        },
    )

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields."""
        if creating:
            self.require(body, "amount", "categoryid", "staffid", "date", creating=True)
        if body.get("amount") is not None:
            paid = own_currency(self, "amount", body["amount"], document)
            document["amount"] = values.money(*paid)
        self.take(document, body)

    def filters(self) -> dict[str, Filter]:
        """The keys that work."""
        return {**super().filters(), **self.days("date", "date")}
