"""A plan says the same to whoever reads it: a terminal, a program, a spreadsheet, a browser."""

from __future__ import annotations

import csv
import io
import json
from contextlib import redirect_stdout
from html.parser import HTMLParser
from typing import Any

import pytest
from target_freshbooks.ctl.cli import cli
from target_freshbooks.freshbooks.errors import Forbidden

HOSTILE = """<script>alert('x')</script> & "=2+3" </td>"""
MUG = {"name": "Mug", "sku": "MUG", "price": "10.00"}


class Page(HTMLParser):
    """The elements and the texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, _attrs: Any) -> None:
        self.elements.append(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def shown(world: Any, form: str, *orders: int) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        command = ["--config", world.config_file(), "plan", "--format", form, *map(str, orders)]
        cli.main(command, standalone_mode=False)
    return out.getvalue()


def dry_run(world: Any) -> None:
    world.sync(dry_run=True)
    world.settings["dry_run"] = False


def test_every_form_of_a_plan_has_its_steps(world: Any) -> None:
    orders = [world.place(), world.place(status_id=7)]
    dry_run(world)
    documents = json.loads(shown(world, "json"))
    assert documents == world.ctl("plan")
    assert [document["order_id"] for document in documents] == orders
    steps = [step["why"] for step in documents[0]["steps"]]
    assert len(steps) > 3
    text, page = shown(world, "text"), Page(shown(world, "html"))
    rows = list(csv.DictReader(io.StringIO(shown(world, "csv"))))
    for why in steps:
        assert why in text
        assert why in page.texts
    assert [row["steps"] for row in rows] == ["; ".join(steps), ""]
    assert {key: rows[0][key] for key in ("order_id", "number", "total", "taxes")} == {
        "order_id": str(orders[0]),
        "number": str(orders[0]),
        "total": "11.00",
        "taxes": "1.00",
    }
    assert (rows[-1]["order_id"], rows[-1]["outcome"]) == (str(orders[1]), "waiting")


def test_what_a_shop_s_record_holds_stays_text_on_a_page(world: Any) -> None:
    order = world.place(lines=[MUG | {"name": HOSTILE}])
    dry_run(world)
    page = Page(shown(world, "html", order))
    assert "script" not in page.elements
    assert page.open == []
    (document,) = json.loads(shown(world, "json", order))
    assert document["invoice"]["lines"][0]["name"] in page.texts


@pytest.mark.parametrize(
    ("form", "said"),
    [("text", "nothing to plan"), ("html", "nothing to plan"), ("json", "[]"), ("csv", "order_id")],
)
def test_where_nothing_is_to_be_planned_each_form_is_whole_all_the_same(
    world: Any, form: str, said: str
) -> None:
    world.sync()
    assert said in shown(world, form)


@pytest.mark.plans_left
def test_a_plan_tells_the_rewriting_that_the_brake_counts(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order, other = world.place(lines=[MUG]), world.place()
    world.sync()
    world.change(order, "lines", lines=[MUG | {"quantity": 3}])
    world.change(other, "refund", order_amount="4.00")
    world.place()
    caplog.set_level("INFO")
    dry_run(world)
    assert "A real run would rewrite or delete 1 invoices of earlier runs" in caplog.text
    documents = [json.loads(shown(world, "json", one))[0] for one in (order, other)]
    assert [document["rewrites"] for document in documents] == [True, False]
    world.settings |= {"dry_run": True}
    told = world.ctl("replay", str(order), str(other))
    assert told["rewritten_invoices"] == 1


def test_a_plan_foresees_each_step_of_an_undoing_once(world: Any) -> None:
    """Somebody paid a part just before us, and the run broke off before it deleted the credit."""
    order = world.place()
    money = {"amount": "4.00", "code": "USD"}
    payment = {"invoiceid": "$invoiceid", "amount": money, "date": "2026-11-28", "type": "Cash"}
    write = {"method": "POST", "path": "payments/payments", "json": {"payment": payment}}
    world.fault(kind="act", method="POST", path="payments/payments$", writes=[write], times=1)
    world.fault(
        kind="refused", status=403, errno=1042, method="PUT", path="/credit_notes/", times=1
    )
    with pytest.raises(Forbidden):
        world.sync()
    (plan,) = json.loads(shown(world, "json", order))
    assert [step["kind"] for step in plan["steps"]] == ["delete_overpayment"]
    assert plan["reason"] == "paid_elsewhere"
    assert world.ctl("replay", str(order))["writes"] == 1


@pytest.mark.plans_left
def test_a_plan_asks_nothing_of_what_it_foresees(world: Any) -> None:
    order = world.synced(lines=[MUG])

    def asked() -> int:
        world.control("POST", "requests/reset")
        world.ctl("plan", str(order))
        rows = world.control("GET", "requests")["requests"]
        return sum(row["count"] for row in rows if row["side"] == "freshbooks")

    unchanged = asked()
    world.change(order, "lines", lines=[MUG | {"price": "8.00"}])
    world.change(order, "refund", order_amount="4.00")
    dry_run(world)
    assert asked() == unchanged
