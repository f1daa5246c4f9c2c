"""An outage stops the run and parks nobody; an order FreshBooks cannot digest stops nobody.

Books a hundred orders while FreshBooks is ill in each of several ways, heals it and runs again;
then it books them with one order that FreshBooks refuses, or answers with a server error each time,
at the first, a middle and the last place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo import sandbox as sandboxes
from sweeps import books, scenario
from sweeps.runner import WRITES, say, stage

if TYPE_CHECKING:
    from pathlib import Path

    from sweeps.books import Books
    from sweeps.runner import Stage

ORDERS = 100
FAILED, PARKED = 1, 2
READS_AND_WRITES = {"side": "freshbooks", "path": "^/accounting/"}
OUTAGES: dict[str, dict[str, Any]] = {
    "401 though the token was just refreshed": {**READS_AND_WRITES, "status": 401},
    "403": {**READS_AND_WRITES, "status": 403},
    "500 to all writes": {**WRITES, "status": 500},
    "500 to all writes after the fortieth": {**WRITES, "status": 500, "skip": 40},
    "503 to everything after the fortieth": {**READS_AND_WRITES, "status": 503, "skip": 40},
    "429 for ever": {**READS_AND_WRITES, "status": 429},
    "429 for ever after the fortieth": {**READS_AND_WRITES, "status": 429, "skip": 40},
    "the account is closed after the fortieth write": {
        **WRITES,
        "status": 403,
        "skip": 40,
        "answer": '{"response": {"errors": [{"errno": 1042, "message": "Not active."}]}}',
    },
}
REFUSAL = {"status": 422}
SERVER_ERROR = {"status": 500}


def record(home: Path, orders: int) -> Path:
    """So many paid orders of five guests, as the tap tells them."""
    home.mkdir(parents=True, exist_ok=True)
    line = {"name": "Mug", "sku": "MUG", "price": "12.50", "quantity": 2}
    guests = [{**scenario.BEN, "email": f"guest{number}@shop.example"} for number in range(5)]
    with sandboxes.up(home / "shop", "--empty") as sandbox:
        placed = [{"lines": [line], "billing": guests[n % 5]} for n in range(orders)]
        sandbox.tell("POST", "shop/orders", placed)
        return scenario.tell(sandbox, home / "orders.jsonl")


def outage(on: Stage, name: str, rule: dict[str, Any] | None, wanted: Books) -> list[str]:
    """One way to be ill: exit 1, nobody parked; healed: all posted."""
    on.begin()
    if rule is None:
        on.configure(api_url="http://127.0.0.1:9")  # the discard port: nobody listens
    else:
        on.sandbox.tell("POST", "faults", {**rule, "kind": "status", "times": None})
    on.start(0)
    code = on.ended()
    parked = [order for order, state in on.standings().items() if state == "parked"]
    wrong = [] if code == FAILED else [f"ended with {code}"]
    wrong += [f"order {order} was parked" for order in parked]
    on.sandbox.tell("DELETE", "faults")
    on.configure(api_url=on.sandbox.url)
    on.run(0)
    wrong += books.differences(on.books(), wanted) + on.flaws()
    say(f"outage, {name}: exit {code}, {len(parked)} parked, {len(wrong)} wrong after healing")
    return [f"{name}: {entry}" for entry in wrong]


def poison(on: Stage, order: int, rule: dict[str, Any], *, on_parked: str) -> list[str]:
    """One order whose invoice FreshBooks never takes: it alone is parked."""
    on.begin()
    on.configure(on_parked=on_parked)
    refused = {
        "side": "freshbooks",
        "method": "POST",
        "path": "/invoices/invoices$",
        "body": f'"invoice_number": ?"{order}"',
    }
    on.sandbox.tell("POST", "faults", {**refused, **rule, "kind": "status", "times": None})
    on.start(0)
    code = on.ended()
    states = on.standings()
    parked = sorted(one for one, state in states.items() if state == "parked")
    posted = sum(state == "posted" for state in states.values())
    wrong = [] if parked == [order] else [f"parked are {parked}, not {order}"]
    wrong += [] if posted == len(states) - 1 else [f"only {posted} posted"]
    wrong += [] if code == (PARKED if on_parked == "fail" else 0) else [f"ended with {code}"]
    standing = on.books()
    wrong += books.repeated(standing) + on.flaws()
    wrong += [] if len(standing.invoices) == posted else [f"{len(standing.invoices)} stand"]
    what = f"poison order ({rule['status']}, on_parked {on_parked})"
    say(f"{what}: {posted} posted, {len(parked)} parked, exit {code}")
    return [f"{what}: {entry}" for entry in wrong]


def sweep(home: Path, *, orders: int, outages: dict[str, Any], poisons: int) -> list[str]:
    """Each outage, and poison orders at up to three places in two ways."""
    messages = record(home / "shop", orders)
    wrong: list[str] = []
    with stage(home, [messages], max_parallel_orders=4, max_retry_seconds=3) as on:
        on.begin()
        on.run(0)
        wanted, numbers = on.books(), sorted(on.standings())
        for name, rule in outages.items():
            wrong += outage(on, name, rule, wanted)
        places = [numbers[len(numbers) // 2], numbers[-1], numbers[0]]
        for order in places[:poisons]:
            wrong += poison(on, order, SERVER_ERROR, on_parked="warn")
            wrong += poison(on, order, REFUSAL, on_parked="fail")
        if poisons:
            wrong += poison(on, places[0], REFUSAL, on_parked="warn")
    return wrong
