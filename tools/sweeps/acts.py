"""What others do: a bookkeeper, a payer, a hostile shopper, and the shop's own people.

Each function takes the scene and does one thing, chosen at random among what can be done now.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    import random

    from demo.sandbox import Sandbox

TAX = {"name": "State Tax", "percent": "10"}
JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
GUEST = {"first_name": "Gil", "last_name": "Guest", "email": "gil@shop.example"}
REGULAR = {"fname": "Rita", "lname": "Regular", "email": "rita@books.example"}
MALLORY = {"first_name": "Mallory", "last_name": "Mean", "company": "Mallory Inc"}
DAY = "2026-10-01"
DELETED, ARCHIVED = 1, 2
HALF, SELDOM = 0.5, 0.2
"""How likely something is."""


@dataclass(slots=True)
class Scene:
    """One trial's shop and books, and who is at work in them.

    Attributes:
        sandbox: Both APIs.
        rng: Makes all choices of the trial.
        orders: The shop's orders, each with what befell it there, so that nothing comes twice.
        registered: The customers that a shopper registered.
        told: What was done, in words, for whoever has to find out what went wrong.
    """

    sandbox: Sandbox
    rng: random.Random
    orders: dict[int, str] = field(default_factory=dict)
    registered: list[int] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def place(self, **more: Any) -> int:  # noqa: ANN401 - the shop's JSON
        """Place an order of a mug or two."""
        names = self.rng.sample(("Mug", "Lamp", "Print"), self.rng.choice((1, 1, 2)))
        lines = [
            {"name": name, "sku": name.upper(), "price": "10.00", "taxes": [TAX]} for name in names
        ]
        document = {"lines": lines, "billing": self.rng.choice((JANE, GUEST)), **more}
        order = int(self.sandbox.tell("POST", "shop/orders", document)["id"])
        self.orders[order] = ""
        return order

    def register(self, who: dict[str, str]) -> int:
        """Register a customer at the shop."""
        number = int(self.sandbox.tell("POST", "shop/customers", who)["id"])
        self.registered.append(number)
        return number

    def standing(self, kind: str) -> list[dict[str, Any]]:
        """The records of a kind that stand in the books."""
        return [row for row in self.sandbox.ask("books")[kind] if row.get("vis_state") != DELETED]

    def ours(self, kind: str) -> dict[str, Any] | None:
        """One of the standing records that a connector made."""
        made = {
            row["object_id"]
            for row in self.sandbox.ask("history", side="freshbooks")["history"]
            if row["actor"] == "api" and row["method"] == "POST"
        }
        found = [row for row in self.standing(kind) if str(row["id"]) in made]
        return self.rng.choice(found) if found else None

    def by_hand(self, path: str, body: dict[str, Any], *, method: str = "PUT") -> None:
        """Write into the books as their owner, whom FreshBooks may refuse it too."""
        self.told.append(f"by hand {method} {path} {body}")
        try:
            self.sandbox.tell("POST", "by-hand", {"method": method, "path": path, "json": body})
        except httpx.HTTPStatusError as refused:
            if refused.response.status_code != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            self.told.append("  refused")


def switches(rng: random.Random) -> dict[str, Any]:
    """What FreshBooks' documentation leaves open, either way."""
    return {
        "fb.rate_limit": 0,
        "fb.second_account": "yes",
        "fb.overpayment_deleted": rng.choice(("credit_stays", "credit_goes")),
        "fb.credit_ids": rng.choice(("same", "apart")),
        "fb.overpaid_after_line": rng.choice(("keep", "credit")),
        "fb.overpayment_credit": rng.choice(("deletable",) * 9 + ("refuse",)),
        "fb.archived_put": rng.choice(("stays", "returns")),
        "fb.move_invoice": rng.choice(("accept", "accept", "ignore", "refuse")),
        "fb.deleted_get": rng.choice(("found", "error", "missing")),
    }


# -- the bookkeeper


def open_books(scene: Scene) -> None:
    """A client, an invoice, an item and an order's number in the books, typed in by hand."""
    rng = scene.rng
    scene.by_hand("users/clients", {"client": {**REGULAR, "p_city": "Troy"}}, method="POST")
    client = scene.standing("clients")[0]["id"]
    if rng.random() < HALF:
        lamp = {"name": "Lamp", "sku": "LAMP", "unit_cost": money("99.00")}
        scene.by_hand("items/items", {"item": lamp}, method="POST")
    line = {"name": "Work", "qty": "1", "unit_cost": money("50000.00")}
    invoice = {"customerid": client, "create_date": DAY, "lines": [line]}
    for number, notes in (("HAND-1", ""), ("HAND-2", "see BigCommerce order 1001 (store sandbox)")):
        body = {**invoice, "invoice_number": number, "notes": notes, "po_number": notes[:20]}
        scene.by_hand("invoices/invoices", {"invoice": body}, method="POST")
    if rng.random() < SELDOM:
        taken = {**invoice, "invoice_number": "1002", "notes": "BigCommerce order 1002 by phone"}
        scene.by_hand("invoices/invoices", {"invoice": taken}, method="POST")


def bookkeeping(scene: Scene) -> None:
    """One change by hand to a record of ours."""
    kind, changes = scene.rng.choice(
        (
            ("invoices", {"lines": [{"name": "X", "qty": "1", "unit_cost": money("7.00")}]}),
            ("invoices", {"organization": "By Hand Ltd", "city": "Utica"}),
            ("invoices", {"customerid": None}),
            ("invoices", {"vis_state": ARCHIVED}),
            ("invoices", {"vis_state": DELETED}),
            ("invoices", {"notes": "paid in cash, thanks"}),
            ("payments", {"vis_state": DELETED}),
            ("payments", {"amount": money("1.00")}),
            ("clients", {"p_city": "Albany by hand", "organization": "Known Better"}),
            ("clients", {"email": "other@books.example"}),
            ("clients", {"vis_state": DELETED}),
            ("items", {"name": f"Renamed {scene.rng.randrange(10**6)}"}),
            ("items", {"unit_cost": money("1.00")}),
        )
    )
    found = scene.ours(kind)
    if found is None:
        return
    if "customerid" in changes:
        changes = {"customerid": scene.rng.choice(scene.standing("clients"))["id"]}
    path = {
        "invoices": "invoices/invoices",
        "payments": "payments/payments",
        "clients": "users/clients",
        "items": "items/items",
    }[kind]
    scene.by_hand(f"{path}/{found['id']}", {kind.removesuffix("s"): changes})


# -- the payer


def payment_first(scene: Scene) -> dict[str, Any]:
    """The rule by which somebody pays, in full or in part, just before the connector does."""
    rng = scene.rng
    payment = {
        "invoiceid": "$invoiceid",
        "amount": rng.choice(["$amount", money("4.00"), money("10.99")]),
        "date": DAY,
        "type": "Cash",
        "note": rng.choice(["by hand", "by hand", "$note"]),
    }
    write = {"method": "POST", "path": "payments/payments", "json": {"payment": payment}}
    return {
        "side": "freshbooks",
        "kind": "act",
        "method": "POST",
        "path": "payments/payments$",
        "writes": [write],
        "skip": rng.choice((0, 0, 1)),
        "times": rng.choice((1, 1, 2)),
    }


def pay(scene: Scene) -> None:
    """Somebody pays what an invoice of ours is open for, or a part of it."""
    invoice = scene.ours("invoices")
    if invoice is None or float(invoice["outstanding"]["amount"]) < 1:
        return
    amount = scene.rng.choice((invoice["outstanding"], money("1.00")))
    payment = {"invoiceid": invoice["id"], "amount": amount, "date": DAY, "type": "Check"}
    scene.by_hand("payments/payments", {"payment": payment}, method="POST")


def money(amount: str) -> dict[str, str]:
    """An amount as FreshBooks takes it."""
    return {"amount": amount, "code": "USD"}


# -- shoppers, and the shop's people


def intrude(scene: Scene) -> None:
    """A shopper registers under another's e-mail, orders, and edits the profile afterwards."""
    rng = scene.rng
    if not scene.registered or rng.random() < HALF:
        email = rng.choice((REGULAR["email"], GUEST["email"], JANE["email"]))
        scene.told.append(f"a shopper registers as {email}")
        who = {**MALLORY, "email": email}
        scene.place(billing=who, customer_id=scene.register(who))
        return
    change = rng.choice(
        (
            {"company": "Pwned LLC", "first_name": "Eve"},
            {"email": rng.choice((REGULAR["email"], GUEST["email"], "new@evil.example"))},
        )
    )
    number = rng.choice(scene.registered)
    scene.told.append(f"customer {number} becomes {change}")
    scene.sandbox.tell("POST", f"shop/customers/{number}", change)
    if rng.random() < HALF:
        scene.place(billing={**MALLORY, "email": "new@evil.example"}, customer_id=number)


def trade(scene: Scene) -> None:
    """One thing happens to an order in the shop, or a new one comes in."""
    rng = scene.rng
    untouched = [order for order, befallen in scene.orders.items() if not befallen]
    if not untouched or rng.random() < SELDOM:
        scene.place()
        return
    order = rng.choice(untouched)
    email = rng.choice(("j@x.example", "k@x.example"))
    other = {"first_name": "Jay", "last_name": "Doe", "email": email}
    lines = [{"name": "Mug", "sku": "MUG", "price": rng.choice(("5.00", "8.00")), "taxes": [TAX]}]
    what, document = rng.choice(
        (
            ("refund", {"order_amount": "4.00"}),
            ("refund", {"order_amount": "2.50"}),
            ("lines", {"lines": lines}),
            ("cancel", {}),
            ("edit", {"billing": other}),
        )
    )
    scene.orders[order] = what
    scene.told.append(f"shop: {what} of order {order} {document}")
    scene.sandbox.tell("POST", f"shop/orders/{order}/{what}", document)
