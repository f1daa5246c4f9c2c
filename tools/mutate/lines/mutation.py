"""What one entry of the list says, and where the sources stand."""

from __future__ import annotations

from dataclasses import dataclass

FRESHBOOKS = "target-freshbooks/src/target_freshbooks"
TAP = "tap-bigcommerce-orders/src/tap_bigcommerce_orders"
WEBHOOKS = "plugins/webhooks/src/connector_webhooks"
CREDENTIALS = "plugins/credentials/src/connector_credentials"
AIRFLOW = "plugins/airflow/dags"


@dataclass(frozen=True, slots=True)
class Mutation:
    """One safety line taken out.

    Attributes:
        name: What is taken out.
        promise: Which promise of docs/guarantees.md falls without it, by its name there.
        file: Where it stands.
        old: The text as it is; it stands there exactly once.
        new: What stands there instead.
        tests: Arguments of pytest; at least one of the tests must fail.
    """

    name: str
    promise: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
