"""The month's report of a seeded shop: its sums are both sandboxes' own, its page is for everybody.

The page is read in a real Chromium; where none is installed those tests are skipped.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import shutil
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import pytest
from axe_playwright_python.sync_playwright import Axe
from connector_sandbox.app import create_context
from connector_sandbox.seed import DEFAULT_MONTH, seed_shop
from connector_sandbox.server import running
from connector_sandbox.testing import Harness
from playwright.sync_api import Browser, Page, sync_playwright
from pypdf import PdfReader
from target_freshbooks.ctl.cli import cli
from target_freshbooks.money import decimals_of

if TYPE_CHECKING:
    from collections.abc import Iterator

D = Decimal
SEED, ORDERS = 20261001, 60
AT = f"{DEFAULT_MONTH}-20T12:00:00+00:00"
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
)
PHONE = {"width": 360, "height": 740}


@dataclass(frozen=True)
class Told:
    """What the command wrote of a month, and what both sides hold."""

    answer: dict[str, Any]
    truth: list[dict[str, Any]]
    books: dict[str, Any]
    requests: int

    @property
    def address(self) -> str:
        return Path(self.answer["html"]).resolve().as_uri()

    def rows(self, file: str = "csv") -> list[dict[str, str]]:
        text = Path(self.answer[file]).read_text(encoding="utf-8")
        return list(csv.DictReader(io.StringIO(text, newline="")))


def told_of(shop: Harness, month: str) -> Told:
    out = io.StringIO()
    arguments = ("--json", "--config", shop.config_file(), "report", "--month", month)
    shop.control("POST", "requests/reset")
    with contextlib.redirect_stdout(out):
        cli.main((*arguments, "--output", str(shop.home)), standalone_mode=False)
    asked = sum(row["count"] for row in shop.requests())
    truth = shop.control("GET", "truth")["orders"]
    return Told(json.loads(out.getvalue()), truth, shop.books(), asked)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A seeded month, synced."""
    home = tmp_path_factory.mktemp("report")
    (home / "sandbox").mkdir()
    context, _ = create_context(home / "sandbox")
    seed_shop(context, orders=ORDERS, seed=SEED, month=DEFAULT_MONTH)
    context.store.close()
    with running(home / "sandbox", fb__rate_limit=0, bc__plan_quota=0) as sandbox:
        shop = Harness(sandbox.url, home)  # not entered, which would empty the shop
        shop.place(created=AT, pay=None, status_id=1)  # waits to be paid
        shop.place(created=AT, billing={"first_name": "Jane", "email": ""})  # of no client
        shop.sync()
        yield shop
        shop.http.close()


@pytest.fixture(scope="module")
def told(shop: Harness) -> Told:
    return told_of(shop, DEFAULT_MONTH)


# -- both sides' own sums


def test_the_sums_are_the_shop_s_and_freshbooks_own(told: Told) -> None:
    sent = [
        one
        for one in told.books["invoices"]
        if one["vis_state"] == 0 and one["v3_status"] != "draft"
    ]
    wanted: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    tax: dict[str, Decimal] = defaultdict(Decimal)
    for one in sent:
        sums = wanted[one["currency_code"]]
        sums["invoices"] += 1
        sums["invoiced"] += D(one["amount"]["amount"])
        sums["paid"] += D(one["paid"]["amount"])
        sums["outstanding"] += D(one["outstanding"]["amount"])
        net = sum(D(line["qty"]) * D(line["unit_cost"]["amount"]) for line in one["lines"])
        tax[one["currency_code"]] += D(one["amount"]["amount"]) - net
    found = {one["currency"]: one for one in told.answer["statements"]}
    assert found.keys() == wanted.keys()
    for currency, sums in wanted.items():
        assert {name: D(found[currency][name]) for name in sums} == sums
        assert D(found[currency]["tax"]) == tax[currency]
        assert sum(D(one["due"]) for one in found[currency]["taxes"]) == tax[currency]

    posted = {one["order_id"]: one for one in told.truth if one["expect"] == "posted"}
    shops: dict[str, Decimal] = defaultdict(Decimal)
    for one in posted.values():
        shops[one["currency"]] += D(one["invoice_total"])
    agreeing = [row for row in told.rows() if row["standing"] == "agrees"]
    assert {int(row["order_id"]) for row in agreeing} == posted.keys()
    reported: dict[str, Decimal] = defaultdict(Decimal)
    for row in agreeing:
        reported[row["currency"]] += D(row["invoice_total"])
    assert reported == shops
    assert told.answer["agrees"]


def test_payments_are_those_of_freshbooks_and_what_came_in_is_the_shop_s(told: Told) -> None:
    standing = defaultdict[tuple[str, str], Decimal](Decimal)
    for one in told.books["payments"]:
        amount = D(one["amount"]["amount"])
        if amount and one["vis_state"] == 0 and one["date"].startswith(DEFAULT_MONTH):
            standing[one["date"], one["type"]] += amount
    booked = defaultdict[tuple[str, str], Decimal](Decimal)
    for row in told.rows("payments_csv"):
        if D(row["in_the_books"]):
            booked[row["day"], row["type"]] += D(row["in_the_books"])
    assert booked == standing

    # One payment, all of it booked: what came in, whatever went back since.
    alone = {
        one["order_id"]: one["payments"][0]
        for one in told.truth
        if one["expect"] == "posted" and len(one["payments"]) == 1
    }
    received = {
        int(row["order_id"]): (row["day"], D(row["received"]))
        for row in told.rows("payments_csv")
        if int(row["order_id"]) in alone
    }
    assert any(one["refunds"] for one in told.truth if one["order_id"] in received)
    assert received == {
        number: (one["date"], D(one["booked"]))
        for number, one in alone.items()
        if one["date"].startswith(DEFAULT_MONTH)
    }


def test_the_headline_counts_each_order_of_the_month_once(told: Told) -> None:
    expected = {
        "agrees": {one["order_id"] for one in told.truth if one["expect"] == "posted"},
        "needs a person": {one["order_id"] for one in told.truth if one["expect"] == "parked"},
        "not in the books": {one["order_id"] for one in told.truth if one["expect"] == "waiting"},
    }
    found = {
        standing: {int(row["order_id"]) for row in told.rows() if row["standing"] == standing}
        for standing in expected
    }
    assert found == expected
    assert all(expected.values())
    counts = {name: len(ids) for name, ids in expected.items()}
    assert told.answer["headline"] == (
        f"{counts['agrees']} orders agree; {counts['needs a person']} needs a person;"
        f" {counts['not in the books']} is not in the books."
    )


def test_few_requests_are_enough_and_amounts_have_their_currency_s_decimals(told: Told) -> None:
    assert told.requests <= 20 + 4 * told.answer["parked"]
    for row in told.rows():
        for name in ("order_total", "invoice_total", "paid", "tax"):
            if row[name]:
                assert len(row[name].partition(".")[2]) >= decimals_of(row["currency"])


def test_no_client_is_named_but_in_the_page(told: Told, capfd: Any) -> None:
    names = {one["organization"] or one["lname"] for one in told.books["clients"]} - {""}
    said = json.dumps(told.answer) + Path(told.answer["csv"]).read_text("utf-8")
    assert not [name for name in names if len(name) > 4 and name in said]
    assert capfd.readouterr().out == ""


# -- the page in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*QUIET])
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: Browser, told: Told, **more: Any) -> Iterator[Page]:
    """The page; whatever it complains of fails the test."""
    page = browser.new_page(**more)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(told.address)
    yield page
    page.close()
    assert complaints == []


def first_cells(page: Page, table: str) -> list[str]:
    cells = page.locator(f"#{table} tbody tr:visible td:first-child").all_inner_texts()
    return [one.strip() for one in cells]


def test_the_page_says_what_the_command_says_and_leads_into_both_systems(
    browser: Browser, told: Told
) -> None:
    with opened(browser, told) as page:
        assert page.locator("#headline").inner_text().startswith(told.answer["headline"])
        text = page.locator("#statement").inner_text()
        for one in told.answer["statements"]:
            assert f"{D(one['invoiced']):,.{decimals_of(one['currency'])}f}" in text
        agreeing = next(row for row in told.rows() if row["standing"] == "agrees")
        number = agreeing["order_id"]
        links = page.locator("#orders tbody tr", has_text=agreeing["order_id"]).first.locator("a")
        shop, books = (link.get_attribute("href") or "" for link in links.all())
        assert shop == f"https://store-sandbox.mybigcommerce.com/manage/orders/{number}"
        assert re.fullmatch(r"https://my\.freshbooks\.com/#/invoice/[A-Za-z0-9]+-[0-9]+", books)
        assert page.locator("svg").count() > 1
        policy = page.locator("meta[http-equiv]").get_attribute("content") or ""
        assert re.fullmatch(
            r"default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+'; .*", policy
        )


def test_tables_are_sorted_and_filtered_by_keyboard(browser: Browser, told: Told) -> None:
    with opened(browser, told) as page:
        before = first_cells(page, "orders")
        heading = page.locator("#orders thead th").nth(5)
        heading.locator("button").focus()
        page.keyboard.press("Enter")
        assert heading.get_attribute("aria-sort") == "ascending"
        column = page.locator("#orders tbody tr td:nth-child(6)")
        amounts = [D(one.replace(",", "")) for one in column.all_inner_texts()]
        assert amounts == sorted(amounts)
        page.keyboard.press("Space")
        assert heading.get_attribute("aria-sort") == "descending"
        amounts = [D(one.replace(",", "")) for one in column.all_inner_texts()]
        assert amounts == sorted(amounts, reverse=True)
        page.keyboard.press("Shift+Tab")  # from column to column, then to the region's filter
        page.get_by_label("Filter: orders", exact=True).focus()
        page.keyboard.type(before[3])
        assert before[3] in first_cells(page, "orders")
        shown = len(first_cells(page, "orders"))
        count = page.locator("output[for=filter-orders]")
        assert count.inner_text() == f"{shown} of {len(before)} shown"
        assert count.get_attribute("role") == "status"
        assert shown < len(before)


def test_rates_are_sorted_as_numbers(browser: Browser, told: Told) -> None:
    with opened(browser, told) as page:
        page.locator("#taxes thead th").nth(2).locator("button").click()
        column = page.locator("#taxes tbody tr td:nth-child(3)").all_inner_texts()
        rates = [D(one.partition(" ")[0]) for one in column if one]
        assert len(set(rates)) > 2
        assert rates == sorted(rates)


@pytest.mark.more
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_from_reading_it(browser: Browser, told: Told, scheme: Any) -> None:
    with opened(browser, told, color_scheme=scheme) as page:
        found = Axe().run(page).response["violations"]
        grave = [one for one in found if one["impact"] in {"serious", "critical"}]
        assert [(one["id"], one["nodes"][0]["html"]) for one in grave] == []


def test_a_phone_shows_it_without_scrolling_the_page_sideways(browser: Browser, told: Told) -> None:
    with opened(browser, told, viewport=PHONE) as page:
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width == PHONE["width"]


@pytest.mark.more
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_prints_whole(browser: Browser, told: Told, paper: str, tmp_path: Path) -> None:
    file = tmp_path / f"{paper}.pdf"
    with opened(browser, told) as page:
        page.get_by_label("Filter: orders", exact=True).fill("no order is called so")
        page.pdf(path=file, format=paper, print_background=True)
    # A font may draw two letters as one sign ("Di\ufb00erence").
    sheets = [normalize("NFKC", sheet.extract_text()) for sheet in PdfReader(file).pages]
    last = sheets[next(i for i, text in enumerate(sheets) if "All orders in the books" in text) :]
    text = " ".join("\n".join(sheets).split())
    assert "Filter:" not in text
    for row in told.rows():
        assert row["order_id"] in text
    row = next(row for row in told.rows() if row["refunded"] and D(row["refunded"]))
    place = re.escape(f"{row['order_id']} {row['day']}")
    names = ("order_total", "redeemed", "refunded", "invoice_total", "paid", "outstanding")
    amounts = " ".join(re.escape(f"{D(row[name]):,.2f}") for name in (*names, "difference"))
    assert re.search(f"{place} .*?{row['currency']} {amounts}", text)
    # The head stands on each sheet that the table is on.
    assert len(last) > 1
    for sheet in last[:-1]:
        assert all(name in sheet for name in ("Redeemed", "Outstanding", "Difference"))


@pytest.mark.more
def test_a_month_without_anything_is_told_as_such(browser: Browser, shop: Harness) -> None:
    told = told_of(shop, "2020-02")
    assert told.answer["headline"] == "No order of this month is known."
    assert told.rows() == []
    with opened(browser, told) as page:
        assert "Nothing of this month is known" in page.locator("header").inner_text()
