"""The named cases: one order for each thing that goes wrong when orders are booked by hand.

A case is the order as entered and what happened to it afterwards. Figures are chosen so that
rounding shows. The order's `case` is the name that `GET /_sandbox/truth` gives back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector_sandbox.seed.cases.credits_used import credits_
from connector_sandbox.seed.cases.discounts import discounts
from connector_sandbox.seed.cases.goods import currencies_and_shapes
from connector_sandbox.seed.cases.payments import payments
from connector_sandbox.seed.cases.people import people_and_dates
from connector_sandbox.seed.cases.refunds_made import refund_cases
from connector_sandbox.seed.cases.sold_through import marketplaces
from connector_sandbox.seed.cases.taxes import taxes

if TYPE_CHECKING:
    from connector_sandbox.seed.cases.builders import Case


def cases() -> list[Case]:
    """All named cases."""
    return [
        *taxes(),
        *discounts(),
        *credits_(),
        *payments(),
        *refund_cases(),
        *currencies_and_shapes(),
        *people_and_dates(),
        *marketplaces(),
    ]
