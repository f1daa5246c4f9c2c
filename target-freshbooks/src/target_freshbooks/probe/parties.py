"""Checks of clients and items: what may be there twice, what a search finds, and when."""

from typing import Any

from target_freshbooks.freshbooks import Refused
from target_freshbooks.freshbooks.refusals import RefusalKind, classify
from target_freshbooks.probe.bench import Bench
from target_freshbooks.probe.finding import (
    Check,
    Measurement,
    Untold,
    client_of,
    refusal,
    shows_fresh,
    unique,
)

LOOK_EVERY = 1.0
"""Seconds between two looks for a fresh record."""


def client_limit(bench: Bench) -> Measurement:
    """Make the client."""
    fname, lname = bench.tag.split("-")
    body = {"email": bench.email, "fname": fname, "lname": lname, "organization": bench.tag}
    made = bench.attempt(lambda: bench.make("client", bench.email, body))
    if isinstance(made, Refused):
        if classify(made).kind is not RefusalKind.CLIENT_LIMIT:
            raise Untold(f"no client could be made: {made.words}")
        return Measurement("reached", refusal(made))
    bench.client = made
    return Measurement("not reached")


def staleness(bench: Bench) -> Measurement:
    """Look for the fresh client until a search shows it."""
    client, began = client_of(bench), bench.seconds()
    search = (("search[email]", bench.email),)

    def is_shown() -> bool:
        return any(
            row.id == client.id for row in bench.books.clients.rows(search, _of_email(bench))
        )

    seen_at = began
    while not is_shown():
        if bench.seconds() - began >= bench.patience:
            bench.unseen = True
            return _unseen("longer", bench.patience)
        bench.sleep(LOOK_EVERY)
        seen_at = bench.seconds()
    bench.unseen_seconds = seen_at - began
    return _unseen("at once" if seen_at == began else "later", seen_at - began)


def _unseen(value: str, seconds: float) -> Measurement:
    whole_seconds = int(-(-seconds // 1))
    return Measurement(value, {"seconds": whole_seconds}, {"unseen_seconds": whole_seconds})


def _of_email(bench: Bench) -> Any:  # noqa: ANN401 - a test of a row
    return lambda row: str(row.get("email") or "").casefold() == bench.email.casefold()


def email_search_case(bench: Bench) -> Measurement:
    """Search for the client's e-mail in another case."""
    client = client_of(bench)
    shows_fresh(bench)
    search = (("search[email]", bench.email.lower()),)
    is_shown = any(
        row.id == client.id for row in bench.books.clients.rows(search, _of_email(bench))
    )
    return Measurement("insensitive" if is_shown else "exact")


def duplicate_email(bench: Bench) -> Measurement:
    """Make a second client of the same e-mail, with other names."""
    client_of(bench)
    names = {"fname": "Other", "lname": bench.number(1).replace("-", "")}
    body = {"email": bench.email, **names, "organization": bench.number(1)}
    return _twice(bench, "client", bench.email, body)


def username_taken(bench: Bench) -> Measurement:
    """Make a second client of the same names, with another e-mail."""
    client = client_of(bench)
    email = f"other-{bench.email.lower()}"
    names = {"fname": client.fname, "lname": client.lname, "organization": bench.number(2)}
    return _twice(bench, "client", email, {"email": email, **names})


def item_name_unique(bench: Bench) -> Measurement:
    """Make the item, and a second one of its name."""
    body = {"name": bench.tag, "sku": bench.tag}
    made = bench.attempt(lambda: bench.make("item", bench.tag, body))
    if isinstance(made, Refused):
        raise Untold(f"no item could be made: {made.words}")
    bench.item = made
    return _twice(bench, "item", bench.tag, {"name": bench.tag, "sku": bench.number(1)})


def item_sku_unique(bench: Bench) -> Measurement:
    """Make a second item of the same SKU."""
    if bench.item is None:
        raise Untold("the probe could make no item")
    name = bench.number(1)
    return _twice(bench, "item", name, {"name": name, "sku": bench.tag})


def _twice(bench: Bench, record: Any, key: str, body: dict[str, Any]) -> Measurement:  # noqa: ANN401 - a kind
    return unique(bench.attempt(lambda: bench.make(record, key, body)))


CHECKS = (
    Check(
        "client_limit",
        "the plan's limit of clients is met when a new one is refused",
        {"reached": "orders of new clients are parked; raise the plan's limit"},
        client_limit,
        ("fb.client_limit", "fb.client_limit_status"),
    ),
    Check(
        "fresh_records",
        "a search may not show a record for settle_seconds after it was made",
        {
            "at once": "nothing: settle_seconds is waited as set",
            "*": "after an unclear write at least so long is waited before it is made again",
        },
        staleness,
        ("fb.stale_search_seconds",),
    ),
    Check(
        "email_search_case",
        "a search for an e-mail may or may not heed case, so both forms are asked for",
        {},
        email_search_case,
        ("fb.email_search_case",),
    ),
    Check(
        "duplicate_email",
        "several clients may have one e-mail, and the oldest active one is taken",
        {"refused": "a client that a person deletes may have to be restored by hand"},
        duplicate_email,
        ("fb.duplicate_email",),
    ),
    Check(
        "username",
        "a client may be refused for its names; it is then made without them",
        {},
        username_taken,
        ("fb.username_taken",),
    ),
    Check(
        "item_name",
        "an item's name may be refused as taken; the SKU is then appended to it",
        {},
        item_name_unique,
        ("fb.item_name_unique",),
    ),
    Check(
        "item_sku",
        "an item's SKU may be refused as taken; it is then made without it",
        {},
        item_sku_unique,
        ("fb.item_sku_unique",),
    ),
)
