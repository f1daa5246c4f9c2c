"""The command: ask, decide, tell."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connector_credentials.output import json_lines, say

from tap_bigcommerce_orders.probe.checks import look_at
from tap_bigcommerce_orders.probe.evidence import gather
from tap_bigcommerce_orders.probe.page import as_document, as_text
from tap_bigcommerce_orders.probe.scopes import missing_scopes

if TYPE_CHECKING:
    from tap_bigcommerce_orders.connection import Connection


def probe(connection: Connection, store_hash: str, form: str) -> int:
    """Find out how the store's API behaves, and tell it on standard output.

    Args:
        connection: The store's API.
        store_hash: The store, as the settings name it.
        form: `text` or `json`.

    Returns:
        The exit code: 1 if the token lacks a scope that the connector needs.

    Raises:
        BigCommerceError: The store does not answer.
    """
    evidence = gather(connection)
    document = as_document(
        store_hash,
        datetime.now(UTC),
        connection.request_count,
        evidence,
        look_at(evidence),
    )
    say(*(json_lines(document, indent=2) if form == "json" else as_text(document)))
    return 1 if missing_scopes(evidence) else 0
