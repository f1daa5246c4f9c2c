"""The page that is shown, as a document and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector_credentials.commands import dry_run

from tap_bigcommerce_orders.normalize import format_time, whole
from tap_bigcommerce_orders.probe.checks import EITHER
from tap_bigcommerce_orders.probe.evidence import within
from tap_bigcommerce_orders.probe.finding import shown
from tap_bigcommerce_orders.probe.scopes import NEEDED, missing_scopes
from tap_bigcommerce_orders.probe.tally import counts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tap_bigcommerce_orders.probe.checks import Check
    from tap_bigcommerce_orders.probe.evidence import Evidence
    from tap_bigcommerce_orders.probe.finding import Finding

NEXT = (
    "Methods are placed in derived_payment_methods or on_account_methods, marketplaces in",
    "marketplace_sources.",
)


def as_document(
    store_hash: str,
    at: datetime,
    requests: int,
    evidence: Evidence,
    findings: list[tuple[Check, Finding]],
) -> dict[str, Any]:
    """The page as JSON; `settled` has the sandbox's switches as they are here."""
    seen = evidence.asked.get("count")
    return {
        "store_hash": store_hash,
        "at": format_time(at),
        "requests": requests,
        "missing_scopes": missing_scopes(evidence),
        "orders": {
            "in_store": whole(within(seen.body if seen else None).get("count")),
            "in_sample": len(evidence.orders),
        },
        "checks": [
            {
                "check": check.name,
                "switch": check.switch or None,
                "assumed": check.assumed,
                "found": finding.found,
                "grounds": finding.grounds,
                "changes": check.changes.get(finding.found, "")
                if finding.found is not None
                else "",
            }
            for check, finding in findings
        ],
        "settled": {
            check.switch: finding.found
            for check, finding in findings
            if check.switch and finding.found is not None
        },
        "counts": counts(evidence),
    }


def as_text(document: dict[str, Any]) -> list[str]:
    """The page as lines."""
    return list(_lines(document))


def _lines(document: dict[str, Any]) -> Iterator[str]:
    orders = document["orders"]
    read = f"read only, by {document['requests']} requests"
    yield f"Store {document['store_hash']}, {document['at']}: {read}."
    missing = document["missing_scopes"]
    if len(missing) == len(NEEDED):
        yield "All was refused: store_hash is wrong, or the token's API account has no scope."
    for scope in missing:
        yield f"The scope {scope} is missing: give it to the token's API account."
    every = orders["in_store"] or "all"
    yield f"The newest {orders['in_sample']} of {every} orders were looked at."
    for row in document["checks"]:
        yield from _check(row)
    for subject, numbers in document["counts"].items():
        if numbers:
            yield ""
            yield f"{subject.capitalize()}:"
            yield from (f"  {count:6} {name}" for name, count in numbers.items())
    yield ""
    yield "Which are booked, and which parked for which reason, a dry run of the target says:"
    yield f"  {dry_run()}"
    yield from NEXT


def _check(row: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield f"{row['check']}: {shown(row['found'])}"
    yield f"  grounds: {row['grounds']}"
    if row["assumed"] != EITHER:
        yield f"  assumed: {row['assumed']}"
    if row["changes"]:
        yield f"  changes: {row['changes']}"
